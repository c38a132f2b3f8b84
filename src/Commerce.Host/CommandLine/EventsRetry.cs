using System.CommandLine;
using Commerce.Kernel.Outbox;

namespace Commerce.Host.CommandLine;

/// <summary><c>events retry ID</c>.</summary>
internal static class EventsRetry
{
    private static readonly Argument<Guid> Id = new("ID") { Description = "The event's id, as in events dead." };

    public static Command Make() => new Command("retry", """
        Let a dead event try again from the start. A serving hub delivers it within a second.

        Example:
          events retry 0199a7c2-6c1e-7d55-8b0e-0a3e5f6b7c8d
        """) { Id }.Runs(async run =>
    {
        var id = run.Get(Id);
        if (!await (await run.ServiceAsync<DeadLetters>()).RetryAsync(id, run.Stop)) throw new VerbFault($"There is no dead letter {id}. List them with: events dead");
        run.Print(new { id }, text => text.WriteLine($"Event {id} is tried again."));
    });
}
