using System.CommandLine;
using Commerce.Kernel.Outbox;

namespace Commerce.Host.CommandLine;

/// <summary><c>events dead</c>: the dead letters.</summary>
internal static class EventsDead
{
    public static Command Make() => new Command("dead", """
        List events that used up their attempts (12 within a little more than a day). Later events of the same customer or hop wait
        behind each of them until it is retried or dropped.
        """).Runs(async run =>
    {
        var letters = await (await run.ServiceAsync<DeadLetters>()).ListAsync(run.Stop);
        run.Print(letters, text =>
        {
            if (letters.Count == 0) text.WriteLine("There are no dead letters.");
            else Columns.Write(text, ["EVENT", "MODULE", "DEAD SINCE", "WAITING", "LAST ERROR", "TYPE"], letters.Select(l => (IReadOnlyList<string>)
                [l.Event.ToString(), l.Module, Columns.Instant(l.DeadAt), l.Waiting.ToString(System.Globalization.CultureInfo.InvariantCulture), l.LastError, l.Type]));
        });
    });
}
