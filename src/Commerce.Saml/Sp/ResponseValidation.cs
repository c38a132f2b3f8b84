using System.Xml;

namespace Commerce.Saml;

/// <summary>Every check of a response but the last one, which remembers the assertion's id.</summary>
/// <remarks>SAML Profiles 4.1.4.3, Core 2.3 to 2.7. The assertion that is read is the node under the verified signature, or the only assertion
/// directly below the response under it.</remarks>
internal sealed class ResponseValidation(ServiceProviderSettings settings, ResponseExpectation expected, ReceivedMessage received, DateTimeOffset now)
{
    private const string Saml = SamlNamespaces.Assertion;
    private static readonly string[] ResponseOrder = ["Issuer", "Signature", "Extensions", "Status", "Assertion"];
    private static readonly string[] AssertionOrder = ["Issuer", "Signature", "Subject", "Conditions", "AuthnStatement", "AttributeStatement"];

    public SamlResult<ValidatedAssertion> Run()
    {
        if (received.IsRequest || received.Binding != SamlBindings.HttpPost) return XmlRead.Structure("A response comes as SAMLResponse by HTTP-POST.");
        if (expected.IdentityProvider.ValidUntil <= now) return new SamlFault(FaultCodes.MetadataInvalid, "The identity provider's metadata is no longer valid.");
        if (!ParsedMessage.Read(received.Xml, "Response").TryGet(out var message, out var fault)) return fault;
        if (!Sort(message.Root, ResponseOrder).TryGet(out var parts, out fault)) return fault;
        if (!parts.TryGetValue("Status", out var status)) return XmlRead.Structure("There is no Status.");

        // What is signed outside is verified before anything inside is decrypted, so that nobody can try ciphertexts on us (X21).
        var covered = false;
        if (parts.ContainsKey("Signature"))
        {
            if (!XmlSignature.Verify(message.Root, expected.IdentityProvider.SigningKeys).TryGet(out var verified, out fault)) return fault;
            covered = ReferenceEquals(verified.Element, message.Root);
        }
        var assertion = parts.GetValueOrDefault("Assertion");
        if (assertion is not null && assertion.Is(Saml, "EncryptedAssertion"))
        {
            if (!AssertionEncryption.Read(assertion, settings.DecryptionKeys).TryGet(out assertion, out fault)) return fault;
        }
        if (CheckSignatures(covered, assertion) is { } unsigned) return unsigned;
        if (CheckHeader(message, parts.GetValueOrDefault("Issuer")) is { } wrongHeader) return wrongHeader;
        if (CheckStatus(status) is { } refused) return refused;
        if (assertion is null) return XmlRead.Structure("A Success without an assertion.");
        return ReadAssertion(assertion);
    }

    /// <summary>Whatever is signed must verify, and something signed must cover the assertion.</summary>
    private SamlFault? CheckSignatures(bool covered, XmlElement? assertion)
    {
        if (assertion?.Child(SamlNamespaces.XmlSignature, "Signature") is not null)
        {
            if (!XmlSignature.Verify(assertion, expected.IdentityProvider.SigningKeys).TryGet(out var verified, out var fault)) return fault;
            covered = ReferenceEquals(verified.Element, assertion);
        }
        return covered ? null : new SamlFault(FaultCodes.SignatureMissing, "Neither the response nor the assertion is signed.");
    }

    private SamlFault? CheckHeader(ParsedMessage message, XmlElement? issuer)
    {
        if (issuer is not null)
        {
            if (!MessageHeader.Issuer(issuer).TryGet(out var name, out var fault)) return fault;
            if (name != expected.IdentityProvider.EntityId) return new SamlFault(FaultCodes.IssuerInvalid, "The response is another issuer's.");
        }
        else if (message.Root.Child(SamlNamespaces.XmlSignature, "Signature") is not null)
            return new SamlFault(FaultCodes.IssuerInvalid, "A signed response without Issuer.");
        if (message.Header.Destination != settings.AssertionConsumerServiceUrl)
            return new SamlFault(FaultCodes.DestinationInvalid, "Destination is missing or not this assertion consumer service.");
        if (message.Header.IssueInstant > now + settings.ClockSkew || message.Header.IssueInstant < now - settings.ClockSkew - settings.MaxResponseAge)
            return new SamlFault(FaultCodes.InstantInvalid, "The response was issued in the future or too long ago.");
        return InResponseTo(message.Root.Attr("InResponseTo"), "response");
    }

