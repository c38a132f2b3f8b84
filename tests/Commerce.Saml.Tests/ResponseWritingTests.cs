using System.Buffers;
using System.Text;
using System.Xml;

namespace Commerce.Saml.Tests;

/// <summary>What the identity provider writes, rows S17 to S25.</summary>
public sealed class ResponseWritingTests
{
    private const string P = "urn:oasis:names:tc:SAML:2.0:protocol";
    private const string A = "urn:oasis:names:tc:SAML:2.0:assertion";

    private readonly World world = new();

    private static XmlElement One(XmlElement parent, string ns, string name) => Assert.Single(parent.GetElementsByTagName(name, ns).OfType<XmlElement>());

    private XmlElement Written(ValidatedAuthnRequest request, params SamlAttribute[] attributes) => Attack.Load(world.RespondXml(request, attributes)).DocumentElement!;

    [Fact]
    public void Every_message_has_an_identifier_of_its_own_whichever_thread_makes_it()
    {
        var made = new System.Collections.Concurrent.ConcurrentBag<string>();
        Parallel.For(0, 5000, _ => made.Add(SamlId.New()));
        Assert.Equal(5000, made.Distinct().Count());
        Assert.All(made, id => Assert.Matches("^_[0-9a-f]{40}$", id));
    }

    [Fact]
    public void S17_a_success_response_has_one_assertion_one_statement_and_both_signatures()
    {
        var response = Written(world.Request());
        var assertion = One(response, A, "Assertion");
        One(response, A, "AuthnStatement");
        One(response, A, "AttributeStatement");
        Assert.Equal(2, response.GetElementsByTagName("Signature", SamlNamespaces.XmlSignature).Count);
        Assert.True(XmlSignature.Verify(response, [TrustedKey.Of(world.IdpKey)]).IsSuccess);
        Assert.True(XmlSignature.Verify(assertion, [TrustedKey.Of(world.IdpKey)]).IsSuccess);
    }

    [Theory]
    [InlineData(true, false, false, false, true)]
    [InlineData(false, true, false, true, false)]
    [InlineData(false, true, true, true, true)]
    [InlineData(false, false, false, false, true)]
    public void S17_what_is_signed_follows_the_settings_and_the_service_providers_wish_and_is_never_nothing(
        bool assertions, bool responses, bool wanted, bool responseSigned, bool assertionSigned)
    {
        var world = new World(idp: s => s with { SignAssertions = assertions, SignResponses = responses }, sp: r => r with { WantAssertionsSigned = wanted });
        var response = Attack.Load(world.RespondXml(world.Request())).DocumentElement!;
        Assert.Equal(responseSigned, XmlSignature.Find(response).Value is not null);
        Assert.Equal(assertionSigned, XmlSignature.Find(One(response, A, "Assertion")).Value is not null);
    }

    [Fact]
    public void S19_S20_S21_the_response_names_its_receiver_its_request_and_its_short_life()
    {
        var request = world.Request();
        var response = Written(request);
        Assert.Equal(World.AcsUrl, response.GetAttribute("Destination"));
        Assert.Equal(request.Id, response.GetAttribute("InResponseTo"));
        Assert.Equal(World.IdpId, response.FirstChild!.InnerText);
        var confirmation = One(response, A, "SubjectConfirmation");
        Assert.Equal("urn:oasis:names:tc:SAML:2.0:cm:bearer", confirmation.GetAttribute("Method"));
        var data = One(response, A, "SubjectConfirmationData");
        Assert.Equal((World.AcsUrl, request.Id, "2026-03-02T09:35:00.000Z", false),
            (data.GetAttribute("Recipient"), data.GetAttribute("InResponseTo"), data.GetAttribute("NotOnOrAfter"), data.HasAttribute("NotBefore")));
        Assert.Equal(World.SpId, One(response, A, "Audience").InnerText);
        Assert.Equal("s-1", One(response, A, "AuthnStatement").GetAttribute("SessionIndex"));
        Assert.Equal("2026-03-02T09:12:00.000Z", One(response, A, "AuthnStatement").GetAttribute("AuthnInstant"));
        Assert.Equal(AuthnContextClasses.PasswordProtectedTransport, One(response, A, "AuthnContextClassRef").InnerText);
        Assert.Throws<ArgumentException>(() => new IdentityProvider(world.Idp.Settings with { AssertionLifetime = TimeSpan.FromMinutes(6) }, world.Clock));
    }

    [Fact]
    public void S19_an_unsolicited_response_answers_no_request()
    {
        var response = world.Idp.RespondUnsolicited(world.Sp, world.Sp.AssertionConsumerServices[0], "rs", World.Content()).Value;
        var xml = Encoding.UTF8.GetString(response.Xml.Span);
        Assert.DoesNotContain("InResponseTo", xml, StringComparison.Ordinal);
        Assert.Equal(FaultCodes.InResponseToInvalid, world.Consume(xml, null).Fault?.Code);
        Assert.Null(world.Consume(xml, null, allowUnsolicited: true).Value.InResponseTo);
        Assert.Equal(FaultCodes.InResponseToInvalid, world.Consume(xml, "_sent", allowUnsolicited: true).Fault?.Code);
    }

