using System.Net;
using Commerce.Federation.Contracts;

namespace Commerce.Federation.Tests.OpenIdConnect;

public sealed class ClientSecretTests(OidcHub hub) : IClassFixture<OidcHub>
{
    private const string Body = "grant_type=authorization_code&code=x&redirect_uri=x&code_verifier=x";

    private static string Posted(TestClient client, string? secret = null) =>
        $"{Body}&client_id={client.Id}&client_secret={Uri.EscapeDataString(secret ?? client.Secret)}";

    /// <summary>The code is none, so a client that was proven is told invalid_grant.</summary>
    private static void AssertProven(TestAnswer answer) => Assert.Equal((HttpStatusCode.BadRequest, "invalid_grant"), (answer.Status, answer.Error));

    private static void AssertUnproven(TestAnswer answer) => Assert.Equal((HttpStatusCode.Unauthorized, "invalid_client"), (answer.Status, answer.Error));

    [Fact]
    public async Task B20_a_client_that_registered_client_secret_post_sends_its_secret_in_the_body_and_nowhere_else()
    {
        var client = await hub.AddClientAsync(c => c with { TokenEndpointAuthMethod = "client_secret_post" });
        AssertProven(await client.SendAsync(Posted(client), null));
        AssertUnproven(await client.SendAsync(Posted(client, client.Secret + "x"), null));
        AssertUnproven(await client.SendAsync($"{Body}&client_secret={Uri.EscapeDataString(client.Secret)}", null));
        AssertUnproven(await client.SendAsync(Body, TestClient.Basic(client.Id, client.Secret)));           // O09: its own method only
        Assert.Equal("invalid_request", (await client.SendAsync(Posted(client), TestClient.Basic(client.Id, client.Secret))).Error);
        Assert.Equal("invalid_request", (await client.SendAsync(Posted(client) + "&client_assertion=a.b.c", null)).Error);
    }

    [Fact]
    public async Task Two_secrets_count_until_the_older_is_retired_and_never_three()
    {
        var client = await hub.AddClientAsync();
        var second = (await hub.Hub.AskAsync(new AddClientSecret(client.Id))).Value.Secret;
        AssertProven(await client.SendAsync(Body, TestClient.Basic(client.Id, client.Secret)));
        AssertProven(await client.SendAsync(Body, TestClient.Basic(client.Id, second)));
        Assert.Equal("federation.two_secrets", (await hub.Hub.AskAsync(new AddClientSecret(client.Id))).Refusal?.Code);

        Assert.True((await hub.Hub.AskAsync(new RetireClientSecret(client.Id))).Value);
        AssertUnproven(await client.SendAsync(Body, TestClient.Basic(client.Id, client.Secret)));
        AssertProven(await client.SendAsync(Body, TestClient.Basic(client.Id, second)));
        Assert.Equal("federation.one_secret", (await hub.Hub.AskAsync(new RetireClientSecret(client.Id))).Refusal?.Code);
    }

    [Fact]
    public async Task A_client_with_a_key_has_no_secret_to_change()
    {
        var client = await hub.AddClientAsync(withKey: true);
        Assert.Equal("federation.no_secret_client", (await hub.Hub.AskAsync(new AddClientSecret(client.Id))).Refusal?.Code);
        Assert.Equal("federation.no_secret_client", (await hub.Hub.AskAsync(new RetireClientSecret(client.Id))).Refusal?.Code);
        Assert.Equal("federation.unknown_client", (await hub.Hub.AskAsync(new AddClientSecret("nobody"))).Refusal?.Code);
    }

    [Fact]
    public async Task D01_ID_tokens_and_signed_userinfo_come_in_PS256_where_that_is_registered()
    {
        var client = await hub.AddClientAsync(c => c with { IdTokenSignedResponseAlg = "PS256", UserinfoSignedResponseAlg = "PS256" });
        var (browser, _, _) = hub.SignedIn();
        var tokens = await hub.TokensAsync(client, browser);
        await DiscoveryTests.AssertSignedAsync(hub, tokens.Id!, "PS256");
        using var userInfo = await hub.UserInfoAsync(tokens.Access);
        await DiscoveryTests.AssertSignedAsync(hub, await userInfo.Content.ReadAsStringAsync(), "PS256");
    }
}
