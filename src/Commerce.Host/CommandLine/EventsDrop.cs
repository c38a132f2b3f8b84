using System.CommandLine;
using Commerce.Kernel.Outbox;

namespace Commerce.Host.CommandLine;

/// <summary><c>events drop ID</c>.</summary>
internal static class EventsDrop
{
    private static readonly Argument<Guid> Id = new("ID") { Description = "The event's id, as in events dead." };

    public static Command Make() => new Command("drop", """
        Give a dead event up for good, so that those behind it go on. Its effect never happens.

        Example:
          events drop 0199a7c2-6c1e-7d55-8b0e-0a3e5f6b7c8d
        """) { Id }.Runs(async run =>
    {
        var id = run.Get(Id);
        if (!await (await run.ServiceAsync<DeadLetters>()).DropAsync(id, run.Stop)) throw new VerbFault($"There is no dead letter {id}. List them with: events dead");
        run.Print(new { id }, text => text.WriteLine($"Event {id} is dropped."));
    });
}
