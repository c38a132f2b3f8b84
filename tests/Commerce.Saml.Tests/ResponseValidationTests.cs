using System.Xml;

namespace Commerce.Saml.Tests;

/// <summary>A strict service provider against responses that the right key signed and that are wrong all the same: rows S26, X18 and X19.</summary>
public sealed class ResponseValidationTests
{
    /// <summary>Changes a good response and signs it again with the identity provider's own key: only the changed rule can refuse it.</summary>
    private static SamlFault? Send(Action<XmlElement> change, string? requestId = null, bool allowUnsolicited = false)
    {
        var world = new World();
        var request = world.Request();
        var document = Attack.Load(world.RespondXml(request));
        var root = document.DocumentElement!;
        Attack.Unsign(root);
        foreach (var assertion in Attack.Descendants(root, "Assertion")) Attack.Unsign(assertion);
        change(root);
        if (Attack.Descendants(root, "Assertion").FirstOrDefault() is { } changed && changed.HasAttribute("ID"))
            XmlSignature.Sign(changed, changed.FirstChild?.NextSibling, world.IdpKey);
        if (root.HasAttribute("ID")) XmlSignature.Sign(root, root.FirstChild!.LocalName == "Issuer" ? root.FirstChild.NextSibling : root.FirstChild, world.IdpKey);
        return world.Consume(document.OuterXml, requestId ?? request.Id, allowUnsolicited).Fault;
    }

    private static XmlElement E(XmlElement root, string name) => root.LocalName == name ? root : Attack.Descendants(root, name).First();

    private static void Remove(XmlNode node) => node.ParentNode!.RemoveChild(node);

    [Fact]
    public void S26_the_harness_signs_responses_that_are_accepted() => Assert.Null(Send(_ => { }));

