using System.Net;
using System.Text.Json.Nodes;
using Commerce.Testing;

namespace Commerce.PartnerKit.Tests;

/// <summary>Back-Channel Logout 1.0 §2.6, each rule broken once (L09).</summary>
public sealed class LogoutTokenTests
{
    private static async Task<(FakeOidcHub Hub, PartnerSite Site, TestBrowser Browser)> SignedInAsync()
    {
        var hub = await FakeOidcHub.StartAsync();
        var site = await PartnerSite.StartAsync(o => (o.Hub, o.ClientId, o.ClientSecret) = (hub.Url, FakeOidcHub.ClientId, "secret"));
        var browser = site.NewBrowser();
        await browser.GetAsync(hub.Callback((await browser.GetAsync("/signin/commerce")).RedirectsTo!));
        Assert.NotNull(await browser.WhoAsync());
        return (hub, site, browser);
    }

    private static async Task<HttpStatusCode> TellAsync(PartnerSite site, string token)
    {
        using var hub = site.NewBrowser();
        return (await hub.PostAsync("/signout/backchannel", [new("logout_token", token)])).Status;
    }

    [Theory]
    [InlineData("sid")]
    [InlineData("sub")]
    public async Task A_logout_token_ends_the_session(string by)
    {
        var (hub, site, browser) = await SignedInAsync();
        await using var a = hub;
        await using var b = site;
        using var c = browser;
        var payload = hub.LogoutPayload();
        if (by == "sub") payload.Remove("sid");
        Assert.Equal(HttpStatusCode.OK, await TellAsync(site, hub.Sign(FakeOidcHub.Header("logout+jwt"), payload)));
        Assert.Null(await browser.WhoAsync());
    }

    [Fact]
    public async Task The_end_of_another_session_ends_nothing_here()
    {
        var (hub, site, browser) = await SignedInAsync();
        await using var a = hub;
        await using var b = site;
        using var c = browser;
        Assert.Equal(HttpStatusCode.OK, await TellAsync(site, hub.Sign(FakeOidcHub.Header("logout+jwt"), hub.LogoutPayload("session-2"))));
        Assert.NotNull(await browser.WhoAsync());
    }

    [Fact]
    public async Task The_same_token_is_taken_once()
    {
        var (hub, site, browser) = await SignedInAsync();
        await using var a = hub;
        await using var b = site;
        using var c = browser;
        var token = hub.Sign(FakeOidcHub.Header("logout+jwt"), hub.LogoutPayload());
        Assert.Equal(HttpStatusCode.OK, await TellAsync(site, token));
        Assert.Equal(HttpStatusCode.BadRequest, await TellAsync(site, token));
    }

    public static TheoryData<string> Faults => [.. Changes.Keys];

    private static readonly Dictionary<string, Action<JsonObject, JsonObject>> Changes = new()
    {
        ["alg none"] = (h, _) => h["alg"] = "none",
        ["wrong alg"] = (h, _) => h["alg"] = "ES512",
        ["an ID token's type"] = (h, _) => h["typ"] = "JWT",
        ["no type"] = (h, _) => h.Remove("typ"),
        ["wrong issuer"] = (_, p) => p["iss"] = "https://other.example",
        ["wrong audience"] = (_, p) => p["aud"] = "somebody-else",
        ["no event"] = (_, p) => p.Remove("events"),
        ["another event"] = (_, p) => p["events"] = new JsonObject { ["http://schemas.openid.net/event/other"] = new JsonObject() },
        ["two events"] = (_, p) => p["events"]!["http://schemas.openid.net/event/other"] = new JsonObject(),
        ["an event that is not empty"] = (_, p) => p["events"]!["http://schemas.openid.net/event/backchannel-logout"] = new JsonObject { ["x"] = 1 },
        ["an event that is no object"] = (_, p) => p["events"]!["http://schemas.openid.net/event/backchannel-logout"] = "x",
        ["events as text"] = (_, p) => p["events"] = "http://schemas.openid.net/event/backchannel-logout",
        ["a nonce"] = (_, p) => p["nonce"] = "n",
        ["no session and no subject"] = (_, p) => { p.Remove("sid"); p.Remove("sub"); },
        ["no jti"] = (_, p) => p.Remove("jti"),
        ["no iat"] = (_, p) => p.Remove("iat"),
        ["an old iat"] = (_, p) => p["iat"] = DateTimeOffset.UtcNow.AddMinutes(-10).ToUnixTimeSeconds(),
        ["an iat of tomorrow"] = (_, p) => p["iat"] = DateTimeOffset.UtcNow.AddDays(1).ToUnixTimeSeconds(),
        ["expired"] = (_, p) => p["exp"] = DateTimeOffset.UtcNow.AddMinutes(-1).ToUnixTimeSeconds(),
        ["no expiry"] = (_, p) => p.Remove("exp"),
        ["a session that is a number"] = (_, p) => p["sid"] = 7,
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task L09_a_faulty_logout_token_ends_nothing(string fault)
    {
        var (hub, site, browser) = await SignedInAsync();
        await using var a = hub;
        await using var b = site;
        using var c = browser;
        var (header, payload) = (FakeOidcHub.Header("logout+jwt"), hub.LogoutPayload());
        Changes[fault](header, payload);
        Assert.Equal(HttpStatusCode.BadRequest, await TellAsync(site, hub.Sign(header, payload)));
        Assert.NotNull(await browser.WhoAsync());
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("a.b.c")]
    [InlineData("....")]
    public async Task Noise_is_refused(string token)
    {
        var (hub, site, browser) = await SignedInAsync();
        await using var a = hub;
        await using var b = site;
        using var c = browser;
        Assert.Equal(HttpStatusCode.BadRequest, await TellAsync(site, token));
    }

    [Fact]
    public async Task A_token_by_a_foreign_key_ends_nothing()
    {
        var (hub, site, browser) = await SignedInAsync();
        await using var a = hub;
        await using var b = site;
        using var c = browser;
        Assert.Equal(HttpStatusCode.BadRequest, await TellAsync(site, hub.Sign(FakeOidcHub.Header("logout+jwt"), hub.LogoutPayload(), foreign: true)));
        Assert.NotNull(await browser.WhoAsync());
    }
}
