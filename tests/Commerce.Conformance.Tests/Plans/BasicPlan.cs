using System.Net;
using System.Text.Json;
using Commerce.Conformance.Tests.Suite;
using Commerce.Testing;

namespace Commerce.Conformance.Tests.Plans;

/// <summary>
/// The modules of the Basic OP plan; the Form Post plan is the same list with another response mode. The suite's relying party knows nothing
/// of PKCE, save in the one module that is about it.
/// </summary>
public abstract class BasicModules(ConformanceHub hub, string? responseMode)
{
    private TestBrowser Browser() => hub.Hub.NewBrowser();

    private async Task<Rp> ClientAsync(params (string Member, object? Value)[] members)
    {
        var rp = await hub.AddAsync("contract", members);
        if (responseMode is not null) rp.Variant.Add(("response_mode", responseMode));
        return rp;
    }

    private async Task<(Rp Rp, TestBrowser Browser)> StartAsync() => (await ClientAsync(), Browser());

    private async Task SucceedsAsync(params (string Name, string? Value)[] changes)
    {
        var (rp, browser) = await StartAsync();
        await rp.SignInAsync(browser, changes);
    }

    [Fact]
    public async Task oidcc_server()
    {
        var (rp, browser) = await StartAsync();
        var visit = await rp.AuthorizeAsync(browser);
        Assert.Equal(rp.State, visit.Response!["state"]);
        Assert.True(visit.Code.Length >= 43, "a code of 256 random bits or more");
        var tokens = await rp.TokensAsync(visit, rp.Nonce);
        Assert.Equal("Bearer", tokens.Type, ignoreCase: true);
        // No claim of a person that nobody asked for.
        Assert.DoesNotContain(tokens.Claims.EnumerateObject(), c => c.Name is "name" or "email" or "phone_number" or "address");
        Assert.Single((await rp.ClaimsAsync(tokens)).EnumerateObject());
    }

    [Fact]
    public async Task oidcc_response_type_missing()
    {
        var (rp, browser) = await StartAsync();
        var visit = await rp.AuthorizeAsync(browser, ("response_type", null));
        Assert.True(visit.Error is "invalid_request" or "unsupported_response_type", visit.Error);
        Assert.Equal(rp.State, visit.Response!["state"]);
    }

    [Fact]
    public async Task oidcc_idtoken_signature()
    {
        var (rp, browser) = await StartAsync();
        var tokens = await rp.SignInAsync(browser);
        Assert.Equal("RS256", Jws.Header(tokens.Id!).GetProperty("alg").GetString());
        Assert.NotEqual("", Jws.Header(tokens.Id!).GetProperty("kid").GetString());
    }

    [Fact]
    public async Task oidcc_idtoken_unsigned()
    {
        Assert.False(hub.Supports("id_token_signing_alg_values_supported", "none"));
        var refused = await hub.Hub.AskAsync(new Commerce.Federation.Contracts.AddOidcPartner(
            """{"client_name":"x","redirect_uris":["https://rp.example/cb"],"id_token_signed_response_alg":"none"}""", null));
        Assert.Contains(refused.Refusal!.Errors!, e => e.Field == "id_token_signed_response_alg");
    }

    [Fact]
    public async Task oidcc_userinfo_get()
    {
        var (rp, browser) = await StartAsync();
        var tokens = await rp.SignInAsync(browser);
        var answer = await rp.UserInfoAsync(tokens.Access);
        Assert.Equal("application/json", answer.MediaType);
        Assert.Equal(tokens.Sub, answer.Json.GetProperty("sub").GetString());
    }

    [Fact]
    public async Task oidcc_userinfo_post_header()
    {
        var (rp, browser) = await StartAsync();
        var tokens = await rp.SignInAsync(browser);
        var answer = await rp.UserInfoAsync(tokens.Access, HttpMethod.Post);
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal(tokens.Sub, answer.Json.GetProperty("sub").GetString());
    }

