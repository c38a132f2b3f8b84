namespace Commerce.Saml;

/// <summary>Which key and algorithm sign for which service provider.</summary>
/// <remarks>SAML Metadata Extension for Algorithm Support 1.0 §2.4. Our own first choice stands unless the service provider lists algorithms
/// and that one is not among them. One that lists none of ours gets the first choice all the same: nothing weaker is ever produced.</remarks>
internal sealed class ResponseSigners(IdentityProviderSettings settings)
{
    private readonly Lazy<IReadOnlyList<SigningKey>> candidates = new(() =>
        [.. settings.OtherSigningKeys.Prepend(settings.SigningKey).SelectMany(key => key.Variants())]);

    public SigningKey For(ServiceProvider serviceProvider)
    {
        var listed = serviceProvider.SigningMethods;
        if (listed.Count == 0 || listed.Contains(settings.SigningKey.Algorithm.Uri(), StringComparer.Ordinal)) return settings.SigningKey;
        return candidates.Value.FirstOrDefault(key => listed.Contains(key.Algorithm.Uri(), StringComparer.Ordinal)) ?? settings.SigningKey;
    }
}