    [Fact]
    public void S04_an_unsolicited_response_goes_only_to_an_endpoint_of_the_record()
    {
        Assert.Equal(FaultCodes.AcsInvalid, world.Idp.RespondUnsolicited(world.Sp, new(0, SamlBindings.HttpPost, "https://evil.example/", true), null, World.Content()).Fault?.Code);
        Assert.Equal(FaultCodes.AcsInvalid, world.Idp.RespondUnsolicited(world.Sp, world.Sp.AssertionConsumerServices[2], null, World.Content()).Fault?.Code);
    }

    [Theory]
    [InlineData("javascript:alert(1)")]
    [InlineData("JavaScript:alert(1)")]
    [InlineData("data:text/html,x")]
    [InlineData("https://sp.example/acs?SAMLResponse=x")]
    [InlineData("https://sp.example/acs?a=1&amp;samlresponse=x")]
    [InlineData("https://sp.example/acs?a=1&RelayState=x")]
    [InlineData("https://user@sp.example/acs")]
    [InlineData("https://sp.example/acs#x")]
    [InlineData("//sp.example/acs")]
    [InlineData("https://sp.example/\"onload=")]
    public void X17_nothing_is_posted_to_an_address_that_is_no_plain_web_address(string location)
    {
        var acs = new AssertionConsumerService(0, SamlBindings.HttpPost, location);
        var record = world.Sp with { AssertionConsumerServices = [acs] };
        Assert.Equal(FaultCodes.AcsInvalid, world.Idp.RespondUnsolicited(record, acs, null, World.Content()).Fault?.Code);
    }

    [Fact]
    public void S33_nothing_goes_unasked_to_a_service_provider_whose_metadata_ran_out()
    {
        var record = world.Sp with { ValidUntil = world.Clock.Now };
        Assert.Equal(FaultCodes.MetadataInvalid, world.Idp.RespondUnsolicited(record, record.AssertionConsumerServices[0], null, World.Content()).Fault?.Code);
        record = record with { ValidUntil = world.Clock.Now.AddSeconds(1) };
        Assert.Null(world.Idp.RespondUnsolicited(record, record.AssertionConsumerServices[0], null, World.Content()).Fault);
    }

    [Fact]
    public void S22_the_name_is_persistent_and_qualified_on_both_sides()
    {
        var name = One(Written(world.Request()), A, "NameID");
        Assert.Equal((NameIdFormats.Persistent, World.IdpId, World.SpId), (name.GetAttribute("Format"), name.GetAttribute("NameQualifier"), name.GetAttribute("SPNameQualifier")));
        foreach (var value in new[] { "", new string('x', 257) })
            Assert.Equal(FaultCodes.ValueInvalid, world.Idp.Respond(world.Request(), World.Content() with { Name = NameId.Persistent(value, World.IdpId, World.SpId) }).Fault?.Code);
    }

