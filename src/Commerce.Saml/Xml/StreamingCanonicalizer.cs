using System.Security.Cryptography;
using System.Xml;

namespace Commerce.Saml;

/// <summary>Exclusive XML Canonicalization 1.0 of a whole document while it is read, into a digest: aggregates of any size in little memory.</summary>
/// <remarks>For readers from <see cref="XmlGate.OpenMetadata"/> that keep processing instructions. A document with one in it is refused: canonicalisation
/// keeps it, and reading entities passes it over.</remarks>
internal sealed class StreamingCanonicalizer(XmlReader reader)
{
    private const string XmlNamespace = "http://www.w3.org/XML/1998/namespace";
    private const string XmlnsNamespace = "http://www.w3.org/2000/xmlns/";
    private const int Chunk = 64 * 1024;

    private readonly record struct Attribute(string Prefix, string LocalName, string Namespace, string Name, string Value);

    // What the output has declared so far, innermost last, and how many of it each open element found there.
    private readonly List<KeyValuePair<string, string>> rendered = [];
    private readonly Stack<(int Scope, string Name)> open = new();
    private readonly List<Attribute> attributes = [];
    private readonly List<KeyValuePair<string, string>> fresh = [];
    private string[] inclusive = [];
    private string? rootId;
    private bool isRootIdTwice;
    private IDictionary<string, string> scopeOfRoot = new Dictionary<string, string>();

    /// <summary>Reads from the root element to the end of the document.</summary>
    /// <param name="signatureOf">Given the Signature, which must be the first element in the root, and the root's ID: what it says.</param>
    /// <returns>The digest of the document without that Signature, and what <paramref name="signatureOf"/> made of it.</returns>
    public SamlResult<(SignatureParts Parts, byte[] Digest)> Run(Func<XmlElement, string?, SamlResult<SignatureParts>> signatureOf)
    {
        if (reader.MoveToContent() != XmlNodeType.Element) return XmlRead.Structure("There is no element.");
        var id = reader.GetAttribute("ID");
        if (reader.IsEmptyElement) return Missing();
        using var output = new Utf8XmlWriter(Chunk * 2);

        // The start tag waits: which prefixes count is written in the signature behind it.
        var root = Head();
        rootId = id;
        scopeOfRoot = ((IXmlNamespaceResolver)reader).GetNamespacesInScope(XmlNamespaceScope.ExcludeXml);
        var space = "";
        while (reader.Read() && reader.NodeType is XmlNodeType.Whitespace or XmlNodeType.SignificantWhitespace or XmlNodeType.Text) space += reader.Value;
        if (reader.NodeType != XmlNodeType.Element || reader.LocalName != "Signature" || reader.NamespaceURI != SamlNamespaces.XmlSignature) return Missing();
        var scope = ((IXmlNamespaceResolver)reader).GetNamespacesInScope(XmlNamespaceScope.ExcludeXml);
        if (!XmlGate.TakeElement(reader).TryGet(out var signature, out var fault)) return fault;
        foreach (var (prefix, uri) in scope)
        {
            var (before, name) = prefix.Length == 0 ? ("", "xmlns") : ("xmlns", prefix);
            if (signature.HasAttribute(name, XmlnsNamespace)) continue;
            var declaration = signature.OwnerDocument.CreateAttribute(before, name, XmlnsNamespace);
            declaration.Value = uri;
            signature.SetAttributeNode(declaration);
        }
        foreach (var attribute in signature.SelectNodes("descendant-or-self::*/@*")!.OfType<XmlAttribute>()) isRootIdTwice |= IsRootId(attribute.LocalName, attribute.Value);
        if (!signatureOf(signature, id).TryGet(out var parts, out fault)) return fault;

        inclusive = parts.ReferencePrefixes;
        using var digest = IncrementalHash.CreateHash(parts.Digest);
        Start(output, root);
        output.Text(space);
        while (open.Count > 0 && reader.Read())
        {
            switch (reader.NodeType)
            {
                case XmlNodeType.Element:
                    if (reader.LocalName == "Signature" && open.Count == 1 && reader.NamespaceURI == SamlNamespaces.XmlSignature)
                        return new SamlFault(FaultCodes.SignatureShape, "More than one Signature.");
                    var isEmpty = reader.IsEmptyElement;
                    Start(output, Head());
                    if (isEmpty) End(output);
                    break;
                case XmlNodeType.EndElement: End(output); break;
                case XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.Whitespace or XmlNodeType.SignificantWhitespace: output.Text(reader.Value); break;
                default: return new SamlFault(FaultCodes.XmlRefused, $"A node of kind {reader.NodeType}.");
            }
            if (output.Length < Chunk) continue;
            digest.AppendData(output.Written);
            output.Clear();
        }
        while (reader.Read())
            if (reader.NodeType is not XmlNodeType.Whitespace) return new SamlFault(FaultCodes.XmlRefused, "Something follows the document element.");
        if (isRootIdTwice) return new SamlFault(FaultCodes.DuplicateId, "Another identifier has the value of the document's ID.");
        if (output.SawIllegal || open.Count > 0) return new SamlFault(FaultCodes.SignatureShape, "The canonical form is broken.");
        digest.AppendData(output.Written);
        return (parts, digest.GetHashAndReset());
    }

