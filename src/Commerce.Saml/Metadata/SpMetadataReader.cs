namespace Commerce.Saml;

/// <summary>How strictly service provider metadata is taken.</summary>
public sealed record SpMetadataOptions
{
    /// <summary>An assertion consumer service on plain http is left out; a service provider left without one is skipped (X17). Off only in development.</summary>
    public bool RequireHttps { get; init; } = true;

    /// <summary>Read only this entity; null for all.</summary>
    public string? EntityId { get; init; }

    /// <summary>Largest document, in characters.</summary>
    public long MaxCharacters { get; init; } = 256L * 1024 * 1024;
}

/// <summary>One EntityDescriptor of a document: a service provider, or the reason why not.</summary>
/// <param name="EntityId">As far as it could be read.</param>
/// <param name="HasServiceProviderRole">It has an SPSSODescriptor of some protocol: worth naming to the operator when skipped.</param>
/// <param name="ServiceProvider">Null when skipped.</param>
/// <param name="SkipReason">A sentence for the operator; null when read.</param>
public sealed record SpMetadataEntry(string EntityId, bool HasServiceProviderRole, ServiceProvider? ServiceProvider, string? SkipReason);

/// <summary>Reads service providers from metadata, a single EntityDescriptor or an aggregate of any size, one entity at a time in little memory.</summary>
/// <remarks>SAML Metadata 2.3. The signature of a feed is not verified here: take documents from a channel you trust.</remarks>
public static class SpMetadataReader
{
    /// <summary>Reads entity after entity while the caller enumerates. A document that breaks off or is refused by the gate ends with a fault as last item.</summary>
    public static IEnumerable<SamlResult<SpMetadataEntry>> Read(Stream document, SpMetadataOptions options, TimeProvider clock)
    {
        using var entities = new EntityReader(document, options.MaxCharacters);
        while (true)
        {
            if (!entities.Next().TryGet(out var entity, out var fault))
            {
                yield return fault;
                yield break;
            }
            if (entity is null) yield break;
            if (options.EntityId is null || options.EntityId == entity.EntityId) yield return SpMetadataEntity.Read(entity, options, clock.GetUtcNow());
        }
    }

    /// <summary>The one service provider of a document that holds one.</summary>
    /// <returns>A fault with the reason where there is none, or more than one.</returns>
    public static SamlResult<ServiceProvider> ReadSingle(Stream document, SpMetadataOptions options, TimeProvider clock)
    {
        SpMetadataEntry? only = null;
        foreach (var item in Read(document, options, clock))
        {
            if (!item.TryGet(out var entry, out var fault)) return fault;
            if (only?.ServiceProvider is not null && entry.ServiceProvider is not null)
                return new SamlFault(FaultCodes.MetadataInvalid, "The document holds more than one service provider: name the entity id.");
            if (only?.ServiceProvider is null) only = entry;
        }
        return only?.ServiceProvider is { } serviceProvider
            ? serviceProvider
            : new SamlFault(FaultCodes.MetadataInvalid, only?.SkipReason ?? "The document holds no such entity.");
    }
}
