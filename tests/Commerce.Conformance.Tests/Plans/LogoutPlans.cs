using System.Net;
using System.Security.Cryptography;
using Commerce.Conformance.Tests.Suite;
using Commerce.Testing;

namespace Commerce.Conformance.Tests.Plans;

/// <summary>oidcc-rp-initiated-logout-certification-test-plan.</summary>
public sealed class RpInitiatedLogoutPlan(ConformanceHub hub) : IClassFixture<ConformanceHub>
{
    private async Task<(Rp Rp, TestBrowser Browser, string Hint)> SignedInAsync()
    {
        var rp = await hub.AddAsync();
        var browser = hub.Hub.NewBrowser();
        return (rp, browser, (await rp.SignInAsync(browser)).Id!);
    }

    private Task<TestPage> LogoutAsync(TestBrowser browser, params (string Name, string? Value)[] parameters) => browser.GetAsync(
        hub.Endpoint("end_session_endpoint") + "?" + Rp.Encode(parameters.Where(p => p.Value is not null).Select(p => KeyValuePair.Create(p.Name, p.Value!))));

    private static async Task<bool> IsSignedInAsync(Rp rp, TestBrowser browser) => (await rp.AuthorizeAsync(browser, ("prompt", "none"))).Error is null;

    private static async Task AssertGoneAsync(Rp rp, TestBrowser browser) =>
        Assert.Equal("login_required", (await rp.AuthorizeAsync(browser, ("prompt", "none"))).Error);

    /// <summary>Nobody is sent anywhere: an error, or a page that asks.</summary>
    private static void AssertStays(TestPage page)
    {
        Assert.Null(page.RedirectsTo);
        Assert.True((int)page.Status is 200 or >= 400 and < 500, page.Status.ToString());
    }

