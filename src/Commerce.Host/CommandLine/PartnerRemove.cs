using System.CommandLine;
using Commerce.Federation.Contracts;

namespace Commerce.Host.CommandLine;

/// <summary><c>partner remove ID</c>.</summary>
internal static class PartnerRemove
{
    private static readonly Argument<string> Id = new("ID") { Description = "The partner's id, as in partner list." };

    public static Command Make() => new Command("remove", """
        Remove a partner: its connections, offers and tokens stop working at once. Its entries in the ledger stay.

        Example:
          partner remove kolari-auto
        """) { Id }.Runs(async run =>
    {
        await run.MustAsync(new RemovePartner(run.Get(Id)));
        run.Print(new { removed = run.Get(Id) }, text => text.WriteLine($"{run.Get(Id)} is removed."));
    });
}
