using Commerce.Saml;
using Microsoft.Extensions.Logging;

namespace Commerce.PartnerKit.Saml;

/// <summary>The hub's SAML metadata, fetched at first use and again every hour; the last good copy serves while the hub cannot be reached.</summary>
internal sealed class HubMetadata(CommerceHopOptions options, IHttpClientFactory clients, TimeProvider clock, ILogger<HubMetadata> log) : IDisposable
{
    private static readonly TimeSpan RefreshAfter = TimeSpan.FromHours(1);
    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(30);
    private readonly SemaphoreSlim fetching = new(1, 1);
    private RemoteIdentityProvider? known;
    private DateTimeOffset fetchedAt = DateTimeOffset.MinValue;

    /// <param name="fresh">A signature did not verify: the hub may have rolled its keys. Fetches again, at most every 30 seconds.</param>
    /// <returns>Null while no usable metadata could ever be fetched, or the copy's own validity is over.</returns>
    public async Task<RemoteIdentityProvider?> GetAsync(bool fresh, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        if (known is not null && now - fetchedAt < (fresh ? AskAgainAfter : RefreshAfter)) return Valid(now);
        await fetching.WaitAsync(stop);
        try
        {
            if (known is not null && now - fetchedAt < (fresh ? AskAgainAfter : RefreshAfter)) return Valid(now);
            using var answer = await clients.CreateClient(CommerceHop.HubClient).GetAsync(options.Hub + "/saml/metadata", stop);
            answer.EnsureSuccessStatusCode();
            await using var body = await answer.Content.ReadAsStreamAsync(stop);
            var read = IdpMetadataReader.Read(body, entityId: null, requireHttps: !options.AllowHttp, clock);
            if (read.TryGet(out var hub, out var fault)) (known, fetchedAt) = (hub, now);
            else log.LogError("The hub's SAML metadata was refused: {Code}", fault.Code);
        }
        catch (Exception down) when (down is HttpRequestException or TaskCanceledException && !stop.IsCancellationRequested)
        {
            log.LogWarning("The hub's SAML metadata cannot be fetched: {Reason}", down.GetType().Name);
        }
        finally
        {
            fetching.Release();
        }
        return Valid(now);
    }

    public void Dispose() => fetching.Dispose();

    private RemoteIdentityProvider? Valid(DateTimeOffset now) => known is { ValidUntil: { } until } && until < now ? null : known;
}
