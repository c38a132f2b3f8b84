using System.Text.Json;
using Commerce.Federation.Contracts;
using Commerce.Federation.Data;
using Commerce.Federation.Hops;
using Commerce.Kernel;
using Commerce.Saml;
using Commerce.Testing;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.Tests.Saml;

/// <summary>Hops over SAML: by a request that carries the ticket, by the one hop that waits in this browser, and by an unsolicited response.</summary>
public sealed class HopTests(SamlHub saml) : IClassFixture<SamlHub>
{
    private static readonly string[] Claims = ["name", "email", "vehicle", "purchase"];

    private Task<TestServiceProvider> PartnerAsync(string? requestInitiator = "https://fitter.example/saml/login") =>
        saml.AddPartnerAsync(needsConsent: true, requestInitiator: requestInitiator, claims: Claims);

    private Task<HopState> StateOfAsync(Guid hop) => saml.Hub.WithDbAsync<FederationDb, HopState>(db => db.Hops.Where(h => h.Id == hop).Select(h => h.State).SingleAsync());

    private static JsonElement Claim(ValidatedAssertion assertion, string claim) =>
        ClaimNames.ToValue(claim, assertion.Values(ClaimNames.ToAttribute(claim).Name)).Value;

    [Fact]
    public async Task A_ticket_in_the_request_brings_the_claims_of_its_hop()
    {
        var sp = await PartnerAsync();
        var (browser, customer, session) = saml.SignedIn();
        var (ticket, hop) = await saml.StartHopAsync(sp, customer, session, Claims);
        var request = sp.Request(new AuthnRequestOptions { HopTicket = ticket, AllowCreate = false });

        var assertion = (await sp.ReceiveAsync(await browser.GetAsync(request.Url), request.Id)).Value;

        Assert.Equal("ABC-123", Claim(assertion, "vehicle").GetProperty("registration").GetString());
        var purchase = Claim(assertion, "purchase");
        Assert.Equal("NT-2026-000123", purchase.GetProperty("order_number").GetString());
        Assert.Equal("NT-WT-2055516", Assert.Single(purchase.GetProperty("lines").EnumerateArray()).GetProperty("sku").GetString());    // never the floor mats
        Assert.Equal((hop.ToString("D"), "tire-fitting"), (Claim(assertion, "hop").GetProperty("id").GetString(), Claim(assertion, "hop").GetProperty("offer").GetString()));
        Assert.Equal(saml.Neighbours.Consents.Values.Single(c => c.Customer == customer).Receipt, Claim(assertion, "consent_receipt").GetString());
        Assert.Equal(HopState.Landed, await StateOfAsync(hop));
    }

    [Fact]
    public async Task A_request_by_post_carries_a_ticket_too_and_the_ticket_is_not_kept_in_clear()
    {
        var sp = await PartnerAsync();
        var (browser, customer, session) = saml.SignedIn();
        var (ticket, _) = await saml.StartHopAsync(sp, customer, session, Claims);
        var xml = TestServiceProvider.Sign(sp.RequestXml(id: "_hop", children: Extension(ticket)));

        var redirect = await browser.PostAsync("/saml/sso", TestServiceProvider.Post(xml));
        var row = Assert.Single(await saml.RequestsAsync(sp));
        Assert.DoesNotContain(ticket, System.Text.Encoding.UTF8.GetString(row.Frozen), StringComparison.Ordinal);
        Assert.True((await sp.ReceiveAsync(await browser.FollowAsync(redirect), "_hop")).IsSuccess);
    }

    private static string Extension(string ticket) => $"<samlp:Extensions><h:HopTicket xmlns:h=\"{SamlNamespaces.Hop}\">{ticket}</h:HopTicket></samlp:Extensions>";

