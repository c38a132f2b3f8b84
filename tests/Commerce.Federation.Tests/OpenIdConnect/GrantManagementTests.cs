using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Commerce.Federation.Tests.OpenIdConnect;

/// <summary>Grant management: a client queries, replaces and revokes its own grants.</summary>
public sealed class GrantManagementTests(OidcHub hub) : IClassFixture<OidcHub>
{
    private Task<TestClient> ClientAsync(params string[] api) => hub.AddClientAsync(c => c with
    {
        GrantTypes = ["authorization_code", "refresh_token", "client_credentials"], Scopes = ["openid", "profile", "offline_access", .. api],
    }, needsConsent: true, claims: ["name"]);

    private Task<TestClient> ManagerAsync() => ClientAsync("grant_management_query", "grant_management_revoke");

    private async Task<(TestTokens Tokens, string Grant, string Receipt, Commerce.Testing.TestBrowser Browser, Guid Customer)> GrantAsync(TestClient client)
    {
        var (browser, customer, _) = hub.SignedIn();
        var receipt = hub.GiveConsent(client, customer, "name").Receipt;
        var answer = await client.RedeemAsync(await hub.CodeAsync(client, browser, ("scope", "openid profile offline_access"), ("grant_management_action", "create")));
        return (TestTokens.Of(answer), answer.Json.GetProperty("grant_id").GetString()!, receipt, browser, customer);
    }

    private static async Task<string> OwnTokenAsync(TestClient client, string? scope = null) =>
        TestTokens.Of(await client.TokenAsync(new() { ["grant_type"] = "client_credentials" }, ("scope", scope))).Access;

