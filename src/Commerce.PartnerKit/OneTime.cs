using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Commerce.PartnerKit;

/// <summary>Facts that may be used once: assertion ids and logout token ids.</summary>
internal sealed class OneTime(CommerceHopOptions options, TimeProvider clock)
{
    private readonly ConcurrentDictionary<string, DateTimeOffset> used = new(StringComparer.Ordinal);
    private long nextSweep;

    /// <returns>True exactly once per id, also when asked at the same time.</returns>
    public ValueTask<bool> ConsumeAsync(string id, DateTimeOffset until, CancellationToken stop)
    {
        if (options.ConsumeOnce is { } shared) return shared(id, until, stop);
        Sweep();
        return ValueTask.FromResult(used.TryAdd(id, until));
    }

    /// <summary>256 random bits, URL-safe.</summary>
    public static string NewHandle() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    private void Sweep()
    {
        var now = clock.GetUtcNow();
        var due = Interlocked.Read(ref nextSweep);
        if (now.Ticks < due || Interlocked.CompareExchange(ref nextSweep, now.AddMinutes(1).Ticks, due) != due) return;
        // An entry outlives its own end by the largest clock skew that any check allows.
        foreach (var (id, until) in used)
        {
            if (until + TimeSpan.FromMinutes(10) < now) used.TryRemove(id, out _);
        }
    }
}
