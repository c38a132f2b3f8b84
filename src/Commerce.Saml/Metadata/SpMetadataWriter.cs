using System.Xml.Linq;
using static Commerce.Saml.MetadataElements;

namespace Commerce.Saml;

/// <summary>A service provider's own metadata, SAML Metadata 2.4.4, with the request initiator that lets a hub send customers the standard way.</summary>
internal static class SpMetadataWriter
{
    private static readonly XNamespace Init = SamlNamespaces.RequestInitiation;

    public static byte[] Write(ServiceProviderSettings settings)
    {
        var extensions = new[]
        {
            settings.RequestInitiatorUrl is { } url
                ? new XElement(Init + "RequestInitiator", new XAttribute(XNamespace.Xmlns + "init", Init.NamespaceName),
                    new XAttribute("Binding", SamlNamespaces.RequestInitiation), new XAttribute("Location", url))
                : null,
            Unless(settings.DisplayNames.Count == 0, Ui + "UIInfo", Localized(Ui + "DisplayName", settings.DisplayNames)),
        };
        var role = new XElement(Md + "SPSSODescriptor",
            new XAttribute("AuthnRequestsSigned", settings.SigningKey is null ? "false" : "true"),
            new XAttribute("WantAssertionsSigned", "true"),
            new XAttribute("protocolSupportEnumeration", SamlNamespaces.Protocol),
            Unless(extensions.All(extension => extension is null), Md + "Extensions", extensions),
            settings.SigningKey is { } key ? Key(key.Certificate) : null,
            settings.DecryptionKeys.Select(decryption => Key(decryption.Certificate, "encryption", AssertionEncryption.Readable)),
            settings.SingleLogoutSoapUrl is { } soap ? Endpoint("SingleLogoutService", SamlBindings.Soap, soap) : null,
            settings.SingleLogoutUrl is { } slo ? Endpoint("SingleLogoutService", SamlBindings.HttpRedirect, slo) : null,
            settings.SingleLogoutUrl is { } posted ? Endpoint("SingleLogoutService", SamlBindings.HttpPost, posted) : null,
            new XElement(Md + "NameIDFormat", NameIdFormats.Persistent),
            Endpoint("AssertionConsumerService", SamlBindings.HttpPost, settings.AssertionConsumerServiceUrl, new XAttribute("index", "0"), new XAttribute("isDefault", "true")),
            Unless(settings.RequestedAttributes.Count == 0, Md + "AttributeConsumingService", new XAttribute("index", "0"), new XAttribute("isDefault", "true"),
                Localized(Md + "ServiceName", settings.DisplayNames.Count > 0 ? settings.DisplayNames : new Dictionary<string, string> { ["en"] = settings.EntityId }),
                settings.RequestedAttributes.Select(attribute => new XElement(Md + "RequestedAttribute",
                    new XAttribute("Name", attribute.Name), new XAttribute("NameFormat", AttributeNameFormats.Uri),
                    attribute.FriendlyName is { } friendly ? new XAttribute("FriendlyName", friendly) : null,
                    attribute.IsRequired ? new XAttribute("isRequired", "true") : null))));
        return Finish(Entity(settings.EntityId, role), key: null);
    }
}
