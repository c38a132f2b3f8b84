using Commerce.Identity.Data;
using Commerce.Identity.Sessions;
using Commerce.Kernel;
using Microsoft.AspNetCore.Http;

namespace Commerce.Identity.SignIn;

/// <summary>A session that was just proven, for the browser that proved it.</summary>
/// <param name="Changed">Sessions whose cached answers are outdated once this is saved.</param>
internal sealed record StartedSession(Guid Id, string Token, IReadOnlyList<Guid> Changed);

/// <summary>Starts sessions. A new proof always makes a new token, whatever cookie the browser came with (A13, O18).</summary>
internal sealed class SessionStart(IdentityDb db, LiveSessions live, SessionCookie cookie, TimeProvider clock)
{
    /// <summary>
    /// Adds the session to the unit of work; the caller saves, then calls <see cref="Finish"/>. The same customer's session in this
    /// browser goes on under a new token, so that partners keep knowing it; somebody else's ends.
    /// </summary>
    /// <param name="current">The session that this browser holds now, if it is alive.</param>
    public async Task<StartedSession> PrepareAsync(Guid customer, Guid? current, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        if (current is { } id && await db.Sessions.FindAsync([id], stop) is { EndedAt: null } held)
        {
            if (held.Customer == customer) return new StartedSession(held.Id, held.Renew(now), [held.Id]);
            await db.EndSessionsAsync(s => s.Id == held.Id, "replaced", now, stop);
        }
        var session = BrowserSession.Start(customer, now, out var token);
        db.Sessions.Add(session);
        return new StartedSession(session.Id, token, current is { } replaced ? [replaced] : []);
    }

    public void Finish(HttpContext context, StartedSession started)
    {
        live.Forget(started.Changed);
        cookie.Set(context.Response, started.Id, started.Token);
    }
}
