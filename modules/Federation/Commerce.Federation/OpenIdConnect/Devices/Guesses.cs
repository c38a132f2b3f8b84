using System.Collections.Concurrent;
using System.Net;

namespace Commerce.Federation.OpenIdConnect.Devices;

/// <summary>
/// Wrong user codes, counted by customer and by network for ten minutes (RFC 8628 §5.1). Guessing is done by people who are signed in, so
/// with 20^8 codes, a handful live and ten tries, a hit is one in hundreds of millions.
/// </summary>
internal sealed class Guesses(TimeProvider clock)
{
    private const int OfCustomer = 10, OfNetwork = 100;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<string, (DateTimeOffset Until, int Count)> counts = new(StringComparer.Ordinal);

    public bool MayTry(Guid customer, IPAddress? network) => Count(Key(customer)) < OfCustomer && Count(Key(network)) < OfNetwork;

    public void Wrong(Guid customer, IPAddress? network)
    {
        Add(Key(customer));
        Add(Key(network));
        if (counts.Count < 10_000) return;
        var now = clock.GetUtcNow();
        foreach (var (key, held) in counts)
        {
            if (held.Until <= now) counts.TryRemove(key, out _);
        }
    }

    private int Count(string key) => counts.TryGetValue(key, out var held) && held.Until > clock.GetUtcNow() ? held.Count : 0;

    private void Add(string key)
    {
        var now = clock.GetUtcNow();
        counts.AddOrUpdate(key, _ => (now + Window, 1), (_, held) => held.Until > now ? (held.Until, held.Count + 1) : (now + Window, 1));
    }

    private static string Key(Guid customer) => $"c{customer:N}";

    private static string Key(IPAddress? network) => $"n{network}";
}
