using System.Net;
using System.Text.Json;
using Commerce.Federation.Data;
using Commerce.Federation.Partners;
using Commerce.Kernel;
using Commerce.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using static Commerce.Federation.Tests.OpenIdConnect.AuthorizeTests;

namespace Commerce.Federation.Tests.OpenIdConnect;

/// <summary>Pages, codes and tokens in the hands of somebody else than the one they were made for, or of one who may no longer have them.</summary>
public sealed class NotYoursTests(OidcHub hub) : IClassFixture<OidcHub>
{
    private const string Device = "urn:ietf:params:oauth:grant-type:device_code";

    private static readonly string WholeOrder =
        $$"""[{"type":"retail_purchase","order_number":"{{OidcHub.Order.OrderNumber}}","line_categories":["*"],"purpose":"book-fitting"}]""";

    [Fact]
    public async Task O11_a_waiting_request_opens_with_its_own_cookie_and_not_with_another_of_the_same_name()
    {
        var client = await hub.AddClientAsync();
        using var browser = hub.Hub.NewBrowser();
        var back = hub.SignInRequestOf(await browser.GetAsync(client.AuthorizeUrl())).ReturnPath;
        var uri = new Uri(browser.Http.BaseAddress!, "/connect/authorize");
        var cookie = browser.Cookies.GetCookies(uri).Single(c => c.Name.StartsWith("authorize-", StringComparison.Ordinal));
        var own = cookie.Value;
        var other = hub.Hub.NewBrowser();
        await other.GetAsync(client.AuthorizeUrl());
        var others = other.Cookies.GetCookies(uri).Single(c => c.Name.StartsWith("authorize-", StringComparison.Ordinal)).Value;
        foreach (var value in new[] { others, own[..^1], own + "A" })
        {
            cookie.Value = value;
            AssertErrorPage(await browser.GetAsync(back), "oidc.request_over");
        }
        cookie.Value = own;
        Assert.Equal("/signin", (await browser.GetAsync(back)).RedirectsTo?.AbsolutePath);
    }

    [Theory]
    [InlineData("/consent")]
    [InlineData("/consent/purchase")]
    public async Task O11_a_sheet_opens_for_the_session_that_it_was_made_for_alone(string path)
    {
        var client = await hub.AddClientAsync(c => c with { AuthorizationDetailsTypes = ["retail_purchase"] }, needsConsent: true);
        var (browser, customer, _) = hub.SignedIn();
        hub.Neighbours.Purchases[(customer, OidcHub.Order.OrderNumber)] = OidcHub.Order;
        var sheet = await browser.GetAsync(client.AuthorizeUrl(path == "/consent" ? ("scope", "openid email") : ("authorization_details", WholeOrder)));
        Assert.Equal(path, sheet.RedirectsTo?.AbsolutePath);
        var elsewhere = hub.Hub.NewBrowser();
        hub.Neighbours.SignIn(elsewhere, customer);
        foreach (var stranger in new[] { elsewhere, hub.SignedIn().Browser })
            AssertErrorPage(await stranger.GetAsync(sheet.RedirectsTo!.PathAndQuery), "federation.sheet_invalid");
        Assert.Equal(HttpStatusCode.OK, (await browser.FollowAsync(sheet)).Status);
    }

