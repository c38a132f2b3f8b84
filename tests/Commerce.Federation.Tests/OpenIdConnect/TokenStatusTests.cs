using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Commerce.Testing;

namespace Commerce.Federation.Tests.OpenIdConnect;

/// <summary>Revocation (RFC 7009) and introspection (RFC 7662, RFC 9701).</summary>
public sealed class TokenStatusTests(OidcHub hub) : IClassFixture<OidcHub>
{
    private const string Offline = "openid profile offline_access";

    private async Task<(TestClient Client, TestTokens Tokens, TestBrowser Browser, Guid Customer, Guid Session)> SignedInAsync()
    {
        var client = await hub.AddClientAsync();
        var (browser, customer, session) = hub.SignedIn();
        return (client, await hub.TokensAsync(client, browser, ("scope", Offline)), browser, customer, session);
    }

    private async Task<(TestClient Client, string Token)> MachineAsync()
    {
        var client = await hub.AddClientAsync(c => c with { GrantTypes = ["client_credentials", "authorization_code"], Scopes = ["openid", "bookings:write"] });
        return (client, TestTokens.Of(await client.TokenAsync(new() { ["grant_type"] = "client_credentials" })).Access);
    }

    private async Task<HttpStatusCode> ProbeAsync(string token)
    {
        using var answer = await hub.Hub.Http.SendAsync(new HttpRequestMessage(HttpMethod.Get, "/api/probe") { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", token) } });
        return answer.StatusCode;
    }

    private static void AssertInactive(JsonElement answer) => Assert.Equal("""{"active":false}""", answer.GetRawText());

    [Fact]
    public async Task R12_revoking_a_refresh_token_ends_its_access_tokens_too()
    {
        var (client, tokens, _, _, _) = await SignedInAsync();
        Assert.Null(await client.RevokeAsync(hub, tokens.Refresh!));
        Assert.Equal("invalid_grant", (await client.RefreshAsync(tokens.Refresh!)).Error);
        Assert.Equal(HttpStatusCode.Unauthorized, (await hub.UserInfoAsync(tokens.Access)).StatusCode);
        Assert.Null(await client.RevokeAsync(hub, tokens.Refresh!));
    }

    [Fact]
    public async Task RFC7009_revoking_an_access_token_ends_the_grant_whatever_the_hint_says()
    {
        var (client, tokens, _, _, _) = await SignedInAsync();
        var answer = await client.AskAsync(hub, "/connect/revoke", new() { ["token"] = tokens.Access, ["token_type_hint"] = "refresh_token" });
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await hub.UserInfoAsync(tokens.Access)).StatusCode);
        Assert.Equal("invalid_grant", (await client.RefreshAsync(tokens.Refresh!)).Error);
    }

    [Fact]
    public async Task RFC7009_a_clients_own_token_is_dead_at_the_api_once_revoked_and_its_other_tokens_live()
    {
        var (client, token) = await MachineAsync();
        var other = TestTokens.Of(await client.TokenAsync(new() { ["grant_type"] = "client_credentials" })).Access;
        Assert.Equal(HttpStatusCode.OK, await ProbeAsync(token));
        Assert.Null(await client.RevokeAsync(hub, token));
        Assert.Null(await client.RevokeAsync(hub, token));
        Assert.Equal(HttpStatusCode.Unauthorized, await ProbeAsync(token));
        Assert.Equal(HttpStatusCode.OK, await ProbeAsync(other));
        AssertInactive(await client.IntrospectAsync(hub, token));
    }

    [Fact]
    public async Task R12_another_clients_token_is_refused_and_lives_on()
    {
        var (_, tokens, _, _, _) = await SignedInAsync();
        var stranger = await hub.AddClientAsync();
        Assert.Equal("invalid_request", await stranger.RevokeAsync(hub, tokens.Access));
        Assert.Equal("invalid_request", await stranger.RevokeAsync(hub, tokens.Refresh!));
        Assert.Equal(HttpStatusCode.OK, (await hub.UserInfoAsync(tokens.Access)).StatusCode);
    }

    [Fact]
    public async Task R12_noise_is_answered_as_revoked_and_a_missing_token_or_client_is_not()
    {
        var client = await hub.AddClientAsync();
        foreach (var noise in new[] { "x", "a.b.c", new string('A', 70), new string('z', 40000) }) Assert.Null(await client.RevokeAsync(hub, noise));
        Assert.Equal("invalid_request", (await client.AskAsync(hub, "/connect/revoke", [])).Error);
        foreach (var path in new[] { "/connect/revoke", "/connect/introspect" })
            Assert.Equal("invalid_client", (await client.SendAsync("token=x", TestClient.Basic(client.Id, "wrong"), path)).Error);
    }

