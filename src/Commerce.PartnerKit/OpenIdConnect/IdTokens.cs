using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.IdentityModel.JsonWebTokens;

namespace Commerce.PartnerKit.OpenIdConnect;

/// <summary>The checks of an ID token that Microsoft's handler leaves out in the code flow, OpenID Connect Core 1.0 §3.1.3.7.</summary>
/// <remarks>
/// It takes an unsigned ID token there, because TLS already proves the sender, and it does not compare the nonce where the code was
/// redeemed outside of it. Here both are required.
/// </remarks>
internal sealed class IdTokens(CommerceHopOptions options, HubDiscovery discovery)
{
    private static readonly JsonWebTokenHandler Handler = new() { MaximumTokenSizeInBytes = 64 * 1024 };

    public async Task<bool> AreInOrderAsync(TokenValidatedContext context)
    {
        var answer = context.TokenEndpointResponse;
        if (answer?.IdToken is not { Length: > 0 } jwt || string.IsNullOrEmpty(answer.AccessToken)) return false;
        var rules = StrictTokens.Parameters(options, "JWT");
        rules.ConfigurationManager = discovery.Manager;
        var result = await Handler.ValidateTokenAsync(jwt, rules);
        if (!result.IsValid || result.SecurityToken is not JsonWebToken token) return false;

        try
        {
            using var json = JsonDocument.Parse(Base64Url.DecodeFromChars(token.EncodedPayload), StrictJson.Document);
            var claims = json.RootElement;
            // The handler read the nonce from this browser's cookie; it is null where no cookie fits the token.
            if (string.IsNullOrEmpty(context.Nonce) || Text(claims, "nonce") != context.Nonce) return false;
            if (Text(claims, "sub") is not { Length: > 0 and <= 255 } subject || subject != context.SecurityToken.Subject) return false;
            if (claims.TryGetProperty("azp", out _) && Text(claims, "azp") != options.ClientId) return false;
            return !claims.TryGetProperty("at_hash", out _) || Text(claims, "at_hash") == HashOf(answer.AccessToken);
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException or FormatException)
        {
            return false;
        }
    }

    // §3.1.3.6: the left half of the hash that goes with the signature; every algorithm accepted here goes with SHA-256.
    private static string HashOf(string accessToken) => Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(accessToken)).AsSpan(0, 16));

    private static string? Text(JsonElement claims, string name) => claims.TryGetProperty(name, out var value) ? value.GetString() : null;
}
