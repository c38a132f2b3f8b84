using System.Collections.Concurrent;

namespace Commerce.Federation.OpenIdConnect.ApiAccess;

/// <summary>Counts the calls of clients whose policy limits them, by the minute and in this process. Clients without a limit cost a null check.</summary>
internal sealed class ClientRates(TimeProvider clock)
{
    private sealed class Window
    {
        public long Minute;
        public int Count;
    }

    private readonly ConcurrentDictionary<string, Window> windows = new(StringComparer.Ordinal);

    /// <returns>False where the client has used its minute up.</returns>
    public bool TryTake(Connection client)
    {
        if (client.Policy?.RequestsPerMinute is not { } most) return true;
        var minute = clock.GetUtcNow().ToUnixTimeSeconds() / 60;
        var window = windows.GetOrAdd(client.Id, static _ => new Window());
        lock (window)
        {
            if (window.Minute != minute) (window.Minute, window.Count) = (minute, 0);
            return ++window.Count <= most;
        }
    }
}
