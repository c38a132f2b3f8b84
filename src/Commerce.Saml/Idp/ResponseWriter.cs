namespace Commerce.Saml;

/// <summary>Writes responses straight in exclusive canonical form: what is hashed is what is sent, and no DOM is built.</summary>
/// <remarks>SAML Core 2 and 3.3.3, Profiles 4.1.4.2. Each namespace is declared where it is first used, attributes stand in canonical order
/// and empty elements have an end tag, so the octets of an element are its canonical form. A golden file and a property test hold this.</remarks>
internal sealed class ResponseWriter(IdentityProviderSettings settings, ServiceProvider serviceProvider, AssertionConsumerService acs, string? inResponseTo, DateTimeOffset now)
{
    public required string ResponseId { get; init; }

    public required string AssertionId { get; init; }

    /// <summary>Signs the response and the assertion.</summary>
    public SigningKey Signer { get; init; } = settings.SigningKey;

    /// <summary>Everything but signatures and encryption. What can be refused is refused here.</summary>
    public SamlResult<PreparedResponse> Prepare(AssertionContent content, string? relayState)
    {
        if (Check(content) is { } fault) return fault;
        if (!EncryptionPlan.For(serviceProvider, content.Encryption, settings.EncryptAssertions).TryGet(out var encryption, out var cannot) && cannot is not null) return cannot;
        var assertion = new Utf8XmlWriter();
        AssertionHead(assertion);
        var split = assertion.Length;
        AssertionBody(assertion, content);

        var response = new Utf8XmlWriter(16 * 1024);
        ResponseHead(response);
        var head = response.Length;
        response.Raw("<samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"></samlp:StatusCode></samlp:Status>"u8);
        var prepared = new PreparedResponse(assertion, response, () => new SamlResponse(
            ResponseId, AssertionId, Complete(response, head, assertion, split, content.IsSigned, encryption), acs.Location, relayState));
        if (!assertion.SawIllegal && !response.SawIllegal) return prepared;
        prepared.Dispose();
        return new SamlFault(FaultCodes.ValueInvalid, "A value holds a character that XML cannot carry.");
    }

    private byte[] Complete(Utf8XmlWriter response, int head, Utf8XmlWriter assertion, int split, bool isSigned, EncryptionPlan? encryption)
    {
        if (encryption is null) Assertion(response, assertion.Written, split, isSigned);
        else
        {
            using var whole = new Utf8XmlWriter(12 * 1024);
            Assertion(whole, assertion.Written, split, isSigned);
            AssertionEncryption.Write(response, whole.Written, encryption);
        }
        response.Raw("</samlp:Response>"u8);
        return Finish(response, head, sign: settings.SignResponses);
    }

    /// <summary>The assertion, with its signature between head and body where it has one.</summary>
    private void Assertion(Utf8XmlWriter to, ReadOnlySpan<byte> assertion, int split, bool mustSign)
    {
        to.Raw(assertion[..split]);
        if (mustSign || settings.SignAssertions || serviceProvider.WantAssertionsSigned || !settings.SignResponses)
            XmlSignature.Write(to, assertion, AssertionId, Signer);
        to.Raw(assertion[split..]);
    }

    public SamlResult<byte[]> Error(SamlStatus status)
    {
        if (status.Code == StatusCodes.Success) return new SamlFault(FaultCodes.ValueInvalid, "Success needs an assertion.");
        using var response = new Utf8XmlWriter();
        ResponseHead(response);
        var head = response.Length;
        response.Raw("<samlp:Status><samlp:StatusCode Value=\""u8).Attribute(status.Code).Raw("\">"u8);
        if (status.SubCode is { } sub) response.Raw("<samlp:StatusCode Value=\""u8).Attribute(sub).Raw("\"></samlp:StatusCode>"u8);
        response.Raw("</samlp:StatusCode>"u8);
        if (status.Message is { } message) response.Raw("<samlp:StatusMessage>"u8).Text(message).Raw("</samlp:StatusMessage>"u8);
        response.Raw("</samlp:Status></samlp:Response>"u8);
        return response.SawIllegal ? new SamlFault(FaultCodes.ValueInvalid, "A value holds a character that XML cannot carry.") : Finish(response, head, sign: true);
    }

    private static SamlFault? Check(AssertionContent content) =>
        content.Name.Value.Length is 0 or > 256 ? new SamlFault(FaultCodes.ValueInvalid, "A NameID has 1 to 256 characters.")
        : content.Attributes.DistinctBy(a => a.Name, StringComparer.Ordinal).Count() < content.Attributes.Count ? new SamlFault(FaultCodes.ValueInvalid, "An attribute is given twice.")
        : null;

    private byte[] Finish(Utf8XmlWriter response, int head, bool sign)
    {
        if (!sign) return response.Written.ToArray();
        using var signature = new Utf8XmlWriter(4096);
        XmlSignature.Write(signature, response.Written, ResponseId, Signer);
        var whole = new byte[response.Length + signature.Length];
        response.Written[..head].CopyTo(whole);
        signature.Written.CopyTo(whole.AsSpan(head));
        response.Written[head..].CopyTo(whole.AsSpan(head + signature.Length));
        return whole;
    }

    private void ResponseHead(Utf8XmlWriter to)
    {
        to.Raw("<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\""u8)
            .OptionalAttribute("Destination"u8, acs.Location).OptionalAttribute("ID"u8, ResponseId).OptionalAttribute("InResponseTo"u8, inResponseTo)
            .Raw(" IssueInstant=\""u8).Instant(now).Raw("\" Version=\"2.0\">"u8);
        Issuer(to);
    }

    private void AssertionHead(Utf8XmlWriter to)
    {
        to.Raw("<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\""u8).OptionalAttribute("ID"u8, AssertionId)
            .Raw(" IssueInstant=\""u8).Instant(now).Raw("\" Version=\"2.0\"><saml:Issuer>"u8).Text(settings.EntityId).Raw("</saml:Issuer>"u8);
    }

    private void AssertionBody(Utf8XmlWriter to, AssertionContent content)
    {
        var name = content.Name;
        var end = now + settings.AssertionLifetime;
        to.Raw("<saml:Subject><saml:NameID"u8).OptionalAttribute("Format"u8, name.Format).OptionalAttribute("NameQualifier"u8, name.NameQualifier)
            .OptionalAttribute("SPNameQualifier"u8, name.SpNameQualifier).Raw(">"u8).Text(name.Value)
            .Raw("</saml:NameID><saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\"><saml:SubjectConfirmationData"u8)
            .OptionalAttribute("InResponseTo"u8, inResponseTo).Raw(" NotOnOrAfter=\""u8).Instant(end).Raw("\""u8).OptionalAttribute("Recipient"u8, acs.Location)
            .Raw("></saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore=\""u8).Instant(now)
            .Raw("\" NotOnOrAfter=\""u8).Instant(end).Raw("\"><saml:AudienceRestriction><saml:Audience>"u8).Text(serviceProvider.EntityId)
            .Raw("</saml:Audience></saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement AuthnInstant=\""u8).Instant(content.AuthnInstant).Raw("\""u8)
            .OptionalAttribute("SessionIndex"u8, content.SessionIndex);
        if (content.SessionNotOnOrAfter is { } sessionEnd) to.Raw(" SessionNotOnOrAfter=\""u8).Instant(sessionEnd).Raw("\""u8);
        to.Raw("><saml:AuthnContext><saml:AuthnContextClassRef>"u8).Text(content.ContextClass)
            .Raw("</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>"u8);
        if (content.Attributes.Count > 0)
        {
            to.Raw("<saml:AttributeStatement>"u8);
            foreach (var attribute in content.Attributes)
            {
                to.Raw("<saml:Attribute"u8).OptionalAttribute("FriendlyName"u8, attribute.FriendlyName).OptionalAttribute("Name"u8, attribute.Name)
                    .Raw(" NameFormat=\"urn:oasis:names:tc:SAML:2.0:attrname-format:uri\">"u8);
                foreach (var value in attribute.Values) to.Raw("<saml:AttributeValue>"u8).Text(value).Raw("</saml:AttributeValue>"u8);
                to.Raw("</saml:Attribute>"u8);
            }
            to.Raw("</saml:AttributeStatement>"u8);
        }
        to.Raw("</saml:Assertion>"u8);
    }

    private void Issuer(Utf8XmlWriter to) =>
        to.Raw("<saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">"u8).Text(settings.EntityId).Raw("</saml:Issuer>"u8);
}
