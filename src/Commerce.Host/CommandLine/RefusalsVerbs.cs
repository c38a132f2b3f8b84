using System.CommandLine;
using Commerce.Federation.Contracts;

namespace Commerce.Host.CommandLine;

/// <summary><c>refusals list</c>: SAML messages that were refused, and by which rule.</summary>
internal static class RefusalsList
{
    private static readonly Option<string> Connection = new("--connection") { Description = "Only those of this entity id." };
    private static readonly Option<int> Most = new("--most") { Description = "How many, the newest first; 1 to 1000.", DefaultValueFactory = _ => 50 };

    public static Command Make() => new Command("list", """
        List SAML messages that the hub refused, the newest first. They are kept for 30 days, at most 10,000 of them.

        Example:
          refusals list --connection https://booking.partner.example/saml/metadata
        """) { Connection, Most }.Runs(async run =>
    {
        var refused = await run.AskAsync(new ListRefusedMessages(run.Get(Connection), run.Get(Most)));
        run.Print(refused, text =>
        {
            if (refused.Count == 0) text.WriteLine("No refused message is on record.");
            else Columns.Write(text, ["REFERENCE", "AT", "RULE", "ENDPOINT", "CONNECTION"], refused.Select(r => (IReadOnlyList<string>)
                [r.Reference, Columns.Instant(r.At), r.Code, r.Endpoint, r.Connection ?? "-"]));
        });
    });
}

/// <summary><c>refusals show REFERENCE</c>: what stands behind the reference on a customer's page.</summary>
internal static class RefusalsShow
{
    private static readonly Argument<string> Reference = new("REFERENCE") { Description = "As the customer's page shows it." };

    public static Command Make() => new Command("show", """
        Show why a SAML message was refused: the rule, the reason, and the message with everything masked that names a person or could be used again.

        Example:
          refusals show 0HN8V2QF3KJ1A:00000004
        """) { Reference }.Runs(async run =>
    {
        var found = await run.MustAsync(new FindRefusedMessage(run.Get(Reference)));
        run.Print(found, text =>
        {
            foreach (var refused in found)
            {
                text.WriteLine($"{Columns.Instant(refused.At)}  {refused.Code}  {refused.Endpoint}  {refused.Connection ?? "no known connection"}");
                text.WriteLine($"  {refused.Detail}");
                if (refused.Message is { } message) text.WriteLine(message);
            }
        });
    });
}
