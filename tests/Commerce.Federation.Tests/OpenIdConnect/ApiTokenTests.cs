using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Commerce.PartnerKit;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Federation.Tests.OpenIdConnect;

public sealed class ApiTokenTests(OidcHub hub) : IClassFixture<OidcHub>
{
    private async Task<HttpResponseMessage> CallAsync(string? token, string scheme = "Bearer") => await hub.Hub.Http.SendAsync(
        new HttpRequestMessage(HttpMethod.Get, "/api/probe") { Headers = { Authorization = token is null ? null : new AuthenticationHeaderValue(scheme, token) } });

    private async Task<(TestClient Client, string Token)> MachineAsync(params string[] scopes)
    {
        var client = await hub.AddClientAsync(c => c with { GrantTypes = ["client_credentials", "authorization_code"], Scopes = ["openid", .. scopes] });
        return (client, TestTokens.Of(await client.TokenAsync(new() { ["grant_type"] = "client_credentials" })).Access);
    }

    [Fact]
    public async Task An_api_token_makes_a_principal_with_client_partner_and_one_claim_for_each_scope_and_no_customer()
    {
        var (client, token) = await MachineAsync("bookings:write", "orders:write");
        using var answer = await CallAsync(token);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var said = JsonElement.Parse(await answer.Content.ReadAsStringAsync());
        Assert.Equal((client.Id, client.Partner), (said.GetProperty("client").GetString(), said.GetProperty("partner").GetString()));
        Assert.Equal(["bookings:write", "orders:write"], said.GetProperty("scopes").EnumerateArray().Select(s => s.GetString()!).Order());
        Assert.False(said.TryGetProperty("customer", out var customer) && customer.ValueKind != JsonValueKind.Null);
    }

    [Fact]
    public async Task The_hubs_api_runs_on_the_middleware_that_partners_have()
    {
        Assert.Equal(CommerceApi.Scheme, HubSchemes.Api);       // Kernel cannot name PartnerKit
        var scheme = await hub.Hub.Services.GetRequiredService<IAuthenticationSchemeProvider>().GetSchemeAsync(HubSchemes.Api);
        Assert.Same(typeof(CommerceApi).Assembly, scheme?.HandlerType.Assembly);
    }

    [Fact]
    public async Task A_rotated_signing_key_counts_at_once_and_one_in_foreign_hands_no_more()
    {
        var (client, token) = await MachineAsync("bookings:write");
        Assert.Equal(HttpStatusCode.OK, (await CallAsync(token)).StatusCode);
        await hub.Hub.Services.GetRequiredService<SigningKeys>().RotateAsync("oidc-es256");
        Assert.Equal(HttpStatusCode.OK, (await CallAsync(token)).StatusCode);       // retired, and still published
        var next = TestTokens.Of(await client.TokenAsync(new() { ["grant_type"] = "client_credentials" })).Access;
        Assert.Equal(HttpStatusCode.OK, (await CallAsync(next)).StatusCode);
        await hub.Hub.Services.GetRequiredService<SigningKeys>().RotateAsync("oidc-es256", emergency: true);
        Assert.Equal(HttpStatusCode.Unauthorized, (await CallAsync(next)).StatusCode);
    }

    [Fact]
    public async Task RFC9068_a_second_spelling_of_a_good_token_is_no_token()
    {
        var (_, token) = await MachineAsync("bookings:write");
        // 64 octets leave four unused bits in the last of 86 characters.
        const string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        var twin = token[..^1] + alphabet[alphabet.IndexOf(token[^1], StringComparison.Ordinal) + 1];
        Assert.Equal(HttpStatusCode.Unauthorized, (await CallAsync(twin)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await CallAsync(token)).StatusCode);
    }

    [Fact]
    public async Task O14_a_customers_tokens_open_nothing_in_the_api_and_an_api_token_opens_no_userinfo()
    {
        var (client, token) = await MachineAsync("bookings:write");
        var (browser, _, _) = hub.SignedIn();
        var tokens = await hub.TokensAsync(client, browser);
        foreach (var foreign in new[] { tokens.Access, tokens.Id! }) Assert.Equal(HttpStatusCode.Unauthorized, (await CallAsync(foreign)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await hub.UserInfoAsync(token)).StatusCode);
    }

    [Fact]
    public async Task Without_the_scope_it_is_403_and_without_a_token_401_each_with_a_challenge_and_problem_json()
    {
        var (_, token) = await MachineAsync("orders:write");
        using var forbidden = await CallAsync(token);
        Assert.Equal(HttpStatusCode.Forbidden, forbidden.StatusCode);
        Assert.Contains("insufficient_scope", forbidden.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        Assert.Equal("oauth.insufficient_scope", await CodeAsync(forbidden));
        using var none = await CallAsync(null);
        Assert.Equal((HttpStatusCode.Unauthorized, "application/problem+json"), (none.StatusCode, none.Content.Headers.ContentType?.MediaType));
        Assert.Equal("oauth.no_token", await CodeAsync(none));
        Assert.DoesNotContain("error=", none.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        using var bad = await CallAsync("x.y.z");
        Assert.Contains("invalid_token", bad.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        Assert.Equal("oauth.invalid_token", await CodeAsync(bad));

        static async Task<string?> CodeAsync(HttpResponseMessage answer) => JsonElement.Parse(await answer.Content.ReadAsStringAsync()).GetProperty("code").GetString();
    }

    [Fact]
    public async Task X20_a_partner_switched_off_or_ten_minutes_old_token_is_refused()
    {
        var (client, token) = await MachineAsync("bookings:write");
        await hub.SwitchPartnerAsync(client, active: false);
        Assert.Equal(HttpStatusCode.Unauthorized, (await CallAsync(token)).StatusCode);
        await hub.SwitchPartnerAsync(client, active: true);
        Assert.Equal(HttpStatusCode.OK, (await CallAsync(token)).StatusCode);
        hub.Clock.Advance(TimeSpan.FromMinutes(10) + TimeSpan.FromSeconds(10));
        Assert.Equal(HttpStatusCode.Unauthorized, (await CallAsync(token)).StatusCode);
    }
}