    private SamlFault? InResponseTo(string? value, string where)
    {
        if (expected.RequestId is null && !expected.AllowUnsolicited)
            return new SamlFault(FaultCodes.InResponseToInvalid, "No request was sent from this browser, and unsolicited responses are not taken.");
        return value == expected.RequestId ? null : new SamlFault(FaultCodes.InResponseToInvalid, $"InResponseTo of the {where} is not the request's id.");
    }

    private static SamlFault? CheckStatus(XmlElement status)
    {
        if (!status.ElementsOnly().TryGet(out var children, out var fault)) return fault;
        if (children.Count == 0 || !children[0].Is(SamlNamespaces.Protocol, "StatusCode")) return XmlRead.Structure("Status has no StatusCode.");
        var code = children[0].Attr("Value");
        var inner = children[0].Child(SamlNamespaces.Protocol, "StatusCode")?.Attr("Value");
        return code == StatusCodes.Success && inner is null ? null : new SamlFault(FaultCodes.StatusNotSuccess, $"{code} {inner}".TrimEnd());
    }

    private SamlResult<ValidatedAssertion> ReadAssertion(XmlElement assertion)
    {
        if (!MessageHeader.Read(assertion).TryGet(out var header, out var fault)) return fault;
        if (header.IssueInstant > now + settings.ClockSkew) return new SamlFault(FaultCodes.InstantInvalid, "The assertion was issued in the future.");
        if (!Sort(assertion, AssertionOrder).TryGet(out var parts, out fault)) return fault;
        if (!parts.TryGetValue("Issuer", out var issuer)) return new SamlFault(FaultCodes.IssuerInvalid, "The assertion has no Issuer.");
        if (!MessageHeader.Issuer(issuer).TryGet(out var issuedBy, out fault)) return fault;
        if (issuedBy != expected.IdentityProvider.EntityId) return new SamlFault(FaultCodes.IssuerInvalid, "The assertion is another issuer's.");

        if (!parts.TryGetValue("Subject", out var subject)) return Subject("There is no Subject.");
        if (!ReadSubject(subject).TryGet(out var confirmed, out fault)) return fault;
        if (!parts.TryGetValue("Conditions", out var conditions)) return Conditions("There are no Conditions.");
        if (CheckConditions(conditions) is { } unmet) return unmet;
        if (!parts.TryGetValue("AuthnStatement", out var statement)) return Statement("There is no AuthnStatement.");
        if (!ReadStatement(statement).TryGet(out var sign, out fault)) return fault;
        if (!ReadAttributes(parts.GetValueOrDefault("AttributeStatement")).TryGet(out var attributes, out fault)) return fault;
        return new ValidatedAssertion
        {
            Id = header.Id,
            Issuer = issuedBy,
            Name = confirmed.Name,
            AuthnInstant = sign.Instant,
            ContextClass = sign.ContextClass,
            SessionIndex = sign.SessionIndex,
            SessionNotOnOrAfter = sign.End,
            NotOnOrAfter = confirmed.NotOnOrAfter,
            InResponseTo = expected.RequestId,
            Attributes = attributes,
            RelayState = received.RelayState,
        };
    }

