using System.Collections.Concurrent;

namespace Commerce.Federation.OpenIdConnect.ApiAccess;

/// <summary>Counts the calls of clients whose policy limits them, at the provider and at the hub's API together, by the minute and in this process. Clients without a limit cost a null check.</summary>
internal sealed class ClientRates(TimeProvider clock)
{
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private sealed class Counted
    {
        public long Minute;
        public int Count;
    }

    private readonly ConcurrentDictionary<string, Counted> windows = new(StringComparer.Ordinal);

    /// <returns>False where the client has used its minute up.</returns>
    public bool TryTake(Connection client)
    {
        if (client.Policy?.RequestsPerMinute is not { } most) return true;
        var minute = clock.GetUtcNow().ToUnixTimeSeconds() / 60;
        var window = windows.GetOrAdd(client.Id, static _ => new Counted());
        lock (window)
        {
            if (window.Minute != minute) (window.Minute, window.Count) = (minute, 0);
            return ++window.Count <= most;
        }
    }
}
