using System.Net;
using System.Text.Json;
using Commerce.Federation.Contracts;

namespace Commerce.Federation.Tests.OpenIdConnect;

/// <summary>Token exchange (RFC 8693): narrower, never wider.</summary>
public sealed class TokenExchangeTests(OidcHub hub) : IClassFixture<OidcHub>
{
    private const string Exchange = "urn:ietf:params:oauth:grant-type:token-exchange", AccessToken = "urn:ietf:params:oauth:token-type:access_token";
    private static int number;

    private sealed record World(TestClient Client, TestTokens Tokens, string Api, string Name, string Mail, string Free, Guid Customer, Guid Session);

    /// <summary>A customer who let the name go and kept the e-mail address, and an API with a scope about each and one about neither.</summary>
    private async Task<World> WorldAsync(string? apiClient = null, string scope = "openid profile email", string[]? allowed = null)
    {
        var id = Interlocked.Increment(ref number);
        var (api, name, mail, free) = ($"https://exchange-{id}.example", $"x{id}:name", $"x{id}:mail", $"x{id}:free");
        Assert.True((await hub.Hub.AskAsync(new PutApiResource(JsonSerializer.Serialize(new
        {
            identifier = api, name = "API", client = apiClient,
            scopes = new object[] { new { name, claims = new[] { "name" } }, new { name = mail, claims = new[] { "email" } }, new { name = free } },
        })))).IsOk);
        var client = await hub.AddClientAsync(c => c with { GrantTypes = ["authorization_code", "refresh_token", Exchange] }, claims: ["name"]);
        await AllowAsync(client, api, allowed ?? [name, mail, free]);
        var (browser, customer, session) = hub.SignedIn();
        return new World(client, await hub.TokensAsync(client, browser, ("scope", scope)), api, name, mail, free, customer, session);
    }

    private async Task AllowAsync(TestClient client, string api, params string[] scopes) => Assert.True((await hub.Hub.AskAsync(new SetClientPolicy(
        JsonSerializer.Serialize(new { client = client.Id, resources = new[] { new { identifier = api, scopes } } })))).IsOk);

    private static Task<TestAnswer> ExchangeAsync(TestClient client, string subject, params (string Name, string? Value)[] changes) =>
        client.TokenAsync(new() { ["grant_type"] = Exchange, ["subject_token"] = subject, ["subject_token_type"] = AccessToken }, changes);

    [Fact]
    public async Task RFC8693_a_customers_token_becomes_one_for_an_api_with_what_was_released_and_an_actor()
    {
        var world = await WorldAsync();
        var answer = await ExchangeAsync(world.Client, world.Tokens.Access, ("resource", world.Api));
        var token = TestTokens.Of(answer);
        Assert.Equal(AccessToken, answer.Json.GetProperty("issued_token_type").GetString());
        // Nothing was asked for by name: the scopes that the release carries, and not the one about the e-mail address.
        Assert.Equal($"{world.Name} {world.Free}", token.Scope);
        var claims = token.AccessClaims;
        Assert.Equal((world.Api, world.Client.Id), (claims.GetProperty("aud").GetString(), claims.GetProperty("act").GetProperty("sub").GetString()));
        foreach (var name in new[] { "grant_id", "auth_time" }) Assert.Equal(world.Tokens.AccessClaims.GetProperty(name).ToString(), claims.GetProperty(name).ToString());
        Assert.NotEqual(world.Tokens.AccessClaims.GetProperty("jti").GetGuid(), claims.GetProperty("jti").GetGuid());
        Assert.True(claims.GetProperty("exp").GetInt64() <= world.Tokens.AccessClaims.GetProperty("exp").GetInt64());
        Assert.Equal(HttpStatusCode.Unauthorized, (await hub.UserInfoAsync(token.Access)).StatusCode);
        // O21: the API of nobody in particular knows the customer by another name than the client does.
        Assert.NotEqual(world.Tokens.AccessClaims.GetProperty("sub").GetString(), claims.GetProperty("sub").GetString());
    }

    [Fact]
    public async Task RFC8693_a_scope_about_something_that_was_not_released_or_not_in_the_token_is_refused()
    {
        var world = await WorldAsync();
        Assert.Equal("invalid_scope", (await ExchangeAsync(world.Client, world.Tokens.Access, ("resource", world.Api), ("scope", world.Mail))).Error);
        Assert.Equal("invalid_scope", (await ExchangeAsync(world.Client, world.Tokens.Access, ("resource", world.Api), ("scope", $"{world.Name} {world.Mail}"))).Error);
        Assert.Equal(world.Name, TestTokens.Of(await ExchangeAsync(world.Client, world.Tokens.Access, ("audience", world.Api), ("scope", world.Name))).Scope);
        var nothing = await WorldAsync();
        await AllowAsync(nothing.Client, nothing.Api, nothing.Mail);
        Assert.Equal("invalid_scope", (await ExchangeAsync(nothing.Client, nothing.Tokens.Access, ("resource", nothing.Api))).Error);
        var narrow = await WorldAsync(scope: "openid");
        Assert.Equal("invalid_scope", (await ExchangeAsync(narrow.Client, narrow.Tokens.Access, ("resource", narrow.Api), ("scope", narrow.Name))).Error);
        Assert.Equal(narrow.Free, TestTokens.Of(await ExchangeAsync(narrow.Client, narrow.Tokens.Access, ("resource", narrow.Api))).Scope);
    }