    private SamlResult<(NameId Name, DateTimeOffset NotOnOrAfter)> ReadSubject(XmlElement subject)
    {
        if (!subject.ElementsOnly().TryGet(out var children, out var fault)) return fault;
        if (children.Count < 2 || !children[0].Is(Saml, "NameID") || children.Skip(1).Any(child => !child.Is(Saml, "SubjectConfirmation")))
            return Subject("The Subject is not one NameID and its confirmations.");
        if (!NameIdElement.Read(children[0]).TryGet(out var name, out fault)) return fault;

        // One confirmation that holds is enough (Core 2.4.1); the reason of the first that does not is what an operator needs.
        SamlFault? first = null;
        foreach (var confirmation in children.Skip(1))
        {
            if (Confirm(confirmation).TryGet(out var notOnOrAfter, out fault)) return (name, notOnOrAfter);
            first ??= fault;
        }
        return first!;
    }

    /// <summary>Bearer confirmation, Profiles 4.1.4.2 and 4.1.4.3: for this endpoint, this request, now.</summary>
    private SamlResult<DateTimeOffset> Confirm(XmlElement confirmation)
    {
        if (confirmation.Attr("Method") != "urn:oasis:names:tc:SAML:2.0:cm:bearer") return Subject("The confirmation is not bearer.");
        if (!confirmation.ElementsOnly().TryGet(out var children, out var fault)) return fault;
        if (children is not [var data] || !data.Is(Saml, "SubjectConfirmationData")) return Subject("The confirmation has no data.");
        if (data.Attr("Recipient") != settings.AssertionConsumerServiceUrl)
            return new SamlFault(FaultCodes.RecipientInvalid, "Recipient is missing or not this assertion consumer service.");
        if (data.Attr("NotBefore") is not null) return Subject("A bearer confirmation has no NotBefore.");
        if (XmlRead.Instant(data.Attr("NotOnOrAfter")) is not { } end) return Subject("NotOnOrAfter of the confirmation is missing or no instant.");
        if (now - settings.ClockSkew >= end) return new SamlFault(FaultCodes.Expired, $"The confirmation ended {end:O}.");
        if (end > now + settings.MaxConfirmationLifetime + settings.ClockSkew) return Subject($"The confirmation lasts until {end:O}, which is too long.");
        return InResponseTo(data.Attr("InResponseTo"), "subject confirmation") is { } wrong ? wrong : end;
    }

    /// <summary>SAML Core 2.5: times, and at least one restriction to us; a condition we do not know makes the assertion invalid.</summary>
    private SamlFault? CheckConditions(XmlElement conditions)
    {
        if (Within(conditions) is { } untimely) return untimely;
        if (!conditions.ElementsOnly().TryGet(out var children, out var fault)) return fault;
        var restrictions = 0;
        foreach (var condition in children)
        {
            if (condition.Is(Saml, "OneTimeUse") || condition.Is(Saml, "ProxyRestriction")) continue;    // kept by how we use it: once, and never passed on
            if (!condition.Is(Saml, "AudienceRestriction")) return Conditions($"Condition {condition.LocalName} is unknown.");
            if (!condition.ElementsOnly().TryGet(out var audiences, out fault)) return fault;
            if (audiences.Exists(audience => !audience.Is(Saml, "Audience"))) return XmlRead.Structure("AudienceRestriction holds more than Audience.");
            if (!audiences.Exists(audience => audience.TextOnly().TryGet(out var name, out _) && name == settings.EntityId))
                return new SamlFault(FaultCodes.AudienceInvalid, "The assertion is meant for another audience.");
            restrictions++;
        }
        return restrictions == 0 ? new SamlFault(FaultCodes.AudienceInvalid, "The assertion is not restricted to an audience.") : null;
    }

    private SamlFault? Within(XmlElement conditions)
    {
        if (conditions.Attr("NotBefore") is { } from)
        {
            if (XmlRead.Instant(from) is not { } start) return Conditions("NotBefore is no instant.");
            if (now + settings.ClockSkew < start) return Conditions($"The assertion begins {start:O}.");
        }
        if (conditions.Attr("NotOnOrAfter") is { } until)
        {
            if (XmlRead.Instant(until) is not { } end) return Conditions("NotOnOrAfter is no instant.");
            if (now - settings.ClockSkew >= end) return new SamlFault(FaultCodes.Expired, $"The assertion ended {end:O}.");
        }
        return null;
    }

