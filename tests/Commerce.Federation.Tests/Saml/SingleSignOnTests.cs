using System.Net;
using System.Text;
using System.Xml;
using Commerce.Federation.Data;
using Commerce.Federation.Saml;
using Commerce.Kernel;
using Commerce.Saml;
using Commerce.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Federation.Tests.Saml;

/// <summary>The way of a request: by either binding, through sign-in and consent sheet, to the answer. Rows S01 and S25 of docs/security.md.</summary>
public sealed class SingleSignOnTests(SamlHub saml) : IClassFixture<SamlHub>
{
    [Fact]
    public async Task S01_a_request_by_redirect_is_answered_by_post()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name", "email"]);
        var (browser, _, _) = saml.SignedIn();
        var request = sp.Request(new AuthnRequestOptions { RelayState = "r1" });

        var page = await SamlHub.SendAsync(browser, request.Url);

        var assertion = (await sp.ReceiveAsync(page, request.Id)).Value;
        Assert.Equal("r1", assertion.RelayState);
        Assert.Equal(["aino.virtanen@example.com"], assertion.Values("urn:oid:0.9.2342.19200300.100.1.3"));
        Assert.Equal("no-store, no-cache", page.Headers["Cache-Control"]);
        Assert.Contains($"script-src {PostForm.ScriptHash}", page.Headers["Content-Security-Policy"], StringComparison.Ordinal);
        Assert.Contains("<button type=\"submit\">Continue</button>", page.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task S01_a_request_by_post_is_answered_by_post()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        const string Id = "_posted";

        var redirect = await browser.PostAsync("/saml/sso", TestServiceProvider.Post(TestServiceProvider.Sign(sp.RequestXml(id: Id)), "r2"));
        Assert.Equal(HttpStatusCode.SeeOther, redirect.Status);

        var assertion = (await sp.ReceiveAsync(await browser.FollowAsync(redirect), Id)).Value;
        Assert.Equal("r2", assertion.RelayState);
    }

    [Fact]
    public async Task A_request_by_post_needs_no_cookie_until_the_browser_has_been_led_to_a_page_of_our_own()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();

        // What the browser does with a Lax cookie when another site posts: it leaves it at home.
        using var withoutCookies = new HttpRequestMessage(HttpMethod.Post, "/saml/sso")
        {
            Content = new FormUrlEncodedContent(TestServiceProvider.Post(TestServiceProvider.Sign(sp.RequestXml(id: "_lax")))),
        };
        using var answer = await saml.Hub.Http.SendAsync(withoutCookies, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        Assert.StartsWith("/saml/sso/resume?handle=", answer.Headers.Location!.OriginalString, StringComparison.Ordinal);

        Assert.True((await sp.ReceiveAsync(await browser.GetAsync(answer.Headers.Location.OriginalString), "_lax")).IsSuccess);
    }

    [Fact]
    public async Task A_customer_who_is_not_signed_in_signs_in_first_and_lands_with_the_same_request()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        using var browser = saml.Hub.NewBrowser();
        var request = sp.Request(new AuthnRequestOptions { RelayState = "deep/link?a=b&c=d" });

        var toSignIn = await browser.GetAsync(request.Url);
        Assert.Equal(HttpStatusCode.SeeOther, toSignIn.Status);
        var page = await saml.SignInAtAsync(browser, toSignIn, saml.Neighbours.NewCustomer());

