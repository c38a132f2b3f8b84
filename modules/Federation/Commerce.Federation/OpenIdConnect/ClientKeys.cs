using System.Collections.Concurrent;
using System.Net;
using System.Runtime.CompilerServices;
using Commerce.Federation.OpenIdConnect.Jose;
using Commerce.Kernel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>
/// The clients' public keys: from the registration, or from the client's <c>jwks_uri</c>. Key sets are read by <see cref="PartnerHttp"/>
/// (no redirects, no private address, five seconds) up to 64 KB, kept in memory, read again on schedule in the background, and at once
/// when a message names a key that is not there, though not more often than every <see cref="Pause"/> (O12, D07).
/// </summary>
internal sealed class ClientKeys(IHttpClientFactory http, TimeProvider clock, ILogger<ClientKeys> log)
{
    /// <summary>Shortest time between two readings of one address, whoever asks and whatever came of the first.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    /// <summary>A key that its owner took away stops counting after this time at the latest.</summary>
    public static readonly TimeSpan Schedule = TimeSpan.FromMinutes(10);

    /// <summary>A set that could not be read again for so long is not trusted any more.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromHours(24);
    private const int LargestDocument = 64 * 1024;

    // Reading a JWK Set costs more than checking a signature; the client record is the same object until its registration changes.
    private readonly ConditionalWeakTable<OidcClient, IReadOnlyList<VerificationKey>> registered = [];
    private readonly ConcurrentDictionary<string, Published> published = new(StringComparer.Ordinal);

    private sealed class Published
    {
        public SemaphoreSlim Turn { get; } = new(1, 1);
        public volatile IReadOnlyList<VerificationKey>? Keys;
        public DateTimeOffset ReadAt = DateTimeOffset.MinValue, TriedAt = DateTimeOffset.MinValue, AskedAt;
    }

    /// <param name="kid">The key that the message names; null where it names none.</param>
    public async ValueTask<IReadOnlyList<VerificationKey>> OfAsync(OidcClient client, string? kid, CancellationToken stop)
    {
        if (client.Jwks is not null) return registered.GetValue(client, static c => JsonWebKeys.Read(c.Jwks!.Value));
        if (client.JwksUri is not { } address) return [];
        var set = published.GetOrAdd(address, static _ => new Published());
        set.AskedAt = clock.GetUtcNow();
        if (Usable(set) is not { } keys || (kid is not null && !keys.Any(k => k.Kid == kid))) await ReadAsync(address, set, Pause, stop);
        return Usable(set) ?? [];
    }

    /// <summary>Reads what is older than <see cref="Schedule"/> again, and forgets what nobody asked for since a day.</summary>
    public async Task RefreshAsync(CancellationToken stop)
    {
        foreach (var (address, set) in published)
        {
            if (clock.GetUtcNow() - set.AskedAt > Longest) published.TryRemove(address, out _);
            else await ReadAsync(address, set, Schedule, stop);
        }
    }

    private IReadOnlyList<VerificationKey>? Usable(Published set) => clock.GetUtcNow() - set.ReadAt < Longest ? set.Keys : null;

    /// <summary>Reads the set, unless somebody tried within <paramref name="since"/>. One at a time for each address; the others wait and look.</summary>
    private async Task ReadAsync(string address, Published set, TimeSpan since, CancellationToken stop)
    {
        await set.Turn.WaitAsync(stop);
        try
        {
            var now = clock.GetUtcNow();
            if (now - set.TriedAt < since) return;
            set.TriedAt = now;
            if (await FetchAsync(address, stop) is not { } keys) return;
            (set.Keys, set.ReadAt) = (keys, now);
        }
        finally
        {
            set.Turn.Release();
        }
    }

    private async Task<IReadOnlyList<VerificationKey>?> FetchAsync(string address, CancellationToken stop)
    {
        try
        {
            using var partner = http.CreateClient(PartnerHttp.Name);
            using var response = await partner.GetAsync(address, HttpCompletionOption.ResponseHeadersRead, stop);
            if (response.StatusCode != HttpStatusCode.OK) return Failed($"status {(int)response.StatusCode}");
            await using var stream = await response.Content.ReadAsStreamAsync(stop);
            var buffer = new byte[LargestDocument + 1];
            // The client's own time limit ends with the head of the answer; the body gets as long once more.
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
            patience.CancelAfter(partner.Timeout);
            var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, patience.Token);
            if (length > LargestDocument) return Failed("too large");
            if (!StrictJson.TryReadObject(buffer.AsSpan(0, length), out var set)) return Failed("no JSON object");
            var keys = JsonWebKeys.Read(set);
            return keys.Count > 0 ? keys : Failed("no usable key");
        }
        catch (Exception error) when (error is HttpRequestException or IOException or OperationCanceledException && !stop.IsCancellationRequested)
        {
            return Failed("no answer");
        }
    }

    private IReadOnlyList<VerificationKey>? Failed(string reason)
    {
        log.LogWarning("A client's key set could not be read: {Reason}.", reason);
        return null;
    }
}

/// <summary>Looks once a minute which key sets are due.</summary>
internal sealed class ClientKeysSchedule(ClientKeys keys, IServiceScopeFactory scopes, TimeProvider clock, ILogger<ClientKeysSchedule> log)
    : PeriodicWork(TimeSpan.FromMinutes(1), scopes, clock, log)
{
    protected override Task RunAsync(IServiceProvider services, DateTimeOffset now, CancellationToken stop) => keys.RefreshAsync(stop);
}
