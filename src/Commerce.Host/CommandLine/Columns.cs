namespace Commerce.Host.CommandLine;

/// <summary>Rows in columns as wide as their longest value: readable on a terminal, and whole when piped.</summary>
internal static class Columns
{
    public static void Write(TextWriter to, IReadOnlyList<string> titles, IEnumerable<IReadOnlyList<string>> rows)
    {
        var all = rows.Prepend(titles).ToList();
        var widths = titles.Select((_, i) => all.Max(row => row[i].Length)).ToList();
        foreach (var row in all) to.WriteLine(string.Join("  ", row.Select((value, i) => i == row.Count - 1 ? value : value.PadRight(widths[i]))));
    }

    /// <summary>To the second, in UTC.</summary>
    public static string Instant(DateTimeOffset? at) => at?.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture) ?? "-";
}
