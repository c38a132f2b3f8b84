using System.Data.Common;

namespace Commerce.Kernel;

/// <summary>Reads what <see cref="HotSql"/> wrote: instants, which both engines keep as a number, and columns that may be empty.</summary>
public static class HotRow
{
    /// <summary>A point in time, kept as ticks of UTC.</summary>
    public static DateTimeOffset GetInstant(this DbDataReader row, int column) => new(row.GetInt64(column), TimeSpan.Zero);

    /// <summary>A point in time, or null where the column is empty.</summary>
    public static DateTimeOffset? GetInstantOrNull(this DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInstant(column);

    /// <summary>A text, or null where the column is empty.</summary>
    public static string? GetStringOrNull(this DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    /// <summary>Bytes, or null where the column is empty.</summary>
    public static byte[]? GetBytesOrNull(this DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetFieldValue<byte[]>(column);
}
