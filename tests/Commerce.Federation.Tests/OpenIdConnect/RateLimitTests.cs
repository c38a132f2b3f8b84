using System.Net;
using Commerce.Testing;

namespace Commerce.Federation.Tests.OpenIdConnect;

/// <summary>The limit in front of the protocol endpoints, by network.</summary>
public sealed class RateLimitTests
{
    private static Task<TestHub> StartAsync(params (string Key, string Value)[] more)
    {
        var clock = FakeClock.AtNoon();
        var configuration = more.ToDictionary(m => m.Key, m => (string?)m.Value);
        configuration["RateLimits:ProtocolPerMinute"] = "5";
        return TestHub.StartAsync([new FederationModule()], configuration, new Neighbours(clock).Register, clock: clock);
    }

    private static async Task<HttpStatusCode> AskAsync(TestHub hub, string path, string? forwarded = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (forwarded is not null) request.Headers.Add("X-Forwarded-For", forwarded);
        using var answer = await hub.Http.SendAsync(request);
        if (answer.StatusCode == HttpStatusCode.TooManyRequests) Assert.InRange(answer.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60);
        return answer.StatusCode;
    }

    [Fact]
    public async Task A14_a_network_over_its_limit_gets_429_and_a_header_of_its_own_making_does_not_help()
    {
        await using var hub = await StartAsync(("RateLimits:CountLoopback", "true"));
        var paths = new[] { "/connect/authorize", "/connect/token", "/saml/sso", "/connect/userinfo", "/device" };
        foreach (var path in paths) Assert.NotEqual(HttpStatusCode.TooManyRequests, await AskAsync(hub, path));
        foreach (var path in paths) Assert.Equal(HttpStatusCode.TooManyRequests, await AskAsync(hub, path, $"203.0.113.{path.Length}"));
        Assert.Equal(HttpStatusCode.OK, await AskAsync(hub, "/connect/jwks"));
        Assert.Equal(HttpStatusCode.OK, await AskAsync(hub, "/.well-known/openid-configuration"));
        hub.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.NotEqual(HttpStatusCode.TooManyRequests, await AskAsync(hub, "/connect/token"));
    }

    [Fact]
    public async Task A14_behind_a_listed_proxy_each_network_counts_for_itself_and_an_ipv6_network_is_one()
    {
        await using var hub = await StartAsync(("TrustedProxies:0", "127.0.0.1"));
        for (var i = 0; i < 5; i++) Assert.NotEqual(HttpStatusCode.TooManyRequests, await AskAsync(hub, "/connect/token", "198.51.100.7"));
        Assert.Equal(HttpStatusCode.TooManyRequests, await AskAsync(hub, "/connect/token", "198.51.100.7"));
        Assert.NotEqual(HttpStatusCode.TooManyRequests, await AskAsync(hub, "/connect/token", "198.51.100.8"));
        for (var i = 0; i < 5; i++) Assert.NotEqual(HttpStatusCode.TooManyRequests, await AskAsync(hub, "/connect/token", $"2001:db8:1:2::{i}"));
        Assert.Equal(HttpStatusCode.TooManyRequests, await AskAsync(hub, "/connect/token", "2001:db8:1:2:ffff::1"));
        Assert.NotEqual(HttpStatusCode.TooManyRequests, await AskAsync(hub, "/connect/token", "2001:db8:1:3::1"));
    }

    [Fact]
    public async Task A14_the_machines_own_address_is_not_counted_unless_told()
    {
        await using var hub = await StartAsync();
        for (var i = 0; i < 12; i++) Assert.NotEqual(HttpStatusCode.TooManyRequests, await AskAsync(hub, "/connect/token"));
    }
}