    private async Task<(HttpStatusCode Status, JsonElement Json)> CallAsync(HttpMethod method, string grant, string token)
    {
        using var answer = await hub.Hub.Http.SendAsync(new HttpRequestMessage(method, "/connect/grants/" + grant) { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", token) } });
        if (answer.StatusCode == HttpStatusCode.OK) Assert.True(answer.Headers.CacheControl?.NoStore);
        var body = await answer.Content.ReadAsStringAsync();
        return (answer.StatusCode, body.Length == 0 ? default : JsonElement.Parse(body));
    }

    [Fact]
    public async Task Grants_a_client_sees_scopes_claims_and_the_receipt_of_its_grant()
    {
        var client = await ManagerAsync();
        var (tokens, grant, receipt, _, _) = await GrantAsync(client);
        Assert.Equal(tokens.AccessClaims.GetProperty("grant_id").GetString(), grant);
        var (status, json) = await CallAsync(HttpMethod.Get, grant, await OwnTokenAsync(client));
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(("openid profile offline_access", receipt), (json.GetProperty("scopes")[0].GetProperty("scope").GetString(), json.GetProperty("consent_receipt").GetString()));
        var now = hub.Clock.GetUtcNow();
        Assert.Equal((grant, now.ToUnixTimeSeconds(), now.AddDays(30).ToUnixTimeSeconds()),
            (json.GetProperty("grant_id").GetString(), json.GetProperty("created_at").GetInt64(), json.GetProperty("expires_at").GetInt64()));
        Assert.Contains("name", json.GetProperty("claims").EnumerateArray().Select(c => c.GetString()));
        Assert.Equal(grant, (await client.RefreshAsync(tokens.Refresh!)).Json.GetProperty("grant_id").GetString());
    }

    [Fact]
    public async Task Grants_a_revoked_grant_is_over_at_every_endpoint()
    {
        var client = await ManagerAsync();
        var (tokens, grant, _, _, _) = await GrantAsync(client);
        var own = await OwnTokenAsync(client);
        Assert.Equal(HttpStatusCode.NoContent, (await CallAsync(HttpMethod.Delete, grant, own)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await hub.UserInfoAsync(tokens.Access)).StatusCode);
        Assert.Equal("invalid_grant", (await client.RefreshAsync(tokens.Refresh!)).Error);
        Assert.Equal(HttpStatusCode.NotFound, (await CallAsync(HttpMethod.Get, grant, own)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await CallAsync(HttpMethod.Delete, grant, own)).Status);
    }

    [Fact]
    public async Task Grants_another_clients_grant_is_as_if_it_were_not_there()
    {
        var (client, stranger) = (await ManagerAsync(), await ManagerAsync());
        var (tokens, grant, _, _, _) = await GrantAsync(client);
        var own = await OwnTokenAsync(stranger);
        foreach (var id in new[] { grant, Guid.NewGuid().ToString("D"), "x", grant.ToUpperInvariant() + "0" })
        {
            Assert.Equal(HttpStatusCode.NotFound, (await CallAsync(HttpMethod.Get, id, own)).Status);
            Assert.Equal(HttpStatusCode.NotFound, (await CallAsync(HttpMethod.Delete, id, own)).Status);
        }
        Assert.Equal(HttpStatusCode.OK, (await hub.UserInfoAsync(tokens.Access)).StatusCode);
    }

    [Fact]
    public async Task O14_only_a_clients_own_token_with_the_scope_manages_grants()
    {
        var client = await ManagerAsync();
        var (tokens, grant, _, _, _) = await GrantAsync(client);
        Assert.Equal(HttpStatusCode.Unauthorized, (await CallAsync(HttpMethod.Get, grant, tokens.Access)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await CallAsync(HttpMethod.Delete, grant, await OwnTokenAsync(client, "grant_management_query"))).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await CallAsync(HttpMethod.Get, grant, await OwnTokenAsync(client, "grant_management_revoke"))).Status);
    }

    [Fact]
    public async Task Grants_replace_ends_the_old_grant_when_the_new_one_gives_tokens_and_not_before()
    {
        var client = await ManagerAsync();
        var (tokens, grant, _, browser, _) = await GrantAsync(client);
        var code = await hub.CodeAsync(client, browser, ("scope", "openid"), ("grant_management_action", "replace"), ("grant_id", grant));
        Assert.Equal(HttpStatusCode.OK, (await hub.UserInfoAsync(tokens.Access)).StatusCode);
        var next = await client.RedeemAsync(code);
        Assert.NotEqual(grant, next.Json.GetProperty("grant_id").GetString());
        Assert.Equal(HttpStatusCode.Unauthorized, (await hub.UserInfoAsync(tokens.Access)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await hub.UserInfoAsync(TestTokens.Of(next).Access)).StatusCode);
    }

    [Fact]
    public async Task Grants_an_unknown_action_and_a_grant_of_another_client_or_customer_are_refused()
    {
        var (client, stranger) = (await ManagerAsync(), await ManagerAsync());
        var (_, grant, _, browser, customer) = await GrantAsync(client);
        async Task<string> ErrorAsync(TestClient by, Commerce.Testing.TestBrowser at, params (string, string?)[] changes) => by.ErrorOf(await at.GetAsync(by.AuthorizeUrl(changes)));
        Assert.Equal("invalid_request", await ErrorAsync(client, browser, ("grant_management_action", "merge"), ("grant_id", grant)));
        Assert.Equal("invalid_request", await ErrorAsync(client, browser, ("grant_management_action", "create"), ("grant_id", grant)));
        Assert.Equal("invalid_grant_id", await ErrorAsync(client, browser, ("grant_management_action", "replace"), ("grant_id", "x")));
        Assert.Equal("invalid_grant_id", await ErrorAsync(client, browser, ("grant_management_action", "replace")));
        hub.GiveConsent(stranger, customer, "name");
        Assert.Equal("invalid_grant_id", await ErrorAsync(stranger, browser, ("grant_management_action", "replace"), ("grant_id", grant)));
        var (other, otherCustomer, _) = hub.SignedIn();
        hub.GiveConsent(client, otherCustomer, "name");
        Assert.Equal("invalid_grant_id", await ErrorAsync(client, other, ("grant_management_action", "replace"), ("grant_id", grant)));
    }
}
