using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Commerce.Testing;
using Microsoft.AspNetCore.WebUtilities;

namespace Commerce.PartnerKit.Tests;

public sealed class OidcSignInTests
{
    private static Task<PartnerSite> SiteAsync(FakeOidcHub hub) => PartnerSite.StartAsync(options =>
        (options.Hub, options.ClientId, options.ClientSecret, options.LandingPath) = (hub.Url, FakeOidcHub.ClientId, "s3cret:with colon", "/"));

    private static async Task<TestPage> SignInAsync(FakeOidcHub hub, TestBrowser browser, string start = "/signin/commerce?return=/book")
    {
        var challenge = await browser.GetAsync(start);
        Assert.Equal(HttpStatusCode.Redirect, challenge.Status);
        return await browser.GetAsync(hub.Callback(challenge.RedirectsTo!));
    }

    [Fact]
    public async Task A_customer_signs_in_and_lands_where_they_wanted()
    {
        await using var hub = await FakeOidcHub.StartAsync();
        await using var site = await SiteAsync(hub);
        using var browser = site.NewBrowser();
        var landed = await SignInAsync(hub, browser);
        Assert.Equal("/book", landed.RedirectsTo!.AbsolutePath);
        Assert.Equal("hop-1", (await browser.GetAsync("/book")).Body);
        Assert.Equal(FakeOidcHub.Subject, await browser.WhoAsync());

        var who = JsonDocument.Parse((await browser.GetAsync("/who")).Body).RootElement;
        Assert.Equal("Winter tire", who.GetProperty("hop").GetProperty("purchase").GetProperty("lines")[0].GetProperty("description").GetString());
        Assert.Equal("ABC-123", who.GetProperty("hop").GetProperty("vehicle").GetProperty("registration").GetString());
        Assert.True(who.GetProperty("emailVerified").GetBoolean());
    }

    [Fact]
    public async Task The_request_uses_pkce_state_nonce_and_the_sites_own_address()
    {
        await using var hub = await FakeOidcHub.StartAsync();
        await using var site = await SiteAsync(hub);
        using var browser = site.NewBrowser();
        var request = new HttpRequestMessage(HttpMethod.Get, "/signin/commerce");
        request.Headers.Host = "evil.example";    // K03: a Host header must not reach the redirect URI
        var query = QueryHelpers.ParseQuery((await browser.SendAsync(request)).RedirectsTo!.Query);
        Assert.Equal("S256", query["code_challenge_method"]);
        Assert.Equal(site.Url + "/signin/oidc", query["redirect_uri"]);
        Assert.Equal("code", query["response_type"]);
        Assert.NotEmpty(query["nonce"].ToString());
        Assert.NotEmpty(query["state"].ToString());
    }