    [Fact]
    public async Task RFC7662_a_good_access_token_tells_its_client_what_it_holds()
    {
        var (client, tokens, _, _, _) = await SignedInAsync();
        var said = await client.IntrospectAsync(hub, tokens.Access);
        Assert.True(said.GetProperty("active").GetBoolean());
        Assert.Equal((client.Id, "Bearer", hub.Issuer), (said.GetProperty("client_id").GetString(), said.GetProperty("token_type").GetString(), said.GetProperty("iss").GetString()));
        foreach (var name in new[] { "sub", "aud", "exp", "iat", "jti", "scope" })
            Assert.Equal(tokens.AccessClaims.GetProperty(name).GetRawText(), said.GetProperty(name).GetRawText());
        var refresh = await client.IntrospectAsync(hub, tokens.Refresh!);
        Assert.True(refresh.GetProperty("active").GetBoolean());
        Assert.Equal(Offline, refresh.GetProperty("scope").GetString());
        Assert.False(refresh.TryGetProperty("token_type", out _));
    }

    [Fact]
    public async Task R13_inactive_answers_tell_nothing_and_are_all_alike()
    {
        var (client, tokens, browser, customer, session) = await SignedInAsync();
        AssertInactive(await (await hub.AddClientAsync()).IntrospectAsync(hub, tokens.Access));
        AssertInactive(await client.IntrospectAsync(hub, tokens.Id!));
        AssertInactive(await client.IntrospectAsync(hub, "noise"));
        AssertInactive(await client.IntrospectAsync(hub, tokens.Access[..^4] + "AAAA"));

        // An old refresh token is not active; asking about it is no reuse, so the good one lives on.
        var next = TestTokens.Of(await client.RefreshAsync(tokens.Refresh!));
        AssertInactive(await client.IntrospectAsync(hub, tokens.Refresh!));
        Assert.True((await client.IntrospectAsync(hub, next.Refresh!)).GetProperty("active").GetBoolean());

        var plain = await hub.TokensAsync(client, browser);
        await hub.TellSessionEndedAsync(session, customer);
        AssertInactive(await client.IntrospectAsync(hub, plain.Access));
    }

    [Fact]
    public async Task X20_introspection_of_a_client_switched_off_or_a_token_grown_old_is_inactive_or_refused()
    {
        var (client, token) = await MachineAsync();
        Assert.Equal("bookings:write", (await client.IntrospectAsync(hub, token)).GetProperty("scope").GetString());
        await hub.SwitchPartnerAsync(client, active: false);
        Assert.Equal("invalid_client", (await client.AskAsync(hub, "/connect/introspect", new() { ["token"] = token })).Error);
        await hub.SwitchPartnerAsync(client, active: true);
        hub.Clock.Advance(TimeSpan.FromMinutes(11));
        AssertInactive(await client.IntrospectAsync(hub, token));
    }

    [Fact]
    public async Task RFC9701_an_answer_as_jwt_is_typed_signed_and_for_the_asker()
    {
        var (client, tokens, _, _, _) = await SignedInAsync();
        foreach (var (token, active) in new[] { (tokens.Access, true), ("noise", false) })
        {
            using var answer = await client.PostAsync(hub, "/connect/introspect", new() { ["token"] = token }, "application/token-introspection+jwt");
            Assert.Equal("application/token-introspection+jwt", answer.Content.Headers.ContentType?.MediaType);
            Assert.True(answer.Headers.CacheControl?.NoStore);
            var jwt = await answer.Content.ReadAsStringAsync();
            await DiscoveryTests.AssertSignedAsync(hub, jwt, "RS256");
            Assert.Equal("token-introspection+jwt", Jwt.Header(jwt).GetProperty("typ").GetString());
            var claims = Jwt.Payload(jwt);
            Assert.Equal((hub.Issuer, client.Id), (claims.GetProperty("iss").GetString(), claims.GetProperty("aud").GetString()));
            // §5: nothing of the token stands beside token_introspection, so that this is no access token.
            Assert.Equal(["aud", "iat", "iss", "token_introspection"], claims.EnumerateObject().Select(m => m.Name).Order());
            Assert.Equal(active, claims.GetProperty("token_introspection").GetProperty("active").GetBoolean());
            if (!active) AssertInactive(claims.GetProperty("token_introspection"));
            Assert.Equal(HttpStatusCode.Unauthorized, (await hub.UserInfoAsync(jwt)).StatusCode);
        }
    }
}
