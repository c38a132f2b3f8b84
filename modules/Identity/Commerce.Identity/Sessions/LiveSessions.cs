using System.Data.Common;
using System.Globalization;
using System.Security.Claims;
using Commerce.Identity.Data;
using Commerce.Kernel;
using Microsoft.Extensions.Caching.Memory;

namespace Commerce.Identity.Sessions;

/// <summary>A session as every request needs it.</summary>
internal sealed record LiveSession(
    Guid Id, byte[] TokenHash, Guid Customer, DateTimeOffset AuthenticatedAt, IReadOnlyList<string> Amr, string Acr, DateTimeOffset LastSeenAt)
{
    private ClaimsPrincipal? principal;

    /// <summary>The signed-in customer. Nobody changes it, so that the requests of these two seconds share it.</summary>
    public ClaimsPrincipal Principal => principal ??= new ClaimsPrincipal(new ClaimsIdentity(
        [
            new Claim(HubClaims.Customer, Customer.ToString("D")),
            new Claim(HubClaims.Session, Id.ToString("D")),
            new Claim(HubClaims.AuthenticatedAt, AuthenticatedAt.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture)),
            new Claim(HubClaims.Acr, Acr),
            .. Amr.Select(method => new Claim(HubClaims.Amr, method)),
        ], HubSchemes.Session));
}

/// <summary>
/// Answers "is this session alive?" with one query by key at most. Answers are kept for two seconds, so that the redirects of one hop
/// ask the database once. A session that ends in this process is dead here at once, and in other processes within those two seconds.
/// </summary>
internal sealed class LiveSessions(HotStore<IdentityDb> store, TimeProvider clock) : IDisposable
{
    private static readonly HotSql
        Alive = new("""
            SELECT s."Id", s."TokenHash", s."Customer", s."AuthenticatedAt", s."Amr", s."Acr", s."LastSeenAt"
            FROM {schema}sessions s JOIN {schema}accounts a ON a."Customer" = s."Customer"
            WHERE s."Id" = $1 AND s."EndedAt" IS NULL AND a."LockedAt" IS NULL
            """),
        Seen = new("""UPDATE {schema}sessions SET "LastSeenAt" = $1 WHERE "Id" = $2 AND "EndedAt" IS NULL""");

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
        if (await store.ReadAsync(read => read.FirstAsync(Alive, Of, id), stop) is not { } session) return null;
        Keep(session, before);
        return session;
    }

    private async Task<LiveSession> NoteSeenAsync(LiveSession session, DateTimeOffset now, CancellationToken stop)
    {
        var before = Interlocked.Read(ref forgotten);
        await store.WriteAsync(write => write.ExecuteAsync(Seen, now, session.Id), stop);
        session = session with { LastSeenAt = now };
        Keep(session, before);
        return session;
    }

    private static LiveSession Of(DbDataReader row) => new(
        row.GetGuid(0), row.GetFieldValue<byte[]>(1), row.GetGuid(2), row.GetInstant(3), row.GetString(4).Split(' '), row.GetString(5), row.GetInstant(6));

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
