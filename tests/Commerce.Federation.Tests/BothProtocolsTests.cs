using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Commerce.Consent.Contracts;
using Commerce.Federation.Contracts;
using Commerce.Federation.Tests.OpenIdConnect;
using Commerce.Federation.Tests.Saml;
using Commerce.Kernel;
using Commerce.Profiles.Contracts;
using Commerce.Saml;
using Commerce.Testing;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Federation.Tests;

/// <summary>The same order hopped to an OIDC partner and to a SAML partner with the same contract: both receive the same.</summary>
public sealed class BothProtocolsTests(OidcHub hub) : IClassFixture<OidcHub>
{
    private const string AllScopes = "openid profile email phone address vehicle purchase";
    private static readonly string[] Claims = ["name", "email", "phone_number", "address", "locale", "vehicle", "purchase"];

    /// <summary>These differ by their nature: who the customer is for whom, and which yes and which hop it stands on.</summary>
    private static readonly string[] OwnToEach = ["sub", "consent_receipt", "hop"];

    [Fact]
    public async Task Both_protocols_carry_the_same_claims_value_by_value()
    {
        var (client, sp) = await PartnersAsync();
        var (browser, customer, _) = hub.SignedIn("Märta 민준 O'Hara-Åberg");
        hub.Neighbours.Purchases[(customer, SamlHub.Order.OrderNumber)] = SamlHub.Order;
        var (oidcReceipt, samlReceipt) = (hub.GiveConsent(client, customer, Claims).Receipt, Give(sp, customer).Receipt);

        // OpenID Connect: the hint that the hop carries, authorize, token, userinfo.
        var toPartner = await browser.GetAsync($"/hop/fitting-{client.Partner}?order={SamlHub.Order.OrderNumber}");
        var ticket = QueryHelpers.ParseQuery(toPartner.RedirectsTo!.Query)["login_hint"].ToString();
        var tokens = await hub.TokensAsync(client, browser, ("scope", AllScopes), ("login_hint", ticket));
        var oidc = (await hub.UserInfoJsonAsync(tokens.Access)).EnumerateObject().ToDictionary(c => c.Name, c => c.Value);

        // SAML: the ticket in the request, the response at the endpoint.
        toPartner = await browser.GetAsync($"/hop/fitting-{sp.Partner}?order={SamlHub.Order.OrderNumber}");
        ticket = QueryHelpers.ParseQuery(toPartner.RedirectsTo!.Query)["hop"].ToString();
        var request = sp.Request(new AuthnRequestOptions { HopTicket = ticket });
        var saml = ClaimsOf((await sp.ReceiveAsync(await browser.GetAsync(request.Url), request.Id)).Value);

        AssertSame(oidc, saml);
        Assert.Equal((oidcReceipt, samlReceipt), (oidc["consent_receipt"].GetString(), saml["consent_receipt"].GetString()));
        Assert.Equal(["id", "offer"], oidc["hop"].EnumerateObject().Select(m => m.Name));
        Assert.Equal(["id", "offer"], saml["hop"].EnumerateObject().Select(m => m.Name));
        foreach (var fact in new[] { "vehicle", "purchase" }) Assert.True(JsonElement.DeepEquals(tokens.IdClaims.GetProperty(fact), saml[fact]), fact);
        Assert.NotEqual(oidc["sub"].GetString(), saml["sub"].GetString());    // O21: two partners cannot join their customers
    }

    [Fact]
    public async Task A_sign_in_that_the_partner_starts_carries_the_same_claims_too_and_nothing_of_an_order()
    {
        var (client, sp) = await PartnersAsync();
        var (browser, customer, _) = hub.SignedIn();
        hub.GiveConsent(client, customer, Claims);
        Give(sp, customer);
        var tokens = await hub.TokensAsync(client, browser, ("scope", AllScopes));
        var oidc = (await hub.UserInfoJsonAsync(tokens.Access)).EnumerateObject().ToDictionary(c => c.Name, c => c.Value);
        var request = sp.Request();
        var saml = ClaimsOf((await sp.ReceiveAsync(await browser.GetAsync(request.Url), request.Id)).Value);
        AssertSame(oidc, saml);
        Assert.DoesNotContain("purchase", saml.Keys);
        Assert.DoesNotContain("vehicle", saml.Keys);
        Assert.DoesNotContain("hop", saml.Keys);
    }