    [Fact]
    public async Task RFC8693_less_scope_for_userinfo_is_given_and_more_is_not()
    {
        var world = await WorldAsync();
        var less = TestTokens.Of(await ExchangeAsync(world.Client, world.Tokens.Access, ("scope", "openid")));
        Assert.False((await hub.UserInfoJsonAsync(less.Access)).TryGetProperty("name", out _));
        Assert.Equal("invalid_scope", (await ExchangeAsync(world.Client, less.Access, ("resource", hub.Issuer), ("scope", "openid profile"))).Error);
        Assert.Equal("invalid_scope", (await ExchangeAsync(world.Client, less.Access, ("scope", "openid phone"))).Error);
    }

    [Fact]
    public async Task RFC8693_other_targets_types_and_actors_are_refused()
    {
        var world = await WorldAsync();
        var other = await WorldAsync();
        foreach (var target in new[] { other.Api, "https://nowhere.example", hub.Issuer + "/api" })
            Assert.Equal("invalid_target", (await ExchangeAsync(world.Client, world.Tokens.Access, ("resource", target))).Error);
        Assert.Equal("invalid_target", (await ExchangeAsync(world.Client, world.Tokens.Access, ("resource", world.Api), ("audience", other.Api))).Error);
        Assert.Equal("invalid_target", (await ExchangeAsync(world.Client, world.Tokens.Access)).Error);
        foreach (var (name, value) in new (string, string?)[]
        {
            ("subject_token", null), ("subject_token", "x"), ("subject_token", world.Tokens.Id), ("subject_token", other.Tokens.Access), ("subject_token_type", null),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:refresh_token"), ("requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token"), ("actor_token", world.Tokens.Access),
            ("actor_token_type", AccessToken),
        })
        {
            Assert.True((await ExchangeAsync(world.Client, world.Tokens.Access, ("resource", world.Api), (name, value))).Error == "invalid_request", name);
        }
        // The client of one API has nothing to do with a token for another.
        var (server, stranger) = (await hub.AddClientAsync(), await hub.AddClientAsync(c => c with { GrantTypes = ["client_credentials", Exchange, "authorization_code"] }));
        var (served, foreign) = (await WorldAsync(server.Id), await WorldAsync(stranger.Id));
        await AllowAsync(stranger, foreign.Api, foreign.Free);
        var held = TestTokens.Of(await ExchangeAsync(served.Client, served.Tokens.Access, ("resource", served.Api))).Access;
        Assert.Equal("invalid_request", (await ExchangeAsync(stranger, held, ("resource", foreign.Api))).Error);
        var without = await hub.AddClientAsync();
        Assert.Equal("unauthorized_client", (await ExchangeAsync(without, world.Tokens.Access, ("resource", world.Api))).Error);
    }

    [Fact]
    public async Task RFC8693_the_api_passes_a_token_on_with_both_actors_and_never_with_more()
    {
        var server = await hub.AddClientAsync(c => c with { GrantTypes = ["client_credentials", Exchange, "authorization_code"] });
        var world = await WorldAsync(server.Id);
        var next = await WorldAsync();
        await AllowAsync(server, next.Api, next.Name, next.Free);
        var token = TestTokens.Of(await ExchangeAsync(world.Client, world.Tokens.Access, ("resource", world.Api), ("scope", world.Free)));
        var passed = TestTokens.Of(await ExchangeAsync(server, token.Access, ("resource", next.Api)));
        // The token was about nothing of the customer, so neither is the next, although the policy would allow the name.
        Assert.Equal(next.Free, passed.Scope);
        var act = passed.AccessClaims.GetProperty("act");
        Assert.Equal((server.Id, world.Client.Id), (act.GetProperty("sub").GetString(), act.GetProperty("act").GetProperty("sub").GetString()));
        Assert.Equal("invalid_request", (await ExchangeAsync(world.Client, passed.Access, ("resource", next.Api))).Error);
        Assert.True((await server.IntrospectAsync(hub, passed.Access)).GetProperty("active").GetBoolean());
    }

