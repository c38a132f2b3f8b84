using System.CommandLine;
using Commerce.Federation.Contracts;

namespace Commerce.Host.CommandLine;

/// <summary><c>partner token ID</c>: an initial access token with which a partner registers its own OIDC clients.</summary>
internal static class PartnerToken
{
    private static readonly Argument<string> Id = new("ID") { Description = "The partner's id, as in partner list." };
    private static readonly Option<FileInfo?> Policy = new("--policy")
    {
        Description = "What the clients may be, a JSON file: scope, grant_types, token_endpoint_auth_methods, redirect_hosts, authorization_details_types, require_pkce (false lets them go without).",
        HelpName = "FILE",
    };

    private static readonly Option<int> Uses = new("--uses") { Description = "How many clients it may register.", DefaultValueFactory = _ => 1 };
    private static readonly Option<int> Days = new("--days") { Description = "For how many days it is good.", DefaultValueFactory = _ => 7 };

    public static Command Make() => new Command("token", """
        Make an initial access token (RFC 7591): with it a partner registers OIDC clients of its own, within its data contract and the policy.

        Examples:
          partner token kolari-auto
          partner token kolari-auto --policy kolari-policy.json --uses 5 --days 30

        The token is printed once and stored only as a hash.
        """) { Id, Policy, Uses, Days }.Runs(async run =>
    {
        var policy = run.Get(Policy) is { } file ? await run.ReadAsync(file) : null;
        var made = await run.MustAsync(new MintRegistrationToken(run.Get(Id), policy, run.Get(Uses), run.Get(Days)));
        run.Print(made, text =>
        {
            text.WriteLine($"Initial access token for {made.Partner}, good for {made.Uses} client(s) until {made.ExpiresAt:u}:");
            text.WriteLine($"  {made.Token}");
            text.WriteLine("It is shown this once.");
        });
    });
}
