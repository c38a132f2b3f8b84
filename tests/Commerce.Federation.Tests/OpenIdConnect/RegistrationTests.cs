using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Commerce.Federation.Contracts;
using Commerce.Testing;

namespace Commerce.Federation.Tests.OpenIdConnect;

/// <summary>Dynamic client registration (RFC 7591) and its management (RFC 7592).</summary>
public sealed class RegistrationTests(OidcHub hub) : IClassFixture<OidcHub>
{
    private const string Path = "/connect/register";

    private sealed record Registered(string Id, string? Secret, string Token, JsonElement Json);

    private async Task<string> InitialAsync(string? policy = null, int uses = 1, string? partner = null) =>
        (await hub.Hub.AskAsync(new MintRegistrationToken(partner ?? (await hub.AddClientAsync()).Partner, policy, uses, 7))).Value.Token;

    private async Task<TestAnswer> SendAsync(HttpMethod method, string path, string? token, string? body, string type = "application/json")
    {
        using var request = new HttpRequestMessage(method, path);
        if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, type);
        return await TestAnswer.OfAsync(await hub.Hub.Http.SendAsync(request));
    }

    private static string Metadata(string change = "{}")
    {
        var all = JsonNode.Parse("""{"client_name":"Kolari Booking","redirect_uris":["https://rp.example/cb"],"token_endpoint_auth_method":"client_secret_basic"}""")!.AsObject();
        foreach (var (name, value) in JsonNode.Parse(change)!.AsObject())
        {
            if (value is null) all.Remove(name);
            else all[name] = value.DeepClone();
        }
        return all.ToJsonString();
    }

    private async Task<Registered> RegisterAsync(string change = "{}", string? policy = null)
    {
        var answer = await SendAsync(HttpMethod.Post, Path, await InitialAsync(policy), Metadata(change));
        Assert.True(answer.Status == HttpStatusCode.Created, answer.Body);
        return Of(answer);
    }

    private static Registered Of(TestAnswer answer) => new(answer.Json.GetProperty("client_id").GetString()!,
        answer.Json.TryGetProperty("client_secret", out var secret) ? secret.GetString() : null, answer.Json.GetProperty("registration_access_token").GetString()!, answer.Json);

    private Task<TestPage> AuthorizeAsync(Registered client, string redirect) => hub.Hub.NewBrowser().GetAsync("/connect/authorize?" + TestClient.Encode(new Dictionary<string, string>
    {
        ["client_id"] = client.Id, ["redirect_uri"] = redirect, ["response_type"] = "code", ["scope"] = "openid", ["code_challenge"] = TestClient.ChallengeOf(new string('v', 43)),
        ["code_challenge_method"] = "S256",
    }.Where(v => v.Value.Length > 0)));

    [Fact]
    public async Task RFC7591_a_registered_client_signs_a_customer_in_within_its_partners_contract()
    {
        var client = await RegisterAsync("""{"scope":"openid profile","userinfo_signed_response_alg":"RS256","id_token_signed_response_alg":"RS256"}""");
        Assert.Equal("openid profile", client.Json.GetProperty("scope").GetString());
        Assert.Equal(hub.Clock.GetUtcNow().ToUnixTimeSeconds(), client.Json.GetProperty("client_id_issued_at").GetInt64());
        Assert.Equal($"{hub.Issuer}{Path}/{client.Id}", client.Json.GetProperty("registration_client_uri").GetString());
        Assert.Equal(0, client.Json.GetProperty("client_secret_expires_at").GetInt32());

        var (browser, _, _) = hub.SignedIn();
        var page = await browser.GetAsync("/connect/authorize?" + TestClient.Encode(new Dictionary<string, string>
        {
            ["client_id"] = client.Id, ["redirect_uri"] = "https://rp.example/cb", ["response_type"] = "code", ["scope"] = "openid profile",
            ["code_challenge"] = TestClient.ChallengeOf(new string('v', 43)), ["code_challenge_method"] = "S256",
        }));
        var code = Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(page.RedirectsTo!.Query)["code"].ToString();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/connect/token")
        {
            Content = new FormUrlEncodedContent(new Dictionary<string, string>
            {
                ["grant_type"] = "authorization_code", ["code"] = code, ["redirect_uri"] = "https://rp.example/cb", ["code_verifier"] = new string('v', 43),
            }),
        };
        request.Headers.Authorization = TestClient.Basic(client.Id, client.Secret!);
        var tokens = TestTokens.Of(await TestAnswer.OfAsync(await hub.Hub.Http.SendAsync(request)));

        // D01: signed userinfo with iss and aud.
        using var userinfo = await hub.UserInfoAsync(tokens.Access);
        Assert.Equal("application/jwt", userinfo.Content.Headers.ContentType?.MediaType);
        var jwt = await userinfo.Content.ReadAsStringAsync();
        await DiscoveryTests.AssertSignedAsync(hub, jwt, "RS256");
        var claims = Jwt.Payload(jwt);
        Assert.Equal((hub.Issuer, client.Id, "Aino Virtanen"), (claims.GetProperty("iss").GetString(), claims.GetProperty("aud").GetString(), claims.GetProperty("name").GetString()));
    }

    [Fact]
    public async Task RFC7591_without_a_good_initial_token_nothing_is_registered()
    {
        var used = await InitialAsync();
        Assert.Equal(HttpStatusCode.Created, (await SendAsync(HttpMethod.Post, Path, used, Metadata())).Status);
        foreach (var token in new[] { null, "x", new string('A', 43), used })
        {
            var answer = await SendAsync(HttpMethod.Post, Path, token, Metadata());
            Assert.Equal(HttpStatusCode.Unauthorized, answer.Status);
            Assert.StartsWith("Bearer", answer.Headers["WWW-Authenticate"], StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task RFC7591_another_scheme_and_a_body_over_64_KB_register_nothing_and_use_nothing_up()
    {
        var token = await InitialAsync();
        using (var request = new HttpRequestMessage(HttpMethod.Post, Path) { Content = new StringContent(Metadata(), Encoding.UTF8, "application/json") })
        {
            request.Headers.TryAddWithoutValidation("Authorization", "Other__ " + token);
            Assert.Equal(HttpStatusCode.Unauthorized, (await TestAnswer.OfAsync(await hub.Hub.Http.SendAsync(request))).Status);
        }
        Assert.Equal("invalid_client_metadata", (await SendAsync(HttpMethod.Post, Path, token, Metadata(), "text/plain")).Error);
        var exact = Metadata().PadRight(64 * 1024);
        foreach (var chunked in new[] { false, true })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, Path) { Content = new StringContent(exact + " ", Encoding.UTF8, "application/json") };
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            request.Headers.TransferEncodingChunked = chunked;
            Assert.Equal("invalid_client_metadata", (await TestAnswer.OfAsync(await hub.Hub.Http.SendAsync(request))).Error);
        }
        Assert.Equal(HttpStatusCode.Created, (await SendAsync(HttpMethod.Post, Path, token, exact)).Status);
    }

    [Theory]
    [InlineData(0, 7)]
    [InlineData(1001, 7)]
    [InlineData(1, 0)]
    [InlineData(1, 366)]
    public async Task RFC7591_an_initial_token_counts_1_to_1000_clients_and_lives_1_to_365_days(int uses, int days)
    {
        var partner = (await hub.AddClientAsync()).Partner;
        Assert.False((await hub.Hub.AskAsync(new MintRegistrationToken(partner, null, uses, days))).IsOk);
        Assert.True((await hub.Hub.AskAsync(new MintRegistrationToken(partner, null, Math.Clamp(uses, 1, 1000), Math.Clamp(days, 1, 365)))).IsOk);
        Assert.False((await hub.Hub.AskAsync(new MintRegistrationToken("nobody", null, 1, 7))).IsOk);
    }

    [Theory]
    [InlineData("""{"grant_types":[]}""")]
    [InlineData("""{"redirect_hosts":["https://rp.example"]}""")]
    [InlineData("""{"colour":"red"}""")]
    public async Task RFC7591_a_policy_that_says_nothing_or_names_no_host_is_refused(string policy) => Assert.Equal(
        "federation.registration_policy_invalid", (await hub.Hub.AskAsync(new MintRegistrationToken((await hub.AddClientAsync()).Partner, policy, 1, 7))).Refusal?.Code);

    [Fact]
    public async Task RFC7591_an_initial_token_dies_of_age_and_with_its_partner_switched_off()
    {
        var client = await hub.AddClientAsync();
        var token = await InitialAsync(partner: client.Partner, uses: 5);
        await hub.SwitchPartnerAsync(client, active: false);
        Assert.Equal(HttpStatusCode.Unauthorized, (await SendAsync(HttpMethod.Post, Path, token, Metadata())).Status);
        await hub.SwitchPartnerAsync(client, active: true);
        Assert.Equal(HttpStatusCode.Created, (await SendAsync(HttpMethod.Post, Path, token, Metadata())).Status);
        hub.Clock.Advance(TimeSpan.FromDays(7));
        Assert.Equal(HttpStatusCode.Unauthorized, (await SendAsync(HttpMethod.Post, Path, token, Metadata())).Status);
    }

    [Fact]
    public async Task RFC7591_of_many_that_bring_one_token_for_one_client_one_registers()
    {
        var token = await InitialAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => SendAsync(HttpMethod.Post, Path, token, Metadata())));
        Assert.Single(answers, a => a.Status == HttpStatusCode.Created);
    }

    [Fact]
    public async Task O04_a_client_registers_itself_without_pkce_only_where_the_policy_says_so()
    {
        var refused = await SendAsync(HttpMethod.Post, Path, await InitialAsync(), Metadata("""{"require_pkce":false}"""));
        Assert.Equal((HttpStatusCode.BadRequest, "invalid_client_metadata"), (refused.Status, refused.Error));
        await RegisterAsync("""{"require_pkce":false}""", """{"require_pkce":false}""");
    }

    [Fact]
    public async Task RFC7591_the_policy_bounds_scopes_grants_methods_and_hosts_and_a_refusal_uses_nothing_up()
    {
        var token = await InitialAsync("""{"scope":"openid email","grant_types":["authorization_code"],"token_endpoint_auth_methods":["client_secret_basic"],"redirect_hosts":["rp.example"]}""");
        foreach (var (change, error) in new[]
        {
            ("""{"scope":"openid profile"}""", "invalid_client_metadata"),
            ("""{"scope":"openid email","grant_types":["authorization_code","refresh_token"]}""", "invalid_client_metadata"),
            ("""{"scope":"openid","redirect_uris":["https://other.example/cb"]}""", "invalid_redirect_uri"),
            ("""{"scope":"openid","authorization_details_types":["retail_purchase"]}""", "invalid_client_metadata"),
            ("""{"scope":"openid","require_pkce":false}""", "invalid_client_metadata"),
            ("""{"scope":"openid","redirect_uris":[]}""", "invalid_redirect_uri"),
            ("""{"scope":"openid","subject_type":"public"}""", "invalid_client_metadata"),
        })
        {
            var answer = await SendAsync(HttpMethod.Post, Path, token, Metadata(change));
            Assert.Equal((HttpStatusCode.BadRequest, error), (answer.Status, answer.Error));
        }
        foreach (var (body, type) in new[] { ("x", "application/json"), ("[]", "application/json"), ("""{"client_name":"a","client_name":"b"}""", "application/json"), (Metadata(), "text/plain") })
            Assert.Equal("invalid_client_metadata", (await SendAsync(HttpMethod.Post, Path, token, body, type)).Error);
        Assert.Equal(HttpStatusCode.Created, (await SendAsync(HttpMethod.Post, Path, token, Metadata("""{"scope":"openid email","software_id":"unknown to us"}"""))).Status);
    }

    [Fact]
    public async Task D02_D03_redirect_uris_match_in_whole_and_one_is_always_named()
    {
        var client = await RegisterAsync("""{"redirect_uris":["https://rp.example/cb?x=1","https://rp.example/two"]}""");
        Assert.Equal("/signin", (await AuthorizeAsync(client, "https://rp.example/cb?x=1")).RedirectsTo?.AbsolutePath);
        foreach (var wrong in new[] { "", "https://rp.example/cb", "https://rp.example/cb?x=2", "https://rp.example/cb?x=1&y=2" })
            Assert.Equal("oidc.unknown_redirect", (await AuthorizeAsync(client, wrong)).RefusalCode);
        var fragment = await SendAsync(HttpMethod.Post, Path, await InitialAsync(), Metadata("""{"redirect_uris":["https://rp.example/cb#f"]}"""));
        Assert.Equal("invalid_redirect_uri", fragment.Error);
    }

    [Fact]
    public async Task D05_a_sector_document_that_does_not_list_the_redirect_uri_is_refused()
    {
        var answer = await SendAsync(HttpMethod.Post, Path, await InitialAsync(), Metadata($$"""{"sector_identifier_uri":"{{hub.Issuer}}/connect/jwks"}"""));
        Assert.Equal((HttpStatusCode.BadRequest, "invalid_client_metadata"), (answer.Status, answer.Error));
    }

    [Fact]
    public async Task D04_D09_policy_terms_and_login_addresses_are_kept_and_script_addresses_are_not()
    {
        var client = await RegisterAsync("""{"policy_uri":"https://rp.example/privacy","tos_uri":"https://rp.example/terms","logo_uri":"https://rp.example/logo.png","initiate_login_uri":"https://rp.example/start"}""");
        foreach (var (name, value) in new[] { ("policy_uri", "privacy"), ("tos_uri", "terms"), ("logo_uri", "logo.png"), ("initiate_login_uri", "start") })
            Assert.EndsWith(value, client.Json.GetProperty(name).GetString(), StringComparison.Ordinal);
        foreach (var name in new[] { "policy_uri", "logo_uri", "initiate_login_uri" })
            Assert.Equal("invalid_client_metadata", (await SendAsync(HttpMethod.Post, Path, await InitialAsync(), Metadata($$"""{"{{name}}":"javascript:alert(1)"}"""))).Error);
    }

    [Fact]
    public async Task RFC7592_each_registration_token_is_good_once_and_brings_the_next()
    {
        var client = await RegisterAsync();
        var read = await SendAsync(HttpMethod.Get, $"{Path}/{client.Id}", client.Token, null);
        Assert.Equal((HttpStatusCode.OK, client.Id), (read.Status, Of(read).Id));
        Assert.Null(Of(read).Secret);       // the hub keeps only its hash
        Assert.NotEqual(client.Token, Of(read).Token);
        Assert.Equal(HttpStatusCode.Unauthorized, (await SendAsync(HttpMethod.Get, $"{Path}/{client.Id}", client.Token, null)).Status);
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(HttpMethod.Get, $"{Path}/{client.Id}", Of(read).Token, null)).Status);
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    public async Task RFC7592_of_many_that_bring_one_registration_token_at_once_one_is_served(string method)
    {
        var client = await RegisterAsync();
        var body = method == "PUT" ? Metadata($$"""{"client_id":"{{client.Id}}"}""") : null;
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => SendAsync(new HttpMethod(method), $"{Path}/{client.Id}", client.Token, body)));
        Assert.Single(answers, a => a.Status is HttpStatusCode.OK or HttpStatusCode.NoContent);
        Assert.All(answers, a => Assert.True(a.Status is HttpStatusCode.OK or HttpStatusCode.NoContent or HttpStatusCode.Unauthorized, a.Body));
    }

    [Fact]
    public async Task RFC7592_an_update_replaces_everything_and_what_it_leaves_out_falls_back()
    {
        var client = await RegisterAsync("""{"scope":"openid email","policy_uri":"https://rp.example/privacy"}""");
        var path = $"{Path}/{client.Id}";
        foreach (var bad in new[] { "{}", """{"client_id":"other"}""", $$"""{"client_id":"{{client.Id}}","registration_access_token":"x"}""", $$"""{"client_id":"{{client.Id}}","client_secret":"wrong"}""",
            $$"""{"client_id":"{{client.Id}}","redirect_uris":["https://elsewhere.example/cb"]}""" })
            Assert.Equal("invalid_client_metadata", (await SendAsync(HttpMethod.Put, path, client.Token, Metadata(bad))).Error);

        var put = await SendAsync(HttpMethod.Put, path, client.Token, Metadata($$"""{"client_id":"{{client.Id}}","client_secret":"{{client.Secret}}","client_name":"Kolari New","redirect_uris":["https://rp.example/new"]}"""));
        Assert.True(put.Status == HttpStatusCode.OK, put.Body);
        Assert.Equal("Kolari New", put.Json.GetProperty("client_name").GetString());
        Assert.False(put.Json.TryGetProperty("policy_uri", out _));
        Assert.Equal("oidc.unknown_redirect", (await AuthorizeAsync(client, "https://rp.example/cb")).RefusalCode);
        Assert.Equal("/signin", (await AuthorizeAsync(client, "https://rp.example/new")).RedirectsTo?.AbsolutePath);
    }

    [Fact]
    public async Task RFC7592_a_deleted_client_is_gone_and_another_clients_token_opens_nothing()
    {
        var (client, other) = (await RegisterAsync(), await RegisterAsync());
        Assert.Equal(HttpStatusCode.Unauthorized, (await SendAsync(HttpMethod.Delete, $"{Path}/{client.Id}", other.Token, null)).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await SendAsync(HttpMethod.Delete, $"{Path}/{client.Id}", client.Token, null)).Status);
        Assert.Equal("oidc.unknown_client", (await AuthorizeAsync(client, "https://rp.example/cb")).RefusalCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await SendAsync(HttpMethod.Get, $"{Path}/{client.Id}", client.Token, null)).Status);
        // A client that the operator added has no registration to manage.
        Assert.Equal(HttpStatusCode.Unauthorized, (await SendAsync(HttpMethod.Get, $"{Path}/{(await hub.AddClientAsync()).Id}", other.Token, null)).Status);
    }
}
