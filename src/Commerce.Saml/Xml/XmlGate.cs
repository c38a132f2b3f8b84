using System.Text;
using System.Xml;

namespace Commerce.Saml;

/// <summary>The one parser. Every document from outside passes here, once, and becomes one DOM that all later code shares.</summary>
/// <remarks>What DTDs, entities, comments and CDATA make possible (two readers seeing two documents) is refused rather than handled.</remarks>
internal static class XmlGate
{
    /// <summary>Largest protocol message, in bytes, checked before the parser starts.</summary>
    public const int MaxMessageBytes = 256 * 1024;

    private const int MaxDepth = 32;
    private const int MaxAttributes = 32;
    private const int MaxAttributeLength = 8 * 1024;
    private const int MaxNodes = 5_000;
    private const int MaxMetadataNodes = 20_000;    // of one entity
    private const string XmlnsNamespace = "http://www.w3.org/2000/xmlns/";

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Parses a protocol message: UTF-8 only, no DTD, comment, CDATA section or processing instruction, no identifier twice.</summary>
    public static SamlResult<XmlDocument> ParseMessage(ReadOnlySpan<byte> xml)
    {
        if (xml.Length > MaxMessageBytes) return Refuse($"The message has {xml.Length} bytes; {MaxMessageBytes} are allowed.");
        if (xml.StartsWith(Encoding.UTF8.Preamble)) xml = xml[3..];
        try
        {
            var document = new XmlDocument { XmlResolver = null, PreserveWhitespace = true };
            var settings = Settings(MaxMessageBytes, forMetadata: false);
            settings.NameTable = document.NameTable;        // so that a name is looked up once and not in two tables
            using var reader = XmlReader.Create(new StringReader(StrictUtf8.GetString(xml)), settings);
            while (reader.Read())
            {
                switch (reader.NodeType)
                {
                    case XmlNodeType.XmlDeclaration when IsUtf8(reader.GetAttribute("encoding")):
                    case XmlNodeType.Whitespace:
                        break;
                    case XmlNodeType.Element when document.DocumentElement is null:
                        if (Build(reader, document, allowMarkup: false) is { } fault) return fault;
                        break;
                    default:
                        return Refuse($"A node of kind {reader.NodeType} beside the document element.");
                }
            }
            return document.DocumentElement is null ? Refuse("There is no element.") : document;
        }
        catch (Exception malformed) when (malformed is XmlException or DecoderFallbackException or ArgumentException or InvalidOperationException)
        {
            return Refuse($"Not well-formed: {malformed.GetType().Name}.");
        }
    }

    /// <summary>A reader over metadata, which people write by hand: comments and processing instructions are passed over, all else is as strict.</summary>
    /// <param name="keepInstructions">Hand out processing instructions: a signature covers them.</param>
    public static XmlReader OpenMetadata(Stream document, long maxCharacters, bool keepInstructions = false)
    {
        var settings = Settings(maxCharacters, forMetadata: true);
        settings.IgnoreProcessingInstructions = !keepInstructions;
        return XmlReader.Create(document, settings);
    }

    /// <summary>Takes the element a metadata reader stands on, with all below it, as a document of its own. The reader ends on its end tag.</summary>
    public static SamlResult<XmlElement> TakeElement(XmlReader reader)
    {
        var document = new XmlDocument { XmlResolver = null, PreserveWhitespace = true };
        return Build(reader, document, allowMarkup: true) is { } fault ? fault : document.DocumentElement!;
    }

    private static XmlReaderSettings Settings(long maxCharacters, bool forMetadata) => new()
    {
        DtdProcessing = DtdProcessing.Prohibit,
        XmlResolver = null,
        MaxCharactersInDocument = maxCharacters,
        MaxCharactersFromEntities = 1,
        IgnoreComments = forMetadata,
        IgnoreProcessingInstructions = forMetadata,
        CheckCharacters = true,
        ConformanceLevel = ConformanceLevel.Document,
        CloseInput = false,
    };

    /// <summary>Copies the element the reader stands on into an empty document, node by node, and stops at the first thing that must not be there.</summary>
    private static SamlFault? Build(XmlReader reader, XmlDocument document, bool allowMarkup)
    {
        var ids = allowMarkup ? null : new HashSet<string>(StringComparer.Ordinal);
        XmlNode parent = document;
        var nodes = 0;
        var floor = reader.Depth;
        do
        {
            if (++nodes > (allowMarkup ? MaxMetadataNodes : MaxNodes)) return Refuse($"More than {(allowMarkup ? MaxMetadataNodes : MaxNodes)} nodes.");
            switch (reader.NodeType)
            {
                case XmlNodeType.Element:
                    if (reader.Depth - floor > MaxDepth) return Refuse($"Nested deeper than {MaxDepth}.");
                    var element = document.CreateElement(reader.Prefix, reader.LocalName, reader.NamespaceURI);
                    var isEmpty = reader.IsEmptyElement;
                    if (CopyAttributes(reader, element, ids) is { } fault) return fault;
                    parent.AppendChild(element);
                    if (!isEmpty) parent = element;
                    else if (parent == document) return null;
                    break;
                case XmlNodeType.EndElement:
                    parent = parent.ParentNode!;
                    if (parent == document) return null;
                    break;
                case XmlNodeType.Text or XmlNodeType.Whitespace or XmlNodeType.SignificantWhitespace:
                case XmlNodeType.CDATA when allowMarkup:
                    parent.AppendChild(document.CreateTextNode(reader.Value));
                    break;
                default:
                    return Refuse($"A node of kind {reader.NodeType}.");
            }
        }
        while (reader.Read());
        return Refuse("The document breaks off.");
    }

    private static SamlFault? CopyAttributes(XmlReader reader, XmlElement element, HashSet<string>? ids)
    {
        if (reader.AttributeCount > MaxAttributes) return Refuse($"An element has more than {MaxAttributes} attributes.");
        var document = element.OwnerDocument;
        while (reader.MoveToNextAttribute())
        {
            var value = reader.Value;
            if (value.Length > MaxAttributeLength) return Refuse($"An attribute is longer than {MaxAttributeLength}.");

            // A relative namespace name makes some canonicalisers fail, or return nothing at all, where others go on (X07).
            if (reader.NamespaceURI == XmlnsNamespace && value.Length > 0 && !value.Contains(':', StringComparison.Ordinal))
                return Refuse("A namespace name is relative.");

            // Libraries differ in which spelling they look an identifier up by, so one value may occur once under all of them (M03).
            if (ids is not null && reader.NamespaceURI != XmlnsNamespace && reader.LocalName.Equals("id", StringComparison.OrdinalIgnoreCase) && !ids.Add(value))
                return new SamlFault(FaultCodes.DuplicateId, "Two identifier attributes have the same value.");

            var attribute = document.CreateAttribute(reader.Prefix, reader.LocalName, reader.NamespaceURI);
            attribute.Value = value;
            element.SetAttributeNode(attribute);
        }
        reader.MoveToElement();
        return null;
    }

    private static bool IsUtf8(string? encoding) => encoding is null || encoding.Equals("utf-8", StringComparison.OrdinalIgnoreCase);

    private static SamlFault Refuse(string detail) => new(FaultCodes.XmlRefused, detail);
}
