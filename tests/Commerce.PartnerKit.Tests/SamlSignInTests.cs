using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Commerce.Saml;
using Commerce.Testing;

namespace Commerce.PartnerKit.Tests;

public sealed class SamlSignInTests
{
    private static async Task<ValidatedAuthnRequest> StartAsync(FakeSamlHub hub, PartnerSite site, TestBrowser browser, string start = "/signin/commerce?return=/book")
    {
        var challenge = await browser.GetAsync(start);
        Assert.Equal(HttpStatusCode.SeeOther, challenge.Status);
        return await hub.ReadAsync(challenge.RedirectsTo!, site);
    }

    private static Task<TestPage> PostAsync(TestBrowser browser, PostForm form) => browser.PostAsync(form.Target, form.Fields);

    private static async Task<TestPage> LandAsync(TestBrowser browser, PostForm form)
    {
        var posted = await PostAsync(browser, form);
        return posted.RedirectsTo is { } arrived ? await browser.GetAsync(arrived.PathAndQuery) : posted;
    }

    [Fact]
    public async Task A_customer_signs_in_and_lands_where_they_wanted()
    {
        await using var hub = await FakeSamlHub.StartAsync();
        await using var site = await hub.SiteAsync();
        using var browser = site.NewBrowser();
        var request = await StartAsync(hub, site, browser);
        var landed = await LandAsync(browser, hub.Respond(request));
        Assert.Equal(HttpStatusCode.SeeOther, landed.Status);
        Assert.Equal("/book", landed.RedirectsTo!.PathAndQuery);
        Assert.Equal("hop-1", (await browser.GetAsync("/book")).Body);
        Assert.Equal(FakeSamlHub.Subject, await browser.WhoAsync());
    }

    [Fact]
    public async Task Both_protocols_bring_the_same_customer_value_by_value()
    {
        await using var samlHub = await FakeSamlHub.StartAsync();
        await using var samlSite = await samlHub.SiteAsync();
        using var saml = samlSite.NewBrowser();
        await LandAsync(saml, samlHub.Respond(await StartAsync(samlHub, samlSite, saml)));

        await using var oidcHub = await FakeOidcHub.StartAsync();
        await using var oidcSite = await PartnerSite.StartAsync(o => (o.Hub, o.ClientId, o.ClientSecret) = (oidcHub.Url, FakeOidcHub.ClientId, "secret"));
        using var oidc = oidcSite.NewBrowser();
        await oidc.GetAsync(oidcHub.Callback((await oidc.GetAsync("/signin/commerce")).RedirectsTo!));

        var (first, second) = ((await saml.GetAsync("/who")).Body, (await oidc.GetAsync("/who")).Body);
        Assert.Contains("Winter tire", first, StringComparison.Ordinal);
        Assert.Equal(first, second);
    }

    [Fact]
    public async Task A_hop_carries_its_ticket_in_the_request()
    {
        await using var hub = await FakeSamlHub.StartAsync();
        await using var site = await hub.SiteAsync();
        using var browser = site.NewBrowser();
        var request = await StartAsync(hub, site, browser,
            $"/signin/hop?entityID={Uri.EscapeDataString(hub.EntityId)}&target={Uri.EscapeDataString(site.Url + "/book")}&hop=ticket-1");
        Assert.Equal("ticket-1", request.HopTicket);
        Assert.InRange(request.RelayState!.Length, 1, 80);
        Assert.Null(await browser.WhoAsync());
        Assert.Equal("/book", (await LandAsync(browser, hub.Respond(request))).RedirectsTo!.PathAndQuery);
    }

    [Fact]
    public async Task The_metadata_names_the_endpoints_and_the_request_initiator()
    {
        await using var hub = await FakeSamlHub.StartAsync();
        await using var site = await hub.SiteAsync(o => o.DisplayNames["en"] = "Kolari Auto");
        var described = await hub.ServiceProviderAsync(site);
        Assert.Equal(site.Url + "/saml/metadata", described.EntityId);
        Assert.Equal(site.Url + "/saml/acs", described.DefaultAssertionConsumerService()!.Location);
        Assert.Equal(site.Url + "/signin/hop", described.RequestInitiatorUrl);
        Assert.Equal("Kolari Auto", described.DisplayNames["en"]);
        Assert.False(described.AuthnRequestsSigned);
    }

