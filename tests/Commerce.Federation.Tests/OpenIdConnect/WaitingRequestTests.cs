using System.Net;
using Commerce.Federation.Data;
using Commerce.Federation.Hops;
using Commerce.Federation.OpenIdConnect;
using Commerce.Kernel.Secrets;
using Commerce.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using static Commerce.Federation.Tests.OpenIdConnect.AuthorizeTests;

namespace Commerce.Federation.Tests.OpenIdConnect;

/// <summary>An authorization request while the customer signs in or looks at the consent sheet: who may take it up again, and how often.</summary>
public sealed class WaitingRequestTests(OidcHub hub) : IClassFixture<OidcHub>
{
    [Fact]
    public async Task O08_O23_pages_carry_a_handle_and_nothing_of_the_request_and_changing_the_way_back_changes_nothing()
    {
        var client = await hub.AddClientAsync();
        using var browser = hub.Hub.NewBrowser();
        var customer = hub.Neighbours.NewCustomer();
        var page = await browser.GetAsync(client.AuthorizeUrl());
        var back = hub.SignInRequestOf(page).ReturnPath;
        foreach (var secret in new[] { client.RedirectUri, client.State, client.Nonce, client.Challenge, client.Id })
        {
            Assert.DoesNotContain(Uri.EscapeDataString(secret), page.RedirectsTo!.Query + back + page.Headers.GetValueOrDefault("Set-Cookie"), StringComparison.Ordinal);
        }
        hub.Neighbours.SignIn(browser, customer);
        var code = client.CodeOf(await browser.GetAsync(back + "&redirect_uri=https%3A%2F%2Fevil.example%2F&scope=openid%20email&client_id=other"));
        Assert.Equal("openid", TestTokens.Of(await client.RedeemAsync(code)).Scope);
    }

    [Fact]
    public async Task F24_F25_a_waiting_request_opens_again_until_it_is_completed_and_then_never()
    {
        var client = await hub.AddClientAsync();
        using var browser = hub.Hub.NewBrowser();
        var customer = hub.Neighbours.NewCustomer();
        var page = await browser.GetAsync(client.AuthorizeUrl());
        var back = hub.SignInRequestOf(page).ReturnPath;
        Assert.Equal("/signin", (await browser.GetAsync(back)).RedirectsTo?.AbsolutePath);
        client.CodeOf(await hub.SignInAtAsync(browser, page, customer));
        AssertErrorPage(await browser.GetAsync(back), "oidc.request_over");
    }

    [Fact]
    public async Task F25_a_waiting_request_expires()
    {
        var client = await hub.AddClientAsync();
        using var browser = hub.Hub.NewBrowser();
        var back = hub.SignInRequestOf(await browser.GetAsync(client.AuthorizeUrl())).ReturnPath;
        hub.Clock.Advance(TimeSpan.FromHours(1));
        AssertErrorPage(await browser.GetAsync(back), "oidc.request_over");
    }

    [Fact]
    public async Task O11_a_waiting_request_is_of_no_use_to_another_browser()
    {
        var client = await hub.AddClientAsync();
        using var attacker = hub.Hub.NewBrowser();
        var back = hub.SignInRequestOf(await attacker.GetAsync(client.AuthorizeUrl())).ReturnPath;
        var (victim, _, _) = hub.SignedIn();
        AssertErrorPage(await victim.GetAsync(back), "oidc.request_over");
        AssertErrorPage(await victim.GetAsync(back.Replace("/resume", "/deny", StringComparison.Ordinal)), "oidc.request_over");
    }

