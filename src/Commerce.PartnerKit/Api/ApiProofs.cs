using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Commerce.PartnerKit.Api;

/// <summary>Proofs that the caller holds the key its token is bound to: DPoP (RFC 9449 §4.3, §7.1) and client certificates (RFC 8705 §3).</summary>
internal sealed class ApiProofs(CommerceApiOptions options, TimeProvider clock)
{
    /// <summary>How old a DPoP proof may be, and how far ahead its clock.</summary>
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(60), Skew = TimeSpan.FromSeconds(10);
    private static readonly string[] PrivateMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
    private static readonly JsonWebTokenHandler Handler = new() { MaximumTokenSizeInBytes = 8 * 1024 };

    private readonly ConcurrentDictionary<string, DateTimeOffset> used = new(StringComparer.Ordinal);
    private long nextSweep;

    public static readonly IReadOnlyList<string> Algorithms = [SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.RsaSsaPssSha256];

    /// <summary>True where the connection's client certificate is the one that the token names.</summary>
    public static async Task<bool> IsCertificateAsync(HttpContext context, string thumbprint)
    {
        var certificate = await context.Connection.GetClientCertificateAsync(context.RequestAborted);
        return certificate is not null && Same(Base64Url.EncodeToString(certificate.GetCertHash(HashAlgorithmName.SHA256)), thumbprint);
    }

    /// <summary>True where the request carries exactly one DPoP proof, by the key that the token names, for this request and this token, for the first time.</summary>
    public async Task<bool> IsProvenAsync(HttpContext context, string token, string thumbprint)
    {
        if (context.Request.Headers["DPoP"] is not [{ Length: > 0 } proof]) return false;
        try
        {
            var jwt = new JsonWebToken(proof);
            using var head = JsonDocument.Parse(Base64Url.DecodeFromChars(jwt.EncodedHeader), StrictJson.Document);
            using var body = JsonDocument.Parse(Base64Url.DecodeFromChars(jwt.EncodedPayload), StrictJson.Document);
            if (KeyOf(head.RootElement) is not { } key || !Same(Base64Url.EncodeToString(key.ComputeJwkThumbprint()), thumbprint)) return false;
            var signed = await Handler.ValidateTokenAsync(proof, new TokenValidationParameters
            {
                IssuerSigningKey = key, ValidTypes = ["dpop+jwt"], ValidAlgorithms = Algorithms, TryAllIssuerSigningKeys = true,
                ValidateIssuer = false, ValidateAudience = false, ValidateLifetime = false, RequireExpirationTime = false,     // a proof has none of them (§4.2)
            });
            return signed.IsValid && await IsForAsync(context, body.RootElement, token, thumbprint);
        }
        catch (Exception malformed) when (malformed is JsonException or FormatException or ArgumentException or CryptographicException or SecurityTokenException or InvalidOperationException)
        {
            return false;
        }
    }

    private async Task<bool> IsForAsync(HttpContext context, JsonElement claims, string token, string thumbprint)
    {
        var request = context.Request;
        if (Text(claims, "htm") != request.Method) return false;
        var here = (options.BaseUrl ?? $"{request.Scheme}://{request.Host}") + request.PathBase + request.Path;
        // §4.3: without query and fragment. Compared as text: a client writes the address that it calls.
        if (Text(claims, "htu")?.Split('?', '#')[0] != here) return false;
        if (Text(claims, "ath") is not { } hash || !Same(hash, Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(token))))) return false;
        if (!claims.TryGetProperty("iat", out var iat) || !iat.TryGetInt64(out var seconds) || seconds is < 0 or > 253402300799) return false;
        var (made, now) = (DateTimeOffset.FromUnixTimeSeconds(seconds), clock.GetUtcNow());
        if (made > now + Skew || made < now - Fresh) return false;
        return Text(claims, "jti") is { Length: > 0 and <= 256 } jti && await IsFirstAsync($"dpop:{thumbprint}:{jti}", now + Fresh + Skew, context.RequestAborted);
    }

    private ValueTask<bool> IsFirstAsync(string id, DateTimeOffset until, CancellationToken stop)
    {
        if (options.ConsumeOnce is { } shared) return shared(id, until, stop);
        var now = clock.GetUtcNow();
        var due = Interlocked.Read(ref nextSweep);
        if (now.Ticks >= due && Interlocked.CompareExchange(ref nextSweep, now.AddMinutes(1).Ticks, due) == due)
        {
            foreach (var (old, end) in used)
            {
                if (end < now) used.TryRemove(old, out _);
            }
        }
        return ValueTask.FromResult(used.TryAdd(id, until));
    }

    // §4.3: a public key, and no private or symmetric one.
    private static JsonWebKey? KeyOf(JsonElement header)
    {
        if (header.TryGetProperty("crit", out _) || !header.TryGetProperty("jwk", out var jwk) || jwk.ValueKind != JsonValueKind.Object) return null;
        if (PrivateMembers.Any(name => jwk.TryGetProperty(name, out _))) return null;
        var key = new JsonWebKey(jwk.GetRawText());
        return key.Kty == "EC" && key.Crv == "P-256" ? key : key.Kty == "RSA" && key.KeySize >= 2048 ? key : null;
    }

    private static bool Same(string one, string other) => CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(one), Encoding.UTF8.GetBytes(other));

    private static string? Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
