using System.CommandLine;
using Commerce.Consent.Contracts;

namespace Commerce.Host.CommandLine;

/// <summary><c>ledger verify</c>. Exit code 1 where the ledger was changed.</summary>
internal static class LedgerVerify
{
    public static Command Make() => new Command("verify", """
        Recompute the hash chain of the consent and release ledger, and hold it against the anchor kept outside the database.

        Exit code 0 where it is intact, 1 where an entry was changed, removed or added behind the hub's back.
        """).Runs(async run =>
    {
        var verdict = await run.AskAsync(new VerifyLedger());
        run.Print(verdict, text => text.WriteLine($"{(verdict.IsIntact ? "Intact" : "NOT INTACT")}, {verdict.Entries} entries. {verdict.Finding}"));
        return verdict.IsIntact ? 0 : 1;
    });
}
