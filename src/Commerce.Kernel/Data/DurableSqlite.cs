using System.Data.Common;
using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Commerce.Kernel;

/// <summary>Where a module's file is, and how every connection to it is opened.</summary>
internal static class SqliteFile
{
    public static string Of(HubSettings settings, string module) => Path.Combine(settings.DataDirectory, $"{module}.db");

    public static string Connection(string file, bool pooled = true) =>
        new SqliteConnectionStringBuilder { DataSource = file, DefaultTimeout = 30, ForeignKeys = true, Pooling = pooled }.ToString();
}

/// <summary>Write-ahead log with a flush at each commit: what was acknowledged survives a power cut.</summary>
internal sealed class DurableSqlite : DbConnectionInterceptor
{
    /// <summary>
    /// For every connection. What is in the log goes back into the file at 8,000 pages (32 MiB) and not at SQLite's 1,000: a busy hub did that
    /// ten times a second, each time before somebody's answer. What a savepoint would put back is kept in memory: SQLite else writes each page
    /// that a savepoint touches into a temporary file as well, 16 of 38 writes a sign-in over SAML.
    /// </summary>
    public const string Settings =
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=30000; PRAGMA wal_autocheckpoint=8000; PRAGMA temp_store=MEMORY;";

    public static readonly DurableSqlite Instance = new();

    // The settings hold as long as the connection to the file, which the pool keeps open; EF opens and closes around every command.
    private readonly ConditionalWeakTable<SQLitePCL.sqlite3, object> prepared = [];

    public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData) => Set(connection);

    public override Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        Set(connection);
        return Task.CompletedTask;
    }

    private void Set(DbConnection connection)
    {
        if (((SqliteConnection)connection).Handle is not { } file || prepared.TryGetValue(file, out _)) return;
        using var command = connection.CreateCommand();
        command.CommandText = Settings;
        command.ExecuteNonQuery();
        prepared.AddOrUpdate(file, this);
    }
}
