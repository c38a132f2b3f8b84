using System.Security.Cryptography;
using System.Text.Json;

namespace Commerce.Federation.OpenIdConnect.Jose;

/// <summary>A public key that may verify, for one algorithm and no other.</summary>
/// <param name="Kid">Its key id, or null where its owner gave none.</param>
/// <param name="Algorithm"><c>ES256</c>, <c>PS256</c> or <c>RS256</c>.</param>
internal sealed record VerificationKey(string? Kid, string Algorithm, AsymmetricAlgorithm Key);

/// <summary>What a JWT must be to count at one place. Each place has its own, so that a token made for one never counts at another.</summary>
/// <remarks>RFC 8725 §3.11 and §3.12: explicit typing, and rules per kind that exclude each other.</remarks>
/// <param name="Name">For the log.</param>
/// <param name="Types">Values of <c>typ</c> that count, compared without case; null in the list stands for an absent one.</param>
/// <param name="NeedsKeyId">True for our own tokens: they always name their key.</param>
internal sealed record JwtUse(string Name, IReadOnlyList<string?> Types, bool NeedsKeyId)
{
    /// <summary>RFC 9068 §2.1.</summary>
    public static readonly JwtUse AccessToken = new("access token", ["at+jwt"], NeedsKeyId: true);

    /// <summary>OpenID Connect Core §2. Taken back only as <c>id_token_hint</c>.</summary>
    public static readonly JwtUse IdToken = new("ID token", ["JWT"], NeedsKeyId: true);

    /// <summary>RFC 7523 §3. Clients may leave <c>typ</c> out.</summary>
    public static readonly JwtUse ClientAssertion = new("client assertion", [null, "JWT", "client-authentication+jwt"], NeedsKeyId: false);

    /// <summary>RFC 9101 §10.8 has a type of its own; OpenID Connect Core §6.1 has none.</summary>
    public static readonly JwtUse RequestObject = new("request object", [null, "JWT", "oauth-authz-req+jwt"], NeedsKeyId: false);

    /// <summary>RFC 9449 §4.2.</summary>
    public static readonly JwtUse DpopProof = new("DPoP proof", ["dpop+jwt"], NeedsKeyId: false);
}

/// <summary>A JWT whose form, type, algorithm, key and signature were checked. Issuer, audience and times are its user's to check.</summary>
internal sealed record VerifiedJwt(JsonElement Claims, string? KeyId);

/// <summary>The one door through which every JWT from outside comes in.</summary>
internal static class JwtGate
{
    /// <summary>How far clocks may differ: for tokens of our own and of clients alike.</summary>
    public static readonly TimeSpan Skew = TimeSpan.FromSeconds(10);

    /// <param name="keys">Keys of the one party that may have signed. The algorithm is the key's, never the header's word for it.</param>
    /// <param name="fault">Why not, for the log; holds nothing of the token.</param>
    public static VerifiedJwt? Verify(CompactJws jws, JwtUse use, IEnumerable<VerificationKey> keys, out string fault)
    {
        fault = "type";
        if (!use.Types.Contains(jws.Type, StringComparer.OrdinalIgnoreCase)) return null;
        fault = "key";
        if (use.NeedsKeyId && jws.KeyId is null) return null;
        foreach (var key in keys)
        {
            // RFC 8725 §3.1: the algorithm is fixed with the key. A named key must be the one named.
            if (!string.Equals(key.Algorithm, jws.Algorithm, StringComparison.Ordinal)) continue;
            if (jws.KeyId is { } kid && !string.Equals(kid, key.Kid, StringComparison.Ordinal)) continue;
            fault = "signature";
            if (IsSignedBy(key, jws)) return new VerifiedJwt(jws.Payload, jws.KeyId);
        }
        return null;
    }

    public static VerifiedJwt? Open(string? token, JwtUse use, IEnumerable<VerificationKey> keys, out string fault) =>
        CompactJws.Read(token, out fault) is { } jws ? Verify(jws, use, keys, out fault) : null;

    private static bool IsSignedBy(VerificationKey key, CompactJws jws)
    {
        try
        {
            return (key.Algorithm, key.Key) switch
            {
                ("ES256", ECDsa ec) => jws.Signature.Length == 64 &&
                    ec.VerifyData(jws.Signed, jws.Signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation),
                ("RS256", RSA rsa) => rsa.VerifyData(jws.Signed, jws.Signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
                ("PS256", RSA rsa) => rsa.VerifyData(jws.Signed, jws.Signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pss),
                _ => false,
            };
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    /// <summary>True where the text is there and equal, octet by octet.</summary>
    public static bool Says(this VerifiedJwt jwt, string claim, string expected) =>
        string.Equals(jwt.Claims.Text(claim), expected, StringComparison.Ordinal);

    /// <summary>
    /// Checks <c>exp</c> (required), <c>nbf</c> and <c>iat</c> (where present) with <see cref="Skew"/> (RFC 7519 §4.1.4 to §4.1.6).
    /// </summary>
    public static bool IsTimely(this VerifiedJwt jwt, DateTimeOffset now, out DateTimeOffset expires)
    {
        expires = default;
        if (!jwt.Claims.TryInstant("exp", out var exp) || exp is null) return false;
        if (!jwt.Claims.TryInstant("nbf", out var notBefore) || !jwt.Claims.TryInstant("iat", out var issued)) return false;
        expires = exp.Value;
        return now - Skew < exp && (notBefore is null || notBefore <= now + Skew) && (issued is null || issued <= now + Skew);
    }
}