    [Fact]
    public async Task RFC8628_the_secret_half_of_a_device_code_is_compared_and_its_user_code_is_forty_characters_at_most()
    {
        var kiosk = await hub.AddClientAsync(c => c with { GrantTypes = [Device, "refresh_token"], RedirectUris = [] });
        var device = (await kiosk.AskAsync(hub, "/connect/device_authorization", new() { ["scope"] = "openid" })).Json;
        var code = device.GetProperty("device_code").GetString()!;
        var guessed = code[..^22] + (code[^22] == 'A' ? 'B' : 'A') + code[^21..];
        Task<TestAnswer> RedeemAsync(string of) => kiosk.TokenAsync(new() { ["grant_type"] = Device, ["device_code"] = of });
        Assert.Equal("invalid_grant", (await RedeemAsync(guessed)).Error);
        Assert.Equal("authorization_pending", (await RedeemAsync(code)).Error);

        var (browser, _, _) = hub.SignedIn();
        async Task<TestPage> TypeAsync(string typed) => await browser.SubmitAsync(await browser.GetAsync("/device"), [new("user_code", typed)], action: "/device");
        var user = device.GetProperty("user_code").GetString()!;
        Assert.Equal(HttpStatusCode.NotFound, (await TypeAsync(user + new string('-', 41 - user.Length))).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await TypeAsync(new string('B', 41))).Status);
        Assert.Equal(HttpStatusCode.OK, (await TypeAsync(user + new string('-', 40 - user.Length))).Status);
    }

    [Fact]
    public async Task RFC8628_what_a_device_took_is_told_to_the_ledger()
    {
        var kiosk = await hub.AddClientAsync(c => c with { GrantTypes = [Device, "refresh_token"], RedirectUris = [] });
        var device = (await kiosk.AskAsync(hub, "/connect/device_authorization", new() { ["scope"] = "openid email" })).Json;
        var (browser, customer, _) = hub.SignedIn();
        var sheet = await browser.SubmitAsync(await browser.GetAsync("/device"), [new("user_code", device.GetProperty("user_code").GetString()!)], action: "/device");
        await browser.SubmitAsync(sheet, [new("decision", "allow")], action: "/device/confirm");
        TestTokens.Of(await kiosk.TokenAsync(new() { ["grant_type"] = Device, ["device_code"] = device.GetProperty("device_code").GetString()! }));
        await Wait.UntilAsync(() => hub.Neighbours.Released.Any(r => r.Customer == customer), "the ledger was told");
    }

    [Fact]
    public async Task RFC8628_a_device_whose_registration_lost_the_grant_type_meanwhile_gets_no_yes()
    {
        var kiosk = await hub.AddClientAsync(c => c with { GrantTypes = [Device, "refresh_token"], RedirectUris = [] });
        var device = (await kiosk.AskAsync(hub, "/connect/device_authorization", new() { ["scope"] = "openid" })).Json;
        await ReregisterAsync(kiosk, c => c with { GrantTypes = ["authorization_code"], RedirectUris = [kiosk.RedirectUri] });
        var (browser, _, _) = hub.SignedIn();
        var page = await browser.SubmitAsync(await browser.GetAsync("/device"), [new("user_code", device.GetProperty("user_code").GetString()!)], action: "/device");
        Assert.Equal(HttpStatusCode.NotFound, page.Status);
    }

    [Fact]
    public async Task A_client_that_may_not_sign_customers_in_has_no_authorization_request()
    {
        var machine = await hub.AddClientAsync(c => c with { GrantTypes = ["client_credentials"], Scopes = ["bookings:write"] });
        AssertErrorPage(await hub.SignedIn().Browser.GetAsync(machine.AuthorizeUrl()), "oidc.unknown_client");
    }

    [Fact]
    public async Task RFC7662_a_clients_own_token_is_not_active_once_its_registration_has_no_use_for_it()
    {
        var machine = await hub.AddClientAsync(c => c with { GrantTypes = ["client_credentials", "authorization_code"], Scopes = ["openid", "bookings:write"] });
        var token = TestTokens.Of(await machine.TokenAsync(new() { ["grant_type"] = "client_credentials" })).Access;
        Assert.True((await machine.IntrospectAsync(hub, token)).GetProperty("active").GetBoolean());
        await ReregisterAsync(machine, c => c with { GrantTypes = ["authorization_code"] });
        Assert.Equal("""{"active":false}""", (await machine.IntrospectAsync(hub, token)).GetRawText());
    }

    [Fact]
    public async Task RFC7662_a_refresh_token_is_described_while_it_is_good_and_not_active_once_it_is_idle()
    {
        var client = await hub.AddClientAsync(needsConsent: true, claims: ["name"]);
        var (browser, customer, _) = hub.SignedIn();
        var receipt = hub.GiveConsent(client, customer, "name").Receipt;
        var tokens = await hub.TokensAsync(client, browser, ("scope", "openid profile offline_access"));
        var (token, begun) = (tokens.Refresh!, hub.Clock.GetUtcNow());
        hub.Clock.Advance(TimeSpan.FromDays(7) - TimeSpan.FromSeconds(1));
        var active = await client.IntrospectAsync(hub, token);
        Assert.Equal((true, client.Id, tokens.IdClaims.GetProperty("sub").GetString(), "openid profile offline_access"), (active.GetProperty("active").GetBoolean(),
            active.GetProperty("client_id").GetString(), active.GetProperty("sub").GetString(), active.GetProperty("scope").GetString()));
        Assert.Equal((tokens.AccessClaims.GetProperty("grant_id").GetString(), tokens.IdClaims.GetProperty("acr").GetString(), receipt),
            (active.GetProperty("grant_id").GetString(), active.GetProperty("acr").GetString(), active.GetProperty("consent_receipt").GetString()));
        Assert.Equal((begun.ToUnixTimeSeconds(), begun.AddDays(7).ToUnixTimeSeconds()), (active.GetProperty("iat").GetInt64(), active.GetProperty("exp").GetInt64()));
        hub.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("""{"active":false}""", (await client.IntrospectAsync(hub, token)).GetRawText());
    }

    [Theory]
    [InlineData("another customer")]
    [InlineData("another partner")]
    [InlineData("a purpose that the contract lost")]
    public async Task O07_a_receipt_that_is_not_about_this_customer_partner_and_contract_opens_nothing(string whose)
    {
        var client = await hub.AddClientAsync(needsConsent: true, claims: ["name", "email"]);
        var (browser, customer, _) = hub.SignedIn();
        var consent = hub.GiveConsent(client, customer, "name", "email");
        var tokens = await hub.TokensAsync(client, browser, ("scope", "openid email"));
        Assert.Equal(HttpStatusCode.OK, (await hub.UserInfoAsync(tokens.Access)).StatusCode);
        hub.Neighbours.Consents[consent.Receipt] = whose switch
        {
            "another customer" => consent with { Customer = hub.Neighbours.NewCustomer() },
            "another partner" => consent with { Partner = "another-partner" },
            _ => consent with { Purpose = "lost" },
        };
        Assert.Equal(HttpStatusCode.Unauthorized, (await hub.UserInfoAsync(tokens.Access)).StatusCode);
        hub.Neighbours.Consents[consent.Receipt] = consent;
        Assert.Equal(HttpStatusCode.OK, (await hub.UserInfoAsync(tokens.Access)).StatusCode);
    }

    [Fact]
    public async Task RFC9396_a_grant_without_details_gets_none_by_asking_later()
    {
        var client = await hub.AddClientAsync(c => c with { AuthorizationDetailsTypes = ["retail_purchase"] });
        var code = await hub.CodeAsync(client, hub.SignedIn().Browser);
        Assert.Equal("invalid_authorization_details", (await client.RedeemAsync(code, ("authorization_details", WholeOrder))).Error);
        TestTokens.Of(await client.RedeemAsync(code));
    }

    [Fact]
    public async Task F25_a_reference_with_more_or_less_than_its_characters_is_none()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var url = client.ReferenceUrl(await client.PushAsync(hub));
        foreach (var wrong in new[] { url + "A", url[..^1] }) Assert.Equal(HttpStatusCode.BadRequest, (await browser.GetAsync(wrong)).Status);
        client.CodeOf(await browser.GetAsync(url));
    }

    [Fact]
    public async Task O05_the_secret_half_of_a_code_is_random_and_never_the_same()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var codes = new List<byte[]>();
        for (var i = 0; i < 8; i++) codes.Add(System.Buffers.Text.Base64Url.DecodeFromChars(await hub.CodeAsync(client, browser)));
        // Sixteen octets name the grant; of the 32 that follow no four stand in the same place twice.
        Assert.All(codes, code => Assert.Equal(48, code.Length));
        for (var at = 16; at < 48; at += 4) Assert.Equal(codes.Count, codes.Select(code => BitConverter.ToUInt32(code, at)).Distinct().Count());
    }

    [Theory]
    [InlineData("at once")]
    [InlineData("pushed")]
    [InlineData("after the sign-in page")]
    public async Task O22_what_is_to_leave_is_stored_before_the_code_is_given_out_and_told_to_the_ledger_once_when_it_left(string way)
    {
        var client = await hub.AddClientAsync();
        var (browser, customer, _) = hub.SignedIn();
        using var stranger = hub.Hub.NewBrowser();
        var page = way switch
        {
            "at once" => await browser.GetAsync(client.AuthorizeUrl(("scope", "openid email"))),
            "pushed" => await browser.GetAsync(client.ReferenceUrl(await client.PushAsync(hub, ("scope", "openid email")))),
            _ => await hub.SignInAtAsync(stranger, await stranger.GetAsync(client.AuthorizeUrl(("scope", "openid email"))), customer),
        };
        var code = client.CodeOf(page);
        Assert.Equal(1, await hub.Hub.WithDbAsync<FederationDb, int>(db => db.Releases.CountAsync(r => r.Connection == client.Id && r.Customer == customer)));
        Assert.DoesNotContain(hub.Neighbours.Released, r => r.Customer == customer);
        TestTokens.Of(await client.RedeemAsync(code));
        await Wait.UntilAsync(() => hub.Neighbours.Released.Any(r => r.Customer == customer), "the ledger was told");
        Assert.Single(hub.Neighbours.Released, r => r.Customer == customer);
    }

    /// <summary>What an operator or the client itself changes in a registration.</summary>
    private async Task ReregisterAsync(TestClient client, Func<OidcClient, OidcClient> edit)
    {
        var json = JsonSerializer.Serialize(edit(client.Metadata), HubJson.Options);
        await hub.Hub.WithDbAsync<FederationDb, int>(db => db.Connections.Where(c => c.Id == client.Id).ExecuteUpdateAsync(row => row.SetProperty(c => c.Metadata, json)));
        hub.Hub.Services.GetRequiredService<Connections>().Forget();
    }
}
