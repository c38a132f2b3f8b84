using Commerce.Kernel;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.Hops;

/// <summary>A hop whose partner came for it: everything about it was checked, its ticket is not used up yet.</summary>
internal sealed record WaitingHop(Hop Hop, Release Release);

/// <summary>The partner comes for a hop: its ticket is used up, once, by the connection, customer and browser session it was made for.</summary>
/// <remarks>
/// Looking (<see cref="FindAsync"/>) and taking (<see cref="HopRows.TakeAsync(HotWrite, Guid, DateTimeOffset)"/>) are apart, so that the answer
/// can be made in between and the commit that takes is short. Failing any check leaves the ticket as it was, so that a stranger who tries it
/// in another browser does not spoil it for its owner.
/// </remarks>
internal sealed class RedeemHop(HopRows rows, ReleaseGate gate, TimeProvider clock)
{
    /// <summary>Finds and takes in one, in a commit of its own.</summary>
    public async Task<Result<Release>> RedeemAsync(string ticket, string connection, Guid customer, Guid session, CancellationToken stop) =>
        !(await FindAsync(ticket, connection, customer, session, stop)).TryGet(out var waiting, out var no) ? no
        : await rows.TakeAsync(waiting.Hop.Id, clock.GetUtcNow(), stop) ? waiting.Release : Refusals.TicketInvalid;

    /// <summary>The hop of this ticket, if it is good here and now and the gate is open.</summary>
    public async Task<Result<WaitingHop>> FindAsync(string ticket, string connection, Guid customer, Guid session, CancellationToken stop)
    {
        if (ticket.Length is 0 or > 128) return Refusals.TicketInvalid;
        return await CheckAsync(await rows.FindAsync(Token.Hash(ticket), stop), connection, customer, session, stop);
    }

    /// <summary>The newest hop of this browser session that waits for this connection, for partners that cannot carry the ticket.</summary>
    /// <returns>Null where no hop waits: the sign-in is an ordinary one.</returns>
    public async Task<Result<WaitingHop>?> FindPendingAsync(string connection, Guid customer, Guid session, CancellationToken stop) =>
        await rows.FindPendingAsync(connection, customer, session, clock.GetUtcNow(), stop) is { } waiting
            ? await CheckAsync(waiting, connection, customer, session, stop) : (Result<WaitingHop>?)null;

    /// <summary>Uses the ticket up in the caller's transaction, for what is not done in the hot store.</summary>
    public async Task<bool> TakeAsync(FederationDb db, WaitingHop waiting, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        return await db.Hops.Where(h => h.Id == waiting.Hop.Id && h.State == HopState.Sent && h.ExpiresAt > now).ExecuteUpdateAsync(row => row
            .SetProperty(h => h.State, HopState.Landed)
            .SetProperty(h => h.RedeemedAt, now), stop) == 1;
    }

    private async Task<Result<WaitingHop>> CheckAsync(WaitingHop? waiting, string connection, Guid customer, Guid session, CancellationToken stop)
    {
        if (waiting is not { Hop: { State: HopState.Sent } hop, Release: var release }) return Refusals.TicketInvalid;
        if (hop.Connection != connection || hop.Customer != customer || hop.Session != session || hop.ExpiresAt <= clock.GetUtcNow()) return Refusals.TicketInvalid;
        return (await gate.CheckAsync(connection, customer, session, release.Receipt, stop)).TryGet(out _, out var no) ? waiting : no;
    }
}