    [Fact]
    public async Task A_partner_that_cannot_carry_the_ticket_gets_the_hop_that_waits_in_this_browser_once()
    {
        var sp = await PartnerAsync();
        var (browser, customer, _) = saml.SignedIn();
        saml.Agree(sp, customer, Claims);
        saml.Neighbours.Purchases[(customer, SamlHub.Order.OrderNumber)] = SamlHub.Order;
        var offer = $"fitting-{Guid.NewGuid():N}";
        Assert.True((await saml.Hub.AskAsync(new PutOffer(Documents.Offer(o => (o["id"], o["partner"]) = (offer, sp.Partner))))).IsOk);
        var onward = await browser.GetAsync($"/hop/{offer}?order={SamlHub.Order.OrderNumber}");
        Assert.Equal("/saml/login", onward.RedirectsTo?.AbsolutePath);
        var (first, second) = (sp.Request(), sp.Request());
        Assert.Equal(offer, Claim((await sp.ReceiveAsync(await browser.GetAsync(first.Url), first.Id)).Value, "hop").GetProperty("offer").GetString());

        // The second sign-in is an ordinary one: nothing of an order leaves with it.
        var plain = (await sp.ReceiveAsync(await browser.GetAsync(second.Url), second.Id)).Value;
        Assert.Equal(["Aino Virtanen"], plain.Values(ClaimNames.ToAttribute("name").Name));
        Assert.Empty(plain.Values(ClaimNames.ToAttribute("hop").Name));
        Assert.Empty(plain.Values(ClaimNames.ToAttribute("purchase").Name));
        Assert.Empty(plain.Values(ClaimNames.ToAttribute("vehicle").Name));
    }

    [Fact]
    public async Task A_ticket_that_was_used_is_denied_and_never_turned_into_an_ordinary_sign_in()
    {
        var sp = await PartnerAsync();
        var (browser, customer, session) = saml.SignedIn();
        var (ticket, _) = await saml.StartHopAsync(sp, customer, session, Claims);
        Assert.Single((await browser.GetAsync(sp.Request(new AuthnRequestOptions { HopTicket = ticket }).Url)).Forms());
        SamlHub.AssertStatus(await browser.GetAsync(sp.Request(new AuthnRequestOptions { HopTicket = ticket }).Url), sp, StatusCodes.RequestDenied);
        Assert.Equal(1, await saml.Hub.WithDbAsync<FederationDb, int>(db => db.Releases.CountAsync(r => r.Connection == sp.EntityId)));
    }

    [Fact]
    public async Task A_ticket_that_is_unknown_expired_of_another_partner_customer_or_browser_is_denied_and_stays_good_for_its_owner()
    {
        var (sp, other) = (await PartnerAsync(), await PartnerAsync());
        var (browser, customer, session) = saml.SignedIn();
        var (ticket, hop) = await saml.StartHopAsync(sp, customer, session, Claims);

        SamlHub.AssertStatus(await browser.GetAsync(sp.Request(new AuthnRequestOptions { HopTicket = Token.New() }).Url), sp, StatusCodes.RequestDenied);
        SamlHub.AssertStatus(await browser.GetAsync(other.Request(new AuthnRequestOptions { HopTicket = ticket }).Url), other, StatusCodes.RequestDenied);
        var (stranger, _, _) = saml.SignedIn("Bo Ek");
        SamlHub.AssertStatus(await stranger.GetAsync(sp.Request(new AuthnRequestOptions { HopTicket = ticket }).Url), sp, StatusCodes.RequestDenied);
        using var phone = saml.Hub.NewBrowser();
        saml.Neighbours.SignIn(phone, customer);
        SamlHub.AssertStatus(await phone.GetAsync(sp.Request(new AuthnRequestOptions { HopTicket = ticket }).Url), sp, StatusCodes.RequestDenied);
        using var nobody = saml.Hub.NewBrowser();
        SamlHub.AssertStatus(await nobody.GetAsync(sp.Request(new AuthnRequestOptions { HopTicket = ticket }).Url), sp, StatusCodes.AuthnFailed);

        Assert.Equal(HopState.Sent, await StateOfAsync(hop));
        Assert.Single((await browser.GetAsync(sp.Request(new AuthnRequestOptions { HopTicket = ticket }).Url)).Forms());

        var (late, _) = await saml.StartHopAsync(sp, customer, session, Claims);
        saml.Clock.Advance(Hop.TicketLifetime);
        SamlHub.AssertStatus(await browser.GetAsync(sp.Request(new AuthnRequestOptions { HopTicket = late }).Url), sp, StatusCodes.RequestDenied);
    }

