using System.Xml;

namespace Commerce.Saml;

/// <summary>Exclusive XML Canonicalization 1.0 without comments, of one element and what is below it.</summary>
/// <remarks>Only for documents from <see cref="XmlGate"/>: they hold elements, attributes and text, and no DTD that could add attributes.</remarks>
internal sealed class ExclusiveCanonicalizer
{
    private const string XmlNamespace = "http://www.w3.org/XML/1998/namespace";
    private const string XmlnsNamespace = "http://www.w3.org/2000/xmlns/";

    private readonly Utf8XmlWriter output;
    private readonly XmlElement? left;
    private readonly string[] inclusive;

    // What the output has declared so far, innermost last: (prefix, namespace). Looked up from the end.
    private readonly List<KeyValuePair<string, string>> rendered = [];

    private ExclusiveCanonicalizer(Utf8XmlWriter output, XmlElement? left, string[] inclusive)
    {
        this.output = output;
        this.left = left;
        this.inclusive = inclusive;
    }

    /// <param name="apex">The element to write.</param>
    /// <param name="output">Where to.</param>
    /// <param name="without">A node left out with all below it: the enveloped signature, by identity.</param>
    /// <param name="inclusivePrefixes">Prefixes treated as in inclusive canonicalisation (§3, InclusiveNamespaces PrefixList); "#default" for none.</param>
    public static void Write(XmlElement apex, Utf8XmlWriter output, XmlElement? without = null, string[]? inclusivePrefixes = null) =>
        new ExclusiveCanonicalizer(output, without, inclusivePrefixes ?? []).Element(apex);

    private void Element(XmlElement element)
    {
        var scope = rendered.Count;
        output.Raw("<"u8).Raw(element.Name);
        Namespaces(element);
        Attributes(element);
        output.Raw(">"u8);
        for (var child = element.FirstChild; child is not null; child = child.NextSibling)
        {
            switch (child)
            {
                case XmlElement inner when ReferenceEquals(inner, left): break;
                case XmlElement inner: Element(inner); break;
                case XmlCharacterData text: output.Text(text.Data); break;
                default: throw new InvalidOperationException($"A {child.NodeType} passed the gate.");
            }
        }
        output.Raw("</"u8).Raw(element.Name).Raw(">"u8);
        rendered.RemoveRange(scope, rendered.Count - scope);
    }

    private void Namespaces(XmlElement element)
    {
        List<KeyValuePair<string, string>>? fresh = null;
        Consider(element.Prefix, element.NamespaceURI, ref fresh);
        if (element.HasAttributes)
            foreach (XmlAttribute attribute in element.Attributes)
                if (attribute.Prefix.Length > 0 && attribute.NamespaceURI != XmlnsNamespace) Consider(attribute.Prefix, attribute.NamespaceURI, ref fresh);
        foreach (var listed in inclusive)
        {
            var prefix = listed == "#default" ? "" : listed;
            if (InScope(element, prefix) is { } uri) Consider(prefix, uri, ref fresh);
        }
        if (fresh is null) return;
        fresh.Sort(static (one, other) => string.CompareOrdinal(one.Key, other.Key));
        foreach (var (prefix, uri) in fresh)
        {
            output.Raw(prefix.Length == 0 ? " xmlns"u8 : " xmlns:"u8).Raw(prefix).Raw("=\""u8).Attribute(uri).Raw("\""u8);
            rendered.Add(new(prefix, uri));
        }
    }

    /// <summary>Declares a prefix unless the nearest declaration in the output says the same.</summary>
    private void Consider(string prefix, string uri, ref List<KeyValuePair<string, string>>? fresh)
    {
        if (prefix == "xml" && uri == XmlNamespace) return;
        if (fresh is not null && fresh.Exists(declared => declared.Key == prefix)) return;
        var known = prefix.Length == 0 ? "" : null;    // outside every declaration the default namespace is none
        for (var i = rendered.Count - 1; i >= 0; i--)
        {
            if (rendered[i].Key != prefix) continue;
            known = rendered[i].Value;
            break;
        }
        if (known != uri) (fresh ??= []).Add(new(prefix, uri));
    }

    private static string? InScope(XmlElement element, string prefix)
    {
        for (XmlNode? node = element; node is XmlElement at; node = at.ParentNode)
        {
            var declaration = prefix.Length == 0 ? at.GetAttributeNode("xmlns", XmlnsNamespace) : at.GetAttributeNode(prefix, XmlnsNamespace);
            if (declaration is not null) return declaration.Value;
        }
        return prefix.Length == 0 ? "" : null;
    }

    private void Attributes(XmlElement element)
    {
        if (!element.HasAttributes) return;
        List<XmlAttribute>? attributes = null;
        foreach (XmlAttribute attribute in element.Attributes)
            if (attribute.NamespaceURI != XmlnsNamespace) (attributes ??= []).Add(attribute);
        if (attributes is null) return;
        if (attributes.Count > 1)
            attributes.Sort(static (one, other) => string.CompareOrdinal(one.NamespaceURI, other.NamespaceURI) is var order and not 0
                ? order
                : string.CompareOrdinal(one.LocalName, other.LocalName));
        foreach (var attribute in attributes) output.Raw(" "u8).Raw(attribute.Name).Raw("=\""u8).Attribute(attribute.Value).Raw("\""u8);
    }
}
