using Commerce.Kernel;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.Hops;

/// <summary>A hop whose partner came for it: everything about it was checked, its ticket is not used up yet.</summary>
internal sealed record WaitingHop(Hop Hop, Release Release);

/// <summary>The partner comes for a hop: its ticket is used up, once, by the connection, customer and browser session it was made for.</summary>
/// <remarks>
/// Looking (<see cref="FindAsync"/>) and taking (<see cref="TakeAsync(WaitingHop, CancellationToken)"/>) are apart, so that the answer can be made in between and the
/// transaction that takes is short. Failing any check leaves the ticket as it was, so that a stranger who tries it in another browser does
/// not spoil it for its owner.
/// </remarks>
internal sealed class RedeemHop(FederationDb db, ReleaseGate gate, TimeProvider clock)
{
    /// <summary>Finds and takes in one. The update runs in the caller's transaction where one is open, else at once.</summary>
    public async Task<Result<Release>> RedeemAsync(string ticket, string connection, Guid customer, Guid session, CancellationToken stop) =>
        await TakeAsync(await FindAsync(ticket, connection, customer, session, stop), stop);

    /// <summary>Finds and takes the newest hop of this browser session that waits for this connection, for partners that cannot carry the ticket.</summary>
    /// <returns>Null where no hop waits: the sign-in is an ordinary one.</returns>
    public async Task<Result<Release>?> RedeemPendingAsync(string connection, Guid customer, Guid session, CancellationToken stop) =>
        await FindPendingAsync(connection, customer, session, stop) is { } found ? await TakeAsync(found, stop) : (Result<Release>?)null;

    /// <summary>The hop of this ticket, if it is good here and now and the gate is open.</summary>
    public async Task<Result<WaitingHop>> FindAsync(string ticket, string connection, Guid customer, Guid session, CancellationToken stop)
    {
        if (ticket.Length is 0 or > 128) return Refusals.TicketInvalid;
        var hash = Token.Hash(ticket);
        return await CheckAsync(await db.Hops.AsNoTracking().SingleOrDefaultAsync(h => h.TicketHash == hash, stop), connection, customer, session, stop);
    }

    /// <summary>The newest hop of this browser session that waits for this connection; null where none does.</summary>
    public async Task<Result<WaitingHop>?> FindPendingAsync(string connection, Guid customer, Guid session, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        var hop = await db.Hops.AsNoTracking()
            .Where(h => h.Session == session && h.Connection == connection && h.Customer == customer && h.State == HopState.Sent && h.ExpiresAt > now)
            .OrderByDescending(h => h.CreatedAt).FirstOrDefaultAsync(stop);
        return hop is null ? (Result<WaitingHop>?)null : await CheckAsync(hop, connection, customer, session, stop);
    }

    /// <summary>Uses the ticket up. Of all that try at the same moment, one finds the row still waiting.</summary>
    public async Task<bool> TakeAsync(WaitingHop waiting, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        return await db.Hops.Where(h => h.Id == waiting.Hop.Id && h.State == HopState.Sent && h.ExpiresAt > now).ExecuteUpdateAsync(row => row
            .SetProperty(h => h.State, HopState.Landed)
            .SetProperty(h => h.RedeemedAt, now), stop) == 1;
    }

    private async Task<Result<Release>> TakeAsync(Result<WaitingHop> found, CancellationToken stop) =>
        !found.TryGet(out var waiting, out var no) ? no : await TakeAsync(waiting, stop) ? waiting.Release : Refusals.TicketInvalid;

    private async Task<Result<WaitingHop>> CheckAsync(Hop? hop, string connection, Guid customer, Guid session, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        if (hop is not { State: HopState.Sent } || hop.Connection != connection || hop.Customer != customer || hop.Session != session || hop.ExpiresAt <= now)
            return Refusals.TicketInvalid;

        var release = await db.Releases.AsNoTracking().SingleAsync(r => r.Id == hop.Release, stop);
        return (await gate.CheckAsync(connection, customer, session, release.Receipt, stop)).TryGet(out _, out var no) ? new WaitingHop(hop, release) : no;
    }
}
