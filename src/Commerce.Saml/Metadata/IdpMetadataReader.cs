using System.Xml;

namespace Commerce.Saml;

/// <summary>Reads an identity provider's metadata: a document with one EntityDescriptor, or an aggregate and the entity id to take.</summary>
/// <remarks>SAML Metadata 2.4.3.</remarks>
public static class IdpMetadataReader
{
    private const long MaxCharacters = 256L * 1024 * 1024;

    /// <param name="document">XML. Its signature is not verified here: fetch it over a channel you trust.</param>
    /// <param name="entityId">Which entity; null where the document holds one identity provider.</param>
    /// <param name="requireHttps">Leave out addresses on plain http; off only in development.</param>
    /// <param name="clock">The time.</param>
    public static SamlResult<RemoteIdentityProvider> Read(Stream document, string? entityId, bool requireHttps, TimeProvider clock)
    {
        using var entities = new EntityReader(document, MaxCharacters);
        RemoteIdentityProvider? only = null;
        while (true)
        {
            if (!entities.Next().TryGet(out var entity, out var fault) && fault is not null) return fault;
            if (entity is null) break;
            if (entityId is not null && entity.EntityId != entityId) continue;
            if (entity.Role("IDPSSODescriptor") is not { } role) continue;
            if (only is not null) return Invalid("The document holds more than one identity provider: name the entity id.");
            if (!Read(entity, role, requireHttps, clock.GetUtcNow()).TryGet(out only, out fault)) return fault;
        }
        return only is null ? Invalid("The document holds no such identity provider with SAML 2.0.") : only;
    }

    private static SamlResult<RemoteIdentityProvider> Read(Entity entity, XmlElement role, bool requireHttps, DateTimeOffset now)
    {
        if (entity.EntityId.Length is 0 or > 1024) return Invalid("entityID is missing or longer than 1024 characters.");
        var roleUntil = MetadataValues.Instant(role.Attr("validUntil"));
        if (roleUntil.Fault is { } fault) return fault;
        var until = Entity.Earliest(entity.ValidUntil, roleUntil.Value);
        if (until <= now) return new SamlFault(FaultCodes.MetadataInvalid, $"The metadata expired at {until:u}.");

        var warnings = new List<string>();
        var keys = MetadataValues.Keys(role, "signing", warnings);
        if (keys.Count == 0) return new SamlFault(FaultCodes.NoUsableKey, string.Join(' ', warnings.Prepend("There is no usable signing key.")));
        var services = MetadataValues.Endpoints(role, "SingleSignOnService", requireHttps);
        if (services.Count == 0) return Invalid("There is no usable single sign-on address.");
        return new RemoteIdentityProvider
        {
            EntityId = entity.EntityId,
            SingleSignOnServices = services,
            SigningKeys = keys,
            SingleLogoutServices = MetadataValues.Endpoints(role, "SingleLogoutService", requireHttps),
            WantAuthnRequestsSigned = role.Attr("WantAuthnRequestsSigned") is "true" or "1",
            DisplayNames = MetadataValues.Localized(role.Children(SamlNamespaces.Metadata, "Extensions")
                .SelectMany(extensions => extensions.Children(SamlNamespaces.MetadataUi, "UIInfo"))
                .SelectMany(info => info.Children(SamlNamespaces.MetadataUi, "DisplayName"))),
            ValidUntil = until,
        };
    }

    private static SamlFault Invalid(string detail) => new(FaultCodes.MetadataInvalid, detail);
}