    public static TheoryData<string, string, string?, string> Attributes => new()
    {
        // element, attribute, value (null: taken away), the rule that refuses
        { "Response", "Version", "1.1", FaultCodes.VersionInvalid }, { "Response", "Version", null, FaultCodes.VersionInvalid },
        { "Response", "IssueInstant", null, FaultCodes.InstantInvalid }, { "Response", "IssueInstant", "", FaultCodes.InstantInvalid },
        { "Response", "IssueInstant", "2026-03-02T09:33:01Z", FaultCodes.InstantInvalid }, { "Response", "IssueInstant", "2026-03-02T09:21:59Z", FaultCodes.InstantInvalid },
        { "Response", "Destination", null, FaultCodes.DestinationInvalid }, { "Response", "Destination", "", FaultCodes.DestinationInvalid },
        { "Response", "Destination", "https://other.example/acs", FaultCodes.DestinationInvalid }, { "Response", "Destination", "https://FITTER.example/saml/acs", FaultCodes.DestinationInvalid },
        { "Response", "InResponseTo", null, FaultCodes.InResponseToInvalid }, { "Response", "InResponseTo", "", FaultCodes.InResponseToInvalid }, { "Response", "InResponseTo", "_other", FaultCodes.InResponseToInvalid },
        { "StatusCode", "Value", null, FaultCodes.StatusNotSuccess }, { "StatusCode", "Value", "", FaultCodes.StatusNotSuccess }, { "StatusCode", "Value", StatusCodes.Responder, FaultCodes.StatusNotSuccess },
        { "StatusCode", "Value", "urn:oasis:names:tc:SAML:2.0:status:success", FaultCodes.StatusNotSuccess },
        { "Assertion", "Version", null, FaultCodes.VersionInvalid }, { "Assertion", "Version", "1.0", FaultCodes.VersionInvalid },
        { "Assertion", "IssueInstant", null, FaultCodes.InstantInvalid }, { "Assertion", "IssueInstant", "2026-03-02T09:34:00Z", FaultCodes.InstantInvalid },
        { "SubjectConfirmation", "Method", null, FaultCodes.SubjectInvalid }, { "SubjectConfirmation", "Method", "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key", FaultCodes.SubjectInvalid },
        { "SubjectConfirmationData", "Recipient", null, FaultCodes.RecipientInvalid }, { "SubjectConfirmationData", "Recipient", "", FaultCodes.RecipientInvalid },
        { "SubjectConfirmationData", "Recipient", "https://other.example/acs", FaultCodes.RecipientInvalid },
        { "SubjectConfirmationData", "InResponseTo", null, FaultCodes.InResponseToInvalid }, { "SubjectConfirmationData", "InResponseTo", "_other", FaultCodes.InResponseToInvalid },
        { "SubjectConfirmationData", "NotOnOrAfter", null, FaultCodes.SubjectInvalid }, { "SubjectConfirmationData", "NotOnOrAfter", "soon", FaultCodes.SubjectInvalid },
        { "SubjectConfirmationData", "NotOnOrAfter", "2026-03-02T09:27:00Z", FaultCodes.Expired }, { "SubjectConfirmationData", "NotOnOrAfter", "2026-03-03T09:30:00Z", FaultCodes.SubjectInvalid },
        { "SubjectConfirmationData", "NotOnOrAfter", "9999-12-31T23:59:59Z", FaultCodes.SubjectInvalid }, { "SubjectConfirmationData", "NotOnOrAfter", "0001-01-01T00:00:00Z", FaultCodes.Expired },
        { "SubjectConfirmationData", "NotBefore", "2026-03-02T09:30:00Z", FaultCodes.SubjectInvalid },
        { "Conditions", "NotBefore", "2026-03-02T09:33:01Z", FaultCodes.ConditionsInvalid }, { "Conditions", "NotBefore", "x", FaultCodes.ConditionsInvalid },
        { "Conditions", "NotBefore", "9999-12-31T23:59:59Z", FaultCodes.ConditionsInvalid }, { "Conditions", "NotOnOrAfter", "0001-01-01T00:00:00Z", FaultCodes.Expired },
        { "Conditions", "NotOnOrAfter", "2026-03-02T09:27:00Z", FaultCodes.Expired }, { "Conditions", "NotOnOrAfter", "", FaultCodes.ConditionsInvalid },
        { "AuthnStatement", "AuthnInstant", null, FaultCodes.StatementInvalid }, { "AuthnStatement", "AuthnInstant", "", FaultCodes.StatementInvalid },
        { "AuthnStatement", "AuthnInstant", "2026-03-02T09:34:00Z", FaultCodes.StatementInvalid },
        { "AuthnStatement", "SessionNotOnOrAfter", "2026-03-02T09:00:00Z", FaultCodes.Expired }, { "AuthnStatement", "SessionNotOnOrAfter", "x", FaultCodes.StatementInvalid },
        { "AuthnStatement", "SessionNotOnOrAfter", "0001-01-01T00:00:00Z", FaultCodes.Expired },
        { "Attribute", "Name", null, FaultCodes.StatementInvalid }, { "Attribute", "Name", "", FaultCodes.StatementInvalid },
    };

    [Theory, MemberData(nameof(Attributes))]
    public void S26_X18_X19_a_wrong_or_missing_attribute_is_refused(string element, string attribute, string? value, string code)
    {
        var fault = Send(root =>
        {
            if (value is null) E(root, element).RemoveAttribute(attribute);
            else E(root, element).SetAttribute(attribute, value);
        });
        Assert.Equal(code, fault?.Code);
    }

    [Theory]
    [InlineData("Conditions", "NotBefore", "0001-01-01T00:00:00Z")]
    [InlineData("Conditions", "NotOnOrAfter", "9999-12-31T23:59:59.9999999Z")]
    [InlineData("AuthnStatement", "SessionNotOnOrAfter", "9999-12-31T23:59:59Z")]
    public void S26_an_instant_at_the_edge_of_the_calendar_is_an_instant_like_others(string element, string attribute, string value) =>
        Assert.Null(Send(root => E(root, element).SetAttribute(attribute, value)));

