using System.CommandLine;
using Commerce.Federation.Contracts;

namespace Commerce.Host.CommandLine;

/// <summary><c>partner metadata</c>: the addresses whose SAML metadata the hub follows.</summary>
internal static class PartnerMetadata
{
    private static readonly Argument<string?> Feed = new("FEED") { Description = "A feed's id, as in partner metadata list. Default: all.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Argument<string?> Of = new("ID") { Description = "A connection or a partner. Default: all.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Argument<string> Connection = new("CONNECTION") { Description = "The entity id." };

    public static Command Make() => new("metadata", "SAML metadata that is followed at its address.") { List(), Refresh(), Diff(), Decide(approve: true), Decide(approve: false), Ending() };

    private static Command List() => new Command("list", """
        List feeds: when they were read, when they are read next, and what waits or fails.

        Example:
          partner metadata list
        """).Runs(async run =>
    {
        var feeds = await run.AskAsync(new ListMetadataFeeds());
        run.Print(feeds, text =>
        {
            if (feeds.Count == 0) text.WriteLine("No metadata is followed. Add a partner by the address of its metadata: partner add --help");
            else Columns.Write(text, ["FEED", "SIGNED", "ENTITIES", "WAITING", "READ", "NEXT", "VALID UNTIL", "FAILED", "URL"], feeds.Select(f => (IReadOnlyList<string>)
                [f.Id, f.IsSigned ? "yes" : "no", $"{f.Entities}", $"{f.Waiting}", Columns.Instant(f.FetchedAt), Columns.Instant(f.NextAt), Columns.Instant(f.ValidUntil), $"{f.Failures}", f.Url]));
            foreach (var feed in feeds.Where(f => f.Problem is not null)) text.WriteLine($"{feed.Id}: {feed.Problem}");
        });
    });

    private static Command Refresh() => new Command("refresh", """
        Fetch feeds now instead of when they are due.

        Example:
          partner metadata refresh

        Exit code 1 where a feed could not be read.
        """) { Feed }.Runs(async run =>
    {
        var done = await run.MustAsync(new RefreshMetadata(run.Get(Feed!)));
        run.Print(done, text =>
        {
            foreach (var one in done)
            {
                text.WriteLine($"{one.Source}: {one.Problem ?? $"{one.Changed.Count} changed, {one.Waiting.Count} wait for approval"}");
                foreach (var connection in one.Changed) text.WriteLine($"  changed  {connection}");
                foreach (var connection in one.Waiting) text.WriteLine($"  waits    {connection}");
            }
        });
        return done.All(one => one.Problem is null) ? 0 : 1;
    });

    private static Command Diff() => new Command("diff", """
        Show changes of endpoints and keys that wait for approval, because the feed is not signed.

        Example:
          partner metadata diff kolari-auto
        """) { Of }.Runs(async run =>
    {
        var waiting = await run.AskAsync(new PendingMetadata(run.Get(Of!)));
        run.Print(waiting, text =>
        {
            if (waiting.Count == 0) text.WriteLine("Nothing waits.");
            foreach (var one in waiting) Write(text, one);
        });
    });

    private static Command Decide(bool approve) => new Command(approve ? "approve" : "reject", approve ? """
        Take a waiting change in.

        Example:
          partner metadata approve https://kolari-auto.example/saml

        Ask the partner by another way first, such as a telephone number you know: whoever controls its web server can change its metadata.
        """ : """
        Drop a waiting change. It waits again if the feed still says so at the next refresh.

        Example:
          partner metadata reject https://kolari-auto.example/saml
        """) { Connection }.Runs(async run =>
    {
        var done = await run.MustAsync(new DecidePendingMetadata(run.Get(Connection), approve));
        run.Print(done, text =>
        {
            text.WriteLine(approve ? "Taken in:" : "Dropped:");
            Write(text, done);
        });
    });

    private static Command Ending() => new Command("expiring", """
        List metadata and certificates that end within 60 days.

        Example:
          partner metadata expiring --json
        """).Runs(async run =>
    {
        var ending = await run.AskAsync(new ListExpiring());
        run.Print(ending, text =>
        {
            if (ending.Count == 0) text.WriteLine("Nothing ends within 60 days.");
            else Columns.Write(text, ["DAYS", "UNTIL", "WHAT", "PARTNER", "CONNECTION"], ending.Select(e => (IReadOnlyList<string>) [$"{e.DaysLeft}", Columns.Instant(e.Until), e.What, e.Partner, e.Connection]));
        });
    });

    private static void Write(TextWriter text, PendingChange change)
    {
        text.WriteLine($"{change.Connection} ({change.Partner}), since {Columns.Instant(change.Since)}:");
        foreach (var sentence in change.Changes) text.WriteLine($"  {sentence}");
    }
}
