using Commerce.Consent.Data;
using Commerce.Kernel.Secrets;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace Commerce.Consent.Ledger;

/// <summary>What the next entry says.</summary>
internal sealed record LedgerFact(
    LedgerKind Kind, DateTimeOffset At, Guid Customer, string Partner, string Purpose, string? Receipt, IReadOnlyList<string> Claims,
    Guid? Release = null, string? Connection = null, string? Protocol = null, string? Hop = null, string? ValuesHash = null);

/// <summary>Appends to the ledger, in the transaction of the act that the entry is about.</summary>
internal sealed class LedgerWriter(ConsentDb db, LookupHash hash)
{
    /// <summary>Opens the transaction of an act that will append. Its turn comes first: whoever holds a row never waits for the ledger.</summary>
    public async Task<IDbContextTransaction> BeginAsync(CancellationToken stop)
    {
        var transaction = await db.Database.BeginTransactionAsync(stop);
        await WaitForTurnAsync(stop);
        return transaction;
    }

    /// <summary>Adds the entry behind the last one. The caller has opened a transaction, and saves.</summary>
    public async Task AppendAsync(LedgerFact fact, CancellationToken stop)
    {
        if (db.Database.CurrentTransaction is null) throw new InvalidOperationException("An entry stands or falls with the act it is about.");
        await WaitForTurnAsync(stop);
        var head = await db.Ledger.AsNoTracking().OrderByDescending(e => e.Number).Select(e => new { e.Number, e.Hash }).FirstOrDefaultAsync(stop);
        db.Ledger.Add(LedgerEntry.Of(fact, hash).After(head?.Number ?? 0, head?.Hash));
    }

    // One writer at a time: on SQLite a write transaction is alone anyway; on PostgreSQL a lock that ends with the transaction makes the others wait.
    private async Task WaitForTurnAsync(CancellationToken stop)
    {
        if (db.Database.IsNpgsql()) await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock(hashtextextended('commerce.consent.ledger', 0))", stop);
    }

    public byte[] PseudonymOf(Guid customer) => LedgerEntry.PseudonymOf(customer, hash);
}
