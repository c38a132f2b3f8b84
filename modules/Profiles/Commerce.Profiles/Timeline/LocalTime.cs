using System.Globalization;

namespace Commerce.Profiles.Timeline;

/// <summary>Instants as the customer's clock shows them. The account's language tag names the country; a page without script knows no more.</summary>
internal sealed class LocalTime(string locale)
{
    private static readonly Dictionary<string, string> Zones = new(StringComparer.OrdinalIgnoreCase)
    {
        ["FI"] = "Europe/Helsinki", ["SE"] = "Europe/Stockholm", ["NO"] = "Europe/Oslo", ["DK"] = "Europe/Copenhagen", ["EE"] = "Europe/Tallinn",
        ["KR"] = "Asia/Seoul", ["GB"] = "Europe/London", ["IE"] = "Europe/Dublin",
        // A language alone stands for the country where most of its speakers shop with us.
        ["fi"] = "Europe/Helsinki", ["sv"] = "Europe/Stockholm", ["ko"] = "Asia/Seoul",
    };

    private readonly TimeZoneInfo zone = ZoneOf(locale);

    public DateOnly Day(DateTimeOffset at) => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(at, zone).DateTime);

    /// <summary>The day in words, such as "Monday, October 5, 2026".</summary>
    public static string DayText(DateOnly day) => day.ToString("D", CultureInfo.CurrentCulture);

    /// <summary>Time of day; with "UTC" behind it where the customer's own zone is not known.</summary>
    public string TimeText(DateTimeOffset at) =>
        TimeZoneInfo.ConvertTime(at, zone).ToString("t", CultureInfo.CurrentCulture) + (zone == TimeZoneInfo.Utc ? " UTC" : "");

    /// <summary>For a machine, such as <c>2026-10-05T12:00:00Z</c>.</summary>
    public static string Machine(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static TimeZoneInfo ZoneOf(string locale) =>
        Zones.TryGetValue(locale.Split('-')[^1], out var id) && TimeZoneInfo.TryFindSystemTimeZoneById(id, out var zone) ? zone : TimeZoneInfo.Utc;
}
