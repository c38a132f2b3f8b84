using Commerce.Identity.Accounts;
using Commerce.Identity.Contracts;
using Commerce.Identity.Data;
using MediatR;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Identity.Sessions;

/// <summary>Other modules' questions about one session.</summary>
internal sealed class FindSession(LiveSessions sessions) : IRequestHandler<SessionOf, Session?>
{
    public async Task<Session?> Handle(SessionOf request, CancellationToken cancellationToken) =>
        await sessions.FindAsync(request.Session, seen: false, cancellationToken) is { } live
            ? new Session(live.Id, live.Customer, live.AuthenticatedAt, live.Amr, live.Acr) : null;
}

internal sealed class EndSessionHandler(IdentityDb db, LiveSessions live, TimeProvider clock) : IRequestHandler<EndSession, bool>
{
    public async Task<bool> Handle(EndSession request, CancellationToken cancellationToken)
    {
        var ended = await db.EndSessionsAsync(s => s.Id == request.Session, "signed_out", clock.GetUtcNow(), cancellationToken);
        if (ended.Count == 0) return false;
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateConcurrencyException)
        {
            return false;   // somebody else ended it at the same moment, and told the others
        }
        live.Forget(ended);
        return true;
    }
}

internal sealed class SetAccountLockHandler(IdentityDb db, LiveSessions live, TimeProvider clock) : IRequestHandler<SetAccountLock, bool>
{
    public async Task<bool> Handle(SetAccountLock request, CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            if (await db.Accounts.FindAsync([request.Customer], cancellationToken) is not { } account) return false;
            var now = clock.GetUtcNow();
            account.LockedAt = request.Locked ? account.LockedAt ?? now : null;
            IReadOnlyList<Guid> ended = request.Locked ? await db.EndSessionsAsync(s => s.Customer == request.Customer, "locked", now, cancellationToken) : [];
            if (request.Locked) db.Publish(new AccountSecured(request.Customer, "locked", now));
            try
            {
                await db.SaveChangesAsync(cancellationToken);
                live.Forget(ended);
                return true;
            }
            catch (DbUpdateConcurrencyException) when (attempt < 3)
            {
                db.ChangeTracker.Clear();   // one of the sessions ended by itself meanwhile: look again
            }
        }
    }
}

internal static class Ending
{
    /// <summary>Marks sessions as ended and tells so in the outbox. The caller saves, then calls <see cref="LiveSessions.Forget"/>.</summary>
    public static async Task<IReadOnlyList<Guid>> EndSessionsAsync(
        this IdentityDb db, System.Linq.Expressions.Expression<Func<BrowserSession, bool>> which, string reason, DateTimeOffset now, CancellationToken stop)
    {
        var alive = await db.Sessions.Where(s => s.EndedAt == null).Where(which).ToListAsync(stop);
        foreach (var session in alive)
        {
            session.EndedAt = now;
            db.Publish(new SessionEnded(session.Id, session.Customer, reason, now));
        }
        return [.. alive.Select(s => s.Id)];
    }
}
