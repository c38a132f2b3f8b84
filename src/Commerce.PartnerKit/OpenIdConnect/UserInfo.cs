using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;

namespace Commerce.PartnerKit.OpenIdConnect;

/// <summary>Reads the customer's claims from the hub: a signed answer is verified, and its subject must be the ID token's.</summary>
/// <remarks>OpenID Connect Core 1.0 §5.3.2 and §5.3.4.</remarks>
internal sealed class UserInfo(CommerceHopOptions options, HubDiscovery discovery, IHttpClientFactory clients, ILogger<UserInfo> log)
{
    private static readonly JsonWebTokenHandler Tokens = new() { MaximumTokenSizeInBytes = 256 * 1024 };

    /// <returns>Claims by name, or null where the hub refuses or the answer fails a check.</returns>
    /// <exception cref="HttpRequestException">The hub cannot be reached.</exception>
    public async Task<IReadOnlyDictionary<string, JsonElement>?> ReadAsync(string accessToken, string subject, CancellationToken stop)
    {
        var hub = await discovery.GetAsync(stop);
        using var request = new HttpRequestMessage(HttpMethod.Get, hub.UserInfoEndpoint);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", accessToken);
        using var answer = await clients.CreateClient(CommerceHop.HubClient).SendAsync(request, stop);
        if (answer.StatusCode != HttpStatusCode.OK)
        {
            log.LogInformation("Userinfo answered {Status}", (int)answer.StatusCode);
            return null;
        }
        var body = await answer.Content.ReadAsStringAsync(stop);
        var json = answer.Content.Headers.ContentType?.MediaType switch
        {
            "application/json" => body,
            "application/jwt" => await VerifiedAsync(body, stop),
            _ => null,
        };
        if (json is null) return null;
        try
        {
            using var document = JsonDocument.Parse(json, StrictJson.Document);
            var claims = document.RootElement.EnumerateObject().ToDictionary(m => m.Name, m => m.Value.Clone(), StringComparer.Ordinal);
            return claims.TryGetValue("sub", out var sub) && sub.ValueEquals(subject) ? claims : null;
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            log.LogWarning("The userinfo answer is not a proper JSON object");
            return null;
        }
    }

    private async Task<string?> VerifiedAsync(string jwt, CancellationToken stop)
    {
        var rules = StrictTokens.Parameters(options, "userinfo+jwt");    // an ID token is none (O14)
        rules.RequireExpirationTime = false;    // §5.3.2 asks for iss and aud only
        rules.ConfigurationManager = discovery.Manager;
        var result = await Tokens.ValidateTokenAsync(jwt, rules);
        stop.ThrowIfCancellationRequested();
        if (result.IsValid) return Encoding.UTF8.GetString(Base64(((JsonWebToken)result.SecurityToken).EncodedPayload));
        log.LogWarning("The signed userinfo answer was refused: {Reason}", result.Exception.GetType().Name);
        return null;
    }

    private static byte[] Base64(string payload) => System.Buffers.Text.Base64Url.DecodeFromChars(payload);
}
