using System.Xml;

namespace Commerce.Saml;

/// <summary>What an entity's metadata says about algorithms.</summary>
internal static class AlgorithmSupport
{
    private const int Most = 64;

    /// <summary>A key for encryption alone, or one of both uses with an AES-GCM in its list: the entity expects encrypted assertions.</summary>
    public static bool AsksForEncryption(XmlElement role) => ForEncryption(role).Any(descriptor =>
        descriptor.Attr("use") is not null || Methods(descriptor).Any(method => method is EncryptionPlan.Aes256Gcm or EncryptionPlan.Aes128Gcm));

    /// <summary>SAML Metadata 2.4.1.1: EncryptionMethod of each key that may encrypt.</summary>
    public static IReadOnlyList<string> EncryptionMethods(XmlElement role) => [.. ForEncryption(role).SelectMany(Methods).Distinct(StringComparer.Ordinal).Take(Most)];

    /// <summary>Algorithm Support 1.0 §2.4: the role's list goes before the entity's.</summary>
    public static IReadOnlyList<string> SigningMethods(XmlElement entity, XmlElement role)
    {
        var ofRole = Listed(role);
        return ofRole.Count > 0 ? ofRole : Listed(entity);
    }

    private static IReadOnlyList<string> Listed(XmlElement element) => [.. element.Children(SamlNamespaces.Metadata, "Extensions")
        .SelectMany(extensions => extensions.Children(SamlNamespaces.MetadataAlgorithms, "SigningMethod"))
        .Select(method => method.Attr("Algorithm") ?? "").Where(uri => uri.Length > 0).Distinct(StringComparer.Ordinal).Take(Most)];

    private static IEnumerable<XmlElement> ForEncryption(XmlElement role) =>
        role.Children(SamlNamespaces.Metadata, "KeyDescriptor").Where(key => key.Attr("use") is null or "encryption");

    private static IEnumerable<string> Methods(XmlElement descriptor) =>
        descriptor.Children(SamlNamespaces.Metadata, "EncryptionMethod").Select(method => method.Attr("Algorithm") ?? "").Where(uri => uri.Length > 0);
}
