using System.Net;
using System.Security.Cryptography;
using Commerce.Conformance.Tests.Suite;
using Commerce.Testing;

namespace Commerce.Conformance.Tests.Plans;

/// <summary>
/// The modules that every variant of the FAPI 2.0 plans has: requests are pushed, tokens are bound to a key. What the variants differ in
/// (how the client proves itself, whether messages are signed) is asked of the derived class.
/// </summary>
public abstract class Fapi2Modules(ConformanceHub hub)
{
    private protected ConformanceHub Hub => hub;

    private protected TestBrowser Browser() => hub.Hub.NewBrowser();

    /// <summary>Members of the client's registration that make the variant.</summary>
    private protected abstract Task<Rp> ClientAsync(string basis = "contract");

    /// <summary>Makes the form of a pushed request out of its parameters.</summary>
    private protected virtual Dictionary<string, string> Form(Rp rp, Dictionary<string, string> request) => request;

    private protected virtual string[] RequestErrors => ["invalid_request"];

    private protected async Task<(Rp Rp, TestBrowser Browser)> StartAsync() => (await ClientAsync(), Browser());

    private protected Task<Answer> PushAsync(Rp rp, Dictionary<string, string> request, bool proof = false, params (string, string?)[] outside) =>
        rp.PostAsync(hub.Endpoint("pushed_authorization_request_endpoint"), Form(rp, request), proof, outside);

    private protected async Task<string> UriAsync(Rp rp, bool proof = false, params (string Name, string? Value)[] changes)
    {
        var answer = await PushAsync(rp, rp.Request(changes), proof);
        Assert.True(answer.Status == HttpStatusCode.Created, answer.Body);
        Assert.InRange(answer.Json.GetProperty("expires_in").GetInt32(), 5, 600);
        return answer.Json.GetProperty("request_uri").GetString()!;
    }

    /// <summary>Sends the browser with the reference, and nothing that was pushed said twice.</summary>
    private protected async Task<Visit> OpenAsync(Rp rp, TestBrowser browser, string uri, params (string Name, string Value)[] more)
    {
        var parameters = new Dictionary<string, string> { ["client_id"] = rp.Id, ["request_uri"] = uri };
        foreach (var (name, value) in more) parameters[name] = value;
        return await rp.OpenAsync(await rp.VisitAsync(browser, parameters));
    }

    private protected async Task<Visit> VisitAsync(Rp rp, TestBrowser browser, params (string Name, string? Value)[] changes) =>
        await OpenAsync(rp, browser, await UriAsync(rp, false, changes));

    private protected async Task<TokenSet> SignInAsync(Rp rp, TestBrowser browser, params (string Name, string? Value)[] changes)
    {
        var nonce = changes.Any(c => c.Name == "nonce") ? changes.Last(c => c.Name == "nonce").Value : rp.Nonce;
        return await AssertBoundAsync(rp, await rp.TokensAsync(await VisitAsync(rp, browser, changes), nonce));
    }

    /// <summary>The token is bound to this client's key, and opens userinfo with it.</summary>
    private protected virtual async Task<TokenSet> AssertBoundAsync(Rp rp, TokenSet tokens)
    {
        Assert.Equal("DPoP", tokens.Type);
        Assert.Equal(HttpStatusCode.OK, (await rp.UserInfoAsync(tokens.Access)).Status);
        return tokens;
    }

    /// <summary>Refused when it is pushed, or by a page of the hub's own.</summary>
    private protected async Task AssertNotServedAsync(Rp rp, Dictionary<string, string> request, params string[] errors)
    {
        var answer = await PushAsync(rp, request);
        answer.AssertRefused(errors.Length > 0 ? errors : RequestErrors);
    }

