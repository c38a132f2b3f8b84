using System.Net;
using System.Net.Http.Headers;
using Commerce.Federation.Contracts;

namespace Commerce.Federation.Tests.OpenIdConnect;

/// <summary>Every kind of credential at every place that takes one: only the diagonal is accepted (O14, RFC 8725 §3.12).</summary>
public sealed class CrossUseTests(OidcHub hub) : IClassFixture<OidcHub>
{
    private const string Device = "urn:ietf:params:oauth:grant-type:device_code", Exchange = "urn:ietf:params:oauth:grant-type:token-exchange";

    [Fact]
    public async Task O14_only_the_diagonal_of_kinds_and_places_is_accepted()
    {
        var client = await hub.AddClientAsync(c => c with
        {
            GrantTypes = ["authorization_code", "refresh_token", "client_credentials", Device, Exchange], Scopes = ["openid", "profile", "offline_access", "bookings:write"],
        }, withKey: true);
        var (browser, _, _) = hub.SignedIn();
        var tokens = await hub.TokensAsync(client, browser, ("scope", "openid profile offline_access"));
        var initial = (await hub.Hub.AskAsync(new MintRegistrationToken(client.Partner, null, 1, 1))).Value.Token;
        var device = (await client.AskAsync(hub, "/connect/device_authorization", new() { ["scope"] = "openid" })).Json.GetProperty("device_code").GetString()!;
        using var introspected = await client.PostAsync(hub, "/connect/introspect", new() { ["token"] = tokens.Access }, "application/token-introspection+jwt");

        // Kinds in the order of the places below; what has no place of its own stands last.
        (string Kind, string Value)[] kinds =
        [
            ("code", await hub.CodeAsync(client, browser)),
            ("refresh token", tokens.Refresh!),
            ("access token for userinfo", tokens.Access),
            ("access token for the API", TestTokens.Of(await client.TokenAsync(new() { ["grant_type"] = "client_credentials" })).Access),
            ("ID token", tokens.Id!),
            ("client assertion", client.Assertion()),
            ("device code", device),
            ("initial access token", initial),
            ("introspection answer", await introspected.Content.ReadAsStringAsync()),
        ];
        (string Place, Func<string, Task<bool>> Accepts)[] places =
        [
            ("code redemption", async value => (await client.RedeemAsync(value)).Status == HttpStatusCode.OK),
            ("refresh", async value => (await client.RefreshAsync(value)).Status == HttpStatusCode.OK),
            ("userinfo", async value => (await BearerAsync(HttpMethod.Get, "/connect/userinfo", value)) == HttpStatusCode.OK),
            ("API", async value => (await BearerAsync(HttpMethod.Get, "/api/probe", value)) == HttpStatusCode.OK),
            ("id_token_hint", async value => !client.ResponseOf(await browser.GetAsync(client.AuthorizeUrl(("id_token_hint", value)))).ContainsKey("error")),
            ("client_assertion", async value => (await client.TokenAsync(new() { ["grant_type"] = "client_credentials", ["client_assertion"] = value,
                ["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" })).Status == HttpStatusCode.OK),
            // Waiting is the answer to a device code that is one.
            ("device grant", async value => (await client.TokenAsync(new() { ["grant_type"] = Device, ["device_code"] = value })).Error is "authorization_pending"),
            ("registration", async value => (await BearerAsync(HttpMethod.Post, "/connect/register", value)) == HttpStatusCode.BadRequest),      // known, but no metadata came
        ];

        // The diagonal comes last: a code and an assertion are used up by being accepted.
        foreach (var (place, accepts) in places)
        {
            foreach (var (kind, value) in kinds)
            {
                if (Array.FindIndex(kinds, k => k.Kind == kind) == Array.FindIndex(places, p => p.Place == place)) continue;
                Assert.False(await accepts(value), $"{kind} at {place}");
            }
        }
        for (var i = 0; i < places.Length; i++) Assert.True(await places[i].Accepts(kinds[i].Value), $"{kinds[i].Kind} at {places[i].Place}");
    }

    private async Task<HttpStatusCode> BearerAsync(HttpMethod method, string path, string token)
    {
        using var answer = await hub.Hub.Http.SendAsync(new HttpRequestMessage(method, path) { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", token) } });
        return answer.StatusCode;
    }
}