    [Fact]
    public async Task With_a_key_the_request_is_signed_and_the_metadata_says_so()
    {
        await using var hub = await FakeSamlHub.StartAsync();
        using var rsa = RSA.Create(2048);
        using var certificate = SigningKey.SelfSigned(rsa, "partner", DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddYears(1));
        await using var site = await hub.SiteAsync(o => o.SamlSigningKey = new SigningKey(rsa, certificate));
        using var browser = site.NewBrowser();
        Assert.True((await hub.ServiceProviderAsync(site)).AuthnRequestsSigned);
        Assert.True((await StartAsync(hub, site, browser)).IsSigned);
    }

    [Fact]
    public async Task O11_a_response_planted_in_another_browser_signs_nobody_in()
    {
        await using var hub = await FakeSamlHub.StartAsync();
        await using var site = await hub.SiteAsync();
        using var attacker = site.NewBrowser();
        using var victim = site.NewBrowser();
        var form = hub.Respond(await StartAsync(hub, site, attacker));
        Assert.Equal(HttpStatusCode.BadRequest, (await LandAsync(victim, form)).Status);
        Assert.Null(await victim.WhoAsync());
        Assert.Null(await attacker.WhoAsync());
    }

    [Fact]
    public async Task O18_a_victim_with_a_sign_in_of_their_own_is_not_fooled_either()
    {
        await using var hub = await FakeSamlHub.StartAsync();
        await using var site = await hub.SiteAsync();
        using var attacker = site.NewBrowser();
        using var victim = site.NewBrowser();
        await StartAsync(hub, site, victim);
        var posted = await PostAsync(attacker, hub.Respond(await StartAsync(hub, site, attacker)));
        Assert.Equal(HttpStatusCode.BadRequest, (await victim.GetAsync(posted.RedirectsTo!.PathAndQuery)).Status);
        Assert.Null(await victim.WhoAsync());
    }

    [Fact]
    public async Task X18_a_response_posted_twice_signs_in_once()
    {
        await using var hub = await FakeSamlHub.StartAsync();
        await using var site = await hub.SiteAsync();
        using var browser = site.NewBrowser();
        var form = hub.Respond(await StartAsync(hub, site, browser));
        var first = await PostAsync(browser, form);
        Assert.Equal(HttpStatusCode.SeeOther, first.Status);
        Assert.Null((await PostAsync(browser, form)).RedirectsTo);
        Assert.Equal(HttpStatusCode.SeeOther, (await browser.GetAsync(first.RedirectsTo!.PathAndQuery)).Status);
        Assert.Null((await browser.GetAsync(first.RedirectsTo!.PathAndQuery)).RedirectsTo);    // the handle is used up too
    }

    [Fact]
    public async Task Two_tabs_can_sign_in_side_by_side()
    {
        await using var hub = await FakeSamlHub.StartAsync();
        await using var site = await hub.SiteAsync();
        using var browser = site.NewBrowser();
        var first = await StartAsync(hub, site, browser, "/signin/commerce?return=/book?tab=1");
        var second = await StartAsync(hub, site, browser, "/signin/commerce?return=/book?tab=2");
        Assert.Equal("/book?tab=1", (await LandAsync(browser, hub.Respond(first))).RedirectsTo!.PathAndQuery);
        Assert.Equal("/book?tab=2", (await LandAsync(browser, hub.Respond(second))).RedirectsTo!.PathAndQuery);
    }

    [Fact]
    public async Task X19_the_answer_to_another_request_is_refused()
    {
        await using var hub = await FakeSamlHub.StartAsync();
        await using var site = await hub.SiteAsync();
        using var browser = site.NewBrowser();
        var first = await StartAsync(hub, site, browser);
        var second = await StartAsync(hub, site, browser);
        var form = hub.Respond(first);
        var swapped = form with { Fields = [.. form.Fields.Select(f => f.Key == "RelayState" ? KeyValuePair.Create(f.Key, second.RelayState!) : f)] };
        Assert.Equal(HttpStatusCode.BadRequest, (await LandAsync(browser, swapped)).Status);
        Assert.Null(await browser.WhoAsync());
    }

