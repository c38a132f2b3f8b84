using System.Net;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Federation.Partners;

/// <summary>Fetches a sector identifier document and sees whether it lists the client's redirect URIs (OpenID Connect Core §8.1, Registration §5).</summary>
internal sealed class SectorIdentifier(IHttpClientFactory http)
{
    private const int LargestDocument = 64 * 1024;

    /// <summary>A sentence for the operator; null where the document fits or none is named.</summary>
    public async Task<string?> FaultAsync(OidcClient client, CancellationToken stop)
    {
        if (client.SectorIdentifierUri is not { } address) return null;
        try
        {
            using var partner = http.CreateClient(PartnerHttp.Name);
            using var response = await partner.GetAsync(address, HttpCompletionOption.ResponseHeadersRead, stop);
            if (response.StatusCode != HttpStatusCode.OK) return $"The address answers with status {(int)response.StatusCode}.";
            await using var stream = await response.Content.ReadAsStreamAsync(stop);
            var buffer = new byte[LargestDocument + 1];
            var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, stop);
            if (length > LargestDocument) return "The document is too large.";
            var listed = JsonSerializer.Deserialize<List<string>>(buffer.AsSpan(0, length));
            return client.RedirectUris.FirstOrDefault(uri => listed?.Contains(uri, StringComparer.Ordinal) != true) is { } missing
                ? $"The document does not list {missing}." : null;
        }
        catch (JsonException)
        {
            return "The document is not a JSON list of addresses.";
        }
        catch (Exception error) when (error is HttpRequestException or IOException or TaskCanceledException && !stop.IsCancellationRequested)
        {
            return "The address cannot be read.";
        }
    }
}
