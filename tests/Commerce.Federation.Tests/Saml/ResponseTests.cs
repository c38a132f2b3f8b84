using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Xml;
using Commerce.Federation.Data;
using Commerce.Federation.Saml;
using Commerce.Saml;
using Commerce.Testing;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.Tests.Saml;

/// <summary>What the hub's responses say, as the partner's browser brings them. Rows S17 to S27 and X18 of docs/security.md.</summary>
public sealed class ResponseTests(SamlHub saml) : IClassFixture<SamlHub>
{
    private async Task<(XmlDocument Response, TestPage Page)> RespondAsync(TestServiceProvider sp, TestBrowser browser, string id, string? relayState = null)
    {
        var page = await browser.GetAsync(sp.Redirect(sp.RequestXml(id: id), relayState, sp.SigningKey));
        return (SamlHub.ResponseOf(page), page);
    }

    private static XmlElement One(XmlDocument document, string name, string? ns = null) =>
        (XmlElement)Assert.Single(document.GetElementsByTagName(name, ns ?? SamlNamespaces.Assertion).Cast<XmlNode>());

    [Fact]
    public async Task S17_one_signed_response_holds_one_signed_assertion_with_one_statement_of_each_kind()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name", "email"]);
        var (browser, _, _) = saml.SignedIn();
        var (response, _) = await RespondAsync(sp, browser, "_a");
        var assertion = One(response, "Assertion");
        One(response, "AuthnStatement");
        One(response, "AttributeStatement");
        var signatures = response.GetElementsByTagName("Signature", SamlNamespaces.XmlSignature).Cast<XmlNode>().ToList();
        Assert.Equal([response.DocumentElement!, assertion], signatures.Select(s => (XmlElement)s.ParentNode!));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public async Task S17_who_does_not_ask_for_a_signed_assertion_gets_a_signed_response_and_the_contract_may_demand_both(bool contract, bool isSigned)
    {
        var sp = await saml.AddPartnerAsync(editMetadata: xml => xml.Replace(" WantAssertionsSigned=\"true\"", "", StringComparison.Ordinal),
            terms: new { sign_assertion = contract }, claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        var (response, _) = await RespondAsync(sp, browser, "_s");
        var assertion = One(response, "Assertion");
        var signatures = response.GetElementsByTagName("Signature", SamlNamespaces.XmlSignature).Cast<XmlNode>().ToList();
        Assert.Equal(isSigned ? [response.DocumentElement!, assertion] : [response.DocumentElement!], signatures.Select(s => (XmlElement)s.ParentNode!));
    }

    [Fact]
    public async Task S19_S20_S21_destination_recipient_audience_times_and_references_are_those_of_the_request()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, session) = saml.SignedIn();
        var now = saml.Clock.GetUtcNow();
        var (response, _) = await RespondAsync(sp, browser, "_req");
        var root = response.DocumentElement!;
        Assert.Equal((sp.Acs, "_req", "2.0"), (root.GetAttribute("Destination"), root.GetAttribute("InResponseTo"), root.GetAttribute("Version")));
        Assert.All(response.GetElementsByTagName("Issuer", SamlNamespaces.Assertion).Cast<XmlElement>(), issuer => Assert.Equal(saml.Idp.EntityId, issuer.InnerText));

