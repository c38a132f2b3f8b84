using System.Net;
using Commerce.Kernel;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Federation.Partners;

/// <param name="ClockAhead">Seconds by which the server's clock is ahead of ours; null where it did not say.</param>
internal sealed record FetchedMetadata(byte[] Xml, int? ClockAhead);

/// <summary>Fetches metadata from an address that an operator typed, as carefully as everything the hub calls: https, no redirects, public addresses.</summary>
internal sealed class MetadataFetch(IHttpClientFactory http, HubSettings settings, TimeProvider clock)
{
    private const string Client = "metadata";
    private const int LargestDocument = 128 * 1024 * 1024;

    public static void Register(IServiceCollection services) => services.AddHttpClient(Client, client =>
    {
        client.Timeout = TimeSpan.FromMinutes(2);
        client.MaxResponseContentBufferSize = LargestDocument;
        client.DefaultRequestHeaders.Accept.ParseAdd("application/samlmetadata+xml, application/xml;q=0.9, text/xml;q=0.8");
    }).ConfigurePrimaryHttpMessageHandler(provider => PartnerHttp.Handler(provider.GetRequiredService<PartnerNetworks>()));

    /// <summary>Metadata Query Protocol §3.2: the identifier, percent-encoded, below the base address.</summary>
    public static string QueryAddress(string service, string entityId) => $"{service.TrimEnd('/')}/entities/{Uri.EscapeDataString(entityId)}";

    /// <returns>A refusal with a sentence for the operator.</returns>
    public async Task<Result<FetchedMetadata>> GetAsync(string url, CancellationToken stop)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || url.Length > PartnerUrl.Longest
            || !(address.Scheme == Uri.UriSchemeHttps || (settings.IsDevelopment && address.Scheme == Uri.UriSchemeHttp)))
            return No("Metadata is fetched from https addresses only.");
        try
        {
            using var client = http.CreateClient(Client);
            using var response = await client.GetAsync(address, stop);
            if (response.StatusCode != HttpStatusCode.OK) return No($"{url} answered {(int)response.StatusCode}. Give the address at which the metadata itself stands.");
            return new FetchedMetadata(await response.Content.ReadAsByteArrayAsync(stop),
                response.Headers.Date is { } date ? (int)Math.Clamp((date - clock.GetUtcNow()).TotalSeconds, int.MinValue, int.MaxValue) : null);
        }
        catch (Exception error) when (error is HttpRequestException or IOException)
        {
            return No($"{url} could not be read: {error.GetBaseException().Message}");
        }
        catch (TaskCanceledException) when (!stop.IsCancellationRequested)
        {
            return No($"{url} did not answer in time.");
        }
    }

    private static Refusal No(string sentence) => Refusals.FeedUnreadable.With(new FieldError("", sentence));
}
