using System.Data.Common;

namespace Commerce.Kernel;

/// <summary>Reads what <see cref="HotSql"/> wrote and both engines keep as a number.</summary>
public static class HotRow
{
    /// <summary>A point in time, kept as ticks of UTC.</summary>
    public static DateTimeOffset GetInstant(this DbDataReader row, int column) => new(row.GetInt64(column), TimeSpan.Zero);

    /// <summary>The same of a column that may be empty.</summary>
    public static DateTimeOffset? GetInstantOrNull(this DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInstant(column);
}
