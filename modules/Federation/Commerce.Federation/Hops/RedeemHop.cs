using Commerce.Kernel;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.Hops;

/// <summary>The partner comes for a hop: its ticket is used up, once, by the connection, customer and browser session it was made for.</summary>
/// <remarks>
/// The update runs in the caller's transaction where one is open, else at once. Failing any check leaves the ticket as it was, so that a
/// stranger who tries it in another browser does not spoil it for its owner.
/// </remarks>
internal sealed class RedeemHop(FederationDb db, ReleaseGate gate, TimeProvider clock)
{
    public async Task<Result<Release>> RedeemAsync(string ticket, string connection, Guid customer, Guid session, CancellationToken stop)
    {
        if (ticket.Length is 0 or > 128) return Refusals.TicketInvalid;
        var hash = Token.Hash(ticket);
        return await RedeemAsync(await db.Hops.AsNoTracking().SingleOrDefaultAsync(h => h.TicketHash == hash, stop), connection, customer, session, stop);
    }

    /// <summary>Redeems the newest hop of this browser session that waits for this connection, for partners that cannot carry the ticket.</summary>
    /// <returns>Null where no hop waits: the sign-in is an ordinary one.</returns>
    public async Task<Result<Release>?> RedeemPendingAsync(string connection, Guid customer, Guid session, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        var hop = await db.Hops.AsNoTracking()
            .Where(h => h.Session == session && h.Connection == connection && h.Customer == customer && h.State == HopState.Sent && h.ExpiresAt > now)
            .OrderByDescending(h => h.CreatedAt).FirstOrDefaultAsync(stop);
        if (hop is null) return null;
        return await RedeemAsync(hop, connection, customer, session, stop);
    }

    private async Task<Result<Release>> RedeemAsync(Hop? hop, string connection, Guid customer, Guid session, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        if (hop is not { State: HopState.Sent } || hop.Connection != connection || hop.Customer != customer || hop.Session != session || hop.ExpiresAt <= now)
            return Refusals.TicketInvalid;

        var release = await db.Releases.SingleAsync(r => r.Id == hop.Release, stop);
        if (!(await gate.CheckAsync(connection, customer, session, release.Receipt, stop)).TryGet(out _, out var no)) return no;

        // Of all that try at the same moment, one finds the row still waiting.
        var taken = await db.Hops.Where(h => h.Id == hop.Id && h.State == HopState.Sent && h.ExpiresAt > now).ExecuteUpdateAsync(row => row
            .SetProperty(h => h.State, HopState.Landed)
            .SetProperty(h => h.RedeemedAt, now), stop);
        return taken == 1 ? release : Refusals.TicketInvalid;
    }
}