        var confirmation = One(response, "SubjectConfirmation");
        Assert.Equal("urn:oasis:names:tc:SAML:2.0:cm:bearer", confirmation.GetAttribute("Method"));
        var data = One(response, "SubjectConfirmationData");
        Assert.Equal((sp.Acs, "_req", ""), (data.GetAttribute("Recipient"), data.GetAttribute("InResponseTo"), data.GetAttribute("NotBefore")));
        Assert.InRange(Instant(data.GetAttribute("NotOnOrAfter")) - now, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5));

        Assert.Equal(sp.EntityId, One(response, "Audience").InnerText);
        var statement = One(response, "AuthnStatement");
        Assert.Equal(saml.Neighbours.Sessions[session].AuthenticatedAt, Instant(statement.GetAttribute("AuthnInstant")));
        Assert.Equal(AuthnContextClasses.PasswordProtectedTransport, One(response, "AuthnContextClassRef").InnerText);
        Assert.DoesNotContain(session.ToString("N"), statement.GetAttribute("SessionIndex"), StringComparison.OrdinalIgnoreCase);
        Assert.True(statement.GetAttribute("SessionIndex").Length >= 24);
    }

    [Fact]
    public async Task S21_the_session_index_is_one_per_session_and_service_provider_and_is_on_record()
    {
        var (sp, other) = (await saml.AddPartnerAsync(claims: ["name"]), await saml.AddPartnerAsync(claims: ["name"]));
        var (browser, customer, session) = saml.SignedIn();
        var indexes = new List<string>();
        foreach (var (to, id) in new[] { (sp, "_1"), (sp, "_2"), (other, "_3") })
        {
            var (response, _) = await RespondAsync(to, browser, id);
            indexes.Add(One(response, "AuthnStatement").GetAttribute("SessionIndex"));
        }
        Assert.Equal(indexes[0], indexes[1]);
        Assert.NotEqual(indexes[0], indexes[2]);
        var rows = await saml.Hub.WithDbAsync<FederationDb, List<SamlParticipant>>(db => db.Set<SamlParticipant>().Where(p => p.Session == session).ToListAsync());
        Assert.Equal(new[] { (sp.EntityId, indexes[0], customer), (other.EntityId, indexes[2], customer) }.Order(), rows.Select(r => (r.Connection, r.SessionIndex, r.Customer)).Order());

        var (elsewhere, _, _) = saml.SignedIn();
        var (third, _) = await RespondAsync(sp, elsewhere, "_4");
        Assert.NotEqual(indexes[0], One(third, "AuthnStatement").GetAttribute("SessionIndex"));
    }

    [Fact]
    public async Task S22_the_name_is_persistent_for_one_service_provider_and_means_nothing_to_another()
    {
        var (sp, other) = (await saml.AddPartnerAsync(claims: ["name"]), await saml.AddPartnerAsync(claims: ["name"]));
        var (browser, customer, _) = saml.SignedIn();
        using var phone = saml.Hub.NewBrowser();
        saml.Neighbours.SignIn(phone, customer);
        var first = One((await RespondAsync(sp, browser, "_n1")).Response, "NameID");
        var again = One((await RespondAsync(sp, phone, "_n2")).Response, "NameID");
        var elsewhere = One((await RespondAsync(other, browser, "_n3")).Response, "NameID");
        Assert.Equal(first.InnerText, again.InnerText);
        Assert.NotEqual(first.InnerText, elsewhere.InnerText);
        Assert.Matches("^[0-9a-f]{64}$", first.InnerText);    // unique also for one that compares without case
        Assert.Equal((NameIdFormats.Persistent, saml.Idp.EntityId, sp.EntityId), (first.GetAttribute("Format"), first.GetAttribute("NameQualifier"), first.GetAttribute("SPNameQualifier")));
    }

    [Fact]
    public async Task S23_attributes_have_uri_names_one_value_each_and_are_those_of_this_service_providers_contract()
    {
        var (sp, other) = (await saml.AddPartnerAsync(claims: ["email"]), await saml.AddPartnerAsync(claims: ["name", "address"]));
        var (browser, _, _) = saml.SignedIn();
        var mail = Attributes((await RespondAsync(sp, browser, "_f1")).Response);
        var address = Attributes((await RespondAsync(other, browser, "_f2")).Response);
        Assert.Equal(["urn:oid:0.9.2342.19200300.100.1.3", "urn:commerce:claim:email_verified"], mail.Keys);
        Assert.Equal("true", mail["urn:commerce:claim:email_verified"]);
        Assert.Equal(new[] { "urn:oid:2.16.840.1.113730.3.1.241", "urn:oid:2.5.4.16", "urn:oid:2.5.4.4", "urn:oid:2.5.4.42" }, address.Keys.Order(StringComparer.Ordinal));
        using var json = JsonDocument.Parse(address["urn:oid:2.5.4.16"]);
        Assert.Equal("Helsinki", json.RootElement.GetProperty("locality").GetString());
    }

    private static Dictionary<string, string> Attributes(XmlDocument response) => response.GetElementsByTagName("Attribute", SamlNamespaces.Assertion).Cast<XmlElement>().ToDictionary(
        a =>
        {
            Assert.Equal(AttributeNameFormats.Uri, a.GetAttribute("NameFormat"));
            return a.GetAttribute("Name");
        },
        a => Assert.Single(a.ChildNodes.Cast<XmlElement>()).InnerText);

    [Fact]
    public async Task A_partner_without_a_contract_receives_the_name_and_no_attribute()
    {
        var sp = await saml.AddPartnerAsync();
        var (browser, _, _) = saml.SignedIn();
        var (response, page) = await RespondAsync(sp, browser, "_nc");
        Assert.Empty(response.GetElementsByTagName("AttributeStatement", SamlNamespaces.Assertion).Cast<XmlNode>());
        Assert.True((await sp.ReceiveAsync(page, "_nc")).IsSuccess);
    }

    [Theory]
    [InlineData("</saml:AttributeValue></saml:Attribute><saml:Attribute Name=\"urn:x\"><saml:AttributeValue>evil")]
    [InlineData("<!-- --> ]]> &amp; &#x41; <![CDATA[x]]>")]
    [InlineData("\"><script>alert(1)</script>")]
    [InlineData("민준 Åäö 🚗 \u202E tab\there\nline\rreturn")]
    public async Task S24_a_hostile_value_arrives_as_it_is_and_the_document_still_holds_one_assertion(string value)
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, customer, _) = saml.SignedIn();
        saml.Neighbours.Profiles[customer]["name"] = JsonSerializer.SerializeToElement(value);
        var (response, page) = await RespondAsync(sp, browser, "_h");
        One(response, "Assertion");
        Assert.Equal([value], (await sp.ReceiveAsync(page, "_h")).Value.Values("urn:oid:2.16.840.1.113730.3.1.241"));
    }

    [Fact]
    public async Task S24_a_value_that_xml_cannot_carry_is_answered_with_an_error_and_nothing_leaves()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, customer, _) = saml.SignedIn();
        saml.Neighbours.Profiles[customer]["name"] = JsonSerializer.SerializeToElement("Aino\u0000Virtanen");
        var (response, _) = await RespondAsync(sp, browser, "_nul");
        Assert.Empty(response.GetElementsByTagName("Assertion", SamlNamespaces.Assertion).Cast<XmlNode>());
        Assert.Equal(0, await saml.ReleasesAsync(sp));
    }

    [Fact]
    public async Task S24_a_request_id_is_quoted_back_and_opens_no_markup()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        saml.AssertRefused(await browser.GetAsync(sp.Redirect(sp.RequestXml(id: "_a\"><Assertion/>"), key: sp.SigningKey)), FaultCodes.IdInvalid);
        var (response, _) = await RespondAsync(sp, browser, "_é.-ÄÖ民");
        Assert.Equal("_é.-ÄÖ民", response.DocumentElement!.GetAttribute("InResponseTo"));
    }

    [Theory]
    [InlineData("simple")]
    [InlineData("")]
    [InlineData("https://fitter.example/book?a=b&c=%20d+e")]
    [InlineData("\"><script>alert(1)</script>&amp;")]
    [InlineData("  spaces, tab\t, 민 🚗 and ' quotes \"  ")]
    [InlineData("%41%2B+")]
    public async Task S27_relay_state_comes_back_byte_for_byte_by_either_binding(string relayState)
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        var (_, page) = await RespondAsync(sp, browser, "_r1", relayState);
        Assert.Equal(relayState, (await sp.ReceiveAsync(page, "_r1")).Value.RelayState);
        var posted = await saml.PostAsync(browser, TestServiceProvider.Post(TestServiceProvider.Sign(sp.RequestXml(id: "_r2")), relayState));
        Assert.Equal(relayState, (await sp.ReceiveAsync(posted, "_r2")).Value.RelayState);
    }

    [Fact]
    public async Task S27_a_relay_state_over_80_bytes_is_carried_and_none_stays_none()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        var longer = new string('x', 500);
        var (_, page) = await RespondAsync(sp, browser, "_l1", longer);
        Assert.Equal(longer, (await sp.ReceiveAsync(page, "_l1")).Value.RelayState);
        var (_, without) = await RespondAsync(sp, browser, "_l2");
        Assert.DoesNotContain(without.Forms().Single().Hidden, f => f.Key == "RelayState");
    }

    [Fact]
    public async Task X18_a_response_stolen_for_another_service_provider_or_brought_twice_or_late_is_worth_nothing()
    {
        var (sp, thief) = (await saml.AddPartnerAsync(claims: ["name"]), await saml.AddPartnerAsync(claims: ["name"]));
        var (browser, _, _) = saml.SignedIn();
        var (_, page) = await RespondAsync(sp, browser, "_s");
        var response = page.Forms().Single().Hidden.Single(f => f.Key == "SAMLResponse").Value;

        Assert.Equal(FaultCodes.DestinationInvalid, (await thief.ReceiveAsync(response, null, "_s")).Fault!.Code);
        Assert.Equal(FaultCodes.InResponseToInvalid, (await sp.ReceiveAsync(response, null, "_other")).Fault!.Code);
        Assert.True((await sp.ReceiveAsync(response, null, "_s")).IsSuccess);
        Assert.Equal(FaultCodes.Replayed, (await sp.ReceiveAsync(response, null, "_s")).Fault!.Code);

        var (_, late) = await RespondAsync(sp, browser, "_late");
        saml.Clock.Advance(TimeSpan.FromMinutes(9));
        Assert.Contains((await sp.ReceiveAsync(late, "_late")).Fault!.Code, new[] { FaultCodes.Expired, FaultCodes.InstantInvalid });
    }

    [Fact]
    public async Task S32_the_metadata_names_the_endpoint_by_both_bindings_and_both_certificates_in_four_languages_and_is_signed()
    {
        var xml = new XmlDocument { PreserveWhitespace = true };
        xml.LoadXml(await saml.Hub.Http.GetStringAsync("/saml/metadata", TestContext.Current.CancellationToken));
        Assert.Equal(saml.Hub.Origin + "/saml/metadata", xml.DocumentElement!.GetAttribute("entityID"));
        var services = xml.GetElementsByTagName("SingleSignOnService", SamlNamespaces.Metadata).Cast<XmlElement>().ToList();
        Assert.Equal([SamlBindings.HttpPost, SamlBindings.HttpRedirect], services.Select(s => s.GetAttribute("Binding")).Order(StringComparer.Ordinal));
        Assert.All(services, s => Assert.Equal(saml.Hub.Origin + "/saml/sso", s.GetAttribute("Location")));
        Assert.Equal(["encryption", "signing", "signing"], xml.GetElementsByTagName("KeyDescriptor", SamlNamespaces.Metadata).Cast<XmlElement>().Select(k => k.GetAttribute("use")).Order(StringComparer.Ordinal));
        var names = xml.GetElementsByTagName("DisplayName", SamlNamespaces.MetadataUi).Cast<XmlElement>().ToDictionary(n => n.GetAttribute("xml:lang"), n => n.InnerText);
        Assert.Equal(["en", "fi", "ko", "sv"], names.Keys.Order(StringComparer.Ordinal));
        Assert.All(names.Values, name => Assert.Equal("Northern Group", name));
        var descriptions = xml.GetElementsByTagName("Description", SamlNamespaces.MetadataUi).Cast<XmlElement>().Select(n => n.InnerText).ToList();
        Assert.Equal(4, descriptions.Distinct().Count());
        Assert.Same(xml.DocumentElement, xml.GetElementsByTagName("Signature", SamlNamespaces.XmlSignature)[0]!.ParentNode);
        Assert.Equal(3, xml.GetElementsByTagName("SingleLogoutService", SamlNamespaces.Metadata).Count);
        Assert.Empty(xml.GetElementsByTagName("ManageNameIDService", SamlNamespaces.Metadata).Cast<XmlNode>());    // only what works

        using var error = await saml.Hub.Http.GetAsync(xml.GetElementsByTagName("IDPSSODescriptor", SamlNamespaces.Metadata).Cast<XmlElement>().Single().GetAttribute("errorURL"), TestContext.Current.CancellationToken);
        Assert.Equal(System.Net.HttpStatusCode.OK, error.StatusCode);
    }

    [Fact]
    public async Task S32_our_metadata_names_the_organisation_in_four_languages_and_says_how_long_it_stands()
    {
        var document = new System.Xml.XmlDocument();
        document.LoadXml(await saml.Hub.Http.GetStringAsync("/saml/metadata"));
        var root = document.DocumentElement!;
        Assert.Equal("PT1H", root.GetAttribute("cacheDuration"));
        Assert.NotEmpty(root.GetAttribute("validUntil"));
        foreach (var name in new[] { "OrganizationDisplayName", "DisplayName", "Description" })
            Assert.Equal(["en", "fi", "ko", "sv"], root.GetElementsByTagName("*").OfType<System.Xml.XmlElement>().Where(e => e.LocalName == name).Select(e => e.GetAttribute("lang", "http://www.w3.org/XML/1998/namespace")).Order(StringComparer.Ordinal));
    }

    private static DateTimeOffset Instant(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
