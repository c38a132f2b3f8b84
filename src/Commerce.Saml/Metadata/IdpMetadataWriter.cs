using System.Xml;
using System.Xml.Linq;
using static Commerce.Saml.MetadataElements;

namespace Commerce.Saml;

/// <summary>Our identity provider's metadata, SAML Metadata 2.4.3 with the UI extension (S32): only what works is in it.</summary>
internal static class IdpMetadataWriter
{
    private static readonly XNamespace Shibboleth = "urn:mace:shibboleth:metadata:1.0";

    public static byte[] Write(IdentityProviderSettings settings, IdentityProviderDescription description, DateTimeOffset now, string id)
    {
        var ui = Unless(description.DisplayNames.Count == 0, Ui + "UIInfo",
            Localized(Ui + "DisplayName", description.DisplayNames), Localized(Ui + "Description", description.Descriptions),
            Localized(Ui + "InformationURL", description.InformationUrls), Localized(Ui + "PrivacyStatementURL", description.PrivacyStatementUrls));
        var role = new XElement(Md + "IDPSSODescriptor",
            new XAttribute("WantAuthnRequestsSigned", "false"),
            new XAttribute("protocolSupportEnumeration", SamlNamespaces.Protocol),
            description.ErrorUrl is { } error ? new XAttribute("errorURL", error) : null,
            Unless(ui is null && description.Scopes.Count == 0, Md + "Extensions",
                description.Scopes.Select(scope => new XElement(Shibboleth + "Scope", new XAttribute(XNamespace.Xmlns + "shibmd", Shibboleth.NamespaceName), new XAttribute("regexp", "false"), scope)),
                ui),
            settings.OtherSigningKeys.Prepend(settings.SigningKey).Select(key => key.Certificate).Concat(description.NextCertificates).Distinct().Select(certificate => Key(certificate)),
            description.EncryptionCertificates.Select(certificate => Key(certificate, "encryption", AssertionEncryption.Readable)),
            description.ArtifactResolutionServices.Select((service, index) =>
                Endpoint("ArtifactResolutionService", service.Binding, service.Location, new XAttribute("index", index))),
            description.SingleLogoutServices.Select(slo =>
                Endpoint("SingleLogoutService", slo.Binding, slo.Location, slo.ResponseLocation is { } response ? new XAttribute("ResponseLocation", response) : null)),
            settings.NameIdFormats.Select(format => new XElement(Md + "NameIDFormat", format)),
            Endpoint("SingleSignOnService", SamlBindings.HttpRedirect, settings.SsoRedirectUrl),
            Endpoint("SingleSignOnService", SamlBindings.HttpPost, settings.SsoPostUrl));
        var entity = Entity(settings.EntityId,
            description.MetadataSigningKey is null ? null : new XAttribute("ID", id),
            description.ValidFor is { } valid ? new XAttribute("validUntil", Instant(now + valid)) : null,
            description.CacheDuration is { } cache ? new XAttribute("cacheDuration", XmlConvert.ToString(cache)) : null,
            Unless(description.EntityAttributes.Count == 0, Md + "Extensions", EntityAttributes(description.EntityAttributes)),
            role,
            Unless(description.OrganizationNames.Count == 0 || description.OrganizationUrl is null, Md + "Organization",
                Localized(Md + "OrganizationName", description.OrganizationNames), Localized(Md + "OrganizationDisplayName", description.OrganizationNames),
                Localized(Md + "OrganizationURL", description.OrganizationNames.ToDictionary(name => name.Key, _ => description.OrganizationUrl ?? ""))),
            Contact("technical", description.TechnicalContact), Contact("support", description.SupportContact));
        return Finish(entity, description.MetadataSigningKey);
    }

    private static XElement? Contact(string type, string? address) =>
        Unless(address is null, Md + "ContactPerson", new XAttribute("contactType", type), new XElement(Md + "EmailAddress", "mailto:" + address));

    private static XElement EntityAttributes(IReadOnlyDictionary<string, IReadOnlyList<string>> attributes)
    {
        XNamespace mdattr = SamlNamespaces.MetadataAttributes, saml = SamlNamespaces.Assertion;
        return new XElement(mdattr + "EntityAttributes", new XAttribute(XNamespace.Xmlns + "mdattr", mdattr.NamespaceName), new XAttribute(XNamespace.Xmlns + "saml", saml.NamespaceName),
            attributes.OrderBy(attribute => attribute.Key, StringComparer.Ordinal).Select(attribute => new XElement(saml + "Attribute",
                new XAttribute("Name", attribute.Key), new XAttribute("NameFormat", AttributeNameFormats.Uri), attribute.Value.Select(value => new XElement(saml + "AttributeValue", value)))));
    }
}
