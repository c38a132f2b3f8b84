using System.CommandLine;
using Commerce.Federation.Contracts;

namespace Commerce.Host.CommandLine;

/// <summary><c>policy list</c>.</summary>
internal static class PolicyList
{
    public static Command Make() => new Command("list", "List the clients that have a policy, and what it says.\n\nExample:\n  policy list").Runs(async run =>
    {
        var policies = await run.AskAsync(new ListClientPolicies());
        run.Print(policies, text =>
        {
            foreach (var policy in policies)
            {
                text.WriteLine($"{policy.Client}  ({policy.Partner})");
                foreach (var api in policy.Resources) text.WriteLine($"    {api}");
                if (policy.Scopes is { } scopes) text.WriteLine($"    scopes: {string.Join(' ', scopes)}");
                if (policy.GrantTypes is { } grants) text.WriteLine($"    grants: {string.Join(' ', grants)}");
                if (policy.AccessTokenSeconds is { } seconds) text.WriteLine($"    access tokens live {seconds} seconds");
                if (policy.RequireDpop) text.WriteLine("    DPoP is required");
                if (policy.RequirePushedRequests) text.WriteLine("    pushed requests are required");
                if (policy.RequestsPerMinute is { } rate) text.WriteLine($"    {rate} requests a minute");
            }
        });
    });
}
