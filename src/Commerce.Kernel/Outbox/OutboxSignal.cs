using System.Collections.Concurrent;
using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Commerce.Kernel.Outbox;

/// <summary>Wakes the relay of a module when a save has added to its outbox, so that events leave within milliseconds and not at the next poll.</summary>
internal sealed class OutboxSignal : SaveChangesInterceptor, IDbTransactionInterceptor, IDisposable
{
    private readonly ConcurrentDictionary<Type, SemaphoreSlim> bells = new();
    private readonly System.Runtime.CompilerServices.ConditionalWeakTable<DbContext, object> pending = [];

    public SemaphoreSlim BellOf(Type db) => bells.GetOrAdd(db, _ => new SemaphoreSlim(0, 1));

    public override InterceptionResult<int> SavingChanges(DbContextEventData eventData, InterceptionResult<int> result)
    {
        Note(eventData.Context);
        return result;
    }

    public override ValueTask<InterceptionResult<int>> SavingChangesAsync(DbContextEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
    {
        Note(eventData.Context);
        return ValueTask.FromResult(result);
    }

    public override int SavedChanges(SaveChangesCompletedEventData eventData, int result)
    {
        Ring(eventData.Context);
        return result;
    }

    public override ValueTask<int> SavedChangesAsync(SaveChangesCompletedEventData eventData, int result, CancellationToken cancellationToken = default)
    {
        Ring(eventData.Context);
        return ValueTask.FromResult(result);
    }

    private void Note(DbContext? db)
    {
        if (db is ModuleDb && db.ChangeTracker.Entries<OutboxMessage>().Any(e => e.State == EntityState.Added)) pending.AddOrUpdate(db, db);
    }

    public void TransactionCommitted(DbTransaction transaction, TransactionEndEventData eventData) => RingIfPending(eventData.Context);

    public Task TransactionCommittedAsync(DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        RingIfPending(eventData.Context);
        return Task.CompletedTask;
    }

    // Inside an explicit transaction the row is not there for the relay before the commit, which rings then.
    private void Ring(DbContext? db)
    {
        if (db?.Database.CurrentTransaction is null) RingIfPending(db);
    }

    private void RingIfPending(DbContext? db)
    {
        if (db is not null && pending.Remove(db)) Ring(db.GetType());
    }

    /// <summary>Something was added to this module's outbox and is committed.</summary>
    public void Ring(Type db)
    {
        var bell = BellOf(db);
        try
        {
            if (bell.CurrentCount == 0) bell.Release();
        }
        catch (SemaphoreFullException)
        {
            // rung by another save at the same moment: one ring is enough
        }
    }

    public void Dispose()
    {
        foreach (var bell in bells.Values) bell.Dispose();
    }
}