    [Fact]
    public async Task RFC8693_a_token_for_an_api_does_not_become_one_for_userinfo_nor_for_the_hubs_own_api()
    {
        var world = await WorldAsync();
        var token = TestTokens.Of(await ExchangeAsync(world.Client, world.Tokens.Access, ("resource", world.Api))).Access;
        Assert.Equal("invalid_target", (await ExchangeAsync(world.Client, token, ("resource", hub.Issuer), ("scope", world.Name))).Error);
        var own = await hub.AddClientAsync(c => c with { GrantTypes = ["authorization_code", "client_credentials", Exchange], Scopes = ["openid", "bookings:write"] });
        var tokens = await hub.TokensAsync(own, hub.SignedIn().Browser);
        Assert.Equal("invalid_target", (await ExchangeAsync(own, tokens.Access, ("scope", "bookings:write"))).Error);
    }

    [Fact]
    public async Task RFC8693_a_token_is_passed_on_by_four_at_most()
    {
        var servers = new List<TestClient>();
        for (var i = 0; i < 4; i++) servers.Add(await hub.AddClientAsync(c => c with { GrantTypes = ["client_credentials", Exchange, "authorization_code"] }));
        var worlds = new List<World>();
        foreach (var server in servers) worlds.Add(await WorldAsync(server.Id));
        var last = await WorldAsync();
        var token = TestTokens.Of(await ExchangeAsync(worlds[0].Client, worlds[0].Tokens.Access, ("resource", worlds[0].Api), ("scope", worlds[0].Free))).Access;
        for (var i = 0; i < 4; i++)
        {
            var next = i < 3 ? worlds[i + 1] : last;
            await AllowAsync(servers[i], next.Api, next.Free);
            var answer = await ExchangeAsync(servers[i], token, ("resource", next.Api));
            if (i < 3) token = TestTokens.Of(answer).Access;
            else Assert.Equal("invalid_request", answer.Error);
        }
    }

    [Fact]
    public async Task RFC8693_an_exchanged_token_dies_with_the_partner_that_exchanged_it()
    {
        var (server, owner) = (await hub.AddClientAsync(c => c with { GrantTypes = ["client_credentials", Exchange, "authorization_code"] }), await hub.AddClientAsync());
        var world = await WorldAsync(server.Id);
        var next = await WorldAsync(owner.Id);
        await AllowAsync(server, next.Api, next.Free);
        var token = TestTokens.Of(await ExchangeAsync(world.Client, world.Tokens.Access, ("resource", world.Api), ("scope", world.Free))).Access;
        var passed = TestTokens.Of(await ExchangeAsync(server, token, ("resource", next.Api))).Access;
        Assert.True((await owner.IntrospectAsync(hub, passed)).GetProperty("active").GetBoolean());
        await hub.SwitchPartnerAsync(server, active: false);
        Assert.Equal("""{"active":false}""", (await owner.IntrospectAsync(hub, passed)).GetRawText());
    }

    [Fact]
    public async Task O15_a_bound_token_is_exchanged_with_a_key_and_gives_a_bound_one()
    {
        var world = await WorldAsync();
        var proofs = await new TestProofs(hub).WithNonceAsync(world.Client);
        var (browser, _, _) = hub.SignedIn();
        var bound = (await world.Client.WithProofAsync(hub, proofs.Proof("/connect/token"), TestProofs.Fields(await hub.CodeAsync(world.Client, browser, ("scope", "openid profile")), world.Client)))
            .Json.GetProperty("access_token").GetString()!;
        Assert.Equal("invalid_request", (await ExchangeAsync(world.Client, bound, ("resource", world.Api))).Error);
        var answer = await world.Client.WithProofAsync(hub, proofs.Proof("/connect/token"),
            new() { ["grant_type"] = Exchange, ["subject_token"] = bound, ["subject_token_type"] = AccessToken, ["resource"] = world.Api });
        Assert.Equal("DPoP", answer.Json.GetProperty("token_type").GetString());
        Assert.Equal(proofs.Thumbprint, Jwt.Payload(answer.Json.GetProperty("access_token").GetString()!).GetProperty("cnf").GetProperty("jkt").GetString());
    }

    [Fact]
    public async Task O07_an_exchanged_token_dies_with_its_grant_session_and_client()
    {
        var server = await hub.AddClientAsync();
        var world = await WorldAsync(server.Id);
        var token = TestTokens.Of(await ExchangeAsync(world.Client, world.Tokens.Access, ("resource", world.Api))).Access;
        Assert.True((await server.IntrospectAsync(hub, token)).GetProperty("active").GetBoolean());
        await hub.TellSessionEndedAsync(world.Session, world.Customer);
        Assert.Equal("""{"active":false}""", (await server.IntrospectAsync(hub, token)).GetRawText());
        Assert.Equal("invalid_request", (await ExchangeAsync(world.Client, world.Tokens.Access, ("resource", world.Api))).Error);
        var second = await WorldAsync();
        Assert.Null(await second.Client.RevokeAsync(hub, second.Tokens.Access));
        Assert.Equal("invalid_request", (await ExchangeAsync(second.Client, second.Tokens.Access, ("resource", second.Api))).Error);
    }
}
