using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace Commerce.Kernel.Outbox;

/// <summary>
/// One process at a time empties one module's outbox, or the order per aggregate would not hold. On PostgreSQL an advisory lock of a
/// transaction, which the server frees when the process dies. On SQLite the hub is one process, which its data folder's lock file keeps so.
/// </summary>
internal sealed class RelayLease(IDbContextTransaction? transaction) : IAsyncDisposable
{
    public static async Task<RelayLease?> TakeAsync(ModuleDb db, CancellationToken stop)
    {
        if (db.Database.ProviderName != Engines.Npgsql) return new RelayLease(null);
        var transaction = await db.Database.BeginTransactionAsync(stop);
        var key = $"commerce.outbox.{db.ModuleName}";
        var taken = await db.Database.SqlQuery<bool>($"SELECT pg_try_advisory_xact_lock(hashtextextended({key}, 0)) AS \"Value\"").SingleAsync(stop);
        if (taken) return new RelayLease(transaction);
        await transaction.DisposeAsync();
        return null;
    }

    public async ValueTask DisposeAsync()
    {
        if (transaction is null) return;
        await transaction.CommitAsync();
        await transaction.DisposeAsync();
    }
}