    [Fact]
    public async Task The_code_is_redeemed_with_the_secret_in_the_header_and_never_in_the_body()
    {
        await using var hub = await FakeOidcHub.StartAsync();
        await using var site = await SiteAsync(hub);
        using var browser = site.NewBrowser();
        await SignInAsync(hub, browser);
        var request = Assert.Single(hub.TokenRequests);
        var basic = System.Text.Encoding.ASCII.GetString(Convert.FromBase64String(request.Split(' ')[1]));
        Assert.Equal("partner-1:s3cret%3Awith+colon", basic);
        Assert.DoesNotContain("client_secret", request, StringComparison.Ordinal);
        Assert.Contains("code_verifier=", request, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("&iss=https%3A%2F%2Fother.example")]
    [InlineData("&iss=HUB%2F")]
    public async Task O11_an_answer_that_does_not_name_the_hub_is_refused(string iss)
    {
        await using var hub = await FakeOidcHub.StartAsync();
        await using var site = await SiteAsync(hub);
        using var browser = site.NewBrowser();
        var challenge = await browser.GetAsync("/signin/commerce");
        var callback = hub.Callback(challenge.RedirectsTo!);
        callback = callback[..callback.IndexOf("&iss=", StringComparison.Ordinal)] + iss.Replace("HUB", Uri.EscapeDataString(hub.Url), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.BadRequest, (await browser.GetAsync(callback)).Status);
        Assert.Null(await browser.WhoAsync());
        Assert.Empty(hub.TokenRequests);
    }

    [Fact]
    public async Task O18_another_browsers_answer_signs_nobody_in()
    {
        await using var hub = await FakeOidcHub.StartAsync();
        await using var site = await SiteAsync(hub);
        using var attacker = site.NewBrowser();
        using var victim = site.NewBrowser();
        var challenge = await attacker.GetAsync("/signin/commerce");
        var page = await victim.GetAsync(hub.Callback(challenge.RedirectsTo!));
        Assert.Contains("too long", page.Text, StringComparison.Ordinal);
        Assert.Null(await victim.WhoAsync());
    }

    [Fact]
    public async Task The_same_answer_twice_signs_in_once()
    {
        await using var hub = await FakeOidcHub.StartAsync();
        await using var site = await SiteAsync(hub);
        using var browser = site.NewBrowser();
        var callback = hub.Callback((await browser.GetAsync("/signin/commerce")).RedirectsTo!);
        Assert.Equal(HttpStatusCode.Redirect, (await browser.GetAsync(callback)).Status);
        Assert.NotEqual(HttpStatusCode.Redirect, (await browser.GetAsync(callback)).Status);
    }

    [Fact]
    public async Task A_denied_sign_in_says_so_and_signs_nobody_in()
    {
        await using var hub = await FakeOidcHub.StartAsync();
        await using var site = await SiteAsync(hub);
        using var browser = site.NewBrowser();
        var state = QueryHelpers.ParseQuery((await browser.GetAsync("/signin/commerce")).RedirectsTo!.Query)["state"].ToString();
        var page = await browser.GetAsync($"/signin/oidc?error=access_denied&state={Uri.EscapeDataString(state)}&iss={Uri.EscapeDataString(hub.Url)}");
        Assert.Contains("Nothing was shared", page.Text, StringComparison.Ordinal);
        Assert.Null(await browser.WhoAsync());
    }

    [Theory]
    [InlineData(HopProtocol.OpenIdConnect)]
    [InlineData(HopProtocol.Saml)]
    public async Task While_the_hub_is_away_a_page_says_so(HopProtocol protocol)
    {
        await using var site = await PartnerSite.StartAsync(o =>
            (o.Protocol, o.Hub, o.ClientId, o.ClientSecret) = (protocol, $"http://127.0.0.1:{PartnerSite.FreePort()}", FakeOidcHub.ClientId, "secret"));
        using var browser = site.NewBrowser();
        var page = await browser.GetAsync("/signin/commerce");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, page.Status);
        Assert.Contains("not possible right now", page.Text, StringComparison.Ordinal);
    }

    public static TheoryData<string> BadIdTokens => [.. IdTokenFaults.Keys];

    private static readonly Dictionary<string, Action<JsonObject, JsonObject>> IdTokenFaults = new()
    {
        ["other issuer"] = (_, p) => p["iss"] = "https://other.example",
        ["issuer with a slash"] = (_, p) => p["iss"] = p["iss"]!.GetValue<string>() + "/",
        ["other audience"] = (_, p) => p["aud"] = "somebody-else",
        ["audience with a slash"] = (_, p) => p["aud"] = FakeOidcHub.ClientId + "/",
        ["no audience"] = (_, p) => p.Remove("aud"),
        ["expired four minutes ago"] = (_, p) => p["exp"] = DateTimeOffset.UtcNow.AddMinutes(-4).ToUnixTimeSeconds(),
        ["no expiry"] = (_, p) => p.Remove("exp"),
        ["other nonce"] = (_, p) => p["nonce"] = "another",
        ["no nonce"] = (_, p) => p.Remove("nonce"),
        ["no subject"] = (_, p) => p.Remove("sub"),
        ["a logout token's type"] = (h, _) => h["typ"] = "logout+jwt",
        ["an access token's type"] = (h, _) => h["typ"] = "at+jwt",
        ["alg none"] = (h, _) => h["alg"] = "none",
        ["alg HS256"] = (h, _) => h["alg"] = "HS256",
        ["the hash of another access token"] = (_, p) => p["at_hash"] = "AAAAAAAAAAAAAAAAAAAAAA",
        ["another authorized party"] = (_, p) => p["azp"] = "somebody-else",
        ["unknown key id"] = (h, _) => h["kid"] = "key-2",
    };

