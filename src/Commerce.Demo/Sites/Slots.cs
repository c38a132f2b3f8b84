using System.Globalization;

namespace Commerce.Demo.Sites;

/// <summary>Free times on the next working days, in the workshop's own time zone.</summary>
internal static class Slots
{
    private static readonly TimeZoneInfo Helsinki = TimeZoneInfo.TryFindSystemTimeZoneById("Europe/Helsinki", out var zone) ? zone : TimeZoneInfo.Utc;
    private static readonly CultureInfo English = CultureInfo.GetCultureInfo("en-GB");

    public static IReadOnlyList<DateTimeOffset> Free(DateTimeOffset now, IReadOnlyList<TimeSpan> hours)
    {
        var today = TimeZoneInfo.ConvertTime(now, Helsinki).Date;
        return [.. Enumerable.Range(2, 12).Select(day => today.AddDays(day)).Where(d => d.DayOfWeek is not (DayOfWeek.Saturday or DayOfWeek.Sunday)).Take(3)
            .SelectMany(day => hours.Select(hour => day + hour)).Select(at => new DateTimeOffset(at, Helsinki.GetUtcOffset(at)))];
    }

    public static DateTimeOffset? Find(string? value, DateTimeOffset now, IReadOnlyList<TimeSpan> hours) =>
        Free(now, hours).Cast<DateTimeOffset?>().FirstOrDefault(s => Value(s!.Value) == value);

    public static Html Choice(DateTimeOffset now, IReadOnlyList<TimeSpan> hours) => Html.Of($"""
        <fieldset><legend>Free times</legend><div class="slots">
        {Html.Join(Free(now, hours).Select((slot, at) => Html.Of($"""<label class="pick"><input type="radio" name="slot" value="{Value(slot)}" required{(at == 0 ? new Html(" checked") : Html.None)}><span>{Words(slot)}</span></label>""")))}
        </div></fieldset>
        """);

    public static string Words(DateTimeOffset slot) => TimeZoneInfo.ConvertTime(slot, Helsinki).ToString("dddd d MMMM, HH.mm", English);

    private static string Value(DateTimeOffset slot) => slot.ToString("yyyy-MM-dd'T'HH:mm", CultureInfo.InvariantCulture);
}
