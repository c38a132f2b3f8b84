namespace Commerce.Saml;

/// <summary>Who the customer is for one service provider, SAML Core 2.2.3.</summary>
/// <param name="Value">At most 256 characters. Persistent: opaque and pairwise; it means nothing to another service provider.</param>
/// <param name="Format">One of <see cref="NameIdFormats"/>.</param>
/// <param name="NameQualifier">The identity provider's entity id, for persistent names.</param>
/// <param name="SpNameQualifier">The service provider's entity id, for persistent names.</param>
public sealed record NameId(string Value, string Format, string? NameQualifier = null, string? SpNameQualifier = null)
{
    /// <summary>The persistent pairwise name of SAML Core 8.3.7 with both qualifiers said.</summary>
    public static NameId Persistent(string pairwise, string identityProvider, string serviceProvider) =>
        new(pairwise, NameIdFormats.Persistent, identityProvider, serviceProvider);
}

/// <summary>One attribute, SAML Core 2.7.3.1, always with the URI name format.</summary>
/// <param name="Name">A URI; see <see cref="ClaimNames"/>.</param>
/// <param name="Values">Each becomes an AttributeValue element of its own.</param>
/// <param name="FriendlyName">For people; never compared.</param>
public sealed record SamlAttribute(string Name, IReadOnlyList<string> Values, string? FriendlyName = null);
