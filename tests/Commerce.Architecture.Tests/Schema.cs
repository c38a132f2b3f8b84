using System.Data.Common;
using Commerce.Kernel;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;

namespace Commerce.Architecture.Tests;

/// <summary>A database's tables in lines of text that can be compared: columns, types, nullability, keys, indexes, foreign keys.</summary>
internal static class Schema
{
    public static void CreateFromModel(ModuleDb db)
    {
        var creator = db.GetService<IRelationalDatabaseCreator>();
        if (!creator.Exists()) creator.Create();
        creator.CreateTables();
    }

    public static async Task<IReadOnlyList<string>> DescribeAsync(ModuleDb db)
    {
        await db.Database.OpenConnectionAsync();
        var connection = db.Database.GetDbConnection();
        var lines = db.Database.IsNpgsql() ? await PostgresAsync(connection, db.ModuleName) : await SqliteAsync(connection);
        return [.. lines.Order(StringComparer.Ordinal)];
    }

    private static async Task<List<string>> SqliteAsync(DbConnection connection)
    {
        var lines = new List<string>();
        foreach (var table in await RowsAsync(connection,
            "SELECT name, sql LIKE '%AUTOINCREMENT%' FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT IN ('migrations', '__EFMigrationsLock')"))
        {
            var name = table[0];
            lines.Add($"{name}: autoincrement {table[1]}");
            lines.AddRange((await RowsAsync(connection, $"SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_info('{name}')"))
                .Select(c => $"{name}.{c[0]}: {c[1]}, not null {c[2]}, default {c[3]}, key part {c[4]}"));
            lines.AddRange((await RowsAsync(connection, $"SELECT \"from\", \"table\", \"to\", on_delete FROM pragma_foreign_key_list('{name}')"))
                .Select(k => $"{name}: foreign key {string.Join(", ", k)}"));
            foreach (var index in await RowsAsync(connection, $"SELECT name, \"unique\", partial FROM pragma_index_list('{name}') WHERE origin <> 'pk'"))
            {
                var columns = await RowsAsync(connection, $"SELECT name, \"desc\" FROM pragma_index_xinfo('{index[0]}') WHERE key = 1");
                var filter = await RowsAsync(connection, $"SELECT substr(sql, instr(sql, ' WHERE ')) FROM sqlite_master WHERE name = '{index[0]}' AND sql LIKE '% WHERE %'");
                lines.Add($"{name}: index {index[0]}, unique {index[1]}, on {string.Join(", ", columns.Select(c => $"{c[0]} {c[1]}"))}{string.Concat(filter.Select(f => f[0]))}");
            }
        }
        return lines;
    }

    private static async Task<List<string>> PostgresAsync(DbConnection connection, string schema)
    {
        var columns = await RowsAsync(connection, $"""
            SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, pg_get_expr(d.adbin, d.adrelid)
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
            WHERE n.nspname = '{schema}' AND c.relkind = 'r' AND c.relname <> 'migrations'
            """);
        var constraints = await RowsAsync(connection, $"""
            SELECT c.relname, k.conname, pg_get_constraintdef(k.oid) FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
            JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = '{schema}' AND c.relname <> 'migrations'
            """);
        var indexes = await RowsAsync(connection, $"SELECT indexdef FROM pg_indexes WHERE schemaname = '{schema}' AND tablename <> 'migrations'");
        return
        [
            .. columns.Select(c => $"{c[0]}.{c[1]}: {c[2]}, not null {c[3]}, identity '{c[4].TrimEnd('\0')}', default {c[5]}"),
            .. constraints.Select(c => $"{c[0]}: {c[1]} {c[2]}"),
            .. indexes.Select(i => i[0]),
        ];
    }

    private static async Task<List<string[]>> RowsAsync(DbConnection connection, string sql)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<string[]>();
        while (await reader.ReadAsync())
            rows.Add([.. Enumerable.Range(0, reader.FieldCount).Select(i => Convert.ToString(reader.GetValue(i), System.Globalization.CultureInfo.InvariantCulture) ?? "")]);
        return rows;
    }
}
