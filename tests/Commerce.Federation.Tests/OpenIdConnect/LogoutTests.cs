using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Commerce.Federation.Data;
using Commerce.Federation.Logout;
using Commerce.Federation.Partners;
using Commerce.Testing;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.Tests.OpenIdConnect;

public sealed class LogoutTests(OidcHub hub) : IClassFixture<OidcHub>
{
    private static string Url(params (string Name, string? Value)[] parameters) =>
        "/connect/logout?" + TestClient.Encode(parameters.Where(p => p.Value is not null).Select(p => KeyValuePair.Create(p.Name, p.Value!)));

    private bool IsAlive(Guid session) => hub.Neighbours.Sessions.ContainsKey(session);

    private static void AssertAsksFirst(TestPage page)
    {
        Assert.Equal(HttpStatusCode.OK, page.Status);
        Assert.Contains(page.Forms(), f => f.Action == "/connect/logout/confirm");
    }

    private static void AssertErrorPage(TestPage page)
    {
        Assert.Equal(HttpStatusCode.BadRequest, page.Status);
        Assert.Null(page.RedirectsTo);
    }

    [Fact]
    public async Task L01_L10_discovery_names_the_endpoint_and_back_channel_logout_with_sid()
    {
        var document = JsonElement.Parse(await hub.Hub.Http.GetStringAsync("/.well-known/openid-configuration"));
        Assert.Equal(hub.Issuer + "/connect/logout", document.GetProperty("end_session_endpoint").GetString());
        Assert.True(document.GetProperty("backchannel_logout_supported").GetBoolean());
        Assert.True(document.GetProperty("backchannel_logout_session_supported").GetBoolean());
        Assert.False(document.TryGetProperty("frontchannel_logout_supported", out _) || document.TryGetProperty("check_session_iframe", out _));
    }

    [Theory]
    [InlineData("st&te=1 å")]
    [InlineData(null)]
    public async Task L02_with_a_hint_the_session_ends_and_the_browser_returns_with_state_only_where_it_was_sent(string? state)
    {
        var client = await hub.AddClientAsync();
        var (browser, _, session) = hub.SignedIn();
        var hint = (await hub.TokensAsync(client, browser)).Id;
        hub.Clock.Advance(TimeSpan.FromMinutes(20));     // an expired ID token still says whose session is meant
        var page = await browser.GetAsync(Url(("id_token_hint", hint), ("post_logout_redirect_uri", client.PostLogoutUri), ("state", state)));
        Assert.Equal(HttpStatusCode.SeeOther, page.Status);
        Assert.Equal(client.PostLogoutUri + (state is null ? "" : "?state=" + Uri.EscapeDataString(state)), page.Headers["Location"]);
        Assert.False(IsAlive(session));
        Assert.Equal("login_required", client.ErrorOf(await browser.GetAsync(client.AuthorizeUrl(("prompt", "none")))));
    }

