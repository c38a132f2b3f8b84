using System.Data.Common;

namespace Commerce.Kernel;

/// <summary>
/// One statement for both engines, made once and kept in a static field: connections remember it by reference.
/// </summary>
/// <remarks>
/// Parameters are <c>$1</c>, <c>$2</c>, … in order. Tables are named <c>{schema}table</c>: the module's schema on PostgreSQL, nothing on
/// SQLite. Columns stand in double quotes, as the migrations name them. <c>ON CONFLICT DO NOTHING</c>, <c>RETURNING</c> and conditional
/// updates mean the same on both.
/// </remarks>
/// <param name="text">The statement.</param>
/// <param name="postgres">Another wording for PostgreSQL, where one does not serve both.</param>
public sealed class HotSql(string text, string? postgres = null)
{
    internal string ForSqlite() => text.Replace("{schema}", "", StringComparison.Ordinal);

    internal string ForPostgres(string module) => (postgres ?? text).Replace("{schema}", $"{module}.", StringComparison.Ordinal);

    /// <summary>Instants are UTC ticks in every table; an enum is its number. The rest is for the driver: Guid, string, bytes, numbers, truth, null.</summary>
    internal static object Bound(object? value) => value switch
    {
        null => DBNull.Value,
        DateTimeOffset at => at.UtcTicks,
        Enum constant => Convert.ToInt32(constant, System.Globalization.CultureInfo.InvariantCulture),
        _ => value,
    };
}

/// <summary>Queries on a hot connection.</summary>
public abstract class HotRead
{
    private protected HotRead()
    {
    }

    /// <summary>The first row, or the type's default where there is none.</summary>
    public abstract ValueTask<T?> FirstAsync<T>(HotSql sql, Func<DbDataReader, T> row, params object?[] values);

    public abstract ValueTask<List<T>> ListAsync<T>(HotSql sql, Func<DbDataReader, T> row, params object?[] values);
}

/// <summary>One write's session: its queries see what it wrote. Valid until the work returns.</summary>
public abstract class HotWrite : HotRead
{
    private static readonly HotSql InsertOutbox = new("""
        INSERT INTO {schema}outbox ("Id", "Aggregate", "Type", "Body", "CreatedAt", "Attempts", "NextAttemptAt") VALUES ($1, $2, $3, $4, $5, 0, $5)
        """);

    private protected HotWrite()
    {
    }

    internal bool Undone { get; set; }

    /// <summary>True where an event was stored since the relay was last woken.</summary>
    internal bool Told { get; set; }

    /// <summary>Runs an insert, update or delete. Returns how many rows it changed.</summary>
    public abstract ValueTask<int> ExecuteAsync(HotSql sql, params object?[] values);

    /// <summary>Tells the other modules, in this write's transaction. See <see cref="HotStore.Drafts(EventsOfRow)"/>.</summary>
    public async ValueTask PublishAsync(OutboxDraft draft)
    {
        await ExecuteAsync(InsertOutbox, draft.Id, draft.Aggregate, draft.Type, draft.Body, draft.At);
        Told = true;
    }

    /// <summary>Nothing of this write stays, and its answer is returned all the same: for an expected no that comes after a first change.</summary>
    public void Undo() => Undone = true;
}
