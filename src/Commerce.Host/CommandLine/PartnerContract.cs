using System.CommandLine;
using Commerce.Federation.Contracts;

namespace Commerce.Host.CommandLine;

/// <summary><c>partner contract FILE</c>: a new version of a partner's data contract.</summary>
internal static class PartnerContract
{
    private static readonly Argument<FileInfo> File = new("FILE") { Description = "The data contract, JSON. Its member 'partner' says whose it is." };

    public static Command Make() => new Command("contract", """
        Give a partner a new version of its data contract. Customers are asked again where it asks for more.

        Example:
          partner contract kolari-auto-v2.json
        """) { File }.Runs(async run =>
    {
        var version = await run.MustAsync(new SetDataContract(await run.ReadAsync(run.Get(File))));
        run.Print(new { version }, text => text.WriteLine($"Version {version} is in force."));
    });
}