    [Theory]
    [MemberData(nameof(BadIdTokens))]
    public async Task M11_a_faulty_id_token_signs_nobody_in(string fault)
    {
        await using var hub = await FakeOidcHub.StartAsync();
        hub.IdToken = IdTokenFaults[fault];
        await using var site = await SiteAsync(hub);
        using var browser = site.NewBrowser();
        Assert.Equal(HttpStatusCode.BadRequest, (await SignInAsync(hub, browser)).Status);
        Assert.Null(await browser.WhoAsync());
    }

    [Fact]
    public async Task An_id_token_by_a_foreign_key_signs_nobody_in()
    {
        await using var hub = await FakeOidcHub.StartAsync();
        hub.ForeignIdTokenKey = true;
        await using var site = await SiteAsync(hub);
        using var browser = site.NewBrowser();
        Assert.Equal(HttpStatusCode.BadRequest, (await SignInAsync(hub, browser)).Status);
        Assert.Null(await browser.WhoAsync());
    }

    [Theory]
    [InlineData("another subject")]
    [InlineData("another issuer")]
    [InlineData("another audience")]
    [InlineData("a foreign key")]
    [InlineData("alg none")]
    [InlineData("an ID token's type")]
    [InlineData("refused")]
    [InlineData("a claim of the wrong shape")]
    public async Task Faulty_userinfo_signs_nobody_in(string fault)
    {
        await using var hub = await FakeOidcHub.StartAsync();
        hub.ForeignUserInfoKey = fault == "a foreign key";
        hub.RefusesUserInfo = fault == "refused";
        hub.UserInfo = (header, payload) =>
        {
            if (fault == "another subject") payload["sub"] = "somebody-else";
            if (fault == "another issuer") payload["iss"] = "https://other.example";
            if (fault == "another audience") payload["aud"] = "somebody-else";
            if (fault == "an ID token's type") header["typ"] = "JWT";
            if (fault == "alg none") header["alg"] = "none";
            if (fault == "a claim of the wrong shape") payload["vehicle"] = "a car";
        };
        await using var site = await SiteAsync(hub);
        using var browser = site.NewBrowser();
        Assert.Equal(HttpStatusCode.BadRequest, (await SignInAsync(hub, browser)).Status);
        Assert.Null(await browser.WhoAsync());
    }

    [Fact]
    public async Task A_hop_starts_a_fresh_request_that_carries_the_ticket()
    {
        await using var hub = await FakeOidcHub.StartAsync();
        await using var site = await SiteAsync(hub);
        using var browser = site.NewBrowser();
        var start = $"/signin/hop?iss={Uri.EscapeDataString(hub.Url)}&login_hint=ticket-1&target_link_uri={Uri.EscapeDataString(site.Url + "/book?tires=4")}";
        var challenge = await browser.GetAsync(start);
        Assert.Equal("ticket-1", QueryHelpers.ParseQuery(challenge.RedirectsTo!.Query)["login_hint"]);
        Assert.Null(await browser.WhoAsync());    // R14: a request, never a session
        Assert.Equal("/book?tires=4", (await browser.GetAsync(hub.Callback(challenge.RedirectsTo!))).RedirectsTo!.PathAndQuery);
    }

    [Fact]
    public async Task A_hop_may_also_be_started_by_post()
    {
        await using var hub = await FakeOidcHub.StartAsync();
        await using var site = await SiteAsync(hub);
        using var browser = site.NewBrowser();
        var challenge = await browser.PostAsync("/signin/hop", [new("iss", hub.Url), new("login_hint", "ticket-1"), new("target_link_uri", site.Url + "/book")]);
        Assert.Equal("ticket-1", QueryHelpers.ParseQuery(challenge.RedirectsTo!.Query)["login_hint"]);
    }

