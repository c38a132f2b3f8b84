namespace Commerce.Saml;

/// <summary>SAML Core 3.4.1, in exclusive canonical form.</summary>
internal static class AuthnRequestWriter
{
    public static void Write(Utf8XmlWriter to, ServiceProviderSettings settings, AuthnRequestOptions options, string id, string destination, DateTimeOffset now)
    {
        to.Raw("<samlp:AuthnRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\""u8)
            .OptionalAttribute("AssertionConsumerServiceURL"u8, settings.AssertionConsumerServiceUrl).OptionalAttribute("Destination"u8, destination);
        if (options.ForceAuthn) to.Raw(" ForceAuthn=\"true\""u8);
        to.OptionalAttribute("ID"u8, id);
        if (options.IsPassive) to.Raw(" IsPassive=\"true\""u8);
        to.Raw(" IssueInstant=\""u8).Instant(now)
            .Raw("\" ProtocolBinding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" Version=\"2.0\"><saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">"u8)
            .Text(settings.EntityId).Raw("</saml:Issuer>"u8);
        if (options.HopTicket is { } ticket)
            to.Raw("<samlp:Extensions><hop:HopTicket xmlns:hop=\"urn:commerce:hop:1\">"u8).Text(ticket).Raw("</hop:HopTicket></samlp:Extensions>"u8);
        to.Raw("<samlp:NameIDPolicy"u8);
        if (options.AllowCreate) to.Raw(" AllowCreate=\"true\""u8);
        to.OptionalAttribute("Format"u8, options.NameIdFormat).Raw("></samlp:NameIDPolicy>"u8);
        if (options.ContextClasses.Count > 0)
        {
            to.Raw("<samlp:RequestedAuthnContext Comparison=\"exact\">"u8);
            foreach (var contextClass in options.ContextClasses)
                to.Raw("<saml:AuthnContextClassRef xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">"u8).Text(contextClass).Raw("</saml:AuthnContextClassRef>"u8);
            to.Raw("</samlp:RequestedAuthnContext>"u8);
        }
        to.Raw("</samlp:AuthnRequest>"u8);
    }
}
