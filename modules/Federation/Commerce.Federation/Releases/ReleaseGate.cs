using Commerce.Consent.Contracts;
using Commerce.Identity.Contracts;
using Commerce.Kernel;
using MediatR;

namespace Commerce.Federation.Releases;

/// <param name="Session">Null where none was asked about.</param>
/// <param name="Consent">Null where the release stands on no consent.</param>
internal sealed record GateOpen(Connection Connection, Session? Session, ConsentRecord? Consent);

/// <summary>
/// The one gate in front of everything that leaves: authorize, token, refresh, userinfo, SAML, hop. Whatever was good when a release was
/// made, it has to be good now.
/// </summary>
internal sealed class ReleaseGate(Connections connections, IMediator mediator, TimeProvider clock)
{
    /// <param name="connection">Client id or entity id.</param>
    /// <param name="session">The browser session it stands on; null for what outlives sessions (<c>offline_access</c>).</param>
    /// <param name="receipt">Receipt of the consent it stands on; null where none was needed.</param>
    public async Task<Result<GateOpen>> CheckAsync(string connection, Guid customer, Guid? session, string? receipt, CancellationToken stop)
    {
        if (await connections.FindAsync(connection, stop) is not { IsActive: true } open) return Refusals.PartnerOff;

        // Metadata past its validUntil describes nobody any more (S33).
        if (open.Saml?.ValidUntil <= clock.GetUtcNow()) return Refusals.PartnerOff;

        Session? alive = null;
        if (session is { } id)
        {
            alive = await mediator.Send(new SessionOf(id), stop);
            if (alive is null || alive.Customer != customer) return Refusals.SessionOver;
        }
        else if (await mediator.Send(new AccountOf(customer), stop) is not { IsLocked: false })
        {
            return Refusals.SessionOver;
        }

        ConsentRecord? consent = null;
        if (receipt is not null)
        {
            consent = await mediator.Send(new ConsentUnderReceipt(receipt), stop);
            if (consent is null || consent.Customer != customer || consent.Partner != open.Partner) return Refusals.NothingAgreed;
            if (open.Contract?.Purpose(consent.Purpose) is null) return Refusals.NothingAgreed;
        }
        return new GateOpen(open, alive, consent);
    }
}