    [Fact]
    public async Task A_consent_withdrawn_between_the_yes_and_the_landing_lets_nothing_leave()
    {
        var sp = await PartnerAsync();
        var (browser, customer, session) = saml.SignedIn();
        var (ticket, hop) = await saml.StartHopAsync(sp, customer, session, Claims);
        saml.Neighbours.Consents.TryRemove(saml.Neighbours.Consents.Values.Single(c => c.Customer == customer).Receipt, out _);
        SamlHub.AssertStatus(await browser.GetAsync(sp.Request(new AuthnRequestOptions { HopTicket = ticket }).Url), sp, StatusCodes.RequestDenied);
        Assert.NotEqual(HopState.Landed, await StateOfAsync(hop));
    }

    [Fact]
    public async Task Of_ten_requests_that_bring_one_ticket_at_once_one_lands()
    {
        var sp = await PartnerAsync();
        var (browser, customer, session) = saml.SignedIn();
        var (ticket, _) = await saml.StartHopAsync(sp, customer, session, Claims);
        var requests = Enumerable.Range(0, 10).Select(_ => sp.Request(new AuthnRequestOptions { HopTicket = ticket })).ToList();
        var pages = await Task.WhenAll(requests.Select(r => browser.GetAsync(r.Url)));
        var landed = 0;
        for (var i = 0; i < pages.Length; i++)
        {
            if (pages[i].Forms().Count == 1 && (await sp.ReceiveAsync(pages[i], requests[i].Id)).IsSuccess) landed++;
        }
        Assert.Equal(1, landed);
    }

    [Fact]
    public async Task An_unsolicited_response_is_bound_to_the_one_time_hop()
    {
        var sp = await PartnerAsync(requestInitiator: null);
        var (browser, customer, session) = saml.SignedIn();
        var (ticket, hop) = await saml.StartHopAsync(sp, customer, session, Claims);

        var page = await browser.GetAsync("/saml/hop?ticket=" + ticket);
        var response = SamlHub.ResponseOf(page).DocumentElement!;
        Assert.False(response.HasAttribute("InResponseTo"));                                            // S19
        Assert.Empty(response.SelectNodes("//*[@InResponseTo]")!.Cast<System.Xml.XmlNode>());
        var assertion = (await sp.ReceiveAsync(page, null)).Value;
        Assert.Equal(hop.ToString("D"), Claim(assertion, "hop").GetProperty("id").GetString());

        saml.AssertRefused(await browser.GetAsync("/saml/hop?ticket=" + ticket), Refusals.TicketInvalid.Code);
        Assert.Equal(HopState.Landed, await StateOfAsync(hop));
    }

    [Fact]
    public async Task No_unsolicited_response_leaves_without_the_ticket_its_customer_and_its_browser()
    {
        var sp = await PartnerAsync(requestInitiator: null);
        var (browser, customer, session) = saml.SignedIn();
        var (ticket, hop) = await saml.StartHopAsync(sp, customer, session, Claims);
        var path = "/saml/hop?ticket=" + ticket;
        using var nobody = saml.Hub.NewBrowser();
        saml.AssertRefused(await nobody.GetAsync(path), Refusals.SessionOver.Code);
        var (stranger, _, _) = saml.SignedIn("Bo Ek");
        saml.AssertRefused(await stranger.GetAsync(path), Refusals.TicketInvalid.Code);
        using var phone = saml.Hub.NewBrowser();
        saml.Neighbours.SignIn(phone, customer);
        saml.AssertRefused(await phone.GetAsync(path), Refusals.TicketInvalid.Code);
        saml.AssertRefused(await browser.GetAsync("/saml/hop"), Refusals.TicketInvalid.Code);
        saml.AssertRefused(await browser.GetAsync("/saml/hop?ticket=" + new string('a', 5000)), Refusals.TicketInvalid.Code);
        Assert.Equal(System.Net.HttpStatusCode.MethodNotAllowed, (await browser.SendAsync(new HttpRequestMessage(HttpMethod.Head, path))).Status);   // K02
        Assert.Equal(HopState.Sent, await StateOfAsync(hop));
    }

