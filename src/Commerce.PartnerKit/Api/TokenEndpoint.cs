using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace Commerce.PartnerKit;

/// <summary>Calls the hub's token endpoint with <c>client_secret_basic</c> (RFC 6749 §2.3.1).</summary>
internal sealed class TokenEndpoint(CommerceHopOptions options, HubDiscovery discovery, IHttpClientFactory clients)
{
    /// <returns>The answer as it came, an error included.</returns>
    /// <exception cref="HttpRequestException">The hub cannot be reached, or its answer is no JSON object.</exception>
    public async Task<OpenIdConnectMessage> RequestAsync(IEnumerable<KeyValuePair<string, string>> form, CancellationToken stop)
    {
        var hub = await discovery.GetAsync(stop);
        using var request = new HttpRequestMessage(HttpMethod.Post, hub.TokenEndpoint);
        request.Content = new FormUrlEncodedContent(form);
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes(
            $"{FormEncode(options.ClientId!)}:{FormEncode(options.ClientSecret!)}")));
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        using var answer = await clients.CreateClient(CommerceHop.HubClient).SendAsync(request, stop);
        var body = await answer.Content.ReadAsStringAsync(stop);
        try
        {
            using var json = JsonDocument.Parse(body, StrictJson.Document);
            return new OpenIdConnectMessage(body);
        }
        catch (Exception unreadable) when (unreadable is JsonException or ArgumentException)
        {
            throw new HttpRequestException($"The hub's token endpoint answered {(int)answer.StatusCode} without a JSON object.", unreadable);
        }
    }

    private static string FormEncode(string value) => Uri.EscapeDataString(value).Replace("%20", "+", StringComparison.Ordinal);
}

internal static class StrictJson
{
    /// <summary>A member that stands twice could be read one way here and another way elsewhere (M10).</summary>
    public static readonly JsonDocumentOptions Document = new() { AllowDuplicateProperties = false, MaxDepth = 16 };
}