    [Fact]
    public async Task A_response_that_nobody_asked_for_is_refused()
    {
        await using var hub = await FakeSamlHub.StartAsync();
        await using var site = await hub.SiteAsync();
        using var browser = site.NewBrowser();
        var form = hub.RespondUnsolicited(await hub.ServiceProviderAsync(site), site.Url + "/book");
        Assert.Null((await PostAsync(browser, form)).RedirectsTo);
        Assert.Null(await browser.WhoAsync());
    }

    [Theory]
    [InlineData("SITE/book", "/book")]
    [InlineData("https://evil.example/", "/")]
    [InlineData("//evil.example/", "/")]
    public async Task Where_a_site_allows_them_an_unsolicited_response_leads_to_own_pages_only(string relayState, string path)
    {
        await using var hub = await FakeSamlHub.StartAsync();
        await using var site = await hub.SiteAsync(o => o.AllowUnsolicitedResponses = true);
        using var browser = site.NewBrowser();
        var form = hub.RespondUnsolicited(await hub.ServiceProviderAsync(site), relayState.Replace("SITE", site.Url, StringComparison.Ordinal));
        var landed = await LandAsync(browser, form);
        Assert.Equal(site.Url + path, landed.RedirectsTo!.AbsoluteUri);
        Assert.Equal(FakeSamlHub.Subject, await browser.WhoAsync());
        Assert.Null((await PostAsync(browser, form)).RedirectsTo);    // once
    }

    [Fact]
    public async Task Also_a_site_that_allows_unsolicited_responses_takes_no_answer_out_of_its_browser()
    {
        await using var hub = await FakeSamlHub.StartAsync();
        await using var site = await hub.SiteAsync(o => o.AllowUnsolicitedResponses = true);
        using var attacker = site.NewBrowser();
        using var victim = site.NewBrowser();
        var form = hub.Respond(await StartAsync(hub, site, attacker));
        var bare = form with { Fields = [.. form.Fields.Where(f => f.Key != "RelayState")] };
        Assert.Null((await PostAsync(victim, bare)).RedirectsTo);
        Assert.Null(await victim.WhoAsync());
    }

    [Theory]
    [InlineData("https://other.example/saml/metadata", "/book")]
    [InlineData("", "/book")]
    [InlineData("HUB", "https://evil.example/")]
    [InlineData("HUB", "//evil.example")]
    [InlineData("HUB", "SITE.evil.example/")]
    public async Task R14_a_hop_of_another_provider_or_to_another_site_is_refused(string entityId, string target)
    {
        await using var hub = await FakeSamlHub.StartAsync();
        await using var site = await hub.SiteAsync();
        using var browser = site.NewBrowser();
        var page = await browser.GetAsync($"/signin/hop?entityID={Uri.EscapeDataString(entityId.Replace("HUB", hub.EntityId, StringComparison.Ordinal))}"
            + $"&target={Uri.EscapeDataString(target.Replace("SITE", site.Url, StringComparison.Ordinal))}&hop=t");
        Assert.Equal(HttpStatusCode.BadRequest, page.Status);
        Assert.Null(page.RedirectsTo);
    }

    [Fact]
    public async Task A_ticket_that_xml_cannot_carry_is_refused_and_not_an_error()
    {
        await using var hub = await FakeSamlHub.StartAsync();
        await using var site = await hub.SiteAsync();
        using var browser = site.NewBrowser();
        foreach (var ticket in new[] { "%00", "%3Cx%3E", "%EF%BF%BF", new string('a', 400) })
        {
            var page = await browser.GetAsync($"/signin/hop?entityID={Uri.EscapeDataString(hub.EntityId)}&target=/book&hop={ticket}");
            Assert.Equal(HttpStatusCode.BadRequest, page.Status);
        }
    }

