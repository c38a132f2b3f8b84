using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Commerce.Federation.Contracts;

namespace Commerce.Federation.Tests.OpenIdConnect;

/// <summary>APIs with identifiers and scopes, machine clients, and policies of clients (RFC 6749 §4.4, RFC 8707).</summary>
public sealed class ApiAccessTests(OidcHub hub) : IClassFixture<OidcHub>
{
    private static int number;

    /// <summary>An API of its own with two scopes; <c>{id}</c> stands for a number that no other test has.</summary>
    private async Task<(string Identifier, string Read, string Write)> ApiAsync(string? client = null)
    {
        var id = Interlocked.Increment(ref number);
        var identifier = $"https://api-{id}.fitting.example/v1";
        var json = JsonSerializer.Serialize(new
        {
            identifier, name = "Fitting calendar", client,
            scopes = new object[] { new { name = $"calendar{id}:read", description = "See free times" }, new { name = $"calendar{id}:write", claims = new[] { "name" } } },
        });
        Assert.Equal(identifier, (await hub.Hub.AskAsync(new PutApiResource(json))).Value);
        return (identifier, $"calendar{id}:read", $"calendar{id}:write");
    }

    private async Task<TestClient> MachineAsync(object? policy = null, params string[] scopes)
    {
        var client = await hub.AddClientAsync(c => c with { GrantTypes = ["client_credentials", "authorization_code"], Scopes = ["openid", .. scopes] });
        if (policy is not null) await SetAsync(client, policy);
        return client;
    }

    private async Task SetAsync(TestClient client, object policy)
    {
        var json = JsonSerializer.SerializeToNode(policy)!.AsObject();
        json["client"] = client.Id;
        Assert.Equal(client.Id, (await hub.Hub.AskAsync(new SetClientPolicy(json.ToJsonString()))).Value);
    }

    private static Task<TestAnswer> OwnTokenAsync(TestClient client, params (string Name, string? Value)[] changes) =>
        client.TokenAsync(new() { ["grant_type"] = "client_credentials" }, changes);

