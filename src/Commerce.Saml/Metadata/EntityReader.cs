using System.Xml;

namespace Commerce.Saml;

/// <summary>One EntityDescriptor of a metadata document, as a document of its own.</summary>
/// <param name="ValidUntil">The earliest of the groups around it and of its own; null where none says.</param>
internal sealed record Entity(XmlElement Element, string EntityId, DateTimeOffset? ValidUntil)
{
    public static DateTimeOffset? Earliest(DateTimeOffset? one, DateTimeOffset? other) => one is null || other < one ? other : one;

    /// <summary>The first role of a kind that speaks SAML 2.0; null where there is none.</summary>
    public XmlElement? Role(string name) => Element.Children(SamlNamespaces.Metadata, name).FirstOrDefault(SpeaksSaml2);

    private static bool SpeaksSaml2(XmlElement role) =>
        (role.Attr("protocolSupportEnumeration") ?? "").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Contains(SamlNamespaces.Protocol, StringComparer.Ordinal);
}

/// <summary>Walks a metadata document forwards and hands out entity after entity; never holds more than one.</summary>
internal sealed class EntityReader(Stream document, long maxCharacters) : IDisposable
{
    private const int MaxGroups = 8;

    private XmlReader? opened;
    private readonly Stack<DateTimeOffset?> groups = new();
    private bool ended;
    private bool skipped;

    /// <summary>The next entity; null after the last. After a fault there is nothing more to be had.</summary>
    public SamlResult<Entity?> Next()
    {
        try
        {
            while (!ended && Advance())
            {
                if (Reader.NodeType == XmlNodeType.EndElement) groups.Pop();
                if (Reader.NodeType != XmlNodeType.Element) continue;
                if (IsMetadata("EntityDescriptor")) return Take();
                if (IsMetadata("EntitiesDescriptor"))
                {
                    if (Enter() is { } fault) return fault;
                }
                else if (Reader.Depth == 0) return End("The document is neither EntityDescriptor nor EntitiesDescriptor.");
                else Skip();    // a signature or an extension of the group
            }
            ended = true;
            return (Entity?)null;
        }
        catch (Exception malformed) when (malformed is XmlException or ArgumentException or InvalidOperationException or IOException)
        {
            return End($"Not well-formed: {malformed.Message}");
        }
    }

    public void Dispose() => opened?.Dispose();

    // Opened where faults are caught: it reads the first octets at once, and they may be no text.
    private XmlReader Reader => opened ??= XmlGate.OpenMetadata(document, maxCharacters);

    private bool IsMetadata(string name) => Reader.LocalName == name && Reader.NamespaceURI == SamlNamespaces.Metadata;

    /// <summary>To the next node, unless a skip has already gone there.</summary>
    private bool Advance()
    {
        if (!skipped) return Reader.Read();
        skipped = false;
        return !Reader.EOF;
    }

    private void Skip()
    {
        Reader.Skip();
        skipped = true;
    }

    private SamlFault? Enter()
    {
        if (groups.Count >= MaxGroups) return End("Groups are nested too deep.");
        var until = MetadataValues.Instant(Reader.GetAttribute("validUntil"));
        if (until.Fault is { } fault) return End(fault.Detail);
        if (!Reader.IsEmptyElement) groups.Push(Entity.Earliest(Inherited, until.Value));
        return null;
    }

    private SamlResult<Entity?> Take()
    {
        var taken = XmlGate.TakeElement(Reader);
        if (taken.Fault is { } fault) return End(fault.Detail);
        var element = taken.Value;
        var entityId = element.Attr("entityID") ?? "";
        var until = MetadataValues.Instant(element.Attr("validUntil"));

        // An unreadable date is not taken for none: the entity counts as expired.
        return new Entity(element, entityId, until.IsSuccess ? Entity.Earliest(Inherited, until.Value) : DateTimeOffset.MinValue);
    }

    private DateTimeOffset? Inherited => groups.Count > 0 ? groups.Peek() : null;

    private SamlFault End(string detail)
    {
        ended = true;
        return new SamlFault(FaultCodes.MetadataInvalid, detail);
    }
}