    [Fact]
    public async Task What_left_is_told_anew_from_its_row_as_it_was_told_over_either_protocol_with_a_hop_and_without()
    {
        var (client, sp) = await PartnersAsync();
        var (browser, customer, _) = hub.SignedIn();
        hub.Neighbours.Purchases[(customer, SamlHub.Order.OrderNumber)] = SamlHub.Order;
        hub.GiveConsent(client, customer, Claims);
        Give(sp, customer);
        await hub.TokensAsync(client, browser, ("scope", AllScopes));
        await browser.GetAsync(sp.Request().Url);
        var toPartner = await browser.GetAsync($"/hop/fitting-{client.Partner}?order={SamlHub.Order.OrderNumber}");
        await hub.TokensAsync(client, browser, ("scope", AllScopes), ("login_hint", QueryHelpers.ParseQuery(toPartner.RedirectsTo!.Query)["login_hint"].ToString()));
        toPartner = await browser.GetAsync($"/hop/fitting-{sp.Partner}?order={SamlHub.Order.OrderNumber}");
        await browser.GetAsync(sp.Request(new AuthnRequestOptions { HopTicket = QueryHelpers.ParseQuery(toPartner.RedirectsTo!.Query)["hop"].ToString() }).Url);
        ClaimsReleased[] released = [];
        await Wait.UntilAsync(() => (released = [.. hub.Neighbours.Released.Where(r => r.Customer == customer)]).Length == 4, "the ledger was told of all four");

        Assert.Equal([("oidc", false), ("oidc", true), ("saml", false), ("saml", true)], released.Select(r => (r.Protocol, r.Hop is not null)).Order());
        var source = hub.Hub.Services.GetServices<IEventSource>().Single();
        foreach (var told in released)
        {
            var again = await source.TellAgainAsync(told.Release, told.At, TestContext.Current.CancellationToken);
            Assert.Equal(JsonSerializer.Serialize(told, HubJson.Options), JsonSerializer.Serialize((ClaimsReleased)again![0], HubJson.Options));
            var facts = again.Skip(1).Cast<TimelineFact>().ToList();
            Assert.Equal(told.Hop is null ? [] : ["released", "landed"], facts.Select(f => f.Kind));     // the timeline finds sign-ins in the ledger
            Assert.All(facts, f => Assert.Equal((customer, told.At, SamlHub.Order.OrderNumber, told.Hop), (f.Customer, f.At, f.OrderNumber, f.Hop)));
        }
        Assert.Null(await source.TellAgainAsync(Guid.NewGuid(), default, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task L02_S31_a_sign_out_that_a_relying_party_asks_for_goes_by_those_whom_only_the_browser_can_tell_and_then_to_its_return_address()
    {
        var (client, sp) = await PartnersAsync();
        var (browser, customer, session) = hub.SignedIn();
        hub.GiveConsent(client, customer, Claims);
        Give(sp, customer);
        var hint = (await hub.TokensAsync(client, browser)).Id!;
        var signIn = sp.Request();
        var assertion = (await sp.ReceiveAsync(await browser.GetAsync(signIn.Url), signIn.Id)).Value;

        var home = client.PostLogoutUri + "?state=a%26b";
        var page = await browser.GetAsync(QueryHelpers.AddQueryString("/connect/logout",
            new Dictionary<string, string?> { ["id_token_hint"] = hint, ["post_logout_redirect_uri"] = client.PostLogoutUri, ["state"] = "a&b" }));
        Assert.False(hub.Neighbours.Sessions.ContainsKey(session));
        Assert.Contains(home, Links(page));

        // An answer that says no leaves both links; the one that says yes leads home.
        var there = await browser.GetAsync(Links(page).Single(l => l.StartsWith("/saml/slo/tell", StringComparison.Ordinal)));
        var request = RedirectBinding.Read(new Uri(there.Headers["Location"]).Query).Then(SingleLogout.Read).Then(m => sp.Slo.ValidateRequest(m, LogoutPeer.Of(sp.Hub))).Value;
        Assert.Equal(assertion.SessionIndex, request.SessionIndexes.Single());
        string Answer(SamlStatus status) => sp.Slo.CreateResponse(LogoutPeer.Of(sp.Hub), SamlBindings.HttpRedirect, request.Id, status, request.RelayState).Value.Url!;
        var denied = await browser.GetAsync(Answer(SamlStatus.RequestDenied));
        Assert.Contains(home, Links(denied));
        Assert.Contains(Links(denied), l => l.StartsWith("/saml/slo/tell", StringComparison.Ordinal));
        Assert.Equal(home, (await browser.GetAsync(Answer(SamlStatus.Success))).Headers["Location"]);

        // The link of the page before leads there as well, now that nobody is left to be told.
        Assert.Equal(home, (await browser.GetAsync(Links(page).Single(l => l.StartsWith("/saml/slo/tell", StringComparison.Ordinal)))).Headers["Location"]);
    }

    private static List<string> Links(TestPage page) =>
        [.. Regex.Matches(page.Body, "<a [^>]*href=\"([^\"]+)\"").Select(m => WebUtility.HtmlDecode(m.Groups[1].Value))];

    private static void AssertSame(Dictionary<string, JsonElement> oidc, Dictionary<string, JsonElement> saml)
    {
        Assert.Equal(oidc.Keys.Order(StringComparer.Ordinal), saml.Keys.Order(StringComparer.Ordinal));
        foreach (var (name, value) in oidc.Where(c => !OwnToEach.Contains(c.Key)))
            Assert.True(JsonElement.DeepEquals(value, saml[name]), $"{name}: {value.GetRawText()} by OpenID Connect, {saml[name].GetRawText()} by SAML");
    }

    private static Dictionary<string, JsonElement> ClaimsOf(ValidatedAssertion assertion)
    {
        var claims = assertion.Attributes.ToDictionary(a => ClaimNames.ToClaim(a.Name)!, a => ClaimNames.ToValue(ClaimNames.ToClaim(a.Name)!, a.Values).Value);
        claims["sub"] = JsonSerializer.SerializeToElement(assertion.Name.Value);
        return claims;
    }

    private async Task<(TestClient Client, TestServiceProvider Sp)> PartnersAsync()
    {
        var client = await hub.AddClientAsync(c => c with { InitiateLoginUri = "https://fuel.example/hop" }, needsConsent: true, claims: Claims);
        await using var metadata = await hub.Hub.Http.GetStreamAsync("/saml/metadata");
        using var copy = new MemoryStream();
        await metadata.CopyToAsync(copy);
        copy.Position = 0;
        var sp = new TestServiceProvider(hub.Clock, requestInitiator: "https://fitter.example/saml/login", slo: true) { Hub = IdpMetadataReader.Read(copy, null, requireHttps: false, hub.Clock).Value };
        var contract = JsonSerializer.Serialize(new
        {
            partner = sp.Partner, version = 1,
            purposes = new[]
            {
                new
                {
                    id = "book-fitting", retention_days = 90, legal_basis = "consent", texts = new { en = "Book a fitting" },
                    claims = Claims.Select(c => new { name = c, required = true, reason = "to book" }),
                },
            },
        });
        Assert.True((await hub.Hub.AskAsync(new AddSamlPartner(sp.Metadata(), null, contract))).IsOk);
        foreach (var partner in new[] { client.Partner, sp.Partner })
        {
            var offer = Documents.Offer(o => (o["id"], o["partner"]) = ($"fitting-{partner}", partner));
            var put = await hub.Hub.AskAsync(new PutOffer(offer));
            Assert.True(put.IsOk, put.Refusal?.Errors?.FirstOrDefault()?.Message);
        }
        return (client, sp);
    }

    private ConsentRecord Give(TestServiceProvider sp, Guid customer) => hub.Neighbours.Give(new GiveConsent(
        customer, sp.Partner, "Fitter", "book-fitting", 1, "Book a fitting", "en", "consent", 90, null, [.. Claims.Select(c => new ConsentedClaim(c, true, "to book"))], []));
}
