using Commerce.Kernel;
using Commerce.Kernel.Secrets;

namespace Commerce.Consent.Ledger;

/// <summary>Appends to the ledger by the hot store: what <see cref="LedgerWriter"/> does by the context. A hundred releases share a commit.</summary>
internal sealed class LedgerAppend(LookupHash hash)
{
    private static readonly HotSql
        // One writer at a time: on SQLite a write is alone anyway.
        Turn = new("SELECT 1", postgres: "SELECT pg_advisory_xact_lock(hashtextextended('commerce.consent.ledger', 0))"),
        Head = new("""SELECT "Number", "Hash" FROM {schema}ledger ORDER BY "Number" DESC LIMIT 1"""),
        Insert = new("""
            INSERT INTO {schema}ledger ("Number", "Kind", "At", "Customer", "Partner", "Purpose", "Receipt", "Claims", "Release", "Connection", "Protocol", "Hop", "ValuesHash", "Previous", "Hash")
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
            """);

    /// <summary>Adds the entry behind the last one, in the transaction of the write.</summary>
    public async ValueTask AppendAsync(HotWrite write, LedgerFact fact)
    {
        await write.FirstAsync(Turn, _ => true);
        var head = await write.FirstAsync(Head, row => Tuple.Create(row.GetInt64(0), row.GetFieldValue<byte[]>(1)));
        var entry = LedgerEntry.After(head?.Item1 ?? 0, head?.Item2, fact, hash);
        await write.ExecuteAsync(Insert, entry.Number, entry.Kind, entry.At, entry.Customer, entry.Partner, entry.Purpose, entry.Receipt, entry.Claims,
            entry.Release, entry.Connection, entry.Protocol, entry.Hop, entry.ValuesHash, entry.Previous, entry.Hash);
    }
}
