using System.Buffers.Text;
using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Commerce.PartnerKit.Api;

/// <summary>An access token that passed every check that can be made without the request it came with.</summary>
/// <param name="KeyThumbprint">The DPoP key it is bound to (<c>cnf.jkt</c>), or null.</param>
/// <param name="CertificateThumbprint">The client certificate it is bound to (<c>cnf.x5t#S256</c>), or null.</param>
internal sealed record ApiAccessToken(JsonElement Claims, string Subject, string Client, IReadOnlyList<string> Scopes, string? KeyThumbprint, string? CertificateThumbprint)
{
    public bool IsBound => KeyThumbprint is not null || CertificateThumbprint is not null;
}

/// <summary>Validates access tokens by RFC 9068 §4 and RFC 8725: type, algorithm, issuer, audience and times, each exactly.</summary>
internal sealed class ApiAccessTokens
{
    private static readonly JsonWebTokenHandler Handler = new() { MaximumTokenSizeInBytes = 16 * 1024 };
    private static readonly string[] Algorithms = [SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.RsaSha256];
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(10);
    private readonly TimeProvider clock;
    private readonly TokenValidationParameters rules;

    public ApiAccessTokens(CommerceApiOptions options, IHttpClientFactory clients, TimeProvider clock) => (this.clock, rules) = (clock, new TokenValidationParameters
    {
        ConfigurationManager = options.Keys is not null ? null : new ConfigurationManager<OpenIdConnectConfiguration>(
            $"{options.Issuer}/.well-known/openid-configuration", new OpenIdConnectConfigurationRetriever(),
            new HttpDocumentRetriever(clients.CreateClient(CommerceApi.HttpClient)) { RequireHttps = !options.AllowHttp }, new SameIssuer(options.Issuer)),
        // The token names its key; a key of another name is not tried.
        IssuerSigningKeyResolver = options.Keys is not { } keys ? null : (_, _, kid, _) => keys().Where(key => kid is not null && string.Equals(key.KeyId, kid, StringComparison.Ordinal)),
        ValidIssuer = options.Issuer,
        ValidAudience = options.Audience,
        ValidTypes = ["at+jwt"],
        ValidAlgorithms = Algorithms,
        RequireSignedTokens = true,
        RequireExpirationTime = true,
        RequireAudience = true,
        ValidateIssuerSigningKey = true,
        TryAllIssuerSigningKeys = false,
        IgnoreTrailingSlashWhenValidatingAudience = false,
        LifetimeValidator = (from, until, _, _) => IsTimely(clock.GetUtcNow(), from, until),
    });

    /// <returns>Null where any check fails.</returns>
    public async Task<ApiAccessToken?> ReadAsync(string token)
    {
        var result = await Handler.ValidateTokenAsync(token, rules);
        if (!result.IsValid || result.SecurityToken is not JsonWebToken jwt) return null;
        try
        {
            // What the handler passes over: a second spelling of the same octets, a member twice, extensions that must be understood.
            if (!IsCanonical(jwt.EncodedHeader) || !IsCanonical(jwt.EncodedPayload) || !IsCanonical(jwt.EncodedSignature)) return null;
            using var header = JsonDocument.Parse(Base64Url.DecodeFromChars(jwt.EncodedHeader), StrictJson.Document);
            if (header.RootElement.TryGetProperty("crit", out _) || header.RootElement.TryGetProperty("b64", out _)) return null;
            using var body = JsonDocument.Parse(Base64Url.DecodeFromChars(jwt.EncodedPayload), StrictJson.Document);
            var claims = body.RootElement.Clone();
            // One audience, as text: a token for two APIs could be passed on by either.
            if (Text(claims, "aud") is null || Text(claims, "sub") is not { Length: > 0 } subject || Text(claims, "client_id") is not { Length: > 0 } client) return null;
            if (Text(claims, "jti") is null || !claims.TryGetProperty("iat", out var issued) || !issued.TryGetDouble(out var at)) return null;
            if (at > (clock.GetUtcNow() + Skew).ToUnixTimeSeconds()) return null;
            if (!TryBinding(claims, out var key, out var certificate)) return null;
            var scopes = (Text(claims, "scope") ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return new ApiAccessToken(claims, subject, client, scopes, key, certificate);
        }
        catch (Exception malformed) when (malformed is JsonException or FormatException or InvalidOperationException)
        {
            return null;
        }
    }

    private static bool IsTimely(DateTimeOffset now, DateTime? from, DateTime? until) =>
        until is { } end && now.UtcDateTime - Skew < end && (from is null || from <= now.UtcDateTime + Skew);

    private static bool IsCanonical(string part) => Base64Url.EncodeToString(Base64Url.DecodeFromChars(part)) == part;

    // A confirmation that is not understood is not ignored: that would make a bearer token of it (RFC 7800 §3.1).
    private static bool TryBinding(JsonElement claims, out string? key, out string? certificate)
    {
        (key, certificate) = (null, null);
        if (!claims.TryGetProperty("cnf", out var cnf)) return true;
        if (cnf.ValueKind != JsonValueKind.Object) return false;
        (key, certificate) = (Text(cnf, "jkt"), Text(cnf, "x5t#S256"));
        return cnf.EnumerateObject().Count() == 1 && (key is null) != (certificate is null);
    }

    private static string? Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private sealed class SameIssuer(string issuer) : IConfigurationValidator<OpenIdConnectConfiguration>
    {
        public ConfigurationValidationResult Validate(OpenIdConnectConfiguration configuration) =>
            string.Equals(configuration.Issuer, issuer, StringComparison.Ordinal) && configuration.JsonWebKeySet?.Keys.Count > 0
                ? new ConfigurationValidationResult { Succeeded = true }
                : new ConfigurationValidationResult { ErrorMessage = "The discovery document names another issuer, or no keys." };
    }
}