    /// <summary>The suite's one warning that is a choice: a token in a body is not looked at.</summary>
    [Fact]
    public async Task oidcc_userinfo_post_body()
    {
        var (rp, browser) = await StartAsync();
        var tokens = await rp.SignInAsync(browser);
        using var body = new FormUrlEncodedContent([new("access_token", tokens.Access)]);
        var answer = await Answer.OfAsync(await hub.Hub.Http.PostAsync(hub.Endpoint("userinfo_endpoint"), body));
        Assert.Equal(HttpStatusCode.Unauthorized, answer.Status);
        answer = await Answer.OfAsync(await hub.Hub.Http.GetAsync(hub.Endpoint("userinfo_endpoint") + "?access_token=" + tokens.Access));
        Assert.Equal(HttpStatusCode.Unauthorized, answer.Status);
    }

    [Fact]
    public Task oidcc_ensure_request_without_nonce_succeeds_for_code_flow() => SucceedsAsync(("nonce", null));

    [Fact]
    public Task oidcc_scope_profile() => ScopesAsync("openid profile", "name", "given_name", "family_name", "locale");

    [Fact]
    public Task oidcc_scope_email() => ScopesAsync("openid email", "email", "email_verified");

    [Fact]
    public Task oidcc_scope_address() => ScopesAsync("openid address", "address");

    [Fact]
    public Task oidcc_scope_phone() => ScopesAsync("openid phone", "phone_number", "phone_number_verified");

    [Fact]
    public Task oidcc_scope_all() => ScopesAsync("openid profile email address phone",
        "name", "given_name", "family_name", "locale", "email", "email_verified", "address", "phone_number", "phone_number_verified");

    private async Task ScopesAsync(string scope, params string[] claims)
    {
        var (rp, browser) = await StartAsync();
        var got = await rp.ClaimsAsync(await rp.SignInAsync(browser, ("scope", scope)));
        string[] all = ["name", "given_name", "family_name", "locale", "email", "email_verified", "address", "phone_number", "phone_number_verified"];
        Assert.Equal(claims.Order(), got.EnumerateObject().Select(c => c.Name).Where(all.Contains).Order());
        // OpenID Connect Core §5.1: each of its own kind.
        foreach (var claim in got.EnumerateObject())
        {
            Assert.Equal(claim.Name switch
            {
                "email_verified" or "phone_number_verified" => true,
                _ => false,
            }, claim.Value.ValueKind is JsonValueKind.True or JsonValueKind.False);
            Assert.Equal(claim.Name == "address", claim.Value.ValueKind == JsonValueKind.Object);
            Assert.NotEqual(JsonValueKind.Null, claim.Value.ValueKind);
        }
    }

    [Fact]
    public async Task oidcc_alternate_happy_flow()
    {
        var (rp, browser) = await StartAsync();
        var visit = await rp.VisitAsync(browser, rp.Request(("scope", "email openid")).Reverse());
        Assert.Equal(ConformanceHub.Email, (await rp.ClaimsAsync(await rp.TokensAsync(visit, rp.Nonce))).GetProperty("email").GetString());
    }

    [Fact]
    public Task oidcc_display_page() => SucceedsAsync(("display", "page"));

    [Fact]
    public Task oidcc_display_popup() => SucceedsAsync(("display", "popup"));

    [Fact]
    public async Task oidcc_prompt_login()
    {
        var (rp, browser) = await StartAsync();
        var first = await rp.SignInAsync(browser);
        hub.Wait(2);
        var visit = await rp.AuthorizeAsync(browser, ("prompt", "login"));
        Assert.Equal(1, visit.SignIns);
        var second = await rp.TokensAsync(visit, rp.Nonce);
        Assert.True(second.AuthTime > first.AuthTime, "auth_time moved on");
        Assert.Equal(first.Sub, second.Sub);
    }

    [Fact]
    public async Task oidcc_prompt_none_not_logged_in()
    {
        var (rp, browser) = await StartAsync();
        var visit = await rp.AuthorizeAsync(browser, ("prompt", "none"));
        Assert.Equal((0, "login_required", rp.State), (visit.SignIns, visit.Error, visit.Response!["state"]));
    }

