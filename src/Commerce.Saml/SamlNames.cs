namespace Commerce.Saml;

/// <summary>XML namespaces of the messages and documents read and written here.</summary>
public static class SamlNamespaces
{
    public const string Protocol = "urn:oasis:names:tc:SAML:2.0:protocol";
    public const string Assertion = "urn:oasis:names:tc:SAML:2.0:assertion";
    public const string Metadata = "urn:oasis:names:tc:SAML:2.0:metadata";
    public const string MetadataUi = "urn:oasis:names:tc:SAML:metadata:ui";
    public const string MetadataAttributes = "urn:oasis:names:tc:SAML:metadata:attribute";
    public const string MetadataAlgorithms = "urn:oasis:names:tc:SAML:metadata:algsupport";
    public const string RequestInitiation = "urn:oasis:names:tc:SAML:profiles:SSO:request-init";
    public const string XmlSignature = "http://www.w3.org/2000/09/xmldsig#";
    public const string XmlEncryption = "http://www.w3.org/2001/04/xmlenc#";
    public const string XmlEncryption11 = "http://www.w3.org/2009/xmlenc11#";

    public const string AsynchronousLogout = "urn:oasis:names:tc:SAML:2.0:protocol:ext:async-slo";
    public const string Soap = "http://schemas.xmlsoap.org/soap/envelope/";

    /// <summary>Ours: the hop ticket in an AuthnRequest's Extensions.</summary>
    public const string Hop = "urn:commerce:hop:1";
}

/// <summary>Binding identifiers, SAML Bindings 3.</summary>
public static class SamlBindings
{
    public const string HttpRedirect = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";
    public const string HttpPost = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST";
    public const string HttpArtifact = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact";
    public const string Soap = "urn:oasis:names:tc:SAML:2.0:bindings:SOAP";
}

/// <summary>Name identifier formats, SAML Core 8.3.</summary>
public static class NameIdFormats
{
    public const string Unspecified = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified";
    public const string EmailAddress = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress";
    public const string Entity = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity";
    public const string Persistent = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";
    public const string Transient = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";
    public const string Encrypted = "urn:oasis:names:tc:SAML:2.0:nameid-format:encrypted";
}

/// <summary>Attribute name formats, SAML Core 8.2.</summary>
public static class AttributeNameFormats
{
    public const string Uri = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri";
    public const string Basic = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic";
}

/// <summary>Authentication context classes, SAML AuthnContext 3.4 and the REFEDS profiles.</summary>
public static class AuthnContextClasses
{
    public const string PasswordProtectedTransport = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport";
    public const string Password = "urn:oasis:names:tc:SAML:2.0:ac:classes:Password";
    public const string Unspecified = "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified";
    public const string RefedsMfa = "https://refeds.org/profile/mfa";
}

/// <summary>Status codes, SAML Core 3.2.2.2.</summary>
public static class StatusCodes
{
    public const string Success = "urn:oasis:names:tc:SAML:2.0:status:Success";
    public const string Requester = "urn:oasis:names:tc:SAML:2.0:status:Requester";
    public const string Responder = "urn:oasis:names:tc:SAML:2.0:status:Responder";
    public const string VersionMismatch = "urn:oasis:names:tc:SAML:2.0:status:VersionMismatch";
    public const string AuthnFailed = "urn:oasis:names:tc:SAML:2.0:status:AuthnFailed";
    public const string InvalidNameIdPolicy = "urn:oasis:names:tc:SAML:2.0:status:InvalidNameIDPolicy";
    public const string NoAuthnContext = "urn:oasis:names:tc:SAML:2.0:status:NoAuthnContext";
    public const string NoPassive = "urn:oasis:names:tc:SAML:2.0:status:NoPassive";
    public const string RequestDenied = "urn:oasis:names:tc:SAML:2.0:status:RequestDenied";
    public const string RequestUnsupported = "urn:oasis:names:tc:SAML:2.0:status:RequestUnsupported";
    public const string PartialLogout = "urn:oasis:names:tc:SAML:2.0:status:PartialLogout";
    public const string UnknownPrincipal = "urn:oasis:names:tc:SAML:2.0:status:UnknownPrincipal";
}

/// <summary>The answer to a request that could not be granted: a top-level code and the nested one that says why.</summary>
/// <param name="Code">Top-level: Requester, Responder or VersionMismatch.</param>
/// <param name="SubCode">Second level; null if none.</param>
/// <param name="Message">Optional words for the other side's operator. They must tell nothing about the customer.</param>
public sealed record SamlStatus(string Code, string? SubCode = null, string? Message = null)
{
    public static readonly SamlStatus Success = new(StatusCodes.Success);

    /// <summary>The session here is over; not every other participant is known to have ended its own. Core 3.7.3.2: the top level speaks of ourselves alone.</summary>
    public static readonly SamlStatus PartialLogout = new(StatusCodes.Success, StatusCodes.PartialLogout);
    public static readonly SamlStatus NoPassive = new(StatusCodes.Responder, StatusCodes.NoPassive);
    public static readonly SamlStatus NoAuthnContext = new(StatusCodes.Responder, StatusCodes.NoAuthnContext);
    public static readonly SamlStatus InvalidNameIdPolicy = new(StatusCodes.Requester, StatusCodes.InvalidNameIdPolicy);

    /// <summary>The customer said no, or policy forbids the release.</summary>
    public static readonly SamlStatus RequestDenied = new(StatusCodes.Responder, StatusCodes.RequestDenied);
    public static readonly SamlStatus AuthnFailed = new(StatusCodes.Responder, StatusCodes.AuthnFailed);
    public static readonly SamlStatus UnknownPrincipal = new(StatusCodes.Responder, StatusCodes.UnknownPrincipal);
    public static readonly SamlStatus RequestUnsupported = new(StatusCodes.Requester, StatusCodes.RequestUnsupported);
}
