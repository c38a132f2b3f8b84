using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Commerce.PartnerKit.Api;

/// <summary>Proofs that the caller holds the key its token is bound to: DPoP (RFC 9449 §4.3, §7.1) and client certificates (RFC 8705 §3).</summary>
internal sealed class ApiProofs(CommerceApiOptions options, TimeProvider clock, ILogger<ApiProofs> log)
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

    /// <summary>
    /// Null where the request carries exactly one DPoP proof, by the key that the token names, for this request and this token, with a good
    /// nonce where nonces are asked for, for the first time.
    /// </summary>
    public async Task<ApiRefusal?> CheckAsync(HttpContext context, string token, string thumbprint)
    {
        // Every answer to a proof names the nonce of the moment (RFC 9449 §8.2): the client has it before the old one ends.
        if (options.DpopNonces is { } nonces) context.Response.Headers["DPoP-Nonce"] = nonces.Current();
        if (context.Request.Headers["DPoP"] is not [{ Length: > 0 } proof]) return No("there is not exactly one proof");
        try
        {
            var jwt = new JsonWebToken(proof);
            using var head = JsonDocument.Parse(Base64Url.DecodeFromChars(jwt.EncodedHeader), StrictJson.Document);
            using var body = JsonDocument.Parse(Base64Url.DecodeFromChars(jwt.EncodedPayload), StrictJson.Document);
            if (KeyOf(head.RootElement) is not { } key || !Same(Base64Url.EncodeToString(key.ComputeJwkThumbprint()), thumbprint)) return No("key");
            var signed = await Handler.ValidateTokenAsync(proof, new TokenValidationParameters
            {
                IssuerSigningKey = key, ValidTypes = ["dpop+jwt"], ValidAlgorithms = Algorithms, TryAllIssuerSigningKeys = true,
                ValidateIssuer = false, ValidateAudience = false, RequireExpirationTime = false,     // a proof has none of them (§4.2)
                LifetimeValidator = (from, until, _, _) => IsTimely(from, until),
            });
            return signed.IsValid ? await CheckAsync(context, body.RootElement, token, thumbprint) : No("type, algorithm or signature");
        }
        catch (Exception malformed) when (malformed is JsonException or FormatException or ArgumentException or CryptographicException or SecurityTokenException or InvalidOperationException)
        {
            return No("malformed");
        }
    }

    private async ValueTask<ApiRefusal?> CheckAsync(HttpContext context, JsonElement claims, string token, string thumbprint)
    {
        if (Text(claims, "htm") != context.Request.Method) return No("htm");
        if (!IsThisAddress(Text(claims, "htu"), context.Request)) return No("htu");
        if (Text(claims, "ath") is not { } hash || !Same(hash, Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(token))))) return No("ath");
        if (!claims.TryGetProperty("iat", out var iat) || !iat.TryGetDouble(out var seconds) || seconds is not (>= 0 and < 253402300800)) return No("iat");
        var (made, now) = (DateTimeOffset.FromUnixTimeSeconds((long)seconds), clock.GetUtcNow());
        if (made > now + Skew || made < now - Fresh) return No("iat");
        if (Text(claims, "jti") is not { Length: > 0 and <= 256 } jti) return No("jti");
        // Before the proof is used up: a client that is told a new nonce loses nothing.
        if (options.DpopNonces is { } nonces && (Text(claims, "nonce") is not { } nonce || !nonces.IsGood(nonce))) return ApiRefusal.UseNonce;
        return await IsFirstAsync($"dpop:{thumbprint}:{jti}", now + Fresh + Skew, context.RequestAborted) ? null : No("jti used before");
    }

    /// <summary>
    /// §4.3: the request's address without query and fragment, after the normalisation of RFC 3986 §6.2.2 and §6.2.3 (case of scheme and
    /// host, default port).
    /// </summary>
    private bool IsThisAddress(string? claimed, HttpRequest request)
    {
        if (claimed is null || claimed.Length > 2048 || !Uri.TryCreate(claimed, UriKind.Absolute, out var uri) || uri.UserInfo.Length > 0) return false;
        var path = request.PathBase.Add(request.Path).ToUriComponent();
        return options.OtherBaseUrls.Prepend(options.BaseUrl ?? $"{request.Scheme}://{request.Host}").Any(origin =>
            Uri.TryCreate(origin + path, UriKind.Absolute, out var here) && (here.Scheme, here.Host, here.Port, here.AbsolutePath) == (uri.Scheme, uri.Host, uri.Port, uri.AbsolutePath));
    }

    // Not asked for by the specification, and held to where they are there.
    private bool IsTimely(DateTime? from, DateTime? until)
    {
        var now = clock.GetUtcNow().UtcDateTime;
        return (until is null || now - Skew < until) && (from is null || from <= now + Skew);
    }

    private ApiRefusal No(string reason)
    {
        log.LogWarning("A DPoP proof was refused: {Reason}.", reason);
        return ApiRefusal.InvalidProof;
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

    // §4.3: a public key, and no private or symmetric one, for signing and for an algorithm that counts here.
    private static JsonWebKey? KeyOf(JsonElement header)
    {
        if (header.TryGetProperty("crit", out _) || !header.TryGetProperty("jwk", out var jwk) || jwk.ValueKind != JsonValueKind.Object) return null;
        if (PrivateMembers.Any(name => jwk.TryGetProperty(name, out _))) return null;
        if (jwk.TryGetProperty("use", out _) && Text(jwk, "use") != "sig") return null;
        if (jwk.TryGetProperty("alg", out _) && Text(jwk, "alg") != Text(header, "alg")) return null;
        var key = new JsonWebKey(jwk.GetRawText());
        return (key.Kty, key.Crv) == ("EC", "P-256") || (key.Kty == "RSA" && key.KeySize is >= 2048 and <= 8192) ? key : null;
    }

    private static bool Same(string one, string other) => CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(one), Encoding.UTF8.GetBytes(other));

    private static string? Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
