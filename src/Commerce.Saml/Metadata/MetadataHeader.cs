using System.Xml;

namespace Commerce.Saml;

/// <summary>What a metadata document says about itself on its outermost element.</summary>
/// <param name="EntityId">Null for an aggregate.</param>
/// <param name="Name">Of an aggregate; null where it has none.</param>
/// <param name="ValidUntil">After it nothing in the document may be used.</param>
/// <param name="CacheDuration">How long a copy may be kept before the publisher is asked again.</param>
public sealed record MetadataHeader(string? EntityId, string? Name, DateTimeOffset? ValidUntil, TimeSpan? CacheDuration)
{
    private static readonly TimeSpan LongestCache = TimeSpan.FromDays(366);

    public static SamlResult<MetadataHeader> Read(Stream document)
    {
        try
        {
            using var reader = XmlGate.OpenMetadata(document, 256L * 1024 * 1024);
            if (reader.MoveToContent() != XmlNodeType.Element || reader.NamespaceURI != SamlNamespaces.Metadata || reader.LocalName is not ("EntityDescriptor" or "EntitiesDescriptor"))
                return Invalid("The document is neither EntityDescriptor nor EntitiesDescriptor.");
            if (!MetadataValues.Instant(reader.GetAttribute("validUntil")).TryGet(out var until, out var fault) && fault is not null) return fault;
            TimeSpan? cache = reader.GetAttribute("cacheDuration") is { } duration ? XmlConvert.ToTimeSpan(duration.Trim()) : null;
            if (cache < TimeSpan.Zero) return Invalid("cacheDuration is negative.");
            return new MetadataHeader(reader.GetAttribute("entityID"), reader.GetAttribute("Name"), until, cache > LongestCache ? LongestCache : cache);
        }
        catch (Exception malformed) when (malformed is FormatException or OverflowException)
        {
            return Invalid("cacheDuration is no duration.");
        }
        catch (Exception malformed) when (malformed is XmlException or ArgumentException or InvalidOperationException or IOException)
        {
            return Invalid($"Not well-formed: {malformed.GetType().Name}.");
        }
    }

    private static SamlFault Invalid(string detail) => new(FaultCodes.MetadataInvalid, detail);
}
