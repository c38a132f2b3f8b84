using System.Xml;
using System.Xml.Linq;

namespace Commerce.Saml;

/// <summary>Pieces of metadata that both roles write. Metadata is written rarely, so it is built as a tree, and sent in canonical form.</summary>
internal static class MetadataElements
{
    public static readonly XNamespace Md = SamlNamespaces.Metadata;
    public static readonly XNamespace Ui = SamlNamespaces.MetadataUi;
    public static readonly XNamespace Ds = SamlNamespaces.XmlSignature;

    public static XElement Entity(string entityId, params object?[] content) =>
        new(Md + "EntityDescriptor",
            new XAttribute(XNamespace.Xmlns + "md", Md.NamespaceName), new XAttribute(XNamespace.Xmlns + "mdui", Ui.NamespaceName),
            new XAttribute(XNamespace.Xmlns + "ds", Ds.NamespaceName), new XAttribute("entityID", entityId), content);

    /// <summary>A certificate that signs, SAML Metadata 2.4.1.1.</summary>
    public static XElement Key(string certificate, string use = "signing", IReadOnlyList<string>? encryptionMethods = null) =>
        new(Md + "KeyDescriptor", new XAttribute("use", use),
            new XElement(Ds + "KeyInfo", new XElement(Ds + "X509Data", new XElement(Ds + "X509Certificate", certificate))),
            (encryptionMethods ?? []).Select(method => new XElement(Md + "EncryptionMethod", new XAttribute("Algorithm", method))));

    public static XElement Endpoint(string name, string binding, string location, params object?[] more) =>
        new(Md + name, new XAttribute("Binding", binding), new XAttribute("Location", location), more);

    /// <summary>One element per language, sorted, so that the document does not change without a reason.</summary>
    public static IEnumerable<XElement> Localized(XName name, IReadOnlyDictionary<string, string> texts) =>
        texts.OrderBy(text => text.Key, StringComparer.Ordinal).Select(text => new XElement(name, new XAttribute(XNamespace.Xml + "lang", text.Key), text.Value));

    /// <summary>An element, or nothing where it would be empty.</summary>
    public static XElement? Unless(bool empty, XName name, params object?[] content) => empty ? null : new XElement(name, content);

    public static string Instant(DateTimeOffset instant) => instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>The octets that are published: canonical, signed where there is a key.</summary>
    public static byte[] Finish(XElement entity, SigningKey? key)
    {
        var document = new XmlDocument { XmlResolver = null, PreserveWhitespace = true };
        using (var reader = entity.CreateReader()) document.Load(reader);
        var root = document.DocumentElement!;
        if (key is not null) XmlSignature.Sign(root, root.FirstChild, key);
        using var canonical = new Utf8XmlWriter();
        ExclusiveCanonicalizer.Write(root, canonical);
        return canonical.SawIllegal ? throw new ArgumentException("A text of the metadata holds a character that XML cannot carry.", nameof(entity)) : canonical.Written.ToArray();
    }
}