    [Theory]
    [InlineData("Status", FaultCodes.StructureInvalid)]
    [InlineData("StatusCode", FaultCodes.StructureInvalid)]
    [InlineData("Assertion", FaultCodes.StructureInvalid)]
    [InlineData("Subject", FaultCodes.SubjectInvalid)]
    [InlineData("NameID", FaultCodes.SubjectInvalid)]
    [InlineData("SubjectConfirmation", FaultCodes.SubjectInvalid)]
    [InlineData("SubjectConfirmationData", FaultCodes.SubjectInvalid)]
    [InlineData("Conditions", FaultCodes.ConditionsInvalid)]
    [InlineData("AudienceRestriction", FaultCodes.AudienceInvalid)]
    [InlineData("Audience", FaultCodes.AudienceInvalid)]
    [InlineData("AuthnStatement", FaultCodes.StatementInvalid)]
    [InlineData("AuthnContext", FaultCodes.StatementInvalid)]
    [InlineData("AuthnContextClassRef", FaultCodes.StatementInvalid)]
    public void S26_a_missing_element_is_refused(string element, string code) => Assert.Equal(code, Send(root => Remove(E(root, element)))?.Code);

    [Theory]
    [InlineData("Issuer")]
    [InlineData("Subject")]
    [InlineData("NameID")]
    [InlineData("Conditions")]
    [InlineData("Audience")]
    [InlineData("AuthnStatement")]
    [InlineData("AuthnContext")]
    [InlineData("AuthnContextClassRef")]
    [InlineData("Status")]
    [InlineData("SubjectConfirmation")]
    public void S26_an_empty_element_is_refused(string element) => Assert.NotNull(Send(root =>
    {
        var empty = Attack.Descendants(root, element).Last();
        while (empty.FirstChild is { } child) empty.RemoveChild(child);
    }));

    [Theory]
    [InlineData("AuthnStatement")]
    [InlineData("AttributeStatement")]
    [InlineData("Conditions")]
    [InlineData("Subject")]
    [InlineData("Attribute")]
    [InlineData("AuthnContext")]
    [InlineData("AuthnContextClassRef")]
    [InlineData("Status")]
    [InlineData("NameID")]
    public void S26_an_element_twice_is_refused(string element) => Assert.NotNull(Send(root =>
    {
        var one = E(root, element);
        one.ParentNode!.InsertAfter(one.CloneNode(deep: true), one);
    }));

    [Fact]
    public void S26_another_issuer_is_refused_in_the_response_and_in_the_assertion()
    {
        foreach (var index in new[] { 0, 1 })
        {
            Assert.Equal(FaultCodes.IssuerInvalid, Send(root => Attack.Descendants(root, "Issuer").ElementAt(index).InnerText = "https://other.example")?.Code);
            Assert.Equal(FaultCodes.IssuerInvalid, Send(root => Attack.Descendants(root, "Issuer").ElementAt(index).SetAttribute("Format", NameIdFormats.EmailAddress))?.Code);
        }
    }

    [Fact]
    public void S26_ids_must_be_names()
    {
        var world = new World();
        var request = world.Request();
        var xml = world.RespondXml(request);
        foreach (var id in new[] { "1", "", "a b" })
            Assert.NotNull(world.Consume(xml.Replace(Attack.Load(xml).DocumentElement!.GetAttribute("ID"), id, StringComparison.Ordinal), request.Id).Fault);
    }

