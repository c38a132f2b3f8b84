using Xunit;

namespace Commerce.Host.Tests.Journey;

/// <summary>Tickets, codes and request ids that were sent to the hub, each with how often the hub said yes to it, and how to send it again.</summary>
internal sealed class OneTimeThings
{
    private readonly Dictionary<string, Used> all = [];

    private sealed class Used
    {
        public required Func<Task<bool>> Again { get; init; }
        public int Yes { get; set; }
    }

    public int Count => all.Count;

    /// <summary>Sends a one-time thing and counts what the hub says. No answer (the hub was killed) counts as nothing.</summary>
    /// <param name="send">True where the hub said yes.</param>
    public async Task<bool> SendAsync(string name, Func<Task<bool>> send)
    {
        if (!all.TryGetValue(name, out var used)) all[name] = used = new Used { Again = send };
        var yes = await send();
        if (yes) used.Yes++;
        Assert.True(used.Yes <= 1, $"The hub said yes twice to {name}.");
        return yes;
    }

    /// <summary>Sends things again that the hub has said yes to: every one must be refused now.</summary>
    public async Task ReplayAsync(IEnumerable<string> names)
    {
        foreach (var name in names.Where(n => all.TryGetValue(n, out var used) && used.Yes == 1))
            Assert.False(await all[name].Again(), $"The hub said yes again to {name}.");
    }

    public IReadOnlyList<string> Names => [.. all.Keys];
}
