using Commerce.Consent.Contracts;
using Commerce.Consent.Data;
using Commerce.Kernel;

namespace Commerce.Consent.Ledger;

/// <summary>Writes what left for a partner into the ledger; once per release, however often it is told.</summary>
internal sealed class RecordRelease(LedgerAppend ledger) : IHandleEventHot<ClaimsReleased>
{
    private static readonly HotSql Find = new("""SELECT 1 FROM {schema}ledger WHERE "Release" = $1""");

    public ValueTask<Func<HotWrite, ValueTask>> PrepareAsync(ClaimsReleased message, Delivery delivery, CancellationToken stop)
    {
        var fact = new LedgerFact(LedgerKind.Release, message.At, message.Customer, message.Partner, message.Purpose, message.Receipt,
            message.Claims, message.Release, message.Connection, message.Protocol, message.Hop, message.ValuesHash);
        return new(async write =>
        {
            if (await write.FirstAsync(Find, row => row.GetInt32(0), message.Release) == 0) await ledger.AppendAsync(write, fact);
        });
    }
}