    [Fact]
    public void X18_a_response_for_another_audience_is_refused_and_one_among_several_is_accepted()
    {
        Assert.Equal(FaultCodes.AudienceInvalid, Send(root => E(root, "Audience").InnerText = "https://other.example")?.Code);
        Assert.Equal(FaultCodes.AudienceInvalid, Send(root => E(root, "Audience").InnerText = World.SpId + "/")?.Code);
        Assert.Null(Send(root =>
        {
            var audience = E(root, "Audience");
            var other = audience.CloneNode(deep: true);
            other.InnerText = "https://other.example";
            audience.ParentNode!.InsertBefore(other, audience);
        }));
        Assert.Equal(FaultCodes.AudienceInvalid, Send(root =>
        {
            // two restrictions: both must hold
            var restriction = E(root, "AudienceRestriction");
            var other = restriction.CloneNode(deep: true);
            other.FirstChild!.InnerText = "https://other.example";
            restriction.ParentNode!.AppendChild(other);
        })?.Code);
        Assert.Equal(FaultCodes.ConditionsInvalid, Send(root => E(root, "Conditions").AppendChild(root.OwnerDocument.CreateElement("saml", "Condition", SamlNamespaces.Assertion)))?.Code);
    }

    [Fact]
    public void X18_a_response_works_once()
    {
        var world = new World();
        var request = world.Request();
        var xml = world.RespondXml(request);
        Assert.True(world.Consume(xml, request.Id).IsSuccess);
        Assert.Equal(FaultCodes.Replayed, world.Consume(xml, request.Id).Fault?.Code);
    }

