using System.CommandLine;
using Commerce.Federation.Contracts;

namespace Commerce.Host.CommandLine;

/// <summary><c>keys list</c>.</summary>
internal static class KeysList
{
    public static Command Make() => new Command("list", """
        List signing keys. The next key is published already and signs after the next rotation; retired keys stay published until
        everything they signed has expired; revoked keys are published no more.
        """).Runs(async run =>
    {
        var keys = await run.AskAsync(new ListKeys());
        run.Print(keys, text => Write(text, keys));
    });

    public static void Write(TextWriter text, IReadOnlyList<KeySummary> keys) => Columns.Write(text, ["PURPOSE", "STATE", "ALGORITHM", "STORE", "CREATED", "ACTIVE SINCE", "RETIRED", "KEY ID"],
        keys.Select(k => (IReadOnlyList<string>)
            [k.Purpose, k.State, k.Algorithm, k.Store, Columns.Instant(k.CreatedAt), Columns.Instant(k.ActivatedAt), Columns.Instant(k.RetiredAt), k.Kid]));
}