    [Fact]
    public async Task A_service_provider_that_can_start_the_sign_in_itself_gets_no_unsolicited_response()
    {
        var sp = await PartnerAsync();
        var (browser, customer, session) = saml.SignedIn();
        var (ticket, hop) = await saml.StartHopAsync(sp, customer, session, Claims);
        saml.AssertRefused(await browser.GetAsync("/saml/hop?ticket=" + ticket), FaultCodes.InResponseToInvalid);
        Assert.Equal(HopState.Sent, await StateOfAsync(hop));
    }

    [Fact]
    public async Task What_left_is_on_record_in_the_transaction_that_let_it_leave()
    {
        var sp = await PartnerAsync();
        var (browser, customer, session) = saml.SignedIn();
        var (ticket, hop) = await saml.StartHopAsync(sp, customer, session, Claims);
        await browser.GetAsync(sp.Request(new AuthnRequestOptions { HopTicket = ticket }).Url);
        await Wait.UntilAsync(() => saml.Neighbours.Released.Any(r => r.Customer == customer), "the ledger was told");
        var release = Assert.Single(saml.Neighbours.Released, r => r.Customer == customer);
        Assert.Equal(("saml", hop.ToString("D"), sp.EntityId), (release.Protocol, release.Hop, release.Connection));
        Assert.Contains("purchase", release.Claims);
    }

    [Fact]
    public async Task S33_a_hop_to_a_partner_whose_metadata_ran_out_is_refused_and_its_ticket_stays()
    {
        var until = saml.Clock.GetUtcNow().AddMinutes(1);
        var sp = await saml.AddPartnerAsync(needsConsent: true, requestInitiator: null, claims: Claims,
            editMetadata: xml => xml.Replace(" entityID=", $" validUntil=\"{until:yyyy-MM-ddTHH:mm:ssZ}\" entityID=", StringComparison.Ordinal));
        var (browser, customer, session) = saml.SignedIn();
        var (ticket, hop) = await saml.StartHopAsync(sp, customer, session, Claims);
        saml.Clock.Advance(TimeSpan.FromMinutes(1));
        saml.AssertRefused(await browser.GetAsync("/saml/hop?ticket=" + ticket), Refusals.PartnerOff.Code);
        Assert.Equal(HopState.Sent, await StateOfAsync(hop));
    }

    [Theory]
    [InlineData("partner")]
    [InlineData("removed")]
    public async Task X20_a_partner_that_is_switched_off_or_removed_is_served_on_no_path(string how)
    {
        var (sp, silent) = (await PartnerAsync(), await PartnerAsync(requestInitiator: null));
        var (browser, customer, session) = saml.SignedIn();
        using var other = saml.Hub.NewBrowser();
        var kept = saml.ReturnPathOf(await other.GetAsync(sp.Request().Url));
        var (ticket, hop) = await saml.StartHopAsync(sp, customer, session, Claims);
        var (silentTicket, silentHop) = await saml.StartHopAsync(silent, customer, session, Claims);
        foreach (var partner in new[] { sp.Partner, silent.Partner })
        {
            Assert.True((how == "partner" ? await saml.Hub.AskAsync(new SwitchPartner(partner, false)) : await saml.Hub.AskAsync(new RemovePartner(partner))).IsOk);
        }

        saml.Neighbours.SignIn(other, customer);
        var off = how == "partner" ? Refusals.PartnerOff.Code : FaultCodes.IssuerInvalid;
        foreach (var (page, code) in new[]
        {
            (await browser.GetAsync(sp.Request().Url), off),
            (await browser.GetAsync(sp.Request(new AuthnRequestOptions { HopTicket = ticket }).Url), off),
            (await saml.PostAsync(browser, TestServiceProvider.Post(TestServiceProvider.Sign(sp.RequestXml()))), off),
            (await other.GetAsync(kept), Refusals.PartnerOff.Code),
            (await other.GetAsync(kept.Replace("resume", "denied", StringComparison.Ordinal)), Refusals.PartnerOff.Code),
            (await browser.GetAsync("/saml/hop?ticket=" + silentTicket), Refusals.TicketInvalid.Code),
        })
        {
            saml.AssertRefused(page, code);
        }
        if (how == "partner")
        {
            Assert.Equal(HopState.Sent, await StateOfAsync(hop));
            Assert.Equal(HopState.Sent, await StateOfAsync(silentHop));
        }
    }
}