    [Fact]
    public async Task oidcc_prompt_none_logged_in()
    {
        var (rp, browser) = await StartAsync();
        var first = await rp.SignInAsync(browser);
        hub.Wait(2);
        await SilentAsync(rp, browser, first, ("prompt", "none"));
    }

    private static async Task SilentAsync(Rp rp, TestBrowser browser, TokenSet first, params (string Name, string? Value)[] changes)
    {
        var visit = await rp.AuthorizeAsync(browser, changes);
        Assert.Equal(0, visit.SignIns);
        var second = await rp.TokensAsync(visit, rp.Nonce);
        Assert.Equal((first.Sub, first.AuthTime), (second.Sub, second.AuthTime));
    }

    [Fact]
    public async Task oidcc_max_age_1()
    {
        var (rp, browser) = await StartAsync();
        var first = await rp.SignInAsync(browser);
        hub.Wait(2);
        var visit = await rp.AuthorizeAsync(browser, ("max_age", "1"));
        Assert.Equal(1, visit.SignIns);
        var second = await rp.TokensAsync(visit, rp.Nonce);
        Assert.True(second.AuthTime > first.AuthTime, "auth_time moved on");
        Assert.InRange(second.AuthTime, hub.Now - 1, hub.Now);
    }

    [Fact]
    public async Task oidcc_max_age_10000()
    {
        var (rp, browser) = await StartAsync();
        var first = await rp.SignInAsync(browser, ("max_age", "15000"));
        hub.Wait(2);
        await SilentAsync(rp, browser, first, ("max_age", "10000"));
    }

    [Fact]
    public Task oidcc_ensure_request_with_unknown_parameter_succeeds() => SucceedsAsync(("extra", "foobar"));

    [Fact]
    public async Task oidcc_id_token_hint()
    {
        var (rp, browser) = await StartAsync();
        var first = await rp.SignInAsync(browser);
        hub.Wait(2);
        await SilentAsync(rp, browser, first, ("prompt", "none"), ("id_token_hint", first.Id));
    }

    [Fact]
    public Task oidcc_login_hint() => SucceedsAsync(("login_hint", "buffy@localhost.example"));

    [Fact]
    public Task oidcc_ui_locales() => SucceedsAsync(("ui_locales", "se"));

    [Fact]
    public Task oidcc_claims_locales() => SucceedsAsync(("claims_locales", "se"));

    [Fact]
    public async Task oidcc_ensure_request_with_acr_values_succeeds()
    {
        var values = hub.Metadata.GetProperty("acr_values_supported").EnumerateArray().Select(v => v.GetString()).ToList();
        var (rp, browser) = await StartAsync();
        var tokens = await rp.SignInAsync(browser, ("acr_values", string.Join(' ', values)));
        Assert.Contains(tokens.Claims.GetProperty("acr").GetString(), values);
    }

    [Fact]
    public Task oidcc_codereuse() => ReuseAsync(0);

    [Fact]
    public Task oidcc_codereuse_30seconds() => ReuseAsync(30);

    private async Task ReuseAsync(int seconds)
    {
        var (rp, browser) = await StartAsync();
        var visit = await rp.AuthorizeAsync(browser);
        var tokens = await rp.TokensAsync(visit, rp.Nonce);
        hub.Wait(seconds);
        (await rp.RedeemAsync(visit.Code)).AssertRefused("invalid_grant");
        Assert.Equal(HttpStatusCode.Unauthorized, (await rp.UserInfoAsync(tokens.Access)).Status);
    }

    [Fact]
    public async Task oidcc_ensure_registered_redirect_uri()
    {
        var (rp, browser) = await StartAsync();
        rp.RedirectUri += Jws.Random(6);
        (await rp.AuthorizeAsync(browser)).AssertErrorPage();
    }

    [Fact]
    public async Task oidcc_ensure_post_request_succeeds()
    {
        var (rp, browser) = await StartAsync();
        var visit = await Visit.GoAsync(rp, browser, browser.PostAsync(hub.Endpoint("authorization_endpoint"), rp.Request()));
        await rp.TokensAsync(visit, rp.Nonce);
    }

