using System.CommandLine;
using Commerce.Federation.Contracts;

namespace Commerce.Host.CommandLine;

/// <summary><c>partner check ID</c>: explains a registration. Exit code 1 where something would stop a hop.</summary>
internal static class PartnerCheck
{
    private static readonly Argument<string> Id = new("ID") { Description = "The partner's id, as in partner list." };

    public static Command Make() => new Command("check", """
        Explain a partner's registration: addresses, certificates, keys, data contract, offers.

        Example:
          partner check kolari-auto

        Exit code 0 where hops to the partner can work, 1 where something stops them.
        """) { Id }.Runs(async run =>
    {
        var report = await run.MustAsync(new CheckPartner(run.Get(Id)));
        run.Print(report, text =>
        {
            text.WriteLine($"{report.Partner}: {(report.IsHealthy ? "hops can work" : "hops cannot work")}");
            foreach (var finding in report.Findings) text.WriteLine($"  {finding.Level,-7}  {finding.Subject}: {finding.Message}");
        });
        return report.IsHealthy ? 0 : 1;
    });
}