    [Fact]
    public async Task X18_the_id_is_remembered_last_and_until_the_assertion_is_dead()
    {
        var world = new World();
        var request = world.Request();
        var message = PostBinding.Read(Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(world.RespondXml(request))), false, null).Value;
        var asked = new List<DateTimeOffset>();
        ConsumeAssertionId consume = (_, until, _) =>
        {
            asked.Add(until);
            return ValueTask.FromResult(true);
        };
        Assert.False((await world.SpSide.ValidateAsync(message, new ResponseExpectation(world.RemoteIdp, "_other"), consume)).IsSuccess);
        Assert.Empty(asked);
        Assert.True((await world.SpSide.ValidateAsync(message, new ResponseExpectation(world.RemoteIdp, request.Id), consume)).IsSuccess);
        world.Clock.Now = Assert.Single(asked);
        Assert.Equal(FaultCodes.Expired, (await world.SpSide.ValidateAsync(message, new ResponseExpectation(world.RemoteIdp, request.Id), consume)).Fault?.Code);
        Assert.Single(asked);
    }

    [Fact]
    public void X18_a_response_to_one_service_provider_is_refused_by_another()
    {
        var world = new World();
        var request = world.Request();
        var xml = world.RespondXml(request);
        foreach (var (entity, acs) in new[] { ("https://other.example", World.AcsUrl), (World.SpId, "https://other.example/acs") })
        {
            var thief = new ServiceProviderSide(new ServiceProviderSettings { EntityId = entity, AssertionConsumerServiceUrl = acs }, world.Clock);
            var message = PostBinding.Read(Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(xml)), false, null).Value;
            Assert.False(new ResponseValidation(thief.Settings, new ResponseExpectation(world.RemoteIdp, request.Id), message, world.Clock.Now).Run().IsSuccess);
        }
    }

    [Fact]
    public void S35_three_minutes_off_is_accepted_either_way_and_more_is_not()
    {
        var world = new World();
        var request = world.Request();
        var xml = world.RespondXml(request);
        var issued = world.Clock.Now;
        SamlFault? At(TimeSpan offset)
        {
            world.Clock.Now = issued + offset;
            world.UsedIds.Clear();
            return world.Consume(xml, request.Id).Fault;
        }
        Assert.Null(At(TimeSpan.FromMinutes(-3)));
        Assert.NotNull(At(TimeSpan.FromMinutes(-3) - TimeSpan.FromSeconds(1)));
        Assert.Null(At(TimeSpan.FromMinutes(8) - TimeSpan.FromSeconds(1)));
        Assert.Equal(FaultCodes.Expired, At(TimeSpan.FromMinutes(8))?.Code);
    }

    [Fact]
    public void One_of_several_confirmations_is_enough()
    {
        Assert.Null(Send(root =>
        {
            var good = E(root, "SubjectConfirmation");
            var other = (XmlElement)good.CloneNode(deep: true);
            ((XmlElement)other.FirstChild!).SetAttribute("Recipient", "https://other.example");
            good.ParentNode!.InsertBefore(other, good);
        }));
    }

    [Fact]
    public void X10_an_empty_encrypted_assertion_is_refused()
    {
        var fault = Send(root =>
        {
            var assertion = E(root, "Assertion");
            root.ReplaceChild(root.OwnerDocument.CreateElement("saml", "EncryptedAssertion", SamlNamespaces.Assertion), assertion);
        });
        Assert.Equal(FaultCodes.AlgorithmRefused, fault?.Code);
    }

    [Fact]
    public void X12_metadata_that_ran_out_pins_no_keys()
    {
        var world = new World();
        var request = world.Request();
        world.RemoteIdp = world.RemoteIdp with { ValidUntil = world.Clock.Now };
        Assert.Equal(FaultCodes.MetadataInvalid, world.Consume(world.RespondXml(request), request.Id).Fault?.Code);
    }

    [Theory]
    [InlineData("Subject", "BaseID", SamlNamespaces.Assertion, FaultCodes.SubjectInvalid)]
    [InlineData("AttributeStatement", "EncryptedAttribute", SamlNamespaces.Assertion, FaultCodes.StatementInvalid)]
    [InlineData("Attribute", "Value", SamlNamespaces.Assertion, FaultCodes.StatementInvalid)]
    [InlineData("AuthnStatement", "Subject", SamlNamespaces.Assertion, FaultCodes.StatementInvalid)]
    [InlineData("AudienceRestriction", "Condition", SamlNamespaces.Assertion, FaultCodes.StructureInvalid)]
    [InlineData("StatusCode", "StatusCode", SamlNamespaces.Protocol, FaultCodes.StatusNotSuccess)]
    public void S26_what_does_not_belong_there_is_refused(string into, string name, string ns, string code) => Assert.Equal(code, Send(root =>
    {
        var foreign = root.OwnerDocument.CreateElement(ns == SamlNamespaces.Protocol ? "samlp" : "saml", name, ns);
        foreign.SetAttribute("Value", StatusCodes.Responder);
        E(root, into).AppendChild(foreign);
    })?.Code);

    [Fact]
    public void S26_a_signed_response_names_its_issuer_and_an_issuer_is_neither_empty_nor_endless()
    {
        Assert.Equal(FaultCodes.IssuerInvalid, Send(root => Remove(root.FirstChild!))?.Code);
        Assert.Equal(FaultCodes.IssuerInvalid, Send(root => E(root, "Issuer").InnerText = new string('x', 1025))?.Code);
        Assert.Equal(FaultCodes.IssuerInvalid, Send(root => E(root, "Issuer").SetAttribute("NameQualifier", "x"))?.Code);
    }

    [Theory]
    [InlineData("LogoutResponse")]
    [InlineData("ArtifactResponse")]
    public void X02_a_message_of_another_name_is_no_response_although_a_signed_assertion_is_in_it(string name)
    {
        var attack = Attack.On("signed assertion");
        attack.RefusedAs(attack.Xml.Replace("samlp:Response", "samlp:" + name, StringComparison.Ordinal), FaultCodes.StructureInvalid);
        Assert.Null(attack.Send());
    }

    [Fact]
    public void X02_a_response_by_redirect_or_as_a_request_is_refused()
    {
        var world = new World();
        var request = world.Request();
        var xml = System.Text.Encoding.UTF8.GetBytes(world.RespondXml(request));
        Assert.Equal(FaultCodes.StructureInvalid, RedirectBinding.Read(RedirectBinding.Write("", false, xml, null, null).TrimStart('?')).Then(message => world.Consume(message, request.Id)).Fault?.Code);
        Assert.Equal(FaultCodes.StructureInvalid, PostBinding.Read(Convert.ToBase64String(xml), isRequest: true, null).Then(message => world.Consume(message, request.Id)).Fault?.Code);
    }
}
