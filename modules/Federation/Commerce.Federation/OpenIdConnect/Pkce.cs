using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>Proof key for code exchange, RFC 7636, with S256 and nothing else (RFC 9700 §2.1.1).</summary>
internal static class Pkce
{
    /// <summary>What stands for a challenge where the client sent none and need not.</summary>
    public const string None = "";

    /// <summary>True for 43 base64url characters: the only length that a SHA-256 has (§4.2).</summary>
    public static bool IsChallenge(string text) => text.Length == 43 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

    /// <summary>
    /// True for 43 to 128 unreserved characters (§4.1) whose hash is the challenge (§4.6). Without a challenge there may be no verifier:
    /// one that comes nevertheless shows that the challenge was taken out on the way (RFC 9700 §4.8.2).
    /// </summary>
    public static bool Proves(string? verifier, string challenge)
    {
        if (challenge == None) return verifier is null;
        if (verifier is not { Length: >= 43 and <= 128 } || !verifier.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_' or '~')) return false;
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.ASCII.GetBytes(verifier), hash);
        Span<byte> computed = stackalloc byte[43];
        Base64Url.EncodeToUtf8(hash, computed);
        return CryptographicOperations.FixedTimeEquals(computed, Encoding.ASCII.GetBytes(challenge));
    }
}
