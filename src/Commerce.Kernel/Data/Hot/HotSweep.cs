namespace Commerce.Kernel;

/// <summary>The rows of one table that have had their day, for <see cref="HotStore.SweepAsync"/>. Made once and kept in a static field.</summary>
/// <param name="table">Its name in the module's own database.</param>
/// <param name="old">When a row is old, as SQL about its columns; <c>$1</c> is the point in time that the sweep is called with.</param>
public sealed class HotSweep(string table, string old)
{
    /// <summary>Rows a commit: five milliseconds or so for whoever waits behind it.</summary>
    internal const int Step = 200;

    /// <summary>
    /// False where no index finds old rows: the sweep then goes through the whole table once, in the order of its key. That is cheaper where rows
    /// are small and many are written, each of which an index would have to enter and leave.
    /// </summary>
    public bool HasIndex { get; init; } = true;

    internal HotSql Find { get; } = new($$"""SELECT rowid FROM {schema}{{table}} WHERE {{old}} LIMIT {{Step}}""");
    internal HotSql FindFrom { get; } = new($$"""SELECT rowid FROM {schema}{{table}} WHERE rowid >= $2 AND {{old}} ORDER BY rowid LIMIT {{Step}}""");
    internal HotSql RemoveFound { get; } = new($$"""DELETE FROM {schema}{{table}} WHERE rowid IN (SELECT value FROM json_each($2)) AND {{old}}""");
    internal HotSql RemoveAll { get; } = new($$"""DELETE FROM {schema}{{table}} WHERE {{old}}""");
}