    private SamlResult<(DateTimeOffset Instant, string ContextClass, string? SessionIndex, DateTimeOffset? End)> ReadStatement(XmlElement statement)
    {
        if (XmlRead.Instant(statement.Attr("AuthnInstant")) is not { } instant) return Statement("AuthnInstant is missing or no instant.");
        if (instant > now + settings.ClockSkew) return Statement("AuthnInstant is in the future.");
        DateTimeOffset? end = null;
        if (statement.Attr("SessionNotOnOrAfter") is { } until)
        {
            if ((end = XmlRead.Instant(until)) is null) return Statement("SessionNotOnOrAfter is no instant.");
            if (now - settings.ClockSkew >= end) return new SamlFault(FaultCodes.Expired, $"The session ended {end:O}.");
        }
        if (!statement.ElementsOnly().TryGet(out var children, out var fault)) return fault;
        if (children.FindAll(child => child.Is(Saml, "AuthnContext")) is not [var context] || children.Exists(child => !child.Is(Saml, "AuthnContext") && !child.Is(Saml, "SubjectLocality")))
            return Statement("AuthnStatement does not hold one AuthnContext.");
        if (context.Children(Saml, "AuthnContextClassRef").ToList() is not [var reference]) return Statement("AuthnContext does not hold one class reference.");
        if (!reference.TextOnly().TryGet(out var contextClass, out fault)) return fault;
        return contextClass.Length == 0 ? Statement("The class reference is empty.") : (instant, contextClass, statement.Attr("SessionIndex"), end);
    }

    private static SamlResult<List<SamlAttribute>> ReadAttributes(XmlElement? statement)
    {
        var attributes = new List<SamlAttribute>();
        if (statement is null) return attributes;
        if (!statement.ElementsOnly().TryGet(out var children, out var fault)) return fault;
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var attribute in children)
        {
            if (!attribute.Is(Saml, "Attribute")) return Statement($"{attribute.LocalName} among the attributes.");
            if (attribute.Attr("Name") is not { Length: > 0 } name || !names.Add(name)) return Statement("An attribute has no name or occurs twice.");
            if (!attribute.ElementsOnly().TryGet(out var elements, out fault)) return fault;
            var values = new List<string>(elements.Count);
            foreach (var element in elements)
            {
                if (!element.Is(Saml, "AttributeValue")) return Statement($"{element.LocalName} among the values.");
                if (element.ChildNodes.OfType<XmlElement>().Any()) continue;    // a value with structure is none of those we read
                if (!element.TextOnly().TryGet(out var value, out fault)) return fault;
                values.Add(value);
            }
            attributes.Add(new SamlAttribute(name, values, attribute.Attr("FriendlyName")));
        }
        return attributes;
    }

    /// <summary>The children by local name: in the schema's order, each at most once, no other.</summary>
    private static SamlResult<Dictionary<string, XmlElement>> Sort(XmlElement parent, string[] order)
    {
        if (!parent.ElementsOnly().TryGet(out var children, out var fault)) return fault;
        var parts = new Dictionary<string, XmlElement>(StringComparer.Ordinal);
        var last = -1;
        foreach (var child in children)
        {
            var name = child.Is(Saml, "EncryptedAssertion") ? "Assertion" : child.LocalName;
            var at = Array.IndexOf(order, name);
            var ns = name switch
            {
                "Signature" => SamlNamespaces.XmlSignature,
                "Extensions" or "Status" => SamlNamespaces.Protocol,
                _ => Saml,
            };
            if (at <= last || child.NamespaceURI != ns) return XmlRead.Structure($"{child.LocalName} is not expected there in {parent.LocalName}.");
            last = at;
            parts.Add(name, child);
        }
        return parts;
    }

    private static SamlFault Subject(string detail) => new(FaultCodes.SubjectInvalid, detail);

    private static SamlFault Conditions(string detail) => new(FaultCodes.ConditionsInvalid, detail);

    private static SamlFault Statement(string detail) => new(FaultCodes.StatementInvalid, detail);
}