        Assert.Equal("deep/link?a=b&c=d", (await sp.ReceiveAsync(page, request.Id)).Value.RelayState);
    }

    [Fact]
    public async Task The_handle_is_stored_hashed_and_opens_nothing_after_the_answer()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        using var browser = saml.Hub.NewBrowser();
        var toSignIn = await browser.GetAsync(sp.Request(new AuthnRequestOptions { RelayState = "secret-of-the-partner" }).Url);
        var path = saml.ReturnPathOf(toSignIn);
        var row = Assert.Single(await saml.RequestsAsync(sp));
        Assert.Equal(Token.Hash(path["/saml/sso/resume?handle=".Length..]), row.HandleHash);
        Assert.DoesNotContain("secret-of-the-partner", Encoding.UTF8.GetString(row.Frozen), StringComparison.Ordinal);

        Assert.Single((await saml.SignInAtAsync(browser, toSignIn, saml.Neighbours.NewCustomer())).Forms());
        saml.AssertRefused(await browser.GetAsync(path), FaultCodes.Replayed);
        Assert.Empty(Assert.Single(await saml.RequestsAsync(sp)).Frozen);
    }

    [Fact]
    public async Task A_handle_older_than_an_hour_opens_nothing_and_is_swept()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        using var browser = saml.Hub.NewBrowser();
        var path = saml.ReturnPathOf(await browser.GetAsync(sp.Request().Url));
        saml.Clock.Advance(TimeSpan.FromMinutes(61));
        saml.AssertRefused(await browser.GetAsync(path), FaultCodes.Replayed);
        await SweepSamlRequests.SweepAsync(saml.Hub.Services.GetRequiredService<HotStore<FederationDb>>(), saml.Clock.GetUtcNow(), default);
        Assert.Empty(await saml.RequestsAsync(sp));
    }

    [Fact]
    public async Task The_same_request_opened_twice_before_sign_in_still_lands_once()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        using var browser = saml.Hub.NewBrowser();
        var request = sp.Request();
        await browser.GetAsync(request.Url);
        var again = await browser.GetAsync(request.Url);
        Assert.True((await sp.ReceiveAsync(await saml.SignInAtAsync(browser, again, saml.Neighbours.NewCustomer()), request.Id)).IsSuccess);
        saml.AssertRefused(await browser.GetAsync(request.Url), FaultCodes.Replayed);
    }

    [Fact]
    public async Task A_customer_is_asked_where_consent_is_needed_and_lands_after_the_yes()
    {
        var sp = await saml.AddPartnerAsync(needsConsent: true, claims: ["name"]);
        var (browser, customer, _) = saml.SignedIn();
        var request = sp.Request();
        var toSheet = await browser.GetAsync(request.Url);
        Assert.Equal(HttpStatusCode.SeeOther, toSheet.Status);
        Assert.Equal("/consent", toSheet.RedirectsTo!.AbsolutePath);
        Assert.Equal(0, await saml.ReleasesAsync(sp));

        var consent = saml.Neighbours.Give(new Consent.Contracts.GiveConsent(customer, sp.Partner, "Fitter", "book-fitting", 1, "Book", "en", "consent", 90, null,
            [new Consent.Contracts.ConsentedClaim("name", true, "to book")], []));
        var assertion = (await sp.ReceiveAsync(await browser.GetAsync(request.Url), request.Id)).Value;
        Assert.Equal([consent.Receipt], assertion.Values("urn:commerce:claim:consent_receipt"));
    }

    [Fact]
    public async Task S25_a_no_on_the_sheet_is_told_to_the_partner_and_uses_the_request_up()
    {
        var sp = await saml.AddPartnerAsync(needsConsent: true, claims: ["name"]);
        using var browser = saml.Hub.NewBrowser();
        var request = sp.Request(new AuthnRequestOptions { RelayState = "back" });
        var handle = saml.ReturnPathOf(await browser.GetAsync(request.Url))["/saml/sso/resume?handle=".Length..];
        saml.Neighbours.SignIn(browser, saml.Neighbours.NewCustomer());

        var page = await browser.GetAsync("/saml/sso/denied?handle=" + handle);
        SamlHub.AssertStatus(page, sp, Commerce.Saml.StatusCodes.RequestDenied);
        Assert.Contains(page.Forms().Single().Hidden, f => f is { Key: "RelayState", Value: "back" });
        saml.AssertRefused(await browser.GetAsync("/saml/sso/resume?handle=" + handle), FaultCodes.Replayed);
        Assert.Equal(0, await saml.ReleasesAsync(sp));
    }

    [Fact]
    public async Task A_session_that_ended_leads_to_the_sign_in_page()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, customer, _) = saml.SignedIn();
        saml.Neighbours.Accounts[customer] = saml.Neighbours.Accounts[customer] with { IsLocked = true };    // the cookie still reads, the gate does not open
        Assert.Equal("/signin", (await browser.GetAsync(sp.Request().Url)).RedirectsTo!.AbsolutePath);
        Assert.Equal(0, await saml.ReleasesAsync(sp));
    }
}