    [Fact]
    public async Task L02_a_logout_by_post_comes_back_by_get_and_ends_the_session()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, session) = hub.SignedIn();
        var hint = (await hub.TokensAsync(client, browser)).Id!;
        var page = await browser.PostAsync("/connect/logout", new Dictionary<string, string> { ["id_token_hint"] = hint, ["post_logout_redirect_uri"] = client.PostLogoutUri });
        Assert.True(IsAlive(session));
        Assert.Equal(client.PostLogoutUri, (await browser.GetAsync(page.RedirectsTo!.AbsoluteUri)).Headers["Location"]);
        Assert.False(IsAlive(session));
    }

    [Theory]
    [InlineData("{0}/more")]
    [InlineData("{0}?x=1")]
    [InlineData("https://evil.example/bye")]
    public async Task L03_an_address_that_is_not_registered_is_an_error_page(string pattern)
    {
        var client = await hub.AddClientAsync();
        var (browser, _, session) = hub.SignedIn();
        var hint = (await hub.TokensAsync(client, browser)).Id;
        AssertErrorPage(await browser.GetAsync(Url(("id_token_hint", hint),
            ("post_logout_redirect_uri", string.Format(System.Globalization.CultureInfo.InvariantCulture, pattern, client.PostLogoutUri)))));
        Assert.True(IsAlive(session));
    }

    [Fact]
    public async Task L03_O20_without_a_hint_the_customer_is_asked_first_and_is_sent_nowhere()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, session) = hub.SignedIn();
        var page = await browser.GetAsync(Url(("client_id", client.Id), ("post_logout_redirect_uri", client.PostLogoutUri), ("state", "x")));
        AssertAsksFirst(page);
        Assert.True(IsAlive(session));
        var done = await browser.SubmitAsync(page, action: "/connect/logout/confirm");
        Assert.Equal((HttpStatusCode.OK, null), (done.Status, done.RedirectsTo));
        Assert.False(IsAlive(session));
    }

    [Fact]
    public async Task O20_the_confirmation_takes_our_own_form_and_no_other()
    {
        var (browser, _, session) = hub.SignedIn();
        var page = await browser.GetAsync("/connect/logout");
        var plan = page.Forms().Single(f => f.Action == "/connect/logout/confirm").Hidden.Single(h => h.Key == "plan");
        Assert.Equal(HttpStatusCode.BadRequest, (await browser.PostAsync("/connect/logout/confirm", [plan])).Status);
        Assert.True(IsAlive(session));
    }

    [Theory]
    [InlineData("none")]
    [InlineData("foreign key")]
    [InlineData("access token")]
    [InlineData("junk")]
    [InlineData("client_id differs")]
    public async Task L04_a_hint_that_is_no_id_token_of_ours_is_an_error_page(string kind)
    {
        var client = await hub.AddClientAsync();
        var (browser, _, session) = hub.SignedIn();
        var tokens = await hub.TokensAsync(client, browser);
        var parts = tokens.Id!.Split('.');
        using var foreign = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var hint = kind switch
        {
            "none" => System.Buffers.Text.Base64Url.EncodeToString("""{"alg":"none","typ":"JWT"}"""u8) + "." + parts[1] + ".",
            "foreign key" => Jwt.Sign(Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(parts[0])), Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(parts[1])), foreign),
            "access token" => tokens.Access,
            "junk" => "x",
            _ => tokens.Id,
        };
        AssertErrorPage(await browser.GetAsync(Url(("id_token_hint", hint), ("post_logout_redirect_uri", client.PostLogoutUri), ("client_id", kind == "client_id differs" ? "other" : null))));
        Assert.True(IsAlive(session));
    }

    [Fact]
    public async Task L04_a_hint_about_another_customer_asks_first()
    {
        var client = await hub.AddClientAsync();
        var (other, _, _) = hub.SignedIn("Erik Aström");
        var hint = (await hub.TokensAsync(client, other)).Id;
        var (browser, _, session) = hub.SignedIn();
        AssertAsksFirst(await browser.GetAsync(Url(("id_token_hint", hint), ("post_logout_redirect_uri", client.PostLogoutUri))));
        Assert.True(IsAlive(session));
    }

    [Fact]
    public async Task L05_without_parameters_or_session_there_is_a_page_that_says_signed_out()
    {
        using var browser = hub.Hub.NewBrowser();
        foreach (var url in new[] { "/connect/logout", Url(("state", "x")) })
        {
            var page = await browser.GetAsync(url);
            Assert.Equal(HttpStatusCode.OK, page.Status);
            Assert.Contains("signed out", page.Text, StringComparison.OrdinalIgnoreCase);
            Assert.Contains("frame-ancestors 'none'", page.Headers["Content-Security-Policy"], StringComparison.Ordinal);    // R16
            Assert.Equal("no-referrer", page.Headers["Referrer-Policy"]);
        }
    }

    [Fact]
    public async Task L06_L07_every_relying_party_of_the_session_gets_a_logout_token_of_its_own()
    {
        await using var receiver = await TestReceiver.StartAsync();
        var clients = new[] { await AddReceivingAsync(receiver.Url), await AddReceivingAsync(receiver.Url) };
        var stranger = await AddReceivingAsync(receiver.Url);
        var (browser, customer, session) = hub.SignedIn();
        var known = new Dictionary<string, JsonElement>();
        foreach (var client in clients) known[client.Id] = (await hub.TokensAsync(client, browser)).IdClaims;
        await hub.CodeAsync(stranger, browser);      // a code that was never redeemed started no session there
        await hub.TellSessionEndedAsync(session, customer);
        await Wait.UntilAsync(() => receiver.Received.Count >= 2, "both relying parties were told");
        await Wait.UntilAsync(async () => (await DeliveriesAsync(clients)).All(d => d.State == DeliveryState.Delivered), "both deliveries are noted");

        Assert.Equal(2, receiver.Received.Count);
        Assert.All(receiver.Received, r => Assert.Matches("^logout_token=[A-Za-z0-9_.-]+$", r.Body));
        Assert.All(receiver.Received, r => Assert.StartsWith("application/x-www-form-urlencoded", r.Type, StringComparison.Ordinal));
        Assert.Equal(2, receiver.Tokens.Select(t => Jwt.Payload(t).GetProperty("jti").GetString()).Distinct().Count());
        foreach (var token in receiver.Tokens)
        {
            await DiscoveryTests.AssertSignedAsync(hub, token, "ES256");
            Assert.Equal("logout+jwt", Jwt.Header(token).GetProperty("typ").GetString());
            var claims = Jwt.Payload(token);
            var login = known[claims.GetProperty("aud").GetString()!];
            Assert.Equal(hub.Issuer, claims.GetProperty("iss").GetString());
            foreach (var name in new[] { "sub", "sid" }) Assert.Equal(login.GetProperty(name).GetString(), claims.GetProperty(name).GetString());
            var @event = Assert.Single(claims.GetProperty("events").EnumerateObject());
            Assert.Equal("http://schemas.openid.net/event/backchannel-logout", @event.Name);
            Assert.Empty(@event.Value.EnumerateObject());
            Assert.False(claims.TryGetProperty("nonce", out _));
            Assert.InRange(claims.GetProperty("exp").GetInt64() - claims.GetProperty("iat").GetInt64(), 1, 120);
        }
    }

    [Fact]
    public async Task L08_a_relying_party_that_fails_is_tried_again_later_with_a_fresh_token_until_it_takes_it()
    {
        await using var receiver = await TestReceiver.StartAsync();
        receiver.Answer = context =>
        {
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        };
        var client = await SignOutAtAsync(receiver.Url);
        await Wait.UntilAsync(async () => (await DeliveriesAsync(client)).Single() is { Attempts: 1, LastStatus: 503 }, "the first failure is noted");
        receiver.Answer = context =>
        {
            context.Response.StatusCode = 200;
            return Task.CompletedTask;
        };
        Assert.Single(receiver.Received);
        hub.Clock.Advance(TimeSpan.FromSeconds(6));
        await Wait.UntilAsync(async () => (await DeliveriesAsync(client)).Single().State == DeliveryState.Delivered, "the second attempt was taken");
        Assert.Equal(2, receiver.Tokens.Select(t => Jwt.Payload(t).GetProperty("jti").GetString()).Distinct().Count());
    }

    [Fact]
    public async Task L08_a_4xx_answer_is_final()
    {
        await using var receiver = await TestReceiver.StartAsync();
        receiver.Answer = context =>
        {
            context.Response.StatusCode = 400;
            return Task.CompletedTask;
        };
        var client = await SignOutAtAsync(receiver.Url);
        await Wait.UntilAsync(async () => (await DeliveriesAsync(client)).Single() is { State: DeliveryState.Refused, LastStatus: 400 }, "the refusal is noted");
        Assert.Single(receiver.Received);
    }

    [Fact]
    public async Task L08_a_dead_partner_is_given_up_after_more_than_a_day_and_delays_nobody()
    {
        await using var receiver = await TestReceiver.StartAsync();
        var begun = hub.Clock.GetUtcNow();
        var dead = await SignOutAtAsync($"http://127.0.0.1:{TestHub.FreePort()}/logout");
        var alive = await SignOutAtAsync(receiver.Url);
        await Wait.UntilAsync(async () => (await DeliveriesAsync(alive)).Single().State == DeliveryState.Delivered, "the living partner was told");
        for (var attempt = 1; ; attempt++)
        {
            await Wait.UntilAsync(async () => (await DeliveriesAsync(dead)).Single() is var d && (d.FinishedAt is not null || (d.Attempts == attempt && d.LastError is not null
                && d.NextAttemptAt > hub.Clock.GetUtcNow() + TimeSpan.FromSeconds(2) && d.NextAttemptAt != hub.Clock.GetUtcNow() + TimeSpan.FromMinutes(1))), $"attempt {attempt} is noted");
            var delivery = (await DeliveriesAsync(dead)).Single();
            if (delivery.State == DeliveryState.Dead) break;
            hub.Clock.Advance(delivery.NextAttemptAt - hub.Clock.GetUtcNow() + TimeSpan.FromSeconds(1));
        }
        Assert.True(hub.Clock.GetUtcNow() - begun > TimeSpan.FromHours(24));
    }

    [Fact]
    public async Task O12_a_redirect_is_not_followed()
    {
        await using var inner = await TestReceiver.StartAsync();
        await using var receiver = await TestReceiver.StartAsync();
        receiver.Answer = context =>
        {
            context.Response.StatusCode = 307;
            context.Response.Headers.Location = inner.Url;
            return Task.CompletedTask;
        };
        var client = await SignOutAtAsync(receiver.Url);
        await Wait.UntilAsync(async () => (await DeliveriesAsync(client)).Single() is { LastStatus: 307 }, "the redirect is noted");
        Assert.Empty(inner.Received);
    }

    [Theory]
    [InlineData("127.0.0.1", false)]
    [InlineData("10.1.2.3", false)]
    [InlineData("172.31.0.1", false)]
    [InlineData("192.168.1.1", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("0.0.0.0", false)]
    [InlineData("224.0.0.1", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("::1", false)]
    [InlineData("::", false)]
    [InlineData("fe80::1", false)]
    [InlineData("fd00::1", false)]
    [InlineData("::ffff:127.0.0.1", false)]
    [InlineData("::ffff:10.0.0.1", false)]
    [InlineData("64:ff9b::a00:1", false)]
    [InlineData("2002:a00:1::1", false)]
    [InlineData("2001:db8::1", false)]
    [InlineData("93.184.216.34", true)]
    [InlineData("2a00:1450:400f:80d::200e", true)]
    public void O12_only_public_addresses_are_called(string address, bool isPublic) => Assert.Equal(isPublic, PublicAddress.Is(IPAddress.Parse(address)));

    [Theory]
    [InlineData("https://localhost:9/logout")]
    [InlineData("https://127.0.0.1:9/logout")]
    [InlineData("https://[::1]:9/logout")]
    [InlineData("http://partner.example/logout")]
    public async Task O12_outside_development_a_private_or_plain_address_is_refused_before_any_connection(string address)
    {
        var settings = hub.Hub.Settings with { IsDevelopment = false };
        using var http = new LogoutCalls(settings, new PartnerNetworks(settings));
        var error = await Assert.ThrowsAnyAsync<HttpRequestException>(() => http.PostFormAsync(address, "logout_token", "x", default));
        Assert.IsType<AddressRefusedException>(error.InnerException);
    }

    private Task<TestClient> AddReceivingAsync(string url) => hub.AddClientAsync(c => c with { BackchannelLogoutUri = url });

    /// <summary>Signs a customer in at a new client, then out.</summary>
    private async Task<TestClient> SignOutAtAsync(string url)
    {
        var client = await AddReceivingAsync(url);
        var (browser, customer, session) = hub.SignedIn();
        await hub.TokensAsync(client, browser);
        await hub.TellSessionEndedAsync(session, customer);
        await Wait.UntilAsync(async () => (await DeliveriesAsync(client)).Count == 1, "the delivery is noted");
        return client;
    }

    private Task<List<LogoutDelivery>> DeliveriesAsync(params TestClient[] clients)
    {
        var ids = clients.Select(c => c.Id).ToList();
        return hub.Hub.WithDbAsync<FederationDb, List<LogoutDelivery>>(db => db.Set<LogoutDelivery>().AsNoTracking().Where(d => ids.Contains(d.Connection)).ToListAsync());
    }
}
