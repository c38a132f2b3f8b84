using System.Net;
using Commerce.Federation.OpenIdConnect;
using Commerce.Testing;

namespace Commerce.Federation.Tests.OpenIdConnect;

public sealed class AuthorizeTests(OidcHub hub) : IClassFixture<OidcHub>
{
    internal static void AssertErrorPage(TestPage page, string code)
    {
        Assert.Equal(HttpStatusCode.BadRequest, page.Status);
        Assert.Null(page.RedirectsTo);
        Assert.Equal(code, page.RefusalCode);
    }

    [Fact]
    public async Task B01_a_code_is_long_and_single_and_the_id_token_holds_no_name_that_belongs_to_userinfo()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var codes = new HashSet<string>();
        for (var i = 0; i < 5; i++) codes.Add(await hub.CodeAsync(client, browser, ("scope", "openid profile")));
        Assert.Equal(5, codes.Count);
        Assert.All(codes, code => Assert.True(code.Length >= 43));
        var answer = await client.RedeemAsync(codes.First());
        Assert.Equal(600, answer.Json.GetProperty("expires_in").GetInt32());
        Assert.False(TestTokens.Of(answer).IdClaims.TryGetProperty("name", out _));
    }

    [Fact]
    public async Task B02_a_request_without_response_type_is_refused_at_the_client() =>
        Assert.Equal("invalid_request", await ErrorAsync(("response_type", null)));

    [Theory]
    [InlineData("code id_token")]
    [InlineData("token")]
    [InlineData("id_token token")]
    [InlineData("Code")]
    public async Task F12_no_other_response_type_is_served(string type) =>
        Assert.Equal("unsupported_response_type", await ErrorAsync(("response_type", type)));

    [Fact]
    public async Task B06_a_request_without_nonce_gives_an_id_token_without_one()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        Assert.False((await hub.TokensAsync(client, browser, ("nonce", null))).IdClaims.TryGetProperty("nonce", out _));
    }

    [Fact]
    public async Task B08_the_order_of_scopes_and_parameters_does_not_matter()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var reversed = "/connect/authorize?" + TestClient.Encode(client.Request(("scope", "email profile openid")).Reverse());
        var tokens = TestTokens.Of(await client.RedeemAsync(client.CodeOf(await browser.GetAsync(reversed))));
        Assert.Equal(["email", "openid", "profile"], tokens.Scope.Split(' ').Order());
    }

    [Theory]
    [InlineData("display", "page")]
    [InlineData("display", "popup")]
    [InlineData("ui_locales", "se fi-FI en")]
    [InlineData("claims_locales", "se")]
    [InlineData("login_hint", "aino.virtanen@example.com")]
    [InlineData("acr_values", "urn:example:1 urn:example:2")]
    [InlineData("extra", "foobar")]
    public async Task B09_B15_B16_optional_and_unknown_parameters_are_no_error(string name, string value)
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        await hub.CodeAsync(client, browser, (name, value));
    }

    [Fact]
    public async Task B10_prompt_login_asks_again_although_a_session_lives_and_auth_time_is_later()
    {
        var client = await hub.AddClientAsync();
        var (browser, customer, _) = hub.SignedIn();
        var first = (await hub.TokensAsync(client, browser)).IdClaims;
        hub.Clock.Advance(TimeSpan.FromSeconds(30));

        var page = await browser.GetAsync(client.AuthorizeUrl(("prompt", "login")));
        var asked = hub.SignInRequestOf(page);
        Assert.True(asked.Again);
        // Going back without signing in leads to the sign-in page again.
        Assert.Equal("/signin", (await browser.GetAsync(asked.ReturnPath)).RedirectsTo?.AbsolutePath);

        var second = TestTokens.Of(await client.RedeemAsync(client.CodeOf(await hub.SignInAtAsync(browser, page, customer)))).IdClaims;
        Assert.Equal(first.GetProperty("sub").GetString(), second.GetProperty("sub").GetString());
        Assert.True(second.GetProperty("auth_time").GetInt64() > first.GetProperty("auth_time").GetInt64());
    }

    [Fact]
    public async Task B11_prompt_none_without_a_session_is_login_required_and_shows_nothing()
    {
        var client = await hub.AddClientAsync();
        using var browser = hub.Hub.NewBrowser();
        Assert.Equal("login_required", client.ErrorOf(await browser.GetAsync(client.AuthorizeUrl(("prompt", "none")))));
    }

    [Fact]
    public async Task B12_prompt_none_with_a_session_succeeds_with_the_same_sub_and_auth_time_and_so_with_an_id_token_hint()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var first = await hub.TokensAsync(client, browser);
        hub.Clock.Advance(TimeSpan.FromSeconds(5));
        var second = await hub.TokensAsync(client, browser, ("prompt", "none"), ("id_token_hint", first.Id));
        foreach (var name in new[] { "sub", "auth_time" }) Assert.Equal(first.IdClaims.GetProperty(name).ToString(), second.IdClaims.GetProperty(name).ToString());
    }

    [Fact]
    public async Task B12_an_id_token_hint_of_another_customer_is_login_required()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var hint = (await hub.TokensAsync(client, browser)).Id;
        var (other, stranger, _) = hub.SignedIn("Erik Aström");
        Assert.Equal("login_required", client.ErrorOf(await other.GetAsync(client.AuthorizeUrl(("prompt", "none"), ("id_token_hint", hint)))));
        // With pages allowed they are asked to sign in; who then is still somebody else ends it, and does not go round in circles.
        var page = await other.GetAsync(client.AuthorizeUrl(("id_token_hint", hint)));
        hub.Clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("login_required", client.ErrorOf(await hub.SignInAtAsync(other, page, stranger)));
    }

    [Fact]
    public async Task B13_max_age_forces_a_new_sign_in()
    {
        var client = await hub.AddClientAsync();
        var (browser, customer, _) = hub.SignedIn();
        hub.Clock.Advance(TimeSpan.FromSeconds(2));
        var page = await browser.GetAsync(client.AuthorizeUrl(("max_age", "1")));
        var claims = TestTokens.Of(await client.RedeemAsync(client.CodeOf(await hub.SignInAtAsync(browser, page, customer)))).IdClaims;
        Assert.Equal(hub.Clock.GetUtcNow().ToUnixTimeSeconds(), claims.GetProperty("auth_time").GetInt64());
    }

    [Fact]
    public async Task B14_a_long_max_age_asks_nobody_and_auth_time_stays()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var first = (await hub.TokensAsync(client, browser)).IdClaims.GetProperty("auth_time").GetInt64();
        hub.Clock.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(first, (await hub.TokensAsync(client, browser, ("max_age", "10000"))).IdClaims.GetProperty("auth_time").GetInt64());
        // A long max_age takes nothing back of a prompt that asks for a proof.
        Assert.Equal("/signin", (await browser.GetAsync(client.AuthorizeUrl(("max_age", "10000"), ("prompt", "login")))).RedirectsTo?.AbsolutePath);
    }

    [Fact]
    public async Task B16_acr_is_what_happened_and_not_what_was_asked()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var claims = (await hub.TokensAsync(client, browser, ("acr_values", "urn:example:gold"))).IdClaims;
        Assert.Equal("urn:commerce:acr:password", claims.GetProperty("acr").GetString());
        Assert.Equal("pwd", claims.GetProperty("amr")[0].GetString());
    }

    [Theory]
    [InlineData("{0}/")]
    [InlineData("{0}?a=b")]
    [InlineData("{0}#x")]
    [InlineData("{0}/../callback")]
    [InlineData("{0}%2f")]
    [InlineData("https://evil.example@{1}/callback")]
    [InlineData("https://{1}@evil.example/callback")]
    [InlineData("https://{1}@@evil.example/callback")]
    [InlineData("https://{1}.evil.example/callback")]
    [InlineData("https://{1}:443/callback")]
    [InlineData("http://{1}/callback")]
    [InlineData("HTTPS://{1}/callback")]
    [InlineData("https://{1}/Callback")]
    [InlineData("https://{1}/%63allback")]
    [InlineData("https://{1}/..;/callback")]
    [InlineData("javascript:alert(1)")]
    [InlineData("https://*/callback")]
    public async Task B18_O01_O02_M13_an_address_that_is_not_the_registered_one_is_never_redirected_to(string pattern)
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var host = new Uri(client.RedirectUri).Host;
        var address = string.Format(System.Globalization.CultureInfo.InvariantCulture, pattern, client.RedirectUri, host);
        AssertErrorPage(await browser.GetAsync(client.AuthorizeUrl(("redirect_uri", address))), "oidc.unknown_redirect");
        // R02: with any other fault as well.
        AssertErrorPage(await browser.GetAsync(client.AuthorizeUrl(("redirect_uri", address), ("response_type", "token"), ("scope", null))), "oidc.unknown_redirect");
    }

    [Fact]
    public async Task R02_an_unknown_or_switched_off_client_and_a_missing_redirect_show_our_own_page()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        AssertErrorPage(await browser.GetAsync(client.AuthorizeUrl(("client_id", "nobody"))), "oidc.unknown_client");
        AssertErrorPage(await browser.GetAsync(client.AuthorizeUrl(("client_id", null))), "oidc.unknown_client");
        AssertErrorPage(await browser.GetAsync(client.AuthorizeUrl(("redirect_uri", null))), "oidc.unknown_redirect");
        await hub.SwitchPartnerAsync(client, active: false);
        AssertErrorPage(await browser.GetAsync(client.AuthorizeUrl()), "oidc.unknown_client");
    }

    [Fact]
    public async Task B19_a_request_by_post_comes_back_by_get_and_succeeds()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var page = await browser.PostAsync("/connect/authorize", client.Request());
        Assert.Equal(HttpStatusCode.SeeOther, page.Status);
        Assert.Equal("/connect/authorize/resume", page.RedirectsTo!.AbsolutePath);
        TestTokens.Of(await client.RedeemAsync(client.CodeOf(await browser.GetAsync(page.RedirectsTo.AbsoluteUri))));
    }

    [Theory]
    [InlineData("request", "eyJhbGciOiJub25lIn0.e30.", "request_not_supported")]
    [InlineData("request_uri", "https://rp.example/request.jwt", "request_uri_not_supported")]
    [InlineData("registration", "{}", "registration_not_supported")]
    public async Task B21_request_objects_are_refused_and_never_ignored(string name, string value, string error) => Assert.Equal(error, await ErrorAsync((name, value)));

    [Theory]
    [InlineData("prompt", "none login", "invalid_request")]
    [InlineData("prompt", "create", "invalid_request")]
    [InlineData("max_age", "-1", "invalid_request")]
    [InlineData("max_age", "soon", "invalid_request")]
    [InlineData("display", "cinema", "invalid_request")]
    [InlineData("response_mode", "fragment", "invalid_request")]
    [InlineData("scope", "profile", "invalid_scope")]
    [InlineData("scope", null, "invalid_scope")]
    [InlineData("id_token_hint", "eyJhbGciOiJub25lIn0.e30.", "invalid_request")]
    [InlineData("code_challenge", null, "invalid_request")]         // O04
    [InlineData("code_challenge", "tooshort", "invalid_request")]
    [InlineData("code_challenge_method", null, "invalid_request")]
    [InlineData("code_challenge_method", "plain", "invalid_request")]
    public async Task R01_R10_O04_a_faulty_request_is_an_error_at_the_client_with_state_and_iss(string name, string? value, string error) =>
        Assert.Equal(error, await ErrorAsync((name, value)));

    [Fact]
    public async Task F05_a_long_nonce_and_state_come_back_whole_or_are_refused()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var (nonce, state) = (new string('n', 1024), new string('s', 2048));
        var page = await browser.GetAsync(client.AuthorizeUrl(("nonce", nonce), ("state", state)));
        var values = client.ResponseOf(page);
        Assert.Equal(state, values["state"]);
        Assert.Equal(nonce, TestTokens.Of(await client.RedeemAsync(values["code"])).IdClaims.GetProperty("nonce").GetString());
        Assert.Equal("invalid_request", client.ErrorOf(await browser.GetAsync(client.AuthorizeUrl(("nonce", nonce + "n")))));
        Assert.Equal("invalid_request", client.ErrorOf(await browser.GetAsync(client.AuthorizeUrl(("state", state + "s")))));
    }

    [Theory]
    [InlineData("state=a&state=b")]
    [InlineData("nonce=")]                   // with the one that is there already, an empty second one
    [InlineData("client_id=other")]
    [InlineData("redirect_uri=https%3A%2F%2Fevil.example%2F")]
    [InlineData("x=%")]
    [InlineData("x=%zz")]
    [InlineData("x=%ff")]
    [InlineData("x=%00")]
    [InlineData("x=a%0d%0ab")]
    public async Task R03_a_repeated_or_malformed_parameter_shows_our_own_page(string more)
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        AssertErrorPage(await OidcHub.GetRawAsync(browser, client.AuthorizeUrl() + "&" + more), "oidc.malformed_request");
    }

    [Fact]
    public async Task R06_a_loopback_address_may_come_with_another_port_and_with_nothing_else()
    {
        var client = await hub.AddClientAsync(redirectUri: "http://127.0.0.1:7000/cb");
        var (browser, _, _) = hub.SignedIn();
        var page = await browser.GetAsync(client.AuthorizeUrl(("redirect_uri", "http://127.0.0.1:51234/cb")));
        Assert.Equal(51234, page.RedirectsTo!.Port);
        foreach (var other in new[] { "http://127.0.0.1:51234/cb2", "http://localhost:7000/cb", "https://127.0.0.1:7000/cb", "http://127.0.0.1.evil.example/cb",
            "http://127.0.0.1:7000@evil.example/cb", "http://127.0.0.1:0/cb", "http://127.0.0.1:99999/cb", "http://127.0.0.1:7000/cb?x" })
            AssertErrorPage(await browser.GetAsync(client.AuthorizeUrl(("redirect_uri", other))), "oidc.unknown_redirect");
        var local = await hub.AddClientAsync(redirectUri: "http://localhost:7000/cb");
        AssertErrorPage(await browser.GetAsync(local.AuthorizeUrl(("redirect_uri", "http://localhost:7001/cb"))), "oidc.unknown_redirect");
    }

    [Fact]
    public async Task P01_O16_form_post_answers_by_a_form_that_a_script_of_known_hash_submits()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var hostile = "\"><script>alert(1)</script>";
        foreach (var bad in new[] { false, true })
        {
            var page = await browser.GetAsync(client.AuthorizeUrl(("response_mode", "form_post"), ("state", hostile), ("scope", bad ? "profile" : "openid")));
            Assert.Equal((HttpStatusCode.OK, "text/html"), (page.Status, page.MediaType));
            Assert.Contains("no-store", page.Headers["Cache-Control"], StringComparison.Ordinal);
            Assert.DoesNotContain("alert(1)</script>", page.Body, StringComparison.Ordinal);
            Assert.Contains("form-action https://" + new Uri(client.RedirectUri).Host, page.Headers["Content-Security-Policy"], StringComparison.Ordinal);
            Assert.DoesNotContain("unsafe-inline", page.Headers["Content-Security-Policy"], StringComparison.Ordinal);
            var form = page.Forms().Single();
            Assert.Equal(client.RedirectUri, form.Action);
            var values = form.Hidden.ToDictionary(h => h.Key, h => h.Value);
            Assert.Equal((hostile, hub.Issuer, !bad, bad), (values["state"], values["iss"], values.ContainsKey("code"), values.ContainsKey("error")));
        }
    }

    private async Task<string> ErrorAsync(params (string Name, string? Value)[] changes)
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var page = await browser.GetAsync(client.AuthorizeUrl(changes));
        Assert.Equal(client.State, client.ResponseOf(page)["state"]);
        return client.ErrorOf(page);
    }
}