    [Fact]
    public async Task fapi2_security_profile_final_discovery_end_point_verification()
    {
        await Discovery.AssertSoundAsync(hub);
        Assert.True(hub.Supports("response_types_supported", "code"));
        Assert.True(hub.Supports("code_challenge_methods_supported", "S256"));
        Assert.True(hub.Metadata.GetProperty("authorization_response_iss_parameter_supported").GetBoolean());
        Assert.StartsWith(hub.Issuer, hub.Endpoint("pushed_authorization_request_endpoint"), StringComparison.Ordinal);
        foreach (var list in new[] { "id_token_signing_alg_values_supported", "token_endpoint_auth_signing_alg_values_supported", "userinfo_signing_alg_values_supported" })
            Assert.True(hub.Supports(list, "PS256") && hub.Supports(list, "ES256"), list);
        AssertVariantIsAdvertised();
    }

    private protected abstract void AssertVariantIsAdvertised();

    [Fact]
    public async Task fapi2_security_profile_final_happy_flow()
    {
        var (one, two) = (await ClientAsync(), await ClientAsync());
        var (mine, theirs) = (await SignInAsync(one, Browser()), await SignInAsync(two, Browser()));
        Assert.NotEqual(mine.Sub, theirs.Sub);
        // A token with another client's key opens nothing.
        Assert.Equal(HttpStatusCode.Unauthorized, (await two.UserInfoAsync(mine.Access)).Status);
        Assert.Equal(HttpStatusCode.OK, (await one.UserInfoAsync(mine.Access)).Status);
    }

    [Fact]
    public async Task fapi2_security_profile_final_user_rejects_authentication()
    {
        var rp = await ClientAsync("consent");
        rp.Decision = "deny";
        var visit = await VisitAsync(rp, Browser(), ("scope", "openid profile"));
        Assert.Equal((1, "access_denied", rp.State), (visit.Sheets, visit.Error, visit.Response!["state"]));
    }

    [Fact]
    public async Task fapi2_security_profile_final_ensure_authorization_request_without_state_success()
    {
        var (rp, browser) = await StartAsync();
        var visit = await VisitAsync(rp, browser, ("state", null));
        Assert.False(visit.Response!.ContainsKey("state"));
        await rp.TokensAsync(visit, rp.Nonce);
    }

    [Fact]
    public async Task fapi2_security_profile_final_ensure_authorization_request_without_nonce_success()
    {
        var (rp, browser) = await StartAsync();
        await SignInAsync(rp, browser, ("nonce", null));
    }

