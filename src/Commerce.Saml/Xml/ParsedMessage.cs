using System.Collections.Frozen;
using System.Xml;

namespace Commerce.Saml;

/// <summary>A protocol message as one DOM, its shape checked. What is verified and what is read are nodes of it, compared by identity.</summary>
/// <param name="Root">The only protocol message in the document.</param>
/// <param name="Children">Its child elements, in order.</param>
/// <param name="Header">The attributes every message has.</param>
internal sealed record ParsedMessage(XmlElement Root, IReadOnlyList<XmlElement> Children, MessageHeader Header)
{
    // SAML Core 3.2.1 and 3.2.2: whatever derives from RequestAbstractType or StatusResponseType.
    private static readonly FrozenSet<string> MessageRoots = new[]
    {
        "AuthnRequest", "Response", "LogoutRequest", "LogoutResponse", "ArtifactResolve", "ArtifactResponse", "AssertionIDRequest",
        "SubjectQuery", "AuthnQuery", "AttributeQuery", "AuthzDecisionQuery", "ManageNameIDRequest", "ManageNameIDResponse",
        "NameIDMappingRequest", "NameIDMappingResponse",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Parses and checks that nothing hides in the document: no second message, no foreign signature, no assertion out of place.</summary>
    /// <param name="xml">UTF-8.</param>
    /// <param name="rootName">Local name of the expected message.</param>
    public static SamlResult<ParsedMessage> Read(ReadOnlySpan<byte> xml, string rootName) =>
        !XmlGate.ParseMessage(xml).TryGet(out var document, out var fault) ? fault : Read(document.DocumentElement!, rootName);

    /// <summary>The same for a message as its binding brought it: by SOAP it stands in an envelope, and the envelope is part of the one document.</summary>
    public static SamlResult<ParsedMessage> Read(ReceivedMessage message, string rootName)
    {
        if (!XmlGate.ParseMessage(message.Xml).TryGet(out var document, out var fault)) return fault;
        if (message.Binding != SamlBindings.Soap) return Read(document.DocumentElement!, rootName);
        return SoapBinding.BodyOf(document).TryGet(out var root, out fault) ? Read(root, rootName) : fault;
    }

    private static SamlResult<ParsedMessage> Read(XmlElement root, string rootName)
    {
        if (!root.Is(SamlNamespaces.Protocol, rootName)) return XmlRead.Structure($"The message is no {rootName}.");
        if (Hidden(root, isResponse: rootName == "Response") is { } hidden) return hidden;
        if (!root.ElementsOnly().TryGet(out var children, out var fault)) return fault;
        if (!MessageHeader.Read(root).TryGet(out var header, out fault)) return fault;
        return new ParsedMessage(root, children, header);
    }

    /// <summary>The same for an assertion that came encrypted: a document of its own, and nothing hides in it either.</summary>
    public static SamlResult<XmlElement> ReadAssertion(ReadOnlySpan<byte> xml)
    {
        if (!XmlGate.ParseMessage(xml).TryGet(out var document, out var fault)) return fault;
        var root = document.DocumentElement!;
        if (!root.Is(SamlNamespaces.Assertion, "Assertion")) return XmlRead.Structure("What was encrypted is no assertion.");
        return Hidden(root, isResponse: false) is { } hidden ? hidden : root;
    }

    private static SamlFault? Hidden(XmlElement root, bool isResponse)
    {
        var assertions = 0;
        return Hidden(root, root, isResponse, ref assertions);
    }

    /// <summary>Looks at every element of the document, wherever it stands (X01 to X05). The gate caps the depth.</summary>
    /// <remarks>Children are visited forwards: in this DOM each step back would search all siblings from the first.</remarks>
    private static SamlFault? Hidden(XmlElement element, XmlElement root, bool isResponse, ref int assertions)
    {
        switch (element.NamespaceURI)
        {
            case SamlNamespaces.Protocol when element != root && MessageRoots.Contains(element.LocalName):
                return XmlRead.Structure($"A {element.LocalName} inside the message.");
            case SamlNamespaces.Assertion when element != root && element.LocalName is ("Assertion" or "EncryptedAssertion"):
                if (!isResponse || element.ParentNode != root) return XmlRead.Structure($"{element.LocalName} where none belongs.");
                if (++assertions > 1) return XmlRead.Structure("More than one assertion.");
                break;
            case SamlNamespaces.XmlSignature when element.LocalName == "Object":
                return new SamlFault(FaultCodes.SignatureShape, "A ds:Object in the message.");
            case SamlNamespaces.XmlSignature when element.LocalName == "Signature" && !MaySign(element, root):
                return new SamlFault(FaultCodes.SignatureShape, "A Signature in a place where none belongs.");
        }
        for (var child = element.FirstChild; child is not null; child = child.NextSibling)
            if (child is XmlElement inner && Hidden(inner, root, isResponse, ref assertions) is { } hidden) return hidden;
        return null;
    }

    /// <summary>A signature stands right after the Issuer of the message or of its one assertion, as the schema has it.</summary>
    private static bool MaySign(XmlElement signature, XmlElement root)
    {
        if (signature.ParentNode is not XmlElement parent) return false;
        if (parent != root && !(parent.ParentNode == root && parent.Is(SamlNamespaces.Assertion, "Assertion"))) return false;
        var first = NextElement(parent.FirstChild);
        if (first == signature) return parent == root;
        return first is not null && first.Is(SamlNamespaces.Assertion, "Issuer") && NextElement(first.NextSibling) == signature;
    }

    private static XmlElement? NextElement(XmlNode? node)
    {
        while (node is not (null or XmlElement)) node = node.NextSibling;
        return (XmlElement?)node;
    }
}

/// <summary>SAML Core 3.2.1 and 3.2.2: what every message says about itself.</summary>
internal sealed record MessageHeader(string Id, DateTimeOffset IssueInstant, string? Destination)
{
    public static SamlResult<MessageHeader> Read(XmlElement root)
    {
        if (root.Attr("Version") != "2.0") return new SamlFault(FaultCodes.VersionInvalid, "The version is not 2.0.");
        if (root.Attr("ID") is not { } id || !XmlRead.IsId(id)) return new SamlFault(FaultCodes.IdInvalid, "The ID is missing or no NCName.");
        if (XmlRead.Instant(root.Attr("IssueInstant")) is not { } issued)
            return new SamlFault(FaultCodes.InstantInvalid, "IssueInstant is missing or not an instant in UTC.");
        return new MessageHeader(id, issued, root.Attr("Destination"));
    }

    /// <summary>The Issuer of a message or an assertion: an entity id and nothing else, SAML Core 2.2.5 and 8.3.6.</summary>
    public static SamlResult<string> Issuer(XmlElement element)
    {
        if (!element.Is(SamlNamespaces.Assertion, "Issuer")) return Invalid("The first child is no Issuer.");
        if (element.Attr("Format") is not (null or NameIdFormats.Entity)) return Invalid("The Issuer's Format is not entity.");
        if (element.Attr("NameQualifier") is not null || element.Attr("SPNameQualifier") is not null || element.Attr("SPProvidedID") is not null)
            return Invalid("The Issuer is qualified, which an entity id never is.");
        if (!element.TextOnly().TryGet(out var text, out var fault)) return fault;
        return text.Length is 0 or > 1024 ? Invalid("The Issuer is empty or longer than 1024 characters.") : text;
    }

    private static SamlFault Invalid(string detail) => new(FaultCodes.IssuerInvalid, detail);
}
