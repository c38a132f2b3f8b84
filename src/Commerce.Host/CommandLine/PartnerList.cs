using System.CommandLine;
using Commerce.Federation.Contracts;

namespace Commerce.Host.CommandLine;

/// <summary><c>partner list</c>.</summary>
internal static class PartnerList
{
    public static Command Make() => new Command("list", """
        List partners with their connections and offers.

        Example:
          partner list --json
        """).Runs(async run =>
    {
        var partners = await run.AskAsync(new ListPartners());
        run.Print(partners, text =>
        {
            if (partners.Count == 0) text.WriteLine("There are no partners yet. Add one with: partner add --help");
            else Columns.Write(text, ["PARTNER", "PROTOCOL", "STATE", "CONTRACT", "OFFERS", "CONNECTION"], partners.Select(p => (IReadOnlyList<string>)
                [p.Partner, p.Protocol, p.IsActive ? "on" : "off", p.ContractVersion is { } version ? $"v{version}" : "none", p.Offers.Count == 0 ? "-" : string.Join(",", p.Offers), p.Connection]));
        });
    });
}