    [Theory]
    [InlineData("https://other.example", "/book")]
    [InlineData("HUB/", "/book")]
    [InlineData("", "/book")]
    [InlineData("HUB", "https://evil.example/")]
    [InlineData("HUB", "//evil.example/")]
    [InlineData("HUB", "/\\evil.example")]
    [InlineData("HUB", "SITE.evil.example/")]
    [InlineData("HUB", "SITE@evil.example/")]
    [InlineData("HUB", "SITE//evil.example")]
    [InlineData("HUB", "javascript:alert(1)")]
    [InlineData("HUB", "/book\nx")]
    public async Task R14_a_hop_of_another_issuer_or_to_another_site_is_refused(string iss, string target)
    {
        await using var hub = await FakeOidcHub.StartAsync();
        await using var site = await SiteAsync(hub);
        using var browser = site.NewBrowser();
        var page = await browser.GetAsync($"/signin/hop?iss={Uri.EscapeDataString(iss.Replace("HUB", hub.Url, StringComparison.Ordinal))}&login_hint=t"
            + $"&target_link_uri={Uri.EscapeDataString(target.Replace("SITE", site.Url, StringComparison.Ordinal))}");
        Assert.Equal(HttpStatusCode.BadRequest, page.Status);
        Assert.Null(page.RedirectsTo);
    }

    [Theory]
    [InlineData("https://evil.example/")]
    [InlineData("//evil.example")]
    [InlineData("/\\evil.example")]
    public async Task O03_a_return_address_elsewhere_leads_to_the_landing_page(string address)
    {
        await using var hub = await FakeOidcHub.StartAsync();
        await using var site = await SiteAsync(hub);
        using var browser = site.NewBrowser();
        var landed = await SignInAsync(hub, browser, "/signin/commerce?return=" + Uri.EscapeDataString(address));
        Assert.Equal(site.Url + "/", landed.RedirectsTo!.AbsoluteUri);
    }

    [Fact]
    public async Task A_page_that_needs_a_customer_sends_to_the_hub_and_back()
    {
        await using var hub = await FakeOidcHub.StartAsync();
        await using var site = await SiteAsync(hub);
        using var browser = site.NewBrowser();
        var start = await browser.GetAsync("/book");
        Assert.Equal("/signin/commerce?return=%2Fbook", start.RedirectsTo!.PathAndQuery);
        Assert.Equal("/book", (await SignInAsync(hub, browser, start.RedirectsTo!.PathAndQuery)).RedirectsTo!.AbsolutePath);
    }

    [Fact]
    public async Task Asking_the_hub_again_says_no_once_the_hub_refuses()
    {
        await using var hub = await FakeOidcHub.StartAsync();
        await using var site = await SiteAsync(hub);
        using var browser = site.NewBrowser();
        await SignInAsync(hub, browser);
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/now")).Status);
        hub.RefusesUserInfo = true;
        Assert.Equal(HttpStatusCode.NotFound, (await browser.GetAsync("/now")).Status);
    }

    [Fact]
    public async Task Signing_out_ends_the_session_and_goes_to_the_hub_with_the_hint()
    {
        await using var hub = await FakeOidcHub.StartAsync();
        await using var site = await SiteAsync(hub);
        using var browser = site.NewBrowser();
        await SignInAsync(hub, browser);
        var request = new HttpRequestMessage(HttpMethod.Post, "/signout");
        request.Headers.Add("Origin", site.Url);
        var page = await browser.SendAsync(request);
        Assert.Equal(HttpStatusCode.SeeOther, page.Status);
        var query = QueryHelpers.ParseQuery(page.RedirectsTo!.Query);
        Assert.StartsWith(hub.Url + "/connect/logout", page.RedirectsTo!.AbsoluteUri, StringComparison.Ordinal);
        Assert.Equal(site.Url + "/signout/done", query["post_logout_redirect_uri"]);
        Assert.NotEmpty(query["id_token_hint"].ToString());
        Assert.Null(await browser.WhoAsync());
    }

    [Theory]
    [InlineData("Origin", "https://evil.example")]
    [InlineData("Origin", "null")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    [InlineData("X-Nothing", "1")]
    public async Task O20_another_site_cannot_sign_a_customer_out(string header, string value)
    {
        await using var hub = await FakeOidcHub.StartAsync();
        await using var site = await SiteAsync(hub);
        using var browser = site.NewBrowser();
        await SignInAsync(hub, browser);
        var request = new HttpRequestMessage(HttpMethod.Post, "/signout");
        request.Headers.Add(header, value);
        Assert.Equal(HttpStatusCode.BadRequest, (await browser.SendAsync(request)).Status);
        Assert.NotNull(await browser.WhoAsync());
    }
}
