using System.Net;
using System.Text.Json;
using Commerce.Federation.Data;
using Commerce.Kernel;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.Tests.OpenIdConnect;

public sealed class HopTests(OidcHub hub) : IClassFixture<OidcHub>
{
    private const string AllScopes = "openid profile email phone address vehicle purchase";

    [Fact]
    public async Task A_live_ticket_brings_the_signed_vehicle_and_purchase_facts_of_the_matching_lines_and_the_rest_at_userinfo()
    {
        var client = await hub.AddClientAsync();
        var (browser, customer, session) = hub.SignedIn();
        var (ticket, hop) = await hub.StartHopAsync(client, customer, session, "name", "email", "vehicle", "purchase");
        var tokens = await hub.TokensAsync(client, browser, ("scope", AllScopes), ("login_hint", ticket));
        var claims = tokens.IdClaims;
        Assert.Equal("ABC-123", claims.GetProperty("vehicle").GetProperty("registration").GetString());
        var line = Assert.Single(claims.GetProperty("purchase").GetProperty("lines").EnumerateArray());
        Assert.Equal("NT-WT-2055516", line.GetProperty("sku").GetString());
        Assert.Equal((hop.ToString("D"), "tire-fitting"), (claims.GetProperty("hop").GetProperty("id").GetString(), claims.GetProperty("hop").GetProperty("offer").GetString()));
        Assert.False(claims.TryGetProperty("email", out _));
        var info = await hub.UserInfoJsonAsync(tokens.Access);
        Assert.Equal(["consent_receipt", "email", "email_verified", "family_name", "given_name", "hop", "name", "purchase", "sub", "vehicle"],
            info.EnumerateObject().Select(c => c.Name).Order());
        Assert.Equal(info.GetProperty("consent_receipt").GetString(), claims.GetProperty("consent_receipt").GetString());
    }

    [Fact]
    public async Task Only_the_scopes_that_the_partner_asks_for_leave_with_a_hop()
    {
        var client = await hub.AddClientAsync();
        var (browser, customer, session) = hub.SignedIn();
        var (ticket, _) = await hub.StartHopAsync(client, customer, session, "name", "email", "vehicle", "purchase");
        var tokens = await hub.TokensAsync(client, browser, ("scope", "openid vehicle"), ("login_hint", ticket));
        Assert.True(tokens.IdClaims.TryGetProperty("vehicle", out _));
        Assert.False(tokens.IdClaims.TryGetProperty("purchase", out _));
        Assert.Equal(["consent_receipt", "hop", "sub", "vehicle"], (await hub.UserInfoJsonAsync(tokens.Access)).EnumerateObject().Select(c => c.Name).Order());
    }

    [Fact]
    public async Task R14_A_ticket_that_fails_is_access_denied_and_never_a_plain_sign_in()
    {
        var (client, other) = (await hub.AddClientAsync(), await hub.AddClientAsync());
        var (browser, customer, session) = hub.SignedIn();
        var (ticket, hop) = await hub.StartHopAsync(client, customer, session, "email", "vehicle", "purchase");
        var (stranger, _, _) = hub.SignedIn("Erik Aström");
        using var nobody = hub.Hub.NewBrowser();
        Assert.Equal("access_denied", other.ErrorOf(await browser.GetAsync(other.AuthorizeUrl(("login_hint", ticket)))));           // another partner's
        Assert.Equal("access_denied", client.ErrorOf(await stranger.GetAsync(client.AuthorizeUrl(("login_hint", ticket)))));        // another customer
        Assert.Equal("access_denied", client.ErrorOf(await nobody.GetAsync(client.AuthorizeUrl(("login_hint", ticket)))));          // no session
        Assert.Equal("access_denied", client.ErrorOf(await browser.GetAsync(client.AuthorizeUrl(("login_hint", Token.New())))));    // made up
        Assert.Empty(await hub.GrantsOfAsync(client));
        await hub.CodeAsync(client, browser, ("login_hint", ticket));
        Assert.Equal("access_denied", client.ErrorOf(await browser.GetAsync(client.AuthorizeUrl(("login_hint", ticket)))));         // used
        Assert.Single(await hub.GrantsOfAsync(client));
        Assert.Contains(hub.Errors, line => line.Contains(client.Id, StringComparison.Ordinal) && line.Contains("ticket", StringComparison.Ordinal));
        Assert.DoesNotContain(hub.Errors, line => line.Contains(ticket, StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_expired_ticket_is_access_denied()
    {
        var client = await hub.AddClientAsync();
        var (browser, customer, session) = hub.SignedIn();
        var (ticket, _) = await hub.StartHopAsync(client, customer, session, "email");
        hub.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal("access_denied", client.ErrorOf(await browser.GetAsync(client.AuthorizeUrl(("login_hint", ticket)))));
    }

    [Fact]
    public async Task Of_fifty_parallel_requests_with_one_ticket_one_gets_a_code()
    {
        var client = await hub.AddClientAsync();
        var (browser, customer, session) = hub.SignedIn();
        var (ticket, _) = await hub.StartHopAsync(client, customer, session, "email", "vehicle");
        var pages = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => browser.GetAsync(client.AuthorizeUrl(("login_hint", ticket)))));
        Assert.Single(pages, p => client.ResponseOf(p).ContainsKey("code"));
        Assert.Single(await hub.GrantsOfAsync(client));
    }

    [Fact]
    public async Task A_ticket_works_by_post_too_and_is_used_up_with_the_code_or_not_at_all()
    {
        var client = await hub.AddClientAsync();
        var (browser, customer, session) = hub.SignedIn();
        var (ticket, hop) = await hub.StartHopAsync(client, customer, session, "email", "vehicle");
        var page = await browser.PostAsync("/connect/authorize", client.Request(("scope", AllScopes), ("login_hint", ticket)));
        Assert.Equal(Commerce.Federation.Hops.HopState.Sent, await StateAsync(hop));
        var tokens = TestTokens.Of(await client.RedeemAsync(client.CodeOf(await browser.GetAsync(page.RedirectsTo!.AbsoluteUri))));
        Assert.True(tokens.IdClaims.TryGetProperty("vehicle", out _));
        Assert.Equal(Commerce.Federation.Hops.HopState.Landed, await StateAsync(hop));
    }

    [Fact]
    public async Task A_sign_in_without_a_hop_carries_no_vehicle_and_no_purchase_whatever_is_asked()
    {
        var client = await hub.AddClientAsync();
        var (browser, customer, session) = hub.SignedIn();
        await hub.StartHopAsync(client, customer, session, "email", "vehicle", "purchase");
        var tokens = await hub.TokensAsync(client, browser, ("scope", AllScopes));
        foreach (var name in new[] { "vehicle", "purchase", "hop" })
        {
            Assert.False(tokens.IdClaims.TryGetProperty(name, out _));
            Assert.False((await hub.UserInfoJsonAsync(tokens.Access)).TryGetProperty(name, out _));
        }
    }

    private Task<Commerce.Federation.Hops.HopState> StateAsync(Guid hop) =>
        hub.Hub.WithDbAsync<FederationDb, Commerce.Federation.Hops.HopState>(db => db.Hops.AsNoTracking().Where(h => h.Id == hop).Select(h => h.State).SingleAsync());
}
