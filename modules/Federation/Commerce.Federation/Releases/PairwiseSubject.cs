using Commerce.Kernel.Secrets;

namespace Commerce.Federation.Releases;

/// <summary>The name under which one partner sector knows a customer. It means nothing to any other sector.</summary>
/// <remarks>OpenID Connect Core 1.0 §8.1; SAML Core 8.3.7. Keyed, so that a partner cannot test guesses against it.</remarks>
internal static class PairwiseSubject
{
    /// <summary>Name of the salt among the <see cref="SharedSecrets"/>.</summary>
    public const string Salt = "pairwise-salt";

    /// <param name="sector">OIDC: host name of the sector identifier, lower case. SAML: entity id. See <see cref="Connection.Sector"/>.</param>
    /// <param name="customer">The customer's id here. It never leaves Commerce.</param>
    /// <param name="salted">Keyed by the salt. Another one renames every customer at every partner.</param>
    /// <returns>64 lower-case hexadecimal characters.</returns>
    public static string For(string sector, Guid customer, KeyedHash salted) => Convert.ToHexStringLower(salted.Of($"{sector}\n{customer:N}"));
}