    /// <summary>A page that says signed out, after a question where the hub has one.</summary>
    private static async Task AssertSignedOutPageAsync(TestBrowser browser, TestPage page)
    {
        Assert.Equal(HttpStatusCode.OK, page.Status);
        if (page.Forms().Any(f => f.Action.Contains("/confirm", StringComparison.Ordinal))) page = await browser.SubmitAsync(page, action: "/confirm");
        Assert.Equal(HttpStatusCode.OK, page.Status);
        Assert.Null(page.RedirectsTo);
        Assert.Contains("signed out", page.Text, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void oidcc_rp_initiated_logout_discovery_endpoint_verification() => Assert.StartsWith(hub.Issuer + "/", hub.Endpoint("end_session_endpoint"), StringComparison.Ordinal);

    [Fact]
    public async Task oidcc_rp_initiated_logout()
    {
        var (rp, browser, hint) = await SignedInAsync();
        var page = await LogoutAsync(browser, ("id_token_hint", hint), ("post_logout_redirect_uri", rp.PostLogoutUri), ("state", rp.State));
        Assert.Equal($"{rp.PostLogoutUri}?state={rp.State}", page.RedirectsTo?.AbsoluteUri);
        await AssertGoneAsync(rp, browser);
    }

    [Fact]
    public async Task oidcc_rp_initiated_logout_no_state()
    {
        var (rp, browser, hint) = await SignedInAsync();
        Assert.Equal(rp.PostLogoutUri, (await LogoutAsync(browser, ("id_token_hint", hint), ("post_logout_redirect_uri", rp.PostLogoutUri))).RedirectsTo?.AbsoluteUri);
        await AssertGoneAsync(rp, browser);
    }

    [Fact]
    public async Task oidcc_rp_initiated_logout_bad_post_logout_redirect_uri()
    {
        var (rp, browser, hint) = await SignedInAsync();
        AssertStays(await LogoutAsync(browser, ("id_token_hint", hint), ("post_logout_redirect_uri", "https://elsewhere.example/bye"), ("state", rp.State)));
    }

    [Fact]
    public async Task oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri()
    {
        var (rp, browser, hint) = await SignedInAsync();
        AssertStays(await LogoutAsync(browser, ("id_token_hint", hint), ("post_logout_redirect_uri", rp.PostLogoutUri + "?foo=bar"), ("state", rp.State)));
    }

    /// <summary>The same claims under <c>alg</c> none.</summary>
    [Fact]
    public async Task oidcc_rp_initiated_logout_modified_id_token_hint()
    {
        var (rp, browser, hint) = await SignedInAsync();
        var claims = Jws.Claims(hint).EnumerateObject().ToDictionary(c => c.Name, c => (object?)c.Value);
        var forged = Jws.Sign(new Dictionary<string, object?> { ["alg"] = "none" }, claims, null);
        AssertStays(await LogoutAsync(browser, ("id_token_hint", forged), ("post_logout_redirect_uri", rp.PostLogoutUri), ("state", rp.State)));
        Assert.True(await IsSignedInAsync(rp, browser));
    }

    /// <summary>The same claims, signed by somebody else.</summary>
    [Fact]
    public async Task oidcc_rp_initiated_logout_bad_id_token_hint()
    {
        var (rp, browser, hint) = await SignedInAsync();
        using var foreign = RSA.Create(2048);
        var claims = Jws.Claims(hint).EnumerateObject().ToDictionary(c => c.Name, c => (object?)c.Value);
        var forged = Jws.Sign(new Dictionary<string, object?> { ["alg"] = "RS256", ["kid"] = Jws.Header(hint).GetProperty("kid") }, claims, foreign);
        AssertStays(await LogoutAsync(browser, ("id_token_hint", forged), ("post_logout_redirect_uri", rp.PostLogoutUri), ("state", rp.State)));
        Assert.True(await IsSignedInAsync(rp, browser));
    }

    [Fact]
    public async Task oidcc_rp_initiated_logout_no_id_token_hint()
    {
        var (rp, browser, _) = await SignedInAsync();
        var page = await LogoutAsync(browser, ("client_id", rp.Id), ("post_logout_redirect_uri", rp.PostLogoutUri), ("state", rp.State));
        AssertStays(page);
        Assert.True(await IsSignedInAsync(rp, browser));
    }

    [Fact]
    public async Task oidcc_rp_initiated_logout_no_params()
    {
        var (rp, browser, _) = await SignedInAsync();
        await AssertSignedOutPageAsync(browser, await LogoutAsync(browser));
        await AssertGoneAsync(rp, browser);
    }

    [Fact]
    public async Task oidcc_rp_initiated_logout_no_post_logout_redirect_uri()
    {
        var (rp, browser, hint) = await SignedInAsync();
        await AssertSignedOutPageAsync(browser, await LogoutAsync(browser, ("id_token_hint", hint), ("state", rp.State)));
        await AssertGoneAsync(rp, browser);
    }

    [Fact]
    public async Task oidcc_rp_initiated_logout_only_state()
    {
        var (rp, browser, _) = await SignedInAsync();
        await AssertSignedOutPageAsync(browser, await LogoutAsync(browser, ("state", rp.State)));
        await AssertGoneAsync(rp, browser);
    }
}

/// <summary>oidcc-backchannel-rp-initiated-logout-certification-test-plan.</summary>
public sealed class BackChannelLogoutPlan(ConformanceHub hub) : IClassFixture<ConformanceHub>
{
    [Fact]
    public void oidcc_backchannel_logout_discovery_endpoint_verification()
    {
        Assert.True(hub.Metadata.GetProperty("backchannel_logout_supported").GetBoolean());
        Assert.True(hub.Metadata.GetProperty("backchannel_logout_session_supported").GetBoolean());
    }

    [Fact]
    public async Task oidcc_backchannel_rp_initiated_logout()
    {
        await using var receiver = await PartnerServer.StartAsync();
        var rp = await hub.AddAsync("contract", ("backchannel_logout_uri", receiver.Url + "/logout"), ("backchannel_logout_session_required", true));
        using var browser = hub.Hub.NewBrowser();
        var tokens = await rp.SignInAsync(browser);
        var page = await browser.GetAsync($"{hub.Endpoint("end_session_endpoint")}?{Rp.Encode(new Dictionary<string, string>
        {
            ["id_token_hint"] = tokens.Id!, ["post_logout_redirect_uri"] = rp.PostLogoutUri, ["state"] = rp.State,
        })}");
        Assert.Equal($"{rp.PostLogoutUri}?state={rp.State}", page.RedirectsTo?.AbsoluteUri);
        await Wait.UntilAsync(() => !receiver.Received.IsEmpty, "the logout token arrives");

        var form = Assert.Single(receiver.Received);
        Assert.Equal(["logout_token"], form.Select(f => f.Key));
        var token = form.Single().Value;
        Jws.AssertSigned(token, await hub.KeysAsync(), "RS256");
        Assert.Equal("logout+jwt", Jws.Header(token).GetProperty("typ").GetString());
        var claims = Jws.Claims(token);
        Assert.Equal((hub.Issuer, rp.Id), (claims.GetProperty("iss").GetString(), claims.GetProperty("aud").GetString()));
        Assert.Equal((tokens.Sub, tokens.Claims.GetProperty("sid").GetString()), (claims.GetProperty("sub").GetString(), claims.GetProperty("sid").GetString()));
        Assert.InRange(claims.GetProperty("iat").GetInt64(), hub.Now - 10, hub.Now);
        Assert.InRange(claims.GetProperty("exp").GetInt64(), hub.Now, hub.Now + 120);
        Assert.NotEqual("", claims.GetProperty("jti").GetString());
        Assert.False(claims.TryGetProperty("nonce", out _));
        var happened = Assert.Single(claims.GetProperty("events").EnumerateObject());
        Assert.Equal("http://schemas.openid.net/event/backchannel-logout", happened.Name);
        Assert.Empty(happened.Value.EnumerateObject());
        Assert.Equal("login_required", (await rp.AuthorizeAsync(browser, ("prompt", "none"))).Error);
    }
}
