using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Commerce.Conformance.Tests.Suite;
using Commerce.Federation.Contracts;
using Commerce.Testing;

namespace Commerce.Conformance.Tests.Plans;

/// <summary>Clients that register themselves (RFC 7591) under one partner's contract, with an initial access token.</summary>
internal sealed class Registrar(ConformanceHub hub, string basis = "contract")
{
    private string? token;

    public async Task<Answer> PostAsync(Dictionary<string, object?> metadata)
    {
        if (token is null)
        {
            var partner = await hub.AddAsync(basis);
            token = (await hub.Hub.AskAsync(new MintRegistrationToken("partner-" + partner.Id, """{"require_pkce":false}""", 1000, 7))).Value.Token;
        }
        return await SendAsync(HttpMethod.Post, hub.Endpoint("registration_endpoint"), token, JsonSerializer.Serialize(metadata));
    }

    public async Task<Answer> SendAsync(HttpMethod method, string url, string bearer, string? body = null)
    {
        using var request = new HttpRequestMessage(method, url) { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", bearer) } };
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        return await Answer.OfAsync(await hub.Hub.Http.SendAsync(request));
    }

    /// <summary>What a client of the suite registers; a member given as null is left out.</summary>
    public Dictionary<string, object?> Metadata(Rp rp, params (string Member, object? Value)[] members)
    {
        var metadata = new Dictionary<string, object?>
        {
            ["client_name"] = "Conformance", ["redirect_uris"] = new[] { rp.RedirectUri }, ["grant_types"] = new[] { "authorization_code", "refresh_token" },
            ["response_types"] = new[] { "code" }, ["token_endpoint_auth_method"] = "private_key_jwt", ["jwks"] = rp.Jwks, ["require_pkce"] = false,
        };
        foreach (var (member, value) in members)
        {
            if (value is null) metadata.Remove(member);
            else metadata[member] = value;
        }
        return metadata;
    }

    public Rp New() => new(hub, "dyn-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6))) { Key = RSA.Create(2048), KeyAlgorithm = "RS256" };

    public async Task<(Rp Rp, JsonElement Registered)> RegisterAsync(params (string Member, object? Value)[] members) => await RegisterAsync(New(), members);

    public async Task<(Rp Rp, JsonElement Registered)> RegisterAsync(Rp rp, params (string Member, object? Value)[] members)
    {
        var answer = await PostAsync(Metadata(rp, members));
        Assert.True(answer.Status == HttpStatusCode.Created, answer.Body);
        Assert.Equal("application/json", answer.MediaType);
        rp.Is(answer.Json, null, answer.Json.GetProperty("client_id").GetString());
        return (rp, answer.Json);
    }
}

/// <summary>oidcc-dynamic-certification-test-plan, response type code.</summary>
public sealed class DynamicPlan(ConformanceHub hub) : IClassFixture<ConformanceHub>
{
    private readonly Registrar registrar = new(hub);

    private TestBrowser Browser() => hub.Hub.NewBrowser();

    [Fact]
    public Task oidcc_discovery_endpoint_verification()
    {
        Assert.StartsWith(hub.Issuer, hub.Endpoint("registration_endpoint"), StringComparison.Ordinal);
        return Discovery.AssertSoundAsync(hub);
    }

    [Fact]
    public async Task oidcc_server() => await (await registrar.RegisterAsync()).Rp.SignInAsync(Browser());

    [Fact]
    public async Task oidcc_idtoken_rs256()
    {
        var (rp, _) = await registrar.RegisterAsync(("id_token_signed_response_alg", "RS256"));
        Assert.Equal("RS256", Jws.Header((await rp.SignInAsync(Browser())).Id!).GetProperty("alg").GetString());
    }

    [Fact]
    public async Task oidcc_idtoken_unsigned()
    {
        Assert.False(hub.Supports("id_token_signing_alg_values_supported", "none"));
        (await registrar.PostAsync(registrar.Metadata(registrar.New(), ("id_token_signed_response_alg", "none")))).AssertRefused("invalid_client_metadata");
    }

    [Fact]
    public async Task oidcc_userinfo_rs256()
    {
        var (rp, _) = await registrar.RegisterAsync(("userinfo_signed_response_alg", "RS256"));
        var tokens = await rp.SignInAsync(Browser());
        var answer = await rp.UserInfoAsync(tokens.Access);
        Assert.Equal("application/jwt", answer.MediaType);
        Jws.AssertSigned(answer.Body, await hub.KeysAsync(), "RS256");
        var claims = Jws.Claims(answer.Body);
        Assert.Equal((hub.Issuer, rp.Id, tokens.Sub), (claims.GetProperty("iss").GetString(), claims.GetProperty("aud").GetString(), claims.GetProperty("sub").GetString()));
    }

    [Fact]
    public async Task oidcc_ensure_redirect_uri_in_authorization_request()
    {
        var rp = registrar.New();
        await registrar.RegisterAsync(rp, ("redirect_uris", new[] { rp.RedirectUri, rp.RedirectUri + "/two" }));
        (await rp.AuthorizeAsync(Browser(), ("redirect_uri", null))).AssertErrorPage();
    }

    [Fact]
    public async Task oidcc_redirect_uri_query_OK()
    {
        var rp = await WithQueryAsync();
        var visit = await rp.AuthorizeAsync(Browser());
        Assert.Equal("bar", visit.Response!["foo"]);
        await rp.TokensAsync(visit, rp.Nonce);
    }

    [Fact]
    public async Task oidcc_redirect_uri_query_mismatch()
    {
        var rp = await WithQueryAsync();
        (await rp.AuthorizeAsync(Browser(), ("redirect_uri", rp.RedirectUri.Replace("foo=bar", "bar=foo", StringComparison.Ordinal)))).AssertErrorPage();
    }

    [Fact]
    public async Task oidcc_redirect_uri_query_added()
    {
        var (rp, _) = await registrar.RegisterAsync();
        (await rp.AuthorizeAsync(Browser(), ("redirect_uri", rp.RedirectUri + "?foo=bar"))).AssertErrorPage();
    }

    private async Task<Rp> WithQueryAsync()
    {
        var rp = registrar.New();
        rp.RedirectUri += "?foo=bar";
        return (await registrar.RegisterAsync(rp)).Rp;
    }

    [Fact]
    public async Task oidcc_redirect_uri_regfrag()
    {
        var rp = registrar.New();
        (await registrar.PostAsync(registrar.Metadata(rp, ("redirect_uris", new[] { rp.RedirectUri + "#foobar" })))).AssertRefused("invalid_redirect_uri");
    }

    /// <summary>Kept and never loaded: the hub's pages take nothing from other hosts.</summary>
    [Fact]
    public async Task oidcc_registration_logo_uri()
    {
        var (sheet, registered) = await SheetAsync("logo_uri", "https://rp.example/logo.png");
        Assert.Equal("https://rp.example/logo.png", registered.GetProperty("logo_uri").GetString());
        Assert.DoesNotContain("rp.example/logo.png", sheet, StringComparison.Ordinal);
    }

    [Fact]
    public async Task oidcc_registration_policy_uri() => Assert.Contains("href=\"https://rp.example/privacy\"", (await SheetAsync("policy_uri", "https://rp.example/privacy")).Sheet, StringComparison.Ordinal);

    [Fact]
    public async Task oidcc_registration_tos_uri() => Assert.Contains("href=\"https://rp.example/terms\"", (await SheetAsync("tos_uri", "https://rp.example/terms")).Sheet, StringComparison.Ordinal);

    /// <summary>The consent sheet, which is where a customer decides about the client.</summary>
    private async Task<(string Sheet, JsonElement Registered)> SheetAsync(string member, string value)
    {
        var (rp, registered) = await new Registrar(hub, "consent").RegisterAsync((member, value));
        using var browser = Browser();
        var page = await browser.FollowAsync(await browser.GetAsync(hub.Endpoint("authorization_endpoint") + "?" + Rp.Encode(rp.Request(("scope", "openid profile")))));
        page = await browser.FollowAsync(await browser.SubmitAsync(page, [new("email", rp.Person.Email), new("password", rp.Person.Password)], action: "/signin"));
        Assert.Contains("name=\"decision\"", page.Body, StringComparison.Ordinal);
        return (page.Body, registered);
    }

    [Fact]
    public async Task oidcc_registration_jwks_uri()
    {
        await using var server = await PartnerServer.StartAsync();
        var rp = registrar.New();
        server.Documents["jwks"] = rp.Jwks;
        await registrar.RegisterAsync(rp, ("jwks", null), ("jwks_uri", server.Url + "/jwks"));
        await rp.SignInAsync(Browser());
    }

    [Fact]
    public async Task oidcc_refresh_token_rp_key_rotation()
    {
        await using var server = await PartnerServer.StartAsync();
        var rp = registrar.New();
        server.Documents["jwks"] = rp.Jwks;
        await registrar.RegisterAsync(rp, ("jwks", null), ("jwks_uri", server.Url + "/jwks"));
        var tokens = await rp.SignInAsync(Browser(), ("scope", "openid offline_access"), ("prompt", "consent"));
        hub.Wait(60);
        rp.Key = RSA.Create(2048);
        rp.KeyId = "k2";
        server.Documents["jwks"] = rp.Jwks;
        TokenSet.Of(await rp.RefreshAsync(tokens.Refresh!));
    }

    [Fact]
    public async Task oidcc_registration_sector_uri()
    {
        await using var server = await PartnerServer.StartAsync();
        var rp = registrar.New();
        server.Documents["sector"] = new[] { rp.RedirectUri };
        await registrar.RegisterAsync(rp, ("sector_identifier_uri", server.Url + "/sector"));
        await rp.SignInAsync(Browser());
    }

    [Fact]
    public async Task oidcc_registration_sector_bad()
    {
        await using var server = await PartnerServer.StartAsync();
        server.Documents["sector"] = new[] { "https://elsewhere.example/callback" };
        (await registrar.PostAsync(registrar.Metadata(registrar.New(), ("sector_identifier_uri", server.Url + "/sector")))).AssertRefused("invalid_client_metadata", "invalid_redirect_uri");
    }

    [Fact]
    public async Task oidcc_server_rotate_keys()
    {
        var before = (await Discovery.AssertKeysAsync(hub)).Select(k => k.GetProperty("kid").GetString()).ToList();
        Assert.True((await hub.Hub.AskAsync(new RotateKeys(null))).IsOk);
        var after = (await Discovery.AssertKeysAsync(hub)).Select(k => k.GetProperty("kid").GetString()).ToList();
        Assert.NotEmpty(after.Except(before));
        Assert.Empty(before.Except(after));
        await (await registrar.RegisterAsync()).Rp.SignInAsync(Browser());
    }

    /// <summary>The hub fetches no address that a browser names.</summary>
    [Fact]
    public Task oidcc_request_uri_unsigned() => RequestUriAsync(rp => Jws.Sign(new Dictionary<string, object?> { ["alg"] = "none" }, Claims(rp), null));

    [Fact]
    public Task oidcc_request_uri_signed_rs256() => RequestUriAsync(rp => Jws.Sign(new Dictionary<string, object?> { ["alg"] = "RS256", ["kid"] = "k1" }, Claims(rp), rp.Key));

    private static Dictionary<string, object?> Claims(Rp rp) => rp.Request().ToDictionary(p => p.Key, p => (object?)p.Value);

    private async Task RequestUriAsync(Func<Rp, string> make)
    {
        Assert.False(hub.Metadata.GetProperty("request_uri_parameter_supported").GetBoolean());
        await using var server = await PartnerServer.StartAsync();
        var (rp, _) = await registrar.RegisterAsync();
        server.Documents["request"] = make(rp);
        var visit = await rp.AuthorizeAsync(Browser(), ("request_uri", server.Url + "/request"));
        Assert.Equal("request_uri_not_supported", visit.Error);
    }

    [Fact]
    public async Task oidcc_ensure_request_object_with_redirect_uri()
    {
        var (rp, _) = await registrar.RegisterAsync();
        var request = Jws.Sign(new Dictionary<string, object?> { ["alg"] = "RS256", ["kid"] = "k1" }, Claims(rp), rp.Key);
        // What counts is inside: the address beside the object is not used, whoever wrote it there.
        var visit = await rp.AuthorizeAsync(Browser(), ("request", request), ("redirect_uri", rp.RedirectUri + "/" + Jws.Random(6)));
        await rp.TokensAsync(visit, rp.Nonce);
    }

    [Fact]
    public async Task oidcc_refresh_token()
    {
        var ((rp, _), (other, _)) = (await registrar.RegisterAsync(), await registrar.RegisterAsync());
        using var browser = Browser();
        (string, string?)[] asks = [("scope", "openid offline_access"), ("prompt", "consent")];
        var (tokens, theirs) = (await rp.SignInAsync(browser, asks), await other.SignInAsync(browser, asks));
        (await other.RefreshAsync(tokens.Refresh!)).AssertRefused("invalid_grant");
        Assert.Equal(tokens.Sub, TokenSet.Of(await rp.RefreshAsync(tokens.Refresh!)).Sub);
        TokenSet.Of(await other.RefreshAsync(theirs.Refresh!));
    }

    [Fact]
    public async Task oidcc_ensure_client_assertion_with_iss_aud_succeeds()
    {
        var (rp, _) = await registrar.RegisterAsync();
        var visit = await rp.AuthorizeAsync(Browser());
        await rp.TokensAsync(visit, rp.Nonce, ("client_assertion", rp.Assertion(claims => claims["aud"] = hub.Issuer)));
    }
}

/// <summary>oidcc-3rdparty-init-login-certification-test-plan.</summary>
public sealed class ThirdPartyInitiatedLoginPlan(ConformanceHub hub) : IClassFixture<ConformanceHub>
{
    [Fact]
    public async Task oidcc_3rd_party_init_login()
    {
        var registrar = new Registrar(hub);
        var (rp, registered) = await registrar.RegisterAsync(("initiate_login_uri", "https://rp.example/start"));
        Assert.Equal("https://rp.example/start", registered.GetProperty("initiate_login_uri").GetString());
        var read = await registrar.SendAsync(HttpMethod.Get, registered.GetProperty("registration_client_uri").GetString()!, registered.GetProperty("registration_access_token").GetString()!);
        Assert.Equal((HttpStatusCode.OK, "application/json"), (read.Status, read.MediaType));
        Assert.Equal("https://rp.example/start", read.Json.GetProperty("initiate_login_uri").GetString());
        await rp.SignInAsync(hub.Hub.NewBrowser());
    }

    /// <summary>A hub that is not for development takes no plain http.</summary>
    [Fact]
    public async Task oidcc_3rd_party_init_login_nohttps()
    {
        var production = new ProductionHub();
        await production.InitializeAsync();
        await using (production)
        {
            var registrar = new Registrar(production);
            (await registrar.PostAsync(registrar.Metadata(registrar.New(), ("initiate_login_uri", "http://rp.example/start")))).AssertRefused("invalid_client_metadata");
            await registrar.RegisterAsync(("initiate_login_uri", "https://rp.example/start"));
        }
    }

    private sealed class ProductionHub : ConformanceHub
    {
        protected override Task<TestHub> StartAsync() => TestHub.StartAsync(development: false);
    }
}
