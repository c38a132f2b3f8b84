using Commerce.Identity.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Identity.Sessions;

/// <summary>A session as every request needs it.</summary>
internal sealed record LiveSession(
    Guid Id, byte[] TokenHash, Guid Customer, DateTimeOffset AuthenticatedAt, IReadOnlyList<string> Amr, string Acr, DateTimeOffset LastSeenAt);

/// <summary>
/// Answers "is this session alive?" with one query by key at most. Answers are kept for two seconds, so that the redirects of one hop
/// ask the database once. A session that ends in this process is dead here at once, and in other processes within those two seconds.
/// </summary>
internal sealed class LiveSessions(IServiceScopeFactory scopes, TimeProvider clock) : IDisposable
{
    private static readonly TimeSpan KeptFor = TimeSpan.FromSeconds(2);
    private readonly MemoryCache known = new(new MemoryCacheOptions { SizeLimit = 50_000 });
    private readonly Lock gate = new();
    private long forgotten;

    /// <param name="seen">True where the customer's own browser asks: that keeps the session from idling out.</param>
    public async ValueTask<LiveSession?> FindAsync(Guid id, bool seen, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        if (!known.TryGetValue(id, out LiveSession? session)) session = await ReadAsync(id, stop);
        if (session is null || !BrowserSession.IsWithinLimits(session.AuthenticatedAt, session.LastSeenAt, now)) return null;
        return seen && now - session.LastSeenAt >= BrowserSession.SeenEvery ? await NoteSeenAsync(session, now, stop) : session;
    }

    /// <summary>Call it after the commit that ended or changed the session.</summary>
    public void Forget(params IReadOnlyCollection<Guid> sessions)
    {
        lock (gate)
        {
            forgotten++;
            foreach (var id in sessions) known.Remove(id);
        }
    }

    private async Task<LiveSession?> ReadAsync(Guid id, CancellationToken stop)
    {
        var before = Interlocked.Read(ref forgotten);
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<IdentityDb>();
        var row = await db.Sessions.AsNoTracking()
            .Where(s => s.Id == id && s.EndedAt == null && db.Accounts.Any(a => a.Customer == s.Customer && a.LockedAt == null))
            .SingleOrDefaultAsync(stop);
        if (row is null) return null;
        var session = new LiveSession(row.Id, row.TokenHash, row.Customer, row.AuthenticatedAt, row.Amr.Split(' '), row.Acr, row.LastSeenAt);
        Keep(session, before);
        return session;
    }

    private async Task<LiveSession> NoteSeenAsync(LiveSession session, DateTimeOffset now, CancellationToken stop)
    {
        var before = Interlocked.Read(ref forgotten);
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<IdentityDb>();
        await db.Sessions.Where(s => s.Id == session.Id && s.EndedAt == null).ExecuteUpdateAsync(row => row.SetProperty(s => s.LastSeenAt, now), stop);
        session = session with { LastSeenAt = now };
        Keep(session, before);
        return session;
    }

    // Something ended while the row was being read: what was read may be older than that, so it is used once and not kept.
    private void Keep(LiveSession session, long before)
    {
        lock (gate)
        {
            if (before == forgotten) known.Set(session.Id, session, new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = KeptFor });
        }
    }

    public void Dispose() => known.Dispose();
}
