using System.Text;
using System.Text.Json;
using System.Xml;
using Commerce.Consent.Contracts;
using Commerce.Federation.Contracts;
using Commerce.Saml;
using Commerce.Testing;

namespace Commerce.Federation.Tests.Saml;

/// <summary>What the data contract, the metadata and the request make of name, attributes and encryption: rows S13, S14, S18, S22, S23.</summary>
public sealed class NameAndEncryptionTests(SamlHub saml) : IClassFixture<SamlHub>
{
    private const string Email = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress", Transient = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";
    private static readonly RequestedAttribute Mail = new("urn:oid:0.9.2342.19200300.100.1.3", "mail", true);

    private static string Xml(TestPage page) => Encoding.UTF8.GetString(Convert.FromBase64String(page.Forms().Single().Hidden.Single(f => f.Key == "SAMLResponse").Value));

    private static async Task<ValidatedAssertion> SignInAsync(TestServiceProvider sp, TestBrowser browser, AuthnRequestOptions? options = null)
    {
        var request = sp.Request(options ?? new AuthnRequestOptions { NameIdFormat = null });
        var received = await sp.ReceiveAsync(await browser.GetAsync(request.Url), request.Id);
        Assert.True(received.IsSuccess, received.Fault?.ToString());
        return received.Value;
    }

