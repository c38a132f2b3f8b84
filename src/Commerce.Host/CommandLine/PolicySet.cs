using System.CommandLine;
using Commerce.Federation.Contracts;

namespace Commerce.Host.CommandLine;

/// <summary><c>policy set FILE</c>: what one client may do.</summary>
internal static class PolicySet
{
    private static readonly Argument<FileInfo> File = new("FILE") { Description = "The policy, JSON. Its member 'client' says whose it is." };

    public static Command Make() => new Command("set", """
        Put an OIDC client's policy in force, from its next request on.

        Example:
          policy set kolari-machine.json

        The file: {"client":"…","resources":[{"identifier":"https://api.fitting.example","scopes":["calendar:read"]}]} and, as wanted,
        "scopes", "grant_types", "access_token_seconds" (30 to 3600), "require_dpop", "require_pushed_requests", "requests_per_minute".
        """) { File }.Runs(async run =>
    {
        var client = await run.MustAsync(new SetClientPolicy(await run.ReadAsync(run.Get(File))));
        run.Print(new { client }, text => text.WriteLine($"The policy of {client} is in force."));
    });
}