    [Fact]
    public void S23_attributes_have_uri_names_and_one_value_per_element()
    {
        var response = Written(world.Request(), new SamlAttribute("urn:oid:2.5.4.42", ["a", "b"], "givenName"));
        var attribute = One(response, A, "Attribute");
        Assert.Equal(AttributeNameFormats.Uri, attribute.GetAttribute("NameFormat"));
        Assert.Equal(["a", "b"], attribute.ChildNodes.OfType<XmlElement>().Select(v => v.InnerText));
        var twice = new SamlAttribute("urn:x", ["1"]);
        Assert.Equal(FaultCodes.ValueInvalid, world.Idp.Respond(world.Request(), World.Content(twice, twice)).Fault?.Code);
        Assert.DoesNotContain("AttributeStatement", Encoding.UTF8.GetString(world.Idp.Respond(world.Request(), World.Content() with { Attributes = [] }).Value.Xml.Span), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("</saml:AttributeValue></saml:Attribute></saml:AttributeStatement></saml:Assertion><saml:Assertion>")]
    [InlineData("\"><x y=\"")]
    [InlineData("<!-- --><![CDATA[]]><?x?>&amp;&#0;")]
    [InlineData("]]>")]
    [InlineData("tab\t line\n return\r end ")]
    [InlineData("漢字 한국어 🚗 ä")]
    public void S24_a_hostile_value_stays_a_value(string value)
    {
        var content = World.Content(new SamlAttribute("urn:x:" + value, [value, value], value)) with
        {
            Name = new NameId(value, NameIdFormats.Persistent, value, value),
            SessionIndex = value,
            ContextClass = value,
        };
        var request = world.Request();
        var assertion = world.Consume(Encoding.UTF8.GetString(world.Idp.Respond(request, content).Value.Xml.Span), request.Id);
        Assert.True(assertion.IsSuccess, assertion.Fault?.ToString());
        Assert.Equal(content.Name, assertion.Value.Name);
        Assert.Equal((value, value), (assertion.Value.SessionIndex, assertion.Value.ContextClass));
        var attribute = Assert.Single(assertion.Value.Attributes);
        Assert.Equal(("urn:x:" + value, value), (attribute.Name, attribute.FriendlyName));
        Assert.Equal([value, value], attribute.Values);
    }

    [Fact]
    public void S24_a_value_that_xml_cannot_carry_is_refused()
    {
        foreach (var value in new[] { "a\0b", "a\u0008b", "\uFFFE", "\uD800", "\uDC00x", "x\uD800y" })
        {
            Assert.Equal(FaultCodes.ValueInvalid, world.Idp.Respond(world.Request(), World.Content(new SamlAttribute("urn:x", [value]))).Fault?.Code);
            Assert.Equal(FaultCodes.ValueInvalid, world.Idp.Respond(world.Request(), World.Content() with { SessionIndex = value }).Fault?.Code);
            Assert.Equal(FaultCodes.ValueInvalid, world.Idp.RespondError(world.Request(), SamlStatus.RequestDenied with { Message = value }).Fault?.Code);
        }
    }

    [Fact]
    public void S25_a_failure_is_a_signed_response_with_a_nested_status_and_no_assertion()
    {
        var request = world.Request();
        foreach (var status in new[] { SamlStatus.NoPassive, SamlStatus.NoAuthnContext, SamlStatus.InvalidNameIdPolicy, SamlStatus.RequestDenied, SamlStatus.AuthnFailed })
        {
            var response = world.Idp.RespondError(request, status).Value;
            var xml = Encoding.UTF8.GetString(response.Xml.Span);
            Assert.Null(response.AssertionId);
            Assert.DoesNotContain("Assertion ", xml, StringComparison.Ordinal);
            var root = Attack.Load(xml).DocumentElement!;
            Assert.True(XmlSignature.Verify(root, [TrustedKey.Of(world.IdpKey)]).IsSuccess);
            Assert.Equal([status.Code, status.SubCode], root.GetElementsByTagName("StatusCode", P).OfType<XmlElement>().Select(c => c.GetAttribute("Value")));
            var fault = world.Consume(xml, request.Id).Fault;
            Assert.Equal(FaultCodes.StatusNotSuccess, fault?.Code);
            Assert.Contains(status.SubCode!, fault!.Detail, StringComparison.Ordinal);
        }
        Assert.False(world.Idp.RespondError(request, SamlStatus.Success).IsSuccess);
    }

    [Fact]
    public void Claims_and_attributes_map_both_ways()
    {
        foreach (var claim in new[] { "name", "given_name", "family_name", "email", "email_verified", "phone_number", "phone_number_verified", "address", "locale", "vehicle", "purchase", "consent_receipt", "hop", "other_claim" })
            Assert.Equal(claim, ClaimNames.ToClaim(ClaimNames.ToAttribute(claim).Name));
        Assert.Equal("urn:commerce:claim:vehicle", ClaimNames.ToAttribute("vehicle").Name);
        Assert.Null(ClaimNames.ToClaim("urn:commerce:claim:email"));
        Assert.Null(ClaimNames.ToClaim("urn:commerce:claim:sub"));
        Assert.Null(ClaimNames.ToClaim("urn:oid:1.2.3"));
        Assert.Throws<ArgumentException>(() => ClaimNames.ToAttribute("sub"));
        foreach (var (claim, json) in new[] { ("email_verified", "true"), ("given_name", "\"Aino \\u00e4\""), ("vehicle", "{\"registration\":\"ABC-123\",\"year\":2019}"), ("hop", "{\"id\":\"1\"}"), ("address", "{\"country\":\"FI\"}") })
        {
            using var value = System.Text.Json.JsonDocument.Parse(json);
            var back = ClaimNames.ToValue(claim, ClaimNames.ToAttribute(claim, value.RootElement).Values).Value;
            Assert.True(System.Text.Json.JsonElement.DeepEquals(value.RootElement, back), claim);
        }
        Assert.False(ClaimNames.ToValue("email_verified", ["yes"]).IsSuccess);
        Assert.False(ClaimNames.ToValue("vehicle", ["{"]).IsSuccess);
    }

    // The pool hands the buffer to whoever asks next, and that may be a writer whose output goes to another partner.
    [Theory]
    [InlineData("", 0)]
    [InlineData("a shorter text", 0)]
    [InlineData("", 64 * 1024)]
    public void A_buffer_holds_nothing_when_it_goes_back(string after, int grown)
    {
        const int size = 4096;
        var writer = new Utf8XmlWriter(size);
        writer.Text("Matti Meikäläinen, ABC-123");
        if (after.Length > 0) writer.Clear();
        writer.Raw(after).Raw(new byte[grown]);
        Assert.NotEqual(0, writer.Memory.Length);
        writer.Dispose();
        writer.Dispose();       // gives it back once

        foreach (var length in new[] { size, size + grown })
        {
            var again = ArrayPool<byte>.Shared.Rent(length);        // on the same thread the same
            Assert.Equal(-1, again.AsSpan().IndexOf("Matti"u8));
            Assert.Equal(-1, again.AsSpan().IndexOf("ABC-123"u8));
            ArrayPool<byte>.Shared.Return(again);
        }
    }
}