    [Fact]
    public async Task S18_a_service_provider_with_an_encryption_key_gets_an_encrypted_assertion_that_it_reads()
    {
        var sp = await saml.AddPartnerAsync(decrypts: true, claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        var request = sp.Request();
        var page = await browser.GetAsync(request.Url);
        var xml = Xml(page);
        Assert.Contains("xmlenc11#aes256-gcm", xml, StringComparison.Ordinal);
        Assert.DoesNotContain("Aino", xml, StringComparison.Ordinal);
        Assert.DoesNotContain("<saml:Assertion", xml, StringComparison.Ordinal);
        var read = await sp.ReceiveAsync(page, request.Id);
        Assert.True(read.IsSuccess, read.Fault?.ToString());
        Assert.Equal(["Aino Virtanen"], read.Value.Values("urn:oid:2.16.840.1.113730.3.1.241"));
    }

    [Fact]
    public async Task S18_the_unsolicited_response_of_a_hop_is_encrypted_too()
    {
        var sp = await saml.AddPartnerAsync(decrypts: true, claims: ["name", "purchase"]);
        var (browser, customer, session) = saml.SignedIn();
        var (ticket, _) = await saml.StartHopAsync(sp, customer, session, "name", "purchase");
        var page = await browser.GetAsync("/saml/hop?ticket=" + ticket);
        Assert.DoesNotContain(SamlHub.Order.OrderNumber, Xml(page), StringComparison.Ordinal);
        Assert.True((await sp.ReceiveAsync(page, null)).IsSuccess);
    }

    [Theory]
    [InlineData("never", true, false)]
    [InlineData("metadata", true, true)]
    [InlineData("metadata", false, false)]
    public async Task S18_the_data_contract_may_switch_encryption_off(string says, bool hasKey, bool isEncrypted)
    {
        var sp = await saml.AddPartnerAsync(decrypts: hasKey, terms: new { encryption = says }, claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        Assert.Equal(isEncrypted, Xml(await browser.GetAsync(sp.Request().Url)).Contains("EncryptedAssertion", StringComparison.Ordinal));
    }

    [Fact]
    public async Task S18_where_the_contract_demands_encryption_nothing_leaves_without_a_key()
    {
        var sp = await saml.AddPartnerAsync(terms: new { encryption = "always" }, claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        var page = await browser.GetAsync(sp.Request().Url);
        Assert.DoesNotContain("Aino", Xml(page), StringComparison.Ordinal);
        Assert.Empty(SamlHub.ResponseOf(page).GetElementsByTagName("Assertion", SamlNamespaces.Assertion).Cast<XmlNode>());
        Assert.Equal(0, await saml.ReleasesAsync(sp));
    }

    [Fact]
    public async Task S22_a_transient_name_is_another_in_every_session_and_at_every_service_provider()
    {
        var (sp, other) = (await saml.AddPartnerAsync(), await saml.AddPartnerAsync());
        var ask = new AuthnRequestOptions { NameIdFormat = Transient, AllowCreate = false };
        var (browser, customer, _) = saml.SignedIn();
        var (first, again, elsewhere) = (await SignInAsync(sp, browser, ask), await SignInAsync(sp, browser, ask), await SignInAsync(other, browser, ask));
        var next = saml.Hub.NewBrowser();
        saml.Neighbours.SignIn(next, customer);
        var later = await SignInAsync(sp, next, ask);
        Assert.All([first, again, elsewhere, later], a => Assert.Equal(Transient, a.Name.Format));
        Assert.Equal(first.Name.Value, again.Name.Value);
        Assert.Equal(3, new[] { first.Name.Value, elsewhere.Name.Value, later.Name.Value }.Distinct().Count());
        Assert.NotEqual(first.Name.Value, (await SignInAsync(sp, browser)).Name.Value);
    }

    [Theory]
    [InlineData("<md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:transient</md:NameIDFormat>", "transient")]
    [InlineData("<md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</md:NameIDFormat>", "persistent")]
    [InlineData("<md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:transient</md:NameIDFormat><md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</md:NameIDFormat>", "persistent")]
    public async Task S22_without_a_wish_in_the_request_the_name_is_persistent_unless_metadata_knows_only_transient_ones(string formats, string expected)
    {
        var sp = await saml.AddPartnerAsync(editMetadata: xml => xml.Replace(
            "<md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</md:NameIDFormat>", formats, StringComparison.Ordinal));
        var (browser, _, _) = saml.SignedIn();
        Assert.EndsWith(expected, (await SignInAsync(sp, browser)).Name.Format, StringComparison.Ordinal);
    }

    [Fact]
    public async Task S14_S22_the_e_mail_address_is_the_name_only_where_the_data_contract_says_so()
    {
        var without = await saml.AddPartnerAsync(claims: ["email"]);
        var with = await saml.AddPartnerAsync(terms: new { name_id = "email" }, claims: ["email"]);
        var (browser, _, _) = saml.SignedIn();
        SamlHub.AssertStatus(await browser.GetAsync(without.Request(new AuthnRequestOptions { NameIdFormat = Email }).Url), without, Commerce.Saml.StatusCodes.InvalidNameIdPolicy);
        var named = await SignInAsync(with, browser);
        Assert.Equal(("aino.virtanen@example.com", Email), (named.Name.Value, named.Name.Format));
        Assert.EndsWith("persistent", (await SignInAsync(with, browser, new AuthnRequestOptions())).Name.Format, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"name_id":"email"}""", "name_id")]
    [InlineData("""{"name_id":"phone"}""", "name_id")]
    [InlineData("""{"encryption":"sometimes"}""", "encryption")]
    [InlineData("""{"other":1}""", "other")]
    public async Task S22_terms_that_cannot_be_kept_are_refused_with_the_contract(string terms, string member)
    {
        var contract = "{\"partner\":\"p\",\"version\":1,\"purposes\":[{\"id\":\"a\",\"retention_days\":1,\"legal_basis\":\"contract\",\"texts\":{\"en\":\"A\"},"
            + "\"claims\":[{\"name\":\"name\",\"required\":true,\"reason\":\"r\"}]}],\"saml\":" + terms + "}";
        var refused = await saml.Hub.AskAsync(new AddSamlPartner(new TestServiceProvider(saml.Clock).Metadata(), null, contract));
        Assert.Contains(refused.Refusal!.Errors!, e => e.Field.EndsWith(member, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("pairwise-id", false, "urn:oasis:names:tc:SAML:attribute:pairwise-id")]
    [InlineData("any", false, "urn:oasis:names:tc:SAML:attribute:pairwise-id")]
    [InlineData("subject-id", true, "urn:oasis:names:tc:SAML:attribute:subject-id")]
    [InlineData("subject-id", false, null)]
    [InlineData("none", true, null)]
    public async Task S22_O21_pairwise_id_and_subject_id_go_to_who_asks_and_the_one_that_partners_could_match_needs_a_contract(string asked, bool allowed, string? attribute)
    {
        string Edit(string xml) => xml.Replace("<md:SPSSODescriptor", "<md:Extensions><mdattr:EntityAttributes xmlns:mdattr=\"urn:oasis:names:tc:SAML:metadata:attribute\">"
            + "<saml:Attribute xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" Name=\"urn:oasis:names:tc:SAML:profiles:subject-id:req\" NameFormat=\"urn:oasis:names:tc:SAML:2.0:attrname-format:uri\">"
            + $"<saml:AttributeValue>{asked}</saml:AttributeValue></saml:Attribute></mdattr:EntityAttributes></md:Extensions><md:SPSSODescriptor", StringComparison.Ordinal);
        var (sp, other) = (await saml.AddPartnerAsync(editMetadata: Edit, terms: new { subject_id = allowed }, claims: ["name"]),
            await saml.AddPartnerAsync(editMetadata: Edit, terms: new { subject_id = allowed }, claims: ["name"]));
        var (browser, customer, _) = saml.SignedIn();
        var (here, there) = (await SignInAsync(sp, browser), await SignInAsync(other, browser));
        var found = here.Attributes.Where(a => a.Name.StartsWith("urn:oasis:names:tc:SAML:attribute:", StringComparison.Ordinal)).ToList();
        if (attribute is null)
        {
            Assert.Empty(found);
            return;
        }
        var id = Assert.Single(Assert.Single(found, a => a.Name == attribute).Values);
        Assert.Matches("^[0-9a-f]{64}@[a-z0-9.-]+$", id);
        Assert.DoesNotContain(customer.ToString("N"), id, StringComparison.Ordinal);
        Assert.Equal(attribute.EndsWith("subject-id", StringComparison.Ordinal), id == there.Values(attribute).Single());
        var metadata = await saml.Hub.Http.GetStringAsync("/saml/metadata", TestContext.Current.CancellationToken);
        Assert.Contains($"regexp=\"false\">{id.Split('@')[1]}</shibmd:Scope>", metadata, StringComparison.Ordinal);
    }

    [Fact]
    public async Task S23_attributes_named_in_metadata_narrow_what_leaves_and_never_widen_it()
    {
        var phone = new RequestedAttribute("urn:oid:2.5.4.20", "telephoneNumber", true);
        var sp = await saml.AddPartnerAsync(requested: [Mail, phone], claims: ["name", "email"]);
        var (browser, _, _) = saml.SignedIn();
        var received = await SignInAsync(sp, browser);
        Assert.Equal(["email_verified", "mail"], received.Attributes.Select(a => a.FriendlyName).Order());    // neither the name, nor the telephone number
    }

    [Fact]
    public async Task S23_an_attribute_consuming_service_is_chosen_by_its_index_and_an_unknown_one_is_an_error()
    {
        var sp = await saml.AddPartnerAsync(requested: [Mail], editMetadata: xml => xml.Replace("</md:SPSSODescriptor>",
            "<md:AttributeConsumingService index=\"7\"><md:ServiceName xml:lang=\"en\">B</md:ServiceName><md:RequestedAttribute Name=\"displayName\"/></md:AttributeConsumingService></md:SPSSODescriptor>",
            StringComparison.Ordinal), claims: ["name", "email"]);
        var (browser, _, _) = saml.SignedIn();
        foreach (var (index, expected) in new[] { ("0", "email_verified mail"), ("7", "displayName givenName sn") })
        {
            var xml = sp.RequestXml(attributes: $"AttributeConsumingServiceIndex=\"{index}\"");
            var page = await browser.GetAsync(sp.Redirect(xml, key: sp.SigningKey));
            var names = SamlHub.ResponseOf(page).GetElementsByTagName("Attribute", SamlNamespaces.Assertion).Cast<XmlElement>().Select(a => a.GetAttribute("FriendlyName"));
            Assert.Equal(expected, string.Join(' ', names.Order(StringComparer.Ordinal)));
        }
        SamlHub.AssertStatus(await browser.GetAsync(sp.Redirect(sp.RequestXml(attributes: "AttributeConsumingServiceIndex=\"9\""), key: sp.SigningKey)), sp, Commerce.Saml.StatusCodes.RequestUnsupported);
    }

    [Fact]
    public async Task S23_what_was_agreed_for_a_hop_goes_whole_whatever_the_metadata_names()
    {
        var sp = await saml.AddPartnerAsync(requested: [Mail], claims: ["name", "purchase"]);
        var (browser, customer, session) = saml.SignedIn();
        var (ticket, _) = await saml.StartHopAsync(sp, customer, session, "name", "purchase");
        var received = await SignInAsync(sp, browser, new AuthnRequestOptions { HopTicket = ticket });
        Assert.Contains(received.Attributes, a => a.FriendlyName == "purchase");
    }

    [Theory]
    [InlineData("minimum", true)]
    [InlineData("maximum", true)]
    [InlineData("exact", true)]
    [InlineData("better", false)]
    public async Task S13_comparison_climbs_the_ladder_that_openid_connect_uses_too(string comparison, bool isGranted)
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        var page = await browser.GetAsync(sp.Redirect(sp.RequestXml(children:
            $"<samlp:RequestedAuthnContext Comparison=\"{comparison}\"><saml:AuthnContextClassRef>{AuthnContextClasses.PasswordProtectedTransport}</saml:AuthnContextClassRef></samlp:RequestedAuthnContext>"), key: sp.SigningKey));
        if (!isGranted) SamlHub.AssertStatus(page, sp, Commerce.Saml.StatusCodes.NoAuthnContext);
        else Assert.Equal(AuthnContextClasses.PasswordProtectedTransport, SamlHub.ResponseOf(page).GetElementsByTagName("AuthnContextClassRef", SamlNamespaces.Assertion)[0]!.InnerText);
    }
}
