using Commerce.Consent.Contracts;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;

namespace Commerce.Consent.Ledger;

/// <summary>
/// Writes what left for a partner into the ledger; once per release, however often it is told. By the hot store it does what
/// <see cref="LedgerWriter"/> does by the context: a hundred releases share a commit and one look at the chain's end.
/// </summary>
internal sealed class RecordRelease(LookupHash hash) : IHandleEventHot<ClaimsReleased, LedgerEntry>
{
    private static readonly HotSql
        // One writer at a time: on SQLite a write is alone anyway.
        Turn = new("SELECT 1", postgres: "SELECT pg_advisory_xact_lock(hashtextextended('commerce.consent.ledger', 0))"),
        Head = new("""SELECT "Number", "Hash" FROM {schema}ledger ORDER BY "Number" DESC LIMIT 1"""),
        Insert = new("""
            INSERT INTO {schema}ledger ("Number", "Kind", "At", "Customer", "Partner", "Purpose", "Receipt", "Claims", "Release", "Connection", "Protocol", "Hop", "ValuesHash", "Previous", "Hash")
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT ("Release") DO NOTHING
            """);

    public ValueTask<LedgerEntry?> PrepareAsync(ClaimsReleased message, Delivery delivery, CancellationToken stop) => new(LedgerEntry.Of(
        new LedgerFact(LedgerKind.Release, message.At, message.Customer, message.Partner, message.Purpose, message.Receipt,
            message.Claims, message.Release, message.Connection, message.Protocol, message.Hop, message.ValuesHash), hash));

    public async ValueTask WriteAsync(HotWrite write, IReadOnlyList<LedgerEntry> ready)
    {
        await write.FirstAsync(Turn, _ => true);
        var head = await write.FirstAsync(Head, row => Tuple.Create(row.GetInt64(0), row.GetFieldValue<byte[]>(1)));
        var (number, hash) = (head?.Item1 ?? 0, head?.Item2);
        foreach (var entry in ready)
        {
            entry.After(number, hash);
            // One that was recorded before takes no place.
            if (await write.ExecuteAsync(Insert, entry.Number, entry.Kind, entry.At, entry.Customer, entry.Partner, entry.Purpose, entry.Receipt, entry.Claims,
                entry.Release, entry.Connection, entry.Protocol, entry.Hop, entry.ValuesHash, entry.Previous, entry.Hash) == 1) (number, hash) = (entry.Number, entry.Hash);
        }
    }
}
