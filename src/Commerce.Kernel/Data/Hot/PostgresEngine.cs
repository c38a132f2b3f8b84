using System.Collections.Concurrent;
using System.Data.Common;
using Npgsql;

namespace Commerce.Kernel;

/// <summary>One module's schema on PostgreSQL: a transaction for each write. The server groups commits by itself.</summary>
internal sealed class PostgresEngine(NpgsqlDataSource source, string module, Action ring) : IHotEngine
{
    private readonly ConcurrentDictionary<HotSql, string> texts = new(ReferenceEqualityComparer.Instance);

    public async Task<T> WriteAsync<T>(Func<HotWrite, ValueTask<T>> work, CancellationToken stop)
    {
        await using var connection = await source.OpenConnectionAsync(stop);
        await using var transaction = await connection.BeginTransactionAsync(stop);
        var session = new PostgresSession(connection, transaction, TextOf);
        var answer = await work(session);
        if (session.Undone)
        {
            await transaction.RollbackAsync(CancellationToken.None);
            return answer;
        }
        await transaction.CommitAsync(CancellationToken.None);
        if (session.Told) ring();
        return answer;
    }

    public async ValueTask<T> ReadAsync<T>(Func<HotRead, ValueTask<T>> work, CancellationToken stop)
    {
        await using var connection = await source.OpenConnectionAsync(stop);
        return await work(new PostgresSession(connection, null, TextOf));
    }

    public void Dispose()
    {
        // the connections belong to the pool of all modules
    }

    private string TextOf(HotSql sql) => texts.GetOrAdd(sql, static (sql, module) => sql.ForPostgres(module), module);
}

internal sealed class PostgresSession(NpgsqlConnection connection, NpgsqlTransaction? transaction, Func<HotSql, string> textOf) : HotWrite
{
    public override async ValueTask<int> ExecuteAsync(HotSql sql, params object?[] values)
    {
        await using var command = Command(sql, values);
        return await command.ExecuteNonQueryAsync();
    }

    public override async ValueTask<T?> FirstAsync<T>(HotSql sql, Func<DbDataReader, T> row, params object?[] values) where T : default
    {
        await using var command = Command(sql, values);
        await using var reader = await command.ExecuteReaderAsync();
        return await reader.ReadAsync() ? row(reader) : default;
    }

    public override async ValueTask<List<T>> ListAsync<T>(HotSql sql, Func<DbDataReader, T> row, params object?[] values)
    {
        await using var command = Command(sql, values);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<T>();
        while (await reader.ReadAsync()) rows.Add(row(reader));
        return rows;
    }

    private NpgsqlCommand Command(HotSql sql, object?[] values)
    {
        var command = new NpgsqlCommand(textOf(sql), connection, transaction);
        foreach (var value in values) command.Parameters.Add(new NpgsqlParameter { Value = HotSql.Bound(value) });
        return command;
    }
}