    [Fact]
    public async Task One_waiting_request_opened_by_fifty_tabs_at_once_gives_one_code()
    {
        var client = await hub.AddClientAsync();
        using var browser = hub.Hub.NewBrowser();
        var customer = hub.Neighbours.NewCustomer();
        var back = hub.SignInRequestOf(await browser.GetAsync(client.AuthorizeUrl())).ReturnPath;
        hub.Neighbours.SignIn(browser, customer);
        var pages = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => browser.GetAsync(back)));
        Assert.Single(pages, p => p.Status == HttpStatusCode.SeeOther);
        Assert.Equal(49, pages.Count(p => p.RefusalCode == "oidc.request_over"));
        Assert.Single(await hub.GrantsOfAsync(client));
    }

    [Fact]
    public async Task R10_a_standing_consent_means_no_page_and_without_one_the_sheet_comes_first()
    {
        var client = await hub.AddClientAsync(needsConsent: true, claims: ["name", "email"]);
        var (browser, customer, _) = hub.SignedIn();
        var page = await browser.GetAsync(client.AuthorizeUrl(("scope", "openid email")));
        Assert.Equal("/consent", page.RedirectsTo?.AbsolutePath);
        Assert.Equal("consent_required", client.ErrorOf(await browser.GetAsync(client.AuthorizeUrl(("scope", "openid email"), ("prompt", "none")))));
        hub.GiveConsent(client, customer, "name", "email");
        await hub.CodeAsync(client, browser, ("scope", "openid email"));
        await hub.CodeAsync(client, browser, ("scope", "openid email"), ("prompt", "none"));
    }

    [Fact]
    public async Task Prompt_consent_asks_although_a_consent_stands_and_takes_only_a_newer_yes()
    {
        var client = await hub.AddClientAsync(needsConsent: true, claims: ["name", "email"]);
        var (browser, customer, _) = hub.SignedIn();
        hub.GiveConsent(client, customer, "name", "email");
        hub.Clock.Advance(TimeSpan.FromSeconds(10));
        var page = await browser.GetAsync(client.AuthorizeUrl(("scope", "openid email"), ("prompt", "consent")));
        Assert.Equal("/consent", page.RedirectsTo?.AbsolutePath);
        // The way back without a new yes leads to the sheet again; with one, to the code.
        var handle = await HandleOfAsync(client, browser, ("scope", "openid email"), ("prompt", "consent"));
        Assert.Equal("/consent", (await browser.GetAsync(handle)).RedirectsTo?.AbsolutePath);
        hub.GiveConsent(client, customer, "name", "email");
        client.CodeOf(await browser.GetAsync(handle));
    }

    /// <summary>Where the consent sheet leads after a yes.</summary>
    private async Task<string> HandleOfAsync(TestClient client, TestBrowser browser, params (string Name, string? Value)[] changes)
    {
        var sheet = await browser.GetAsync(client.AuthorizeUrl(changes));
        var query = Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(sheet.RedirectsTo!.Query);
        Assert.True(hub.Hub.Services.GetRequiredService<SealedState>().TryOpen<SignInAsk>(SignInSheet.Use, query["ask"].ToString(), out var ask));
        return ask.ReturnPath;
    }

    [Fact]
    public async Task F03_a_customer_who_says_no_comes_back_with_access_denied()
    {
        var client = await hub.AddClientAsync();
        using var browser = hub.Hub.NewBrowser();
        var back = hub.SignInRequestOf(await browser.GetAsync(client.AuthorizeUrl())).ReturnPath;
        Assert.Equal("access_denied", client.ErrorOf(await browser.GetAsync(back.Replace("/resume", "/deny", StringComparison.Ordinal))));
        AssertErrorPage(await browser.GetAsync(back), "oidc.request_over");
    }

    [Fact]
    public async Task The_sign_in_page_learns_who_waits_and_the_plain_login_hint_and_a_waiting_request_is_stored_encrypted()
    {
        var client = await hub.AddClientAsync();
        using var browser = hub.Hub.NewBrowser();
        var asked = hub.SignInRequestOf(await browser.GetAsync(client.AuthorizeUrl(("login_hint", "aino@example.com"), ("ui_locales", "fi"))));
        Assert.Equal(("aino@example.com", "Kolari Auto", false), (asked.LoginHint, asked.For, asked.Again));
        Assert.Equal(["https://" + new Uri(client.RedirectUri).Host], asked.Onward);
        var rows = await hub.Hub.WithDbAsync<FederationDb, List<FrozenRequest>>(db => db.Set<FrozenRequest>().AsNoTracking().ToListAsync());
        Assert.All(rows, row => Assert.DoesNotContain("aino@example.com", System.Text.Encoding.UTF8.GetString(row.Sealed), StringComparison.Ordinal));
    }
}