    [Fact]
    public async Task A_denied_sign_in_says_so_and_signs_nobody_in()
    {
        await using var hub = await FakeSamlHub.StartAsync();
        await using var site = await hub.SiteAsync();
        using var browser = site.NewBrowser();
        var page = await PostAsync(browser, hub.RespondError(await StartAsync(hub, site, browser), SamlStatus.RequestDenied));
        Assert.Contains("Nothing was shared", page.Text, StringComparison.Ordinal);
        Assert.Null(await browser.WhoAsync());
    }

    [Fact]
    public async Task A_response_by_a_key_that_is_not_in_the_metadata_is_refused()
    {
        await using var hub = await FakeSamlHub.StartAsync();
        await using var site = await hub.SiteAsync();
        using var browser = site.NewBrowser();
        var request = await StartAsync(hub, site, browser);
        hub.RollKey(publish: false);
        hub.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(HttpStatusCode.BadRequest, (await LandAsync(browser, hub.Respond(request))).Status);
        Assert.Null(await browser.WhoAsync());
    }

    [Fact]
    public async Task After_the_hub_rolled_its_key_the_metadata_is_read_again()
    {
        await using var hub = await FakeSamlHub.StartAsync();
        await using var site = await hub.SiteAsync();
        using var browser = site.NewBrowser();
        var request = await StartAsync(hub, site, browser);
        hub.RollKey(publish: true);
        hub.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(HttpStatusCode.SeeOther, (await LandAsync(browser, hub.Respond(request))).Status);
        Assert.Equal(FakeSamlHub.Subject, await browser.WhoAsync());
    }

    [Fact]
    public async Task The_session_ends_when_the_hub_says()
    {
        await using var hub = await FakeSamlHub.StartAsync();
        await using var site = await hub.SiteAsync();
        using var browser = site.NewBrowser();
        await LandAsync(browser, hub.Respond(await StartAsync(hub, site, browser), sessionEnds: hub.Clock.GetUtcNow().AddMinutes(20)));
        Assert.NotNull(await browser.WhoAsync());
        hub.Clock.Advance(TimeSpan.FromMinutes(21));
        Assert.Null(await browser.WhoAsync());
    }

    [Theory]
    [InlineData("vehicle", "not json")]
    [InlineData("vehicle", "\"a text\"")]
    [InlineData("email_verified", "perhaps")]
    [InlineData("purchase", "{\"order_number\":7}")]
    [InlineData("hop", "[]")]
    public async Task An_attribute_of_the_wrong_shape_signs_nobody_in(string claim, string value)
    {
        await using var hub = await FakeSamlHub.StartAsync();
        await using var site = await hub.SiteAsync();
        using var browser = site.NewBrowser();
        var attributes = FakeSamlHub.Attributes.Select(a => a.Name == ClaimNames.ToAttribute(claim).Name ? a with { Values = [value] } : a).ToList();
        Assert.Equal(HttpStatusCode.BadRequest, (await LandAsync(browser, hub.Respond(await StartAsync(hub, site, browser), attributes))).Status);
        Assert.Null(await browser.WhoAsync());
    }

    [Fact]
    public async Task Noise_at_the_assertion_consumer_service_is_refused_and_not_an_error()
    {
        await using var hub = await FakeSamlHub.StartAsync();
        await using var site = await hub.SiteAsync();
        using var browser = site.NewBrowser();
        var request = await StartAsync(hub, site, browser);
        var form = hub.Respond(request);
        var random = new Random(20261005);
        for (var round = 0; round < 100; round++)
        {
            var mutated = form.Fields[0].Value.ToCharArray();
            for (var changes = 0; changes < 1 + (round % 5); changes++) mutated[random.Next(mutated.Length)] = (char)random.Next(32, 127);
            if (new string(mutated) == form.Fields[0].Value) continue;
            var again = await StartAsync(hub, site, browser);
            var page = await browser.PostAsync(form.Target, [new("SAMLResponse", new string(mutated)), new("RelayState", again.RelayState!)]);
            Assert.Equal(HttpStatusCode.BadRequest, page.Status);
        }
        Assert.Null(await browser.WhoAsync());
    }
}