    [Fact]
    public async Task oidcc_server_client_secret_post()
    {
        Assert.True(hub.Supports("token_endpoint_auth_methods_supported", "client_secret_post"));
        var rp = await ClientAsync(("token_endpoint_auth_method", "client_secret_post"));
        await rp.SignInAsync(Browser());
    }

    [Fact]
    public async Task oidcc_request_uri_unsigned_supported_correctly_or_rejected_as_unsupported()
    {
        var (rp, browser) = await StartAsync();
        var visit = await rp.AuthorizeAsync(browser, ("request_uri", "https://suite.example/requests/" + Jws.Random()), ("state", null), ("nonce", null));
        Assert.True(visit.Error is "request_uri_not_supported", visit.Error);
    }

    /// <summary>Unsigned request objects are not served; the request is refused and never answered as if the object were not there.</summary>
    [Fact]
    public async Task oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported()
    {
        var (rp, browser) = await StartAsync();
        var visit = await rp.AuthorizeAsync(browser, ("request", Unsigned(rp)), ("state", null), ("nonce", null));
        Assert.True(visit.Error is "request_not_supported" or "invalid_request_object", visit.Error);
    }

    [Fact]
    public async Task oidcc_claims_essential()
    {
        var (rp, browser) = await StartAsync();
        var tokens = await rp.SignInAsync(browser, ("claims", """{"userinfo":{"name":{"essential":true}}}"""));
        Assert.Equal("Aino Virtanen", (await rp.ClaimsAsync(tokens)).GetProperty("name").GetString());
    }

    [Fact]
    public async Task oidcc_ensure_request_object_with_redirect_uri()
    {
        var (rp, browser) = await StartAsync();
        // The object names the registered address, the request another one.
        var request = Unsigned(rp);
        rp.RedirectUri += Jws.Random(6);
        (await rp.AuthorizeAsync(browser, ("request", request))).AssertErrorPage();
    }

    private static string Unsigned(Rp rp) => Jws.Sign(new Dictionary<string, object?> { ["alg"] = "none" },
        rp.Request().ToDictionary(p => p.Key, p => (object?)p.Value), null);

    [Fact]
    public async Task oidcc_refresh_token()
    {
        var (rp, browser) = await StartAsync();
        (string, string?)[] asks = [("scope", "openid offline_access"), ("prompt", "consent")];
        var tokens = await rp.SignInAsync(browser, asks);
        // RFC 6749 appendix A.12, A.17: visible ASCII.
        Assert.All(tokens.Access + tokens.Refresh, c => Assert.InRange(c, '\x20', '\x7e'));

        var other = await ClientAsync();
        var theirs = await other.SignInAsync(browser, asks);
        (await other.RefreshAsync(tokens.Refresh!)).AssertRefused("invalid_grant");

        hub.Wait(1);
        var next = TokenSet.Of(await rp.RefreshAsync(tokens.Refresh!));
        // OpenID Connect Core §12.2: the same person, from the same sign-in.
        if (next.Id is not null)
        {
            await rp.AssertIdTokenAsync(next.Id, null, next.Access);
            Assert.Equal((tokens.Sub, tokens.AuthTime), (next.Sub, next.AuthTime));
        }
        Assert.NotEqual(tokens.Access, next.Access);
        Assert.Equal(HttpStatusCode.OK, (await rp.UserInfoAsync(next.Access)).Status);
        TokenSet.Of(await other.RefreshAsync(theirs.Refresh!));
    }

    [Fact]
    public async Task oidcc_ensure_request_with_valid_pkce_succeeds()
    {
        var (rp, browser) = await StartAsync();
        rp.UsePkce();
        await rp.SignInAsync(browser);
    }
}

/// <summary>oidcc-basic-certification-test-plan.</summary>
public sealed class BasicPlan(ConformanceHub hub) : BasicModules(hub, null), IClassFixture<ConformanceHub>;

/// <summary>oidcc-formpost-basic-certification-test-plan.</summary>
public sealed class FormPostBasicPlan(ConformanceHub hub) : BasicModules(hub, "form_post"), IClassFixture<ConformanceHub>;