    private readonly record struct Tag(string Name, List<Attribute> Attributes, List<KeyValuePair<string, string>> Declarations);

    /// <summary>The element the reader stands on: sorted attributes, and the namespaces that the output may have to declare.</summary>
    private Tag Head()
    {
        attributes.Clear();
        fresh.Clear();
        Use(reader.Prefix, reader.NamespaceURI);
        var name = reader.Name;
        while (reader.MoveToNextAttribute())
        {
            if (reader.NamespaceURI == XmlnsNamespace) continue;
            isRootIdTwice |= IsRootId(reader.LocalName, reader.Value);
            attributes.Add(new(reader.Prefix, reader.LocalName, reader.NamespaceURI, reader.Name, reader.Value));
            if (reader.Prefix.Length > 0) Use(reader.Prefix, reader.NamespaceURI);
        }
        reader.MoveToElement();
        attributes.Sort(static (one, other) => string.CompareOrdinal(one.Namespace, other.Namespace) is var order and not 0 ? order : string.CompareOrdinal(one.LocalName, other.LocalName));

        // Only the first tag outlives the next call.
        return open.Count == 0 ? new Tag(name, [.. attributes], [.. fresh]) : new Tag(name, attributes, fresh);
    }

    /// <summary>Libraries differ in which element they take for the one that is referred to (M03).</summary>
    private bool IsRootId(string localName, string value) => rootId is not null && value == rootId && localName.Equals("id", StringComparison.OrdinalIgnoreCase);

    private void Use(string prefix, string uri)
    {
        if ((prefix == "xml" && uri == XmlNamespace) || fresh.Exists(declared => declared.Key == prefix)) return;
        fresh.Add(new(prefix, uri));
    }

    private void Start(Utf8XmlWriter output, Tag tag)
    {
        var isRoot = open.Count == 0;
        open.Push((rendered.Count, tag.Name));
        foreach (var listed in inclusive)
        {
            var prefix = listed == "#default" ? "" : listed;
            var uri = (isRoot ? scopeOfRoot.TryGetValue(prefix, out var ofRoot) ? ofRoot : null : reader.LookupNamespace(prefix)) ?? (prefix.Length == 0 ? "" : null);
            if (uri is not null && !(prefix == "xml") && !tag.Declarations.Exists(declared => declared.Key == prefix)) tag.Declarations.Add(new(prefix, uri));
        }
        tag.Declarations.Sort(static (one, other) => string.CompareOrdinal(one.Key, other.Key));
        output.Raw("<"u8).Raw(tag.Name);
        foreach (var (prefix, uri) in tag.Declarations)
        {
            if (Known(prefix) == uri) continue;
            output.Raw(prefix.Length == 0 ? " xmlns"u8 : " xmlns:"u8).Raw(prefix).Raw("=\""u8).Attribute(uri).Raw("\""u8);
            rendered.Add(new(prefix, uri));
        }
        foreach (var attribute in tag.Attributes) output.Raw(" "u8).Raw(attribute.Name).Raw("=\""u8).Attribute(attribute.Value).Raw("\""u8);
        output.Raw(">"u8);
    }

    private string? Known(string prefix)
    {
        for (var i = rendered.Count - 1; i >= 0; i--)
            if (rendered[i].Key == prefix) return rendered[i].Value;
        return prefix.Length == 0 ? "" : null;
    }

    private void End(Utf8XmlWriter output)
    {
        var (scope, name) = open.Pop();
        output.Raw("</"u8).Raw(name).Raw(">"u8);
        rendered.RemoveRange(scope, rendered.Count - scope);
    }

    private static SamlFault Missing() => new(FaultCodes.SignatureMissing, "The first element of the document is no Signature.");
}
