using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Commerce.Federation.OpenIdConnect.Jose;
using Commerce.Kernel;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>
/// Reads DPoP proofs (RFC 9449 §4.3), at every endpoint the same way. The nonce is asked for before the <c>jti</c> is used up, so that
/// a client that is told a new nonce loses nothing.
/// </summary>
internal sealed class DpopProofs(DpopNonces nonces, OneTimeIds seen, Issuer issuer, TimeProvider clock, ILogger<DpopProofs> log)
{
    /// <summary>EdDSA is not among them: the framework has no Ed25519.</summary>
    public static readonly IReadOnlyList<string> Algorithms = ["ES256", "PS256"];

    private const string Header = "DPoP";

    /// <summary>A proof made longer ago than this is not fresh, whatever its nonce.</summary>
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(60);
    private const int LongestId = 256;

    public static bool IsThere(HttpRequest request) => request.Headers.ContainsKey(Header);

    /// <summary>The key that the request's proof proves; refused where there is no proof, more than one, or a wrong one.</summary>
    /// <param name="accessToken">The token that comes with the proof at a protected resource; null at the endpoints that give tokens out.</param>
    public async ValueTask<Result<SenderKey>> CheckAsync(HttpContext context, string? accessToken, CancellationToken stop)
    {
        // Every answer to a proof names the nonce of the moment (§8.2): the client has it before the old one ends.
        context.Response.Headers["DPoP-Nonce"] = nonces.Current;
        var proofs = context.Request.Headers[Header];
        if (proofs.Count != 1) return No("there is not exactly one proof");
        if (CompactJws.Read(proofs[0], out var fault) is not { } jws) return No(fault);
        if (!Algorithms.Contains(jws.Algorithm, StringComparer.Ordinal)) return No("algorithm");
        if (!jws.Header.TryGetProperty("jwk", out var jwk) || jwk.ValueKind != JsonValueKind.Object || JsonWebKeys.ReadOne(jwk) is not { } key) return No("jwk");
        // An RSA key that names no algorithm is read for RS256; here it can only be meant for PS256.
        using var material = key.Key;
        if (material is RSA && jwk.Text("alg") is null) key = key with { Algorithm = "PS256" };
        if (JwtGate.Verify(jws, JwtUse.DpopProof, [key with { Kid = jws.KeyId }], out fault) is not { } proof) return No(fault);

        if (!proof.Says("htm", context.Request.Method)) return No("htm");
        if (!IsThisAddress(proof.Claims.Text("htu"), context.Request)) return No("htu");
        if (accessToken is not null && !proof.Says("ath", HashOf(accessToken))) return No("ath");
        var now = clock.GetUtcNow();
        if (!IsFresh(proof, now, out var made)) return No("time");
        if (proof.Claims.Text("jti") is not { Length: > 0 and <= LongestId } jti) return No("jti");
        if (!proof.Claims.TryText("nonce", out var nonce)) return No("nonce");
        if (nonce is null || !nonces.IsGood(nonce)) return OAuth.UseDpopNonce;

        var thumbprint = ThumbprintOf(key);
        if (!await seen.IsFirstUseAsync(OneTimeIds.Proof, thumbprint, jti, made + Fresh + JwtGate.Skew, stop)) return No("jti used before");
        return SenderKey.OfDpop(thumbprint);
    }

    /// <summary>RFC 9449 §4.2: SHA-256 of the token's characters.</summary>
    public static string HashOf(string accessToken) => Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(accessToken)));

    private static bool IsFresh(VerifiedJwt proof, DateTimeOffset now, out DateTimeOffset made)
    {
        made = default;
        if (!proof.Claims.TryInstant("iat", out var issued) || issued is not { } at) return false;
        made = at;
        if (at < now - Fresh || at > now + JwtGate.Skew) return false;
        // Not asked for by the specification, and held to where they are there.
        return proof.Claims.TryInstant("exp", out var ends) && proof.Claims.TryInstant("nbf", out var begins)
            && (ends is null || now - JwtGate.Skew < ends) && (begins is null || begins.Value <= now + JwtGate.Skew);
    }

    /// <summary>
    /// §4.3: the request's address without query and fragment, after the normalisation of RFC 3986 §6.2.2 and §6.2.3 (case of scheme and
    /// host, default port). Held against the public origin: the Host header is a stranger's word.
    /// </summary>
    private bool IsThisAddress(string? claimed, HttpRequest request)
    {
        if (claimed is null || claimed.Length > 2048 || !Uri.TryCreate(claimed, UriKind.Absolute, out var uri) || uri.UserInfo.Length > 0) return false;
        foreach (var origin in issuer.Origins)
        {
            if (string.Equals(uri.Scheme, origin.Scheme, StringComparison.Ordinal) && string.Equals(uri.Host, origin.Host, StringComparison.Ordinal) && uri.Port == origin.Port
                && string.Equals(uri.AbsolutePath, request.PathBase.Add(request.Path).ToUriComponent(), StringComparison.Ordinal)) return true;
        }
        return false;
    }

    /// <summary>RFC 7638 §3, of the key as it was read and not of the text that brought it.</summary>
    internal static string ThumbprintOf(VerificationKey key)
    {
        string text;
        if (key.Key is ECDsa ec)
        {
            var point = ec.ExportParameters(false).Q;
            text = $$"""{"crv":"P-256","kty":"EC","x":"{{Base64Url.EncodeToString(point.X!)}}","y":"{{Base64Url.EncodeToString(point.Y!)}}"}""";
        }
        else
        {
            var numbers = ((RSA)key.Key).ExportParameters(false);
            text = $$"""{"e":"{{Base64Url.EncodeToString(numbers.Exponent!)}}","kty":"RSA","n":"{{Base64Url.EncodeToString(numbers.Modulus!)}}"}""";
        }
        return Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(text)));
    }

    private Refusal No(string reason)
    {
        log.LogWarning("A DPoP proof was refused: {Reason}.", reason);
        return OAuth.InvalidDpopProof;
    }
}
