using System.Net;
using System.Text;
using System.Xml;
using Commerce.Federation.Data;
using Commerce.Federation.Saml;
using Commerce.Kernel;
using Commerce.Saml;
using Commerce.Testing;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.Tests.Saml;

/// <summary>AuthnRequests and what the hub makes of them, over HTTP. Rows S01 to S16 of docs/security.md.</summary>
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
        await saml.Hub.WithDbAsync<FederationDb, int>(db => SweepSamlRequests.SweepAsync(db, saml.Clock.GetUtcNow(), default));
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
    public async Task S10_the_same_id_from_two_service_providers_names_two_requests()
    {
        var (one, other) = (await saml.AddPartnerAsync(claims: ["name"]), await saml.AddPartnerAsync(claims: ["name"]));
        var (browser, _, _) = saml.SignedIn();
        Assert.Single((await browser.GetAsync(one.Redirect(one.RequestXml(id: "_same"), key: one.SigningKey))).Forms());
        Assert.Single((await browser.GetAsync(other.Redirect(other.RequestXml(id: "_same"), key: other.SigningKey))).Forms());
    }

    [Theory]
    [InlineData("true")]
    [InlineData("1")]
    public async Task S11_ForceAuthn_asks_for_a_credential_although_a_session_lives(string flag)
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, customer, _) = saml.SignedIn();
        var before = saml.Clock.GetUtcNow();
        saml.Clock.Advance(TimeSpan.FromMinutes(1));
        var toSignIn = await browser.GetAsync(sp.Redirect(sp.RequestXml(id: "_force", attributes: $"ForceAuthn=\"{flag}\""), key: sp.SigningKey));

        // Coming back without having given it leads to the sign-in page again.
        toSignIn = await browser.GetAsync(saml.ReturnPathOf(toSignIn));
        saml.Clock.Advance(TimeSpan.FromSeconds(20));
        var page = await saml.SignInAtAsync(browser, toSignIn, customer);

        var assertion = (await sp.ReceiveAsync(page, "_force")).Value;
        Assert.True(assertion.AuthnInstant > before.AddMinutes(1), "AuthnInstant is that of the fresh sign-in.");
    }

    [Theory]
    [InlineData("IsPassive=\"true\"")]
    [InlineData("IsPassive=\"1\" ForceAuthn=\"1\"")]
    public async Task S12_IsPassive_shows_no_page_and_answers_NoPassive(string attributes)
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        using var stranger = saml.Hub.NewBrowser();
        var xml = sp.RequestXml(attributes: attributes);
        SamlHub.AssertStatus(await stranger.GetAsync(sp.Redirect(xml, key: sp.SigningKey)), sp, Commerce.Saml.StatusCodes.NoPassive);

        var (browser, _, _) = saml.SignedIn();
        saml.Clock.Advance(TimeSpan.FromSeconds(1));
        var page = await browser.GetAsync(sp.Redirect(sp.RequestXml(id: "_p", attributes: attributes), key: sp.SigningKey));
        if (attributes.Contains("Force", StringComparison.Ordinal)) SamlHub.AssertStatus(page, sp, Commerce.Saml.StatusCodes.NoPassive);
        else Assert.True((await sp.ReceiveAsync(page, "_p")).IsSuccess);
    }

    [Fact]
    public async Task S12_IsPassive_answers_NoPassive_where_the_customer_would_have_to_be_asked()
    {
        var sp = await saml.AddPartnerAsync(needsConsent: true, claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        SamlHub.AssertStatus(await browser.GetAsync(sp.Redirect(sp.RequestXml(attributes: "IsPassive=\"true\""), key: sp.SigningKey)), sp, Commerce.Saml.StatusCodes.NoPassive);
        Assert.Equal(0, await saml.ReleasesAsync(sp));
    }

    [Theory]
    [InlineData("exact", "urn:oasis:names:tc:SAML:2.0:ac:classes:Smartcard")]
    [InlineData("better", AuthnContextClasses.PasswordProtectedTransport)]
    [InlineData("minimum", AuthnContextClasses.RefedsMfa)]
    public async Task S13_a_context_that_is_not_to_be_had_answers_NoAuthnContext(string comparison, string context)
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        SamlHub.AssertStatus(await browser.GetAsync(sp.Redirect(sp.RequestXml(children: Requested(comparison, context)), key: sp.SigningKey)), sp, Commerce.Saml.StatusCodes.NoAuthnContext);
    }

    [Fact]
    public async Task S13_a_context_that_was_performed_is_stated_and_an_unknown_comparison_is_refused()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        var page = await browser.GetAsync(sp.Redirect(sp.RequestXml(id: "_c", children: Requested("exact", AuthnContextClasses.PasswordProtectedTransport)), key: sp.SigningKey));
        Assert.Equal(AuthnContextClasses.PasswordProtectedTransport, (await sp.ReceiveAsync(page, "_c")).Value.ContextClass);
        saml.AssertRefused(await browser.GetAsync(sp.Redirect(
            sp.RequestXml(children: Requested("stronger", AuthnContextClasses.PasswordProtectedTransport)), key: sp.SigningKey)), FaultCodes.AuthnContextInvalid);
    }

    private static string Requested(string comparison, string context) =>
        $"<samlp:RequestedAuthnContext Comparison=\"{comparison}\"><saml:AuthnContextClassRef>{context}</saml:AuthnContextClassRef></samlp:RequestedAuthnContext>";

    [Theory]
    [InlineData("Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress\" AllowCreate=\"true\"")]
    [InlineData("Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\" SPNameQualifier=\"https://other.example\" AllowCreate=\"true\"")]
    [InlineData("Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\" AllowCreate=\"false\"")]
    [InlineData("AllowCreate=\"0\"")]
    public async Task S14_a_name_policy_that_cannot_be_kept_answers_InvalidNameIDPolicy(string policy)
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        var page = await browser.GetAsync(sp.Redirect(sp.RequestXml(children: $"<samlp:NameIDPolicy {policy}/>"), key: sp.SigningKey));
        SamlHub.AssertStatus(page, sp, Commerce.Saml.StatusCodes.InvalidNameIdPolicy);
        Assert.Equal(0, await saml.ReleasesAsync(sp));
    }

    [Fact]
    public async Task S14_AllowCreate_false_is_answered_for_a_pair_that_has_met()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        await browser.GetAsync(sp.Request().Url);
        var page = await browser.GetAsync(sp.Redirect(sp.RequestXml(id: "_met", children: "<samlp:NameIDPolicy AllowCreate=\"false\"/>"), key: sp.SigningKey));
        Assert.True((await sp.ReceiveAsync(page, "_met")).IsSuccess);
    }

    [Fact]
    public async Task S15_a_subject_who_is_not_signed_in_is_an_error_and_never_ignored()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        var first = sp.Request();
        var name = (await sp.ReceiveAsync(await browser.GetAsync(first.Url), first.Id)).Value.Name;
        static string Subject(string value) => $"<saml:Subject><saml:NameID Format=\"{NameIdFormats.Persistent}\">{value}</saml:NameID></saml:Subject>";

        var right = await browser.GetAsync(sp.Redirect(sp.RequestXml(id: "_right", children: Subject(name.Value)), key: sp.SigningKey));
        Assert.Equal(name, (await sp.ReceiveAsync(right, "_right")).Value.Name);
        SamlHub.AssertStatus(await browser.GetAsync(sp.Redirect(sp.RequestXml(children: Subject("somebody-else")), key: sp.SigningKey)), sp, Commerce.Saml.StatusCodes.UnknownPrincipal);
        var (other, _, _) = saml.SignedIn("Bo Ek");
        SamlHub.AssertStatus(await other.GetAsync(sp.Redirect(sp.RequestXml(children: Subject(name.Value)), key: sp.SigningKey)), sp, Commerce.Saml.StatusCodes.UnknownPrincipal);
        SamlHub.AssertStatus(await browser.GetAsync(sp.Redirect(
            sp.RequestXml(children: "<saml:Subject><saml:BaseID/></saml:Subject>"), key: sp.SigningKey)), sp, Commerce.Saml.StatusCodes.RequestUnsupported);
    }

    private const string Extras =
        "<samlp:Extensions><x:Y xmlns:x=\"urn:somebody\"><x:Z a=\"b\">c</x:Z></x:Y></samlp:Extensions>"
        + "<saml:Conditions NotBefore=\"2026-01-01T00:00:00Z\"/><samlp:Scoping ProxyCount=\"2\"><samlp:IDPList><samlp:IDPEntry ProviderID=\"https://idp.other.example\"/></samlp:IDPList></samlp:Scoping>";

    [Fact]
    public async Task S16_unknown_extensions_conditions_and_scoping_are_tolerated()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        Assert.True((await sp.ReceiveAsync(await browser.GetAsync(sp.Redirect(sp.RequestXml(id: "_x", children: Extras), key: sp.SigningKey)), "_x")).IsSuccess);
    }

    [Fact]
    public async Task S16_they_let_no_check_be_skipped()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        saml.AssertRefused(await browser.GetAsync(sp.Redirect(sp.RequestXml(children: Extras))), FaultCodes.SignatureMissing);
        saml.AssertRefused(await browser.GetAsync(sp.Redirect(sp.RequestXml(acs: "https://evil.example/", children: Extras), key: sp.SigningKey)), FaultCodes.AcsInvalid);
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
