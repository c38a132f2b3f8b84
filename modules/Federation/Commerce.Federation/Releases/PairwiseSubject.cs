using System.Security.Cryptography;
using System.Text;
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
    /// <param name="salt">32 bytes or more. Changing it renames every customer at every partner.</param>
    /// <returns>64 lower-case hexadecimal characters.</returns>
    /// <exception cref="ArgumentException">The salt is shorter than 32 bytes.</exception>
    public static string For(string sector, Guid customer, ReadOnlySpan<byte> salt) => salt.Length < 32
        ? throw new ArgumentException("A pairwise salt has at least 32 bytes.", nameof(salt))
        : Convert.ToHexStringLower(HMACSHA256.HashData(salt, Encoding.UTF8.GetBytes($"{sector}\n{customer:N}")));
}
