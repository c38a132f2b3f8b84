namespace Commerce.Saml;

/// <summary>Which key and algorithm sign for whom.</summary>
/// <remarks>SAML Metadata Extension for Algorithm Support 1.0 §2.4. Our own first choice stands unless the other side lists algorithms and
/// that one is not among them. One that lists none of ours gets the first choice all the same: nothing weaker is ever produced.</remarks>
/// <param name="first">The first choice.</param>
/// <param name="others">Keys of another kind.</param>
internal sealed class SignerChoice(SigningKey first, IReadOnlyList<SigningKey> others)
{
    private readonly Lazy<IReadOnlyList<SigningKey>> candidates = new(() => [.. others.Prepend(first).SelectMany(key => key.Variants())]);

    /// <param name="listed">The signature algorithms of the other side's metadata.</param>
    public SigningKey For(IReadOnlyList<string> listed)
    {
        if (listed.Count == 0 || listed.Contains(first.Algorithm.Uri(), StringComparer.Ordinal)) return first;
        return candidates.Value.FirstOrDefault(key => listed.Contains(key.Algorithm.Uri(), StringComparer.Ordinal)) ?? first;
    }
}
