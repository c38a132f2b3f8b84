using System.Net;
using System.Text.Json;
using Commerce.Conformance.Tests.Suite;

namespace Commerce.Conformance.Tests.Plans;

/// <summary>oidcc-config-certification-test-plan.</summary>
public sealed class ConfigPlan(ConformanceHub hub) : IClassFixture<ConformanceHub>
{
    [Fact]
    public Task oidcc_discovery_endpoint_verification() => Discovery.AssertSoundAsync(hub);
}

/// <summary>What every plan holds the discovery document to (OpenID Connect Discovery §3, §4).</summary>
internal static class Discovery
{
    public static async Task AssertSoundAsync(ConformanceHub hub)
    {
        var answer = await Answer.OfAsync(await hub.Hub.Http.GetAsync("/.well-known/openid-configuration"));
        Assert.Equal((HttpStatusCode.OK, "application/json"), (answer.Status, answer.MediaType));
        var metadata = answer.Json;
        var issuer = metadata.GetProperty("issuer").GetString()!;
        Assert.Equal(hub.Issuer, issuer);
        Assert.DoesNotContain('?', issuer);
        Assert.DoesNotContain('#', issuer);

        List<string> Values(string name) => [.. metadata.GetProperty(name).EnumerateArray().Select(v => v.GetString()!)];
        Assert.Contains("code", Values("response_types_supported"));
        Assert.Contains("authorization_code", Values("grant_types_supported"));
        Assert.All(Values("subject_types_supported"), type => Assert.True(type is "public" or "pairwise", type));
        Assert.Contains("RS256", Values("id_token_signing_alg_values_supported"));
        Assert.DoesNotContain("none", Values("id_token_signing_alg_values_supported"));
        Assert.Contains("RS256", Values("userinfo_signing_alg_values_supported"));
        Assert.Contains("sub", Values("claims_supported"));
        Assert.Contains("openid", Values("scopes_supported"));
        Assert.All(Values("scopes_supported"), scope => Assert.DoesNotContain(scope, c => c is <= ' ' or '"' or '\\' or > '~'));
        Assert.All(Values("ui_locales_supported"), tag => Assert.Matches("^[a-z]{2,3}(-[A-Z]{2})?$", tag));
        Assert.Contains("S256", Values("code_challenge_methods_supported"));
        if (metadata.TryGetProperty("request_object_signing_alg_values_supported", out var signed)) Assert.Contains(signed.EnumerateArray(), a => a.GetString() == "RS256");

        // Every address is the public origin's own, so all are https where the issuer is (a production hub takes no other).
        foreach (var member in metadata.EnumerateObject().Where(m => m.Name.EndsWith("_endpoint", StringComparison.Ordinal) || m.Name == "jwks_uri"))
            Assert.StartsWith(issuer + "/", member.Value.GetString(), StringComparison.Ordinal);
        foreach (var needed in new[] { "authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri" }) Assert.True(metadata.TryGetProperty(needed, out _), needed);
        await AssertKeysAsync(hub);
    }

    /// <summary>RFC 7517: each key has its own kid, none has a private member, all are readable.</summary>
    public static async Task<List<JsonElement>> AssertKeysAsync(ConformanceHub hub)
    {
        var keys = (await hub.KeysAsync()).GetProperty("keys").EnumerateArray().ToList();
        Assert.NotEmpty(keys);
        Assert.Equal(keys.Count, keys.Select(k => k.GetProperty("kid").GetString()).Distinct().Count());
        foreach (var key in keys)
        {
            Assert.DoesNotContain(key.EnumerateObject(), m => m.Name is "d" or "p" or "q" or "dp" or "dq" or "qi" or "oth" or "k");
            foreach (var member in key.EnumerateObject().Where(m => m.Name is "n" or "e" or "x" or "y"))
                Assert.NotEmpty(System.Buffers.Text.Base64Url.DecodeFromChars(member.Value.GetString()!));
        }
        return keys;
    }
}
