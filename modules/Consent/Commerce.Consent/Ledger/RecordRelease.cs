using Commerce.Consent.Contracts;
using Commerce.Consent.Data;
using Commerce.Kernel;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Consent.Ledger;

/// <summary>Writes what left for a partner into the ledger; once per release, however often it is told.</summary>
internal sealed class RecordRelease(ConsentDb db, LedgerWriter ledger) : IHandleEvent<ClaimsReleased>
{
    public async Task Handle(ClaimsReleased message, Delivery delivery, CancellationToken stop)
    {
        if (await db.Ledger.AnyAsync(e => e.Release == message.Release, stop)) return;
        await ledger.AppendAsync(new LedgerFact(LedgerKind.Release, message.At, message.Customer, message.Partner, message.Purpose, message.Receipt,
            message.Claims, message.Release, message.Connection, message.Protocol, message.Hop, message.ValuesHash), stop);
    }
}