    private async Task<HttpStatusCode> ProbeAsync(string token)
    {
        using var answer = await hub.Hub.Http.SendAsync(new HttpRequestMessage(HttpMethod.Get, "/api/probe") { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", token) } });
        return answer.StatusCode;
    }

    [Fact]
    public async Task RFC8707_a_token_is_for_the_resource_that_was_named_and_for_no_other()
    {
        var (identifier, read, _) = await ApiAsync();
        var client = await MachineAsync(new { resources = new[] { new { identifier, scopes = new[] { read } } } }, "bookings:write");
        var tokens = TestTokens.Of(await OwnTokenAsync(client, ("resource", identifier)));
        Assert.Equal((identifier, read, client.Id), (tokens.AccessClaims.GetProperty("aud").GetString(), tokens.Scope, tokens.AccessClaims.GetProperty("sub").GetString()));
        Assert.Equal("at+jwt", Jwt.Header(tokens.Access).GetProperty("typ").GetString());
        Assert.Equal(HttpStatusCode.Unauthorized, await ProbeAsync(tokens.Access));
        Assert.Equal(HttpStatusCode.Unauthorized, (await hub.UserInfoAsync(tokens.Access)).StatusCode);

        // Named by its scope alone, and the hub's own API as any other.
        Assert.Equal(identifier, TestTokens.Of(await OwnTokenAsync(client, ("scope", read))).AccessClaims.GetProperty("aud").GetString());
        var own = TestTokens.Of(await OwnTokenAsync(client, ("resource", hub.Issuer + "/api")));
        Assert.Equal("bookings:write", own.Scope);
        Assert.Equal(HttpStatusCode.OK, await ProbeAsync(own.Access));
    }

    [Fact]
    public async Task RFC8707_an_unknown_resource_and_one_that_the_policy_does_not_name_are_invalid_target()
    {
        var (identifier, read, write) = await ApiAsync();
        var (other, otherRead, _) = await ApiAsync();
        var client = await MachineAsync(new { resources = new[] { new { identifier, scopes = new[] { read } } } });
        foreach (var target in new[] { other, "https://nowhere.example", identifier + "/", identifier.ToUpperInvariant(), hub.Issuer, hub.Issuer + "/api", new string('x', 600) })
            Assert.Equal("invalid_target", (await OwnTokenAsync(client, ("resource", target))).Error);
        foreach (var scope in new[] { write, otherRead, read + " " + otherRead, "bookings:write", "openid", " " })
            Assert.Equal("invalid_scope", (await OwnTokenAsync(client, ("scope", scope))).Error);
        Assert.Equal("invalid_scope", (await OwnTokenAsync(client, ("resource", identifier), ("scope", write))).Error);
    }

    [Fact]
    public async Task V10_3_a_policy_bounds_grants_and_the_life_of_tokens_and_a_change_counts_at_once()
    {
        var client = await MachineAsync(new { access_token_seconds = 90 }, "bookings:write");
        var answer = await OwnTokenAsync(client);
        Assert.Equal(90, answer.Json.GetProperty("expires_in").GetInt32());
        var claims = TestTokens.Of(answer).AccessClaims;
        Assert.Equal(90, claims.GetProperty("exp").GetInt64() - claims.GetProperty("iat").GetInt64());

        await SetAsync(client, new { scopes = new[] { "openid" } });
        Assert.Equal("invalid_scope", (await OwnTokenAsync(client)).Error);
        using var dropped = await hub.Hub.Http.SendAsync(new HttpRequestMessage(HttpMethod.Get, "/api/probe") { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", TestTokens.Of(answer).Access) } });
        Assert.Equal(HttpStatusCode.Forbidden, dropped.StatusCode);
        await SetAsync(client, new { grant_types = new[] { "authorization_code" } });
        Assert.Equal("unauthorized_client", (await OwnTokenAsync(client)).Error);
        Assert.Equal(HttpStatusCode.Unauthorized, await ProbeAsync(TestTokens.Of(answer).Access));
    }

    [Fact]
    public async Task A14_a_client_over_its_rate_gets_429_until_the_minute_is_over_and_others_do_not()
    {
        var client = await MachineAsync(new { requests_per_minute = 3 }, "bookings:write");
        var other = await MachineAsync(null, "bookings:write");
        hub.Clock.Advance(TimeSpan.FromMinutes(1));
        for (var i = 0; i < 3; i++) Assert.Equal(HttpStatusCode.OK, (await OwnTokenAsync(client)).Status);
        var over = await OwnTokenAsync(client);
        Assert.Equal(((HttpStatusCode)429, "60"), (over.Status, over.Headers["Retry-After"]));
        Assert.Equal((HttpStatusCode)429, (await client.AskAsync(hub, "/connect/introspect", new() { ["token"] = "x" })).Status);
        Assert.Equal(HttpStatusCode.OK, (await OwnTokenAsync(other)).Status);
        hub.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(HttpStatusCode.OK, (await OwnTokenAsync(client)).Status);
    }

    [Fact]
    public async Task A14_the_rate_counts_at_the_hubs_own_api_too()
    {
        var client = await MachineAsync(new { requests_per_minute = 3 }, "bookings:write");
        hub.Clock.Advance(TimeSpan.FromMinutes(1));
        var token = TestTokens.Of(await OwnTokenAsync(client)).Access;
        for (var i = 0; i < 2; i++) Assert.Equal(HttpStatusCode.OK, await ProbeAsync(token));
        using var over = await hub.Hub.Http.SendAsync(new HttpRequestMessage(HttpMethod.Get, "/api/probe") { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", token) } });
        Assert.Equal(((HttpStatusCode)429, TimeSpan.FromMinutes(1)), (over.StatusCode, over.Headers.RetryAfter!.Delta));
        Assert.Empty(over.Headers.WwwAuthenticate);
        Assert.Contains("oauth.temporarily_unavailable", await over.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        hub.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(HttpStatusCode.OK, await ProbeAsync(token));
    }

    [Fact]
    public async Task RFC7662_the_api_may_ask_about_tokens_meant_for_it_and_other_apis_may_not()
    {
        var (server, stranger) = (await hub.AddClientAsync(), await hub.AddClientAsync());
        var (identifier, read, _) = await ApiAsync(server.Id);
        await ApiAsync(stranger.Id);
        var client = await MachineAsync(new { resources = new[] { new { identifier, scopes = new[] { read } } } });
        var token = TestTokens.Of(await OwnTokenAsync(client)).Access;
        var said = await server.IntrospectAsync(hub, token);
        Assert.Equal((true, read, client.Id), (said.GetProperty("active").GetBoolean(), said.GetProperty("scope").GetString(), said.GetProperty("client_id").GetString()));
        Assert.Equal("""{"active":false}""", (await stranger.IntrospectAsync(hub, token)).GetRawText());

        // What the policy no longer allows is no longer active.
        await SetAsync(client, new { });
        Assert.Equal("""{"active":false}""", (await server.IntrospectAsync(hub, token)).GetRawText());
    }

    [Fact]
    public async Task RFC8707_a_sign_in_is_for_userinfo_and_a_resource_beside_it_is_refused_and_not_ignored()
    {
        var (identifier, _, _) = await ApiAsync();
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        Assert.Equal("invalid_target", client.ErrorOf(await browser.GetAsync(client.AuthorizeUrl(("resource", identifier)))));
        var code = await hub.CodeAsync(client, browser, ("resource", hub.Issuer), ("scope", "openid offline_access"));
        Assert.Equal("invalid_target", (await client.RedeemAsync(code, ("resource", identifier))).Error);
        var tokens = TestTokens.Of(await client.RedeemAsync(code, ("resource", hub.Issuer)));
        Assert.Equal("invalid_target", (await client.RefreshAsync(tokens.Refresh!, ("resource", identifier))).Error);
        TestTokens.Of(await client.RefreshAsync(tokens.Refresh!));
    }

    [Fact]
    public async Task V10_3_a_policy_asks_for_DPoP_and_pushed_requests_where_the_client_registered_neither()
    {
        var client = await MachineAsync(new { require_dpop = true, require_pushed_requests = true }, "bookings:write");
        Assert.Equal("invalid_request", (await OwnTokenAsync(client)).Error);
        var proofs = await new TestProofs(hub).WithNonceAsync(client);
        var bound = await client.WithProofAsync(hub, proofs.Proof("/connect/token"), new() { ["grant_type"] = "client_credentials" });
        Assert.Equal("DPoP", bound.Json.GetProperty("token_type").GetString());
        var (browser, _, _) = hub.SignedIn();
        Assert.Equal("invalid_request", client.ErrorOf(await browser.GetAsync(client.AuthorizeUrl())));
    }

    [Theory]
    [InlineData("""{"identifier":"https://a.example","name":"A","scopes":[]}""", "scopes")]
    [InlineData("""{"identifier":"a b","name":"A","scopes":[{"name":"x"}]}""", "identifier")]
    [InlineData("""{"identifier":"https://a.example#f","name":"A","scopes":[{"name":"x"}]}""", "identifier")]
    [InlineData("""{"identifier":"https://a.example","name":"A","scopes":[{"name":"openid"}]}""", "scopes[0].name")]
    [InlineData("""{"identifier":"https://a.example","name":"A","scopes":[{"name":"x y"}]}""", "scopes[0].name")]
    [InlineData("""{"identifier":"https://a.example","name":"A","scopes":[{"name":"x","claims":["shoe_size"]}]}""", "scopes[0].claims")]
    [InlineData("""{"identifier":"https://a.example","name":"A","client":"nobody","scopes":[{"name":"x"}]}""", "client")]
    [InlineData("""{"identifier":"https://a.example","name":"A","owner":"me","scopes":[{"name":"x"}]}""", "owner")]
    public async Task An_api_that_cannot_be_registered_names_the_member(string json, string field)
    {
        var no = (await hub.Hub.AskAsync(new PutApiResource(json))).Refusal;
        Assert.Equal(("federation.api_invalid", field), (no?.Code, no?.Errors?[0].Field));
    }

    [Fact]
    public async Task A_scope_belongs_to_one_api_and_a_policy_names_what_is_there()
    {
        var (identifier, read, _) = await ApiAsync();
        Assert.Equal("federation.api_invalid", (await hub.Hub.AskAsync(new PutApiResource($$"""{"identifier":"https://twin.example","name":"T","scopes":[{"name":"{{read}}"}]}"""))).Refusal?.Code);
        Assert.Equal("federation.api_invalid", (await hub.Hub.AskAsync(new PutApiResource("""{"identifier":"https://double.example","name":"T","scopes":[{"name":"double"},{"name":"double"}]}"""))).Refusal?.Code);
        Assert.Equal("federation.api_invalid", (await hub.Hub.AskAsync(new PutApiResource($$"""{"identifier":"{{hub.Issuer}}/api","name":"T","scopes":[{"name":"mine"}]}"""))).Refusal?.Code);
        var client = await MachineAsync();
        foreach (var (policy, code) in new[]
        {
            ($$"""{"client":"{{client.Id}}","resources":[{"identifier":"https://nowhere.example","scopes":["x"]}]}""", "federation.client_policy_invalid"),
            ($$"""{"client":"{{client.Id}}","resources":[{"identifier":"{{identifier}}","scopes":["x"]}]}""", "federation.client_policy_invalid"),
            ($$"""{"client":"{{client.Id}}","resources":[{"identifier":"{{identifier}}","scopes":[]}]}""", "federation.client_policy_invalid"),
            ($$"""{"client":"{{client.Id}}","resources":[{"identifier":"{{identifier}}","scopes":["{{read}}"]},{"identifier":"{{identifier}}","scopes":["{{read}}"]}]}""", "federation.client_policy_invalid"),
            ($$"""{"client":"{{client.Id}}","access_token_seconds":5}""", "federation.client_policy_invalid"),
            ($$"""{"client":"{{client.Id}}","colour":"red"}""", "federation.client_policy_invalid"),
            ("""{"client":"nobody"}""", "federation.unknown_client"),
        })
        {
            Assert.Equal(code, (await hub.Hub.AskAsync(new SetClientPolicy(policy))).Refusal?.Code);
        }
        Assert.Contains(await hub.Hub.AskAsync(new ListApiResources()), a => a.Identifier == identifier && a.Scopes.Contains(read));
        Assert.Equal(hub.Issuer + "/api", (await hub.Hub.AskAsync(new ListApiResources()))[0].Identifier);
        await SetAsync(client, new { require_dpop = true });
        Assert.True((await hub.Hub.AskAsync(new ListClientPolicies())).Single(p => p.Client == client.Id).RequireDpop);
    }
}
