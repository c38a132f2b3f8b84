using System.Net;
using Commerce.Federation.Data;
using Commerce.Federation.Saml;
using Commerce.Kernel;
using Commerce.Saml;
using Commerce.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Federation.Tests.Saml;

/// <summary>Who asks, unaltered, when, for which endpoint, and once: rows S02 to S10 of docs/security.md, over HTTP.</summary>
public sealed class AuthnRequestChecksTests(SamlHub saml) : IClassFixture<SamlHub>
{
    [Fact]
    public async Task S02_an_unsigned_request_is_refused_where_metadata_says_signed()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        saml.AssertRefused(await browser.GetAsync(sp.Redirect(sp.RequestXml())), FaultCodes.SignatureMissing);
        saml.AssertRefused(await saml.PostAsync(browser, TestServiceProvider.Post(sp.RequestXml())), FaultCodes.SignatureMissing);
    }

    [Fact]
    public async Task S02_an_unsigned_request_is_answered_where_metadata_does_not_say_signed()
    {
        var sp = await saml.AddPartnerAsync(signs: false, claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        Assert.True((await sp.ReceiveAsync(await browser.GetAsync(sp.Redirect(sp.RequestXml(id: "_u1"))), "_u1")).IsSuccess);
        Assert.True((await sp.ReceiveAsync(await saml.PostAsync(browser, TestServiceProvider.Post(sp.RequestXml(id: "_u2"))), "_u2")).IsSuccess);
    }

    [Fact]
    public async Task S03_a_wrong_signature_is_refused_also_where_none_is_needed()
    {
        // Not AuthnRequestsSigned, but with a key in its metadata.
        var sp = await saml.AddPartnerAsync(editMetadata: xml => xml.Replace("AuthnRequestsSigned=\"true\"", "AuthnRequestsSigned=\"false\"", StringComparison.Ordinal), claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        Assert.True((await sp.ReceiveAsync(await browser.GetAsync(sp.Redirect(sp.RequestXml(id: "_s3"))), "_s3")).IsSuccess);
        saml.AssertRefused(await browser.GetAsync(sp.Redirect(sp.RequestXml(), key: TestServiceProvider.Stranger)), FaultCodes.SignatureInvalid);
        saml.AssertRefused(await saml.PostAsync(browser, TestServiceProvider.Post(TestServiceProvider.Sign(sp.RequestXml(), withStrangersKey: true))), FaultCodes.SignatureInvalid);
    }

    [Theory]
    [InlineData("https://evil.example/acs")]
    [InlineData("javascript:alert(1)")]
    [InlineData("JaVaScRiPt:alert(1)//{acs}")]
    [InlineData("data:text/html,<script>alert(1)</script>")]
    [InlineData("{acs}@evil.example/")]
    public async Task S04_X17_an_endpoint_outside_the_metadata_gets_an_error_page_and_nothing_is_sent(string acs)
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        var url = acs.Replace("{acs}", sp.Acs, StringComparison.Ordinal);
        var page = await browser.GetAsync(sp.Redirect(sp.RequestXml(acs: url), key: sp.SigningKey));
        saml.AssertRefused(page, FaultCodes.AcsInvalid);
        Assert.DoesNotContain("evil", page.Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://FITTER{n}.example/saml/acs")]
    [InlineData("HTTPS://fitter{n}.example/saml/acs")]
    [InlineData("https://fitter{n}.example:443/saml/acs")]
    [InlineData("https://fitter{n}.example/saml/acs/")]
    [InlineData("https://fitter{n}.example/saml/acs?x=1")]
    [InlineData("https://fitter{n}.example/saml/acs?")]
    [InlineData("https://fitter{n}.example/saml/acs#a")]
    [InlineData("https://fitter{n}.example/saml/./acs")]
    [InlineData("https://fitter{n}.example/saml/%61cs")]
    [InlineData("https://fitter{n}.example/saml/acs ")]
    [InlineData("http://fitter{n}.example/saml/acs")]
    public async Task S05_an_endpoint_that_differs_in_one_character_is_another_endpoint(string acs)
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        var url = acs.Replace("{n}", sp.Number.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);
        saml.AssertRefused(await browser.GetAsync(sp.Redirect(sp.RequestXml(acs: url), key: sp.SigningKey)), FaultCodes.AcsInvalid);
    }

    [Fact]
    public async Task S06_without_an_endpoint_the_default_one_is_used()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        Assert.True((await sp.ReceiveAsync(await browser.GetAsync(sp.Redirect(sp.RequestXml(id: "_d1", acs: ""), key: sp.SigningKey)), "_d1")).IsSuccess);
    }

    [Theory]
    [InlineData("AssertionConsumerServiceIndex=\"9\"", false)]
    [InlineData("AssertionConsumerServiceIndex=\"-1\"", false)]
    [InlineData("AssertionConsumerServiceIndex=\"99999999999\"", false)]
    [InlineData("AssertionConsumerServiceIndex=\"0\"", true)]
    [InlineData("ProtocolBinding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact\"", true)]
    [InlineData("ProtocolBinding=\"urn:oasis:names:tc:SAML:2.0:bindings:SOAP\"", false)]
    public async Task S06_an_unknown_index_an_index_with_an_address_and_a_binding_that_is_not_registered_are_refused(string attributes, bool withUrl)
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        var xml = sp.RequestXml(acs: withUrl ? null : "", attributes: attributes);
        saml.AssertRefused(await browser.GetAsync(sp.Redirect(xml, key: sp.SigningKey)), FaultCodes.AcsInvalid);
    }

    [Theory]
    [InlineData("https://id.other.example/saml/sso")]
    [InlineData("{sso}/")]
    [InlineData("{sso}?x=1")]
    [InlineData("")]
    public async Task S07_a_signed_request_for_another_destination_or_for_none_is_refused(string destination)
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        var xml = sp.RequestXml(destination: destination.Replace("{sso}", saml.Hub.Origin + "/saml/sso", StringComparison.Ordinal));
        saml.AssertRefused(await browser.GetAsync(sp.Redirect(xml, key: sp.SigningKey)), FaultCodes.DestinationInvalid);
        saml.AssertRefused(await saml.PostAsync(browser, TestServiceProvider.Post(TestServiceProvider.Sign(xml))), FaultCodes.DestinationInvalid);
    }

    [Fact]
    public async Task S08_X23_unknown_disabled_and_strangely_named_issuers_get_the_same_page()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var off = await saml.AddPartnerAsync(claims: ["name"]);
        Assert.True((await saml.Hub.AskAsync(new Contracts.SwitchPartner(off.Partner, false))).IsOk);
        var (browser, _, _) = saml.SignedIn();
        string Url(TestServiceProvider of, string xml) => of.Redirect(xml, key: of.SigningKey);

        var unknown = await browser.GetAsync(Url(sp, sp.RequestXml(issuer: "https://nobody.example")));
        var disabled = await browser.GetAsync(Url(off, off.RequestXml()));
        var strange = await browser.GetAsync(Url(sp, sp.RequestXml(issuerFormat: NameIdFormats.Persistent)));
        var badAcs = await browser.GetAsync(Url(sp, sp.RequestXml(acs: "https://evil.example/")));
        var noXml = await browser.GetAsync("/saml/sso?SAMLRequest=aGVsbG8%3D");

        saml.AssertRefused(unknown, FaultCodes.IssuerInvalid);
        saml.AssertRefused(disabled, "federation.partner_off");
        saml.AssertRefused(strange, FaultCodes.IssuerInvalid);
        saml.AssertRefused(badAcs, FaultCodes.AcsInvalid);
        saml.AssertRefused(noXml, FaultCodes.BindingInvalid);
        var pages = new[] { unknown, disabled, strange, badAcs, noXml }.Select(Bare).Distinct();
        Assert.Single(pages);

        // The language links repeat the address that the browser opened, and the reference differs: nothing else may.
        static string Bare(TestPage page) => System.Text.RegularExpressions.Regex.Replace(
            page.Body.Replace(SamlHub.ReferenceOf(page), "", StringComparison.Ordinal), "href=\"/language[^\"]*\"", "");
    }

    [Theory]
    [InlineData("1.1", null, null, FaultCodes.VersionInvalid)]
    [InlineData("", null, null, FaultCodes.VersionInvalid)]
    [InlineData(null, "", null, FaultCodes.IdInvalid)]
    [InlineData(null, "1starts-with-a-digit", null, FaultCodes.IdInvalid)]
    [InlineData(null, "has space", null, FaultCodes.IdInvalid)]
    [InlineData(null, "a:b", null, FaultCodes.IdInvalid)]
    [InlineData(null, null, "", FaultCodes.InstantInvalid)]
    [InlineData(null, null, "yesterday", FaultCodes.InstantInvalid)]
    [InlineData(null, null, "2026-10-05T12:00:00+03:00", FaultCodes.InstantInvalid)]
    public async Task S09_version_id_and_instant_have_to_be_right(string? version, string? id, string? instant, string code)
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        saml.AssertRefused(await browser.GetAsync(sp.Redirect(sp.RequestXml(version: version, id: id, instant: instant), key: sp.SigningKey)), code);
    }

    [Fact]
    public async Task S09_an_id_longer_than_the_hub_keeps_is_refused()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        saml.AssertRefused(await browser.GetAsync(sp.Redirect(sp.RequestXml(id: "_" + new string('a', 256)), key: sp.SigningKey)), FaultCodes.IdInvalid);
        Assert.True((await sp.ReceiveAsync(await browser.GetAsync(sp.Redirect(sp.RequestXml(id: "_" + new string('a', 255)), key: sp.SigningKey)), "_" + new string('a', 255))).IsSuccess);
    }

    [Theory]
    [InlineData(-3, true)]
    [InlineData(3, true)]
    [InlineData(-6, false)]
    [InlineData(6, false)]
    public async Task S09_S35_three_minutes_off_is_accepted_and_six_are_not(int minutes, bool accepted)
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        var xml = sp.RequestXml(id: "_t", instant: saml.Clock.GetUtcNow().AddMinutes(minutes).ToString("yyyy-MM-ddTHH:mm:ssZ", System.Globalization.CultureInfo.InvariantCulture));
        var page = await browser.GetAsync(sp.Redirect(xml, key: sp.SigningKey));
        if (accepted) Assert.Single(page.Forms());
        else saml.AssertRefused(page, minutes < 0 ? FaultCodes.Expired : FaultCodes.InstantInvalid);
    }

    [Fact]
    public async Task S10_the_same_request_gets_one_assertion_by_either_binding()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        var xml = sp.RequestXml(id: "_once");
        Assert.Single((await browser.GetAsync(sp.Redirect(xml, key: sp.SigningKey))).Forms());
        saml.AssertRefused(await browser.GetAsync(sp.Redirect(xml, key: sp.SigningKey)), FaultCodes.Replayed);
        saml.AssertRefused(await saml.PostAsync(browser, TestServiceProvider.Post(TestServiceProvider.Sign(xml))), FaultCodes.Replayed);
        saml.AssertRefused(await browser.GetAsync(sp.Redirect(sp.RequestXml(id: "_once"), "another", sp.SigningKey)), FaultCodes.Replayed);
        Assert.Equal(1, await saml.ReleasesAsync(sp));
    }

    [Fact]
    public async Task S10_of_ten_that_bring_the_same_request_at_once_one_is_answered()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        var url = sp.Redirect(sp.RequestXml(id: "_race"), key: sp.SigningKey);
        var pages = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => browser.GetAsync(url)));
        Assert.Single(pages, page => page.Status == HttpStatusCode.OK);
        Assert.All(pages.Where(page => page.Status != HttpStatusCode.OK), page => saml.AssertRefused(page, FaultCodes.Replayed));
        Assert.Equal(1, await saml.ReleasesAsync(sp));
    }

    [Fact]
    public async Task S10_the_id_of_a_request_that_waits_is_not_taken_over_by_another_request()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        using var browser = saml.Hub.NewBrowser();
        var waits = await browser.GetAsync(sp.Redirect(sp.RequestXml(id: "_waits"), "one", sp.SigningKey));
        saml.AssertRefused(await browser.GetAsync(sp.Redirect(sp.RequestXml(id: "_waits"), "two", sp.SigningKey)), FaultCodes.Replayed);
        var landed = await sp.ReceiveAsync(await saml.SignInAtAsync(browser, waits, saml.Neighbours.NewCustomer()), "_waits");
        Assert.Equal("one", landed.Value.RelayState);
    }

    [Fact]
    public async Task S10_nor_by_one_that_could_be_answered_at_once_and_the_attempt_leaves_it_as_it_was()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        using var browser = saml.Hub.NewBrowser();
        var (other, _, _) = saml.SignedIn();
        var waits = await browser.GetAsync(sp.Redirect(sp.RequestXml(id: "_kept"), "one", sp.SigningKey));
        saml.AssertRefused(await other.GetAsync(sp.Redirect(sp.RequestXml(id: "_kept"), "two", sp.SigningKey)), FaultCodes.Replayed);
        Assert.Equal(0, await saml.ReleasesAsync(sp));
        var landed = await sp.ReceiveAsync(await saml.SignInAtAsync(browser, waits, saml.Neighbours.NewCustomer()), "_kept");
        Assert.Equal("one", landed.Value.RelayState);
    }

    [Fact]
    public async Task S10_a_request_that_waits_here_and_is_answered_there_is_answered()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        using var browser = saml.Hub.NewBrowser();
        var (other, _, _) = saml.SignedIn();
        var request = sp.Request();
        var handle = saml.ReturnPathOf(await browser.GetAsync(request.Url));
        Assert.True((await sp.ReceiveAsync(await other.GetAsync(request.Url), request.Id)).IsSuccess);
        saml.Neighbours.SignIn(browser, saml.Neighbours.NewCustomer());
        saml.AssertRefused(await browser.GetAsync(handle), FaultCodes.Replayed);
        saml.AssertRefused(await browser.GetAsync(request.Url), FaultCodes.Replayed);
        Assert.Equal(1, await saml.ReleasesAsync(sp));
    }

    [Fact]
    public async Task S10_what_was_answered_is_refused_before_anybody_signs_in_for_it()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        using var other = saml.Hub.NewBrowser();
        var request = sp.Request();
        Assert.Single((await browser.GetAsync(request.Url)).Forms());
        saml.AssertRefused(await other.GetAsync(request.Url), FaultCodes.Replayed);
        Assert.Empty(await saml.RequestsAsync(sp));
    }

    [Fact]
    public async Task S10_what_was_answered_is_remembered_as_long_as_a_kept_request_may_come_back()
    {
        await using var alone = new SamlHub();
        await alone.InitializeAsync();
        var sp = await alone.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = alone.SignedIn();
        Assert.Single((await browser.GetAsync(sp.Request().Url)).Forms());
        foreach (var (minutes, left) in new[] { (59, 1), (3, 0) })
        {
            alone.Clock.Advance(TimeSpan.FromMinutes(minutes));
            await SweepSamlRequests.SweepAsync(alone.Hub.Services.GetRequiredService<HotStore<FederationDb>>(), alone.Clock.GetUtcNow(), default);
            Assert.Equal(left, await alone.Hub.WithDbAsync<FederationDb, int>(db => db.Set<AnsweredRequest>().CountAsync()));
        }
    }

    [Fact]
    public async Task S10_a_request_that_an_older_version_answered_is_not_answered_again()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        var now = saml.Clock.GetUtcNow();
        await saml.Hub.WithDbAsync<FederationDb, int>(db =>
        {
            db.Add(new SamlRequest { Connection = sp.EntityId, RequestId = "_before", ContentHash = [], Frozen = [], ReceivedAt = now, ExpiresAt = now.AddMinutes(6), AnsweredAt = now });
            return db.SaveChangesAsync();
        });
        saml.AssertRefused(await browser.GetAsync(sp.Redirect(sp.RequestXml(id: "_before"), key: sp.SigningKey)), FaultCodes.Replayed);
        Assert.Equal(0, await saml.ReleasesAsync(sp));
    }

    [Fact]
    public async Task S10_of_ten_that_come_back_at_once_under_one_handle_one_is_answered()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        using var browser = saml.Hub.NewBrowser();
        var path = saml.ReturnPathOf(await browser.GetAsync(sp.Request().Url));
        saml.Neighbours.SignIn(browser, saml.Neighbours.NewCustomer());
        var pages = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => browser.GetAsync(path)));
        Assert.Single(pages, page => page.Status == HttpStatusCode.OK);
        Assert.All(pages.Where(page => page.Status != HttpStatusCode.OK), page => saml.AssertRefused(page, FaultCodes.Replayed));
        Assert.Equal(1, await saml.ReleasesAsync(sp));
    }

    [Fact]
    public async Task S10_the_same_id_from_two_service_providers_names_two_requests()
    {
        var (one, other) = (await saml.AddPartnerAsync(claims: ["name"]), await saml.AddPartnerAsync(claims: ["name"]));
        var (browser, _, _) = saml.SignedIn();
        Assert.Single((await browser.GetAsync(one.Redirect(one.RequestXml(id: "_same"), key: one.SigningKey))).Forms());
        Assert.Single((await browser.GetAsync(other.Redirect(other.RequestXml(id: "_same"), key: other.SigningKey))).Forms());
    }
}