    [Fact]
    public async Task fapi2_security_profile_final_ensure_authorization_request_with_64_char_nonce_success()
    {
        var (rp, browser) = await StartAsync();
        await SignInAsync(rp, browser, ("nonce", Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32))));
    }

    [Fact]
    public async Task fapi2_security_profile_final_ensure_authorization_request_with_long_nonce()
    {
        var (rp, browser) = await StartAsync();
        await SignInAsync(rp, browser, ("nonce", Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(192))));
    }

    [Fact]
    public async Task fapi2_security_profile_final_ensure_authorization_request_with_long_state()
    {
        var (rp, browser) = await StartAsync();
        rp.State = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(500));
        var visit = await VisitAsync(rp, browser);
        Assert.Equal(rp.State, visit.Response!["state"]);
        await rp.TokensAsync(visit, rp.Nonce);
    }

    [Fact]
    public async Task fapi2_security_profile_final_ensure_other_scope_order_succeeds()
    {
        var (rp, browser) = await StartAsync();
        var tokens = await SignInAsync(rp, browser, ("scope", "email openid"));
        Assert.Equal(ConformanceHub.Email, (await rp.ClaimsAsync(tokens)).GetProperty("email").GetString());
    }

    [Fact]
    public async Task fapi2_security_profile_final_test_claims_parameter_identity_claims()
    {
        var (rp, browser) = await StartAsync();
        string[] standard =
        [
            "name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website", "gender", "birthdate", "zoneinfo",
            "locale", "updated_at", "email", "email_verified", "phone_number", "phone_number_verified", "address",
        ];
        var offered = standard.Where(name => hub.Supports("claims_supported", name)).ToList();
        Assert.Contains("name", offered);
        var asked = offered.Append("unknown_to_all").ToDictionary(name => name, _ => new { essential = true });
        var tokens = await SignInAsync(rp, browser, ("claims", System.Text.Json.JsonSerializer.Serialize(new { userinfo = asked, id_token = asked })));
        var userInfo = await rp.ClaimsAsync(tokens);
        Assert.All(offered, name => Assert.True(userInfo.TryGetProperty(name, out _) && tokens.Claims.TryGetProperty(name, out _), name));
        Assert.False(userInfo.TryGetProperty("unknown_to_all", out _));
    }

    [Fact]
    public async Task fapi2_security_profile_final_access_token_type_header_case_sensitivity()
    {
        var (rp, browser) = await StartAsync();
        var tokens = await SignInAsync(rp, browser);
        var scheme = tokens.Type.ToLowerInvariant();
        Assert.Equal(HttpStatusCode.OK, (await rp.UserInfoAsync(tokens.Access, scheme: scheme)).Status);
        Assert.Equal(HttpStatusCode.OK, (await rp.UserInfoAsync(tokens.Access, scheme: tokens.Type.ToUpperInvariant())).Status);
    }

    [Fact]
    public async Task fapi2_security_profile_final_ensure_different_nonce_inside_and_outside_request_object()
    {
        var (rp, browser) = await StartAsync();
        var visit = await OpenAsync(rp, browser, await UriAsync(rp), ("nonce", Jws.Random()));
        await rp.TokensAsync(visit, rp.Nonce);
    }

    [Fact]
    public async Task fapi2_security_profile_final_ensure_different_state_inside_and_outside_request_object()
    {
        var (rp, browser) = await StartAsync();
        var visit = await OpenAsync(rp, browser, await UriAsync(rp), ("state", Jws.Random()));
        Assert.Equal(rp.State, visit.Response!["state"]);
        await rp.TokensAsync(visit, rp.Nonce);
    }

    [Fact]
    public async Task fapi2_security_profile_final_state_only_outside_request_object_not_used()
    {
        var (rp, browser) = await StartAsync();
        var visit = await OpenAsync(rp, browser, await UriAsync(rp, false, ("state", null)), ("state", Jws.Random()));
        Assert.False(visit.Response!.ContainsKey("state"));
        Assert.False((await rp.TokensAsync(visit, rp.Nonce)).Claims.TryGetProperty("s_hash", out _));
    }

    [Fact]
    public async Task fapi2_security_profile_final_ensure_request_object_without_redirect_uri_fails()
    {
        var rp = await ClientAsync();
        await AssertNotServedAsync(rp, rp.Request(("redirect_uri", null)));
    }

    [Fact]
    public async Task fapi2_security_profile_final_ensure_redirect_uri_in_authorization_request()
    {
        var rp = await ClientAsync();
        await AssertNotServedAsync(rp, rp.Request(("redirect_uri", null)));
    }

    [Fact]
    public async Task fapi2_security_profile_final_plain_fapi_tolerate_unregistered_redirect_uri()
    {
        var rp = await ClientAsync();
        await AssertNotServedAsync(rp, rp.Request(("redirect_uri", rp.RedirectUri + "/" + Jws.Random(6))));
    }

    [Fact]
    public async Task fapi2_security_profile_final_ensure_unsigned_authorization_request_without_using_par_fails()
    {
        var (rp, browser) = await StartAsync();
        var visit = await rp.OpenAsync(await rp.AuthorizeAsync(browser));
        if (visit.Response is null) visit.AssertErrorPage();
        else Assert.Contains(visit.Error, (string[])["invalid_request", "invalid_request_object"]);
    }

    [Fact]
    public async Task fapi2_security_profile_final_ensure_response_type_code_idtoken_fails()
    {
        var rp = await ClientAsync();
        await AssertNotServedAsync(rp, rp.Request(("response_type", "code id_token")), "unsupported_response_type", "invalid_request");
    }

    [Fact]
    public async Task fapi2_security_profile_final_ensure_response_type_token_fails()
    {
        var rp = await ClientAsync();
        await AssertNotServedAsync(rp, rp.Request(("response_type", "token")), "unsupported_response_type", "invalid_request");
    }

    [Fact]
    public async Task fapi2_security_profile_final_ensure_client_id_in_token_endpoint()
    {
        var (one, two) = (await ClientAsync(), await ClientAsync());
        var visit = await VisitAsync(one, Browser());
        // The second client's name, the first one's credential.
        (await one.RedeemAsync(visit.Code, ("client_id", two.Id))).AssertRefused("invalid_client", "invalid_request", "invalid_grant");
    }

    [Fact]
    public async Task fapi2_security_profile_final_ensure_authorization_code_is_bound_to_client()
    {
        var (one, two) = (await ClientAsync(), await ClientAsync());
        var visit = await VisitAsync(one, Browser());
        (await two.RedeemAsync(visit.Code, ("redirect_uri", one.RedirectUri), ("code_verifier", one.Verifier))).AssertRefused("invalid_grant");
        await one.TokensAsync(visit, one.Nonce);      // no harm done
    }

    [Fact]
    public async Task fapi2_security_profile_final_attempt_reuse_authorization_code_after_one_second()
    {
        var (rp, browser) = await StartAsync();
        var visit = await VisitAsync(rp, browser);
        var tokens = await rp.TokensAsync(visit, rp.Nonce);
        hub.Wait(1);
        (await rp.RedeemAsync(visit.Code)).AssertRefused("invalid_grant");
        Assert.Equal(HttpStatusCode.Unauthorized, (await rp.UserInfoAsync(tokens.Access)).Status);
    }

    [Fact]
    public async Task fapi2_security_profile_final_ensure_token_endpoint_fails_with_expired_auth_code()
    {
        var (rp, browser) = await StartAsync();
        var visit = await VisitAsync(rp, browser);
        hub.Wait(62);
        (await rp.RedeemAsync(visit.Code)).AssertRefused("invalid_grant");
    }

    [Fact]
    public async Task fapi2_security_profile_final_par_ensure_reused_request_uri_prior_to_auth_completion_succeeds()
    {
        var (rp, browser) = await StartAsync();
        var uri = await UriAsync(rp);
        var first = await browser.FollowAsync(await browser.GetAsync(hub.Endpoint("authorization_endpoint") + "?" +
            Rp.Encode(new Dictionary<string, string> { ["client_id"] = rp.Id, ["request_uri"] = uri })));
        Assert.Contains("name=\"password\"", first.Body, StringComparison.Ordinal);
        await rp.TokensAsync(await OpenAsync(rp, browser, uri), rp.Nonce);
    }

    [Fact]
    public async Task fapi2_security_profile_final_par_attempt_reuse_request_uri()
    {
        var (rp, browser) = await StartAsync();
        var uri = await UriAsync(rp);
        await rp.TokensAsync(await OpenAsync(rp, browser, uri), rp.Nonce);
        (await OpenAsync(rp, browser, uri)).AssertErrorPage();
    }

    [Fact]
    public async Task fapi2_security_profile_final_par_attempt_to_use_expired_request_uri()
    {
        var (rp, browser) = await StartAsync();
        var answer = await PushAsync(rp, rp.Request());
        hub.Wait(answer.Json.GetProperty("expires_in").GetInt32() + 1);
        (await OpenAsync(rp, browser, answer.Json.GetProperty("request_uri").GetString()!)).AssertErrorPage();
    }

    [Fact]
    public async Task fapi2_security_profile_final_par_attempt_to_use_request_uri_for_different_client()
    {
        var (one, two) = (await ClientAsync(), await ClientAsync());
        (await OpenAsync(two, Browser(), await UriAsync(one))).AssertErrorPage();
    }

    [Fact]
    public async Task fapi2_security_profile_final_par_authorization_request_containing_request_uri_form_param()
    {
        var rp = await ClientAsync();
        (await PushAsync(rp, rp.Request(), false, ("request_uri", await UriAsync(rp)))).AssertRefused("invalid_request");
    }

    [Fact]
    public async Task fapi2_security_profile_final_par_attempt_invalid_http_method()
    {
        var answer = await Answer.OfAsync(await hub.Hub.Http.PutAsync(hub.Endpoint("pushed_authorization_request_endpoint"), new FormUrlEncodedContent([])));
        Assert.Equal(HttpStatusCode.MethodNotAllowed, answer.Status);
    }

    [Fact]
    public async Task fapi2_security_profile_final_par_ensure_pkce_required()
    {
        var rp = await ClientAsync();
        await AssertNotServedAsync(rp, rp.Request(("code_challenge", null), ("code_challenge_method", null)), "invalid_request");
    }

    [Fact]
    public async Task fapi2_security_profile_final_par_plain_pkce_rejected()
    {
        var rp = await ClientAsync();
        await AssertNotServedAsync(rp, rp.Request(("code_challenge", rp.Verifier), ("code_challenge_method", "plain")), "invalid_request");
    }

    [Fact]
    public async Task fapi2_security_profile_final_ensure_pkce_code_verifier_required()
    {
        var (rp, browser) = await StartAsync();
        (await rp.RedeemAsync((await VisitAsync(rp, browser)).Code, ("code_verifier", null))).AssertRefused("invalid_grant");
    }

    [Fact]
    public async Task fapi2_security_profile_final_incorrect_pkce_code_verifier_rejected()
    {
        var (rp, browser) = await StartAsync();
        (await rp.RedeemAsync((await VisitAsync(rp, browser)).Code, ("code_verifier", Jws.Random(48)))).AssertRefused("invalid_grant");
    }

    [Fact]
    public async Task fapi2_security_profile_final_par_without_duplicate_parameters()
    {
        var (rp, browser) = await StartAsync();
        await SignInAsync(rp, browser);
    }

    [Fact]
    public async Task fapi2_security_profile_final_refresh_token()
    {
        var (one, two) = (await ClientAsync(), await ClientAsync());
        var asks = ("scope", (string?)"openid offline_access");
        var (mine, theirs) = (await SignInAsync(one, Browser(), asks), await SignInAsync(two, Browser(), asks));
        (await two.RefreshAsync(mine.Refresh!)).AssertRefused("invalid_grant");
        await AssertRefreshNeedsTheClientAsync(one, mine.Refresh!);
        await AssertRefreshNeedsTheKeyAsync(one, mine.Refresh!);
        foreach (var (rp, tokens) in new[] { (one, mine), (two, theirs) })
        {
            var next = TokenSet.Of(await rp.RefreshAsync(tokens.Refresh!));
            await AssertBoundAsync(rp, next);
            Assert.Equal(tokens.Sub, next.Sub);
        }
    }

    private protected abstract Task AssertRefreshNeedsTheClientAsync(Rp rp, string token);

    private protected abstract Task AssertRefreshNeedsTheKeyAsync(Rp rp, string token);

    /// <summary>The token endpoint gives nothing out where the key is not proven; after that the code is good still.</summary>
    [Fact]
    public async Task fapi2_security_profile_final_ensure_holder_of_key_required()
    {
        var (rp, browser) = await StartAsync();
        var visit = await VisitAsync(rp, browser);
        await AssertCodeNeedsTheKeyAsync(rp, visit.Code);
        await rp.TokensAsync(visit, rp.Nonce);
    }

    private protected abstract Task AssertCodeNeedsTheKeyAsync(Rp rp, string code);
}
