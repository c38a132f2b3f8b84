using Commerce.Federation.Partners;
using Commerce.Saml;

namespace Commerce.Federation.Saml;

/// <summary>The claims a request asks for, by the attributes that the service provider's metadata names.</summary>
/// <remarks>SAML Metadata 2.4.4.1 and Core 3.4.1 (AttributeConsumingServiceIndex). It narrows: what may leave at all, the data contract and the
/// customer decide (<see cref="Releases.ClaimsRelease"/>).</remarks>
internal static class AskedAttributes
{
    private static readonly Dictionary<string, string> ByFriendlyName = ClaimCatalogue.Names
        .Select(claim => (claim, ClaimNames.ToAttribute(claim).FriendlyName)).ToDictionary(pair => pair.FriendlyName, pair => pair.claim, StringComparer.Ordinal);

    /// <param name="nameFormat">Format of the name that the assertion will have: an e-mail address is a claim too.</param>
    /// <returns>Null where the metadata names none: then everything that may leave does.</returns>
    public static IReadOnlyCollection<string>? Of(ValidatedAuthnRequest request, string nameFormat)
    {
        if (request.RequestedAttributes.Count == 0) return null;
        var claims = new HashSet<string>(StringComparer.Ordinal);
        foreach (var attribute in request.RequestedAttributes)
        {
            // Older service providers use the short name (mail) as the attribute's name.
            if ((ClaimNames.ToClaim(attribute.Name) ?? ByFriendlyName.GetValueOrDefault(attribute.Name)) is { } claim) claims.UnionWith(ClaimCatalogue.With(claim));
        }
        if (nameFormat == NameIdFormats.EmailAddress) claims.UnionWith(ClaimCatalogue.With("email"));
        return claims;
    }
}
