using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Localization;

namespace Commerce.Federation.Hops;

/// <summary>Puts claim values into words for the customer: short in front, every part behind.</summary>
internal sealed class ClaimWords(IStringLocalizer<HopTexts> texts)
{
    /// <param name="values">One claim with those that come with it.</param>
    public IReadOnlyList<string> Text(IReadOnlyList<KeyValuePair<string, JsonElement>> values)
    {
        var (name, value) = values[0];
        return name switch
        {
            "email" or "phone_number" => [$"{Scalar(value)}{Verified(values)}"],
            "address" => [Join(", ", Parts(value, "street_address", "postal_code", "locality", "region", "country"))],
            ClaimCatalogue.Vehicle => [Join(" · ", [Part(value, "registration"), Join(" ", Parts(value, "make", "model", "year")), Part(value, "tire_size"), Part(value, "country")])],
            ClaimCatalogue.Purchase => [.. value.GetProperty("lines").EnumerateArray().Select(Line)],
            _ => [Scalar(value)],
        };
    }

    /// <summary>All parts by name; empty where <see cref="Text"/> says everything already.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Details(IReadOnlyList<KeyValuePair<string, JsonElement>> values)
    {
        var parts = new List<KeyValuePair<string, string>>();
        switch (values[0].Key)
        {
            case "name":
                foreach (var (name, value) in values.Skip(1)) parts.Add(new(Label(name), Scalar(value)));
                break;
            case ClaimCatalogue.Purchase:
                Flatten(values[0].Value, parts);
                break;
        }
        return parts;
    }

    /// <summary>"4 × 205/55R16 winter" where the line's properties tell a tire, else quantity and description.</summary>
    public string Line(JsonElement line)
    {
        var what = line.TryGetProperty("properties", out var p) && Tire(p) is { } tire ? tire : Part(line, "description");
        return $"{Part(line, "quantity")} × {what}";
    }

    private string? Tire(JsonElement properties)
    {
        if (properties.ValueKind != JsonValueKind.Object) return null;
        var (width, profile, rim) = (Part(properties, "width_mm"), Part(properties, "profile_pct"), Part(properties, "rim_in"));
        if (width is null || profile is null || rim is null) return null;
        var season = Part(properties, "season");
        return Join(" ", [$"{width}/{profile}R{rim}", season is null ? null : Word("season_" + season, season)]);
    }

    private string Verified(IReadOnlyList<KeyValuePair<string, JsonElement>> values) => values.Skip(1).Select(v => v.Value.ValueKind).FirstOrDefault() switch
    {
        JsonValueKind.True => $" ({texts["verified"]})",
        JsonValueKind.False => $" ({texts["not_verified"]})",
        _ => "",
    };

    private void Flatten(JsonElement value, List<KeyValuePair<string, string>> parts, string? name = null)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var member in value.EnumerateObject()) Flatten(member.Value, parts, member.Name);
                break;
            case JsonValueKind.Array:
                foreach (var item in value.EnumerateArray()) Flatten(item, parts, name);
                break;
            default:
                parts.Add(new(Label(name ?? ""), Scalar(value)));
                break;
        }
    }

    private string Label(string name) => Word("field_" + name, name.Replace('_', ' '));

    private string Word(string key, string otherwise) => texts[key] is { ResourceNotFound: false } word ? word.Value : otherwise;

    private string Scalar(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.True => texts["yes"].Value,
        JsonValueKind.False => texts["no"].Value,
        JsonValueKind.Number => value.GetRawText(),
        _ => value.GetRawText(),
    };

    private static string? Part(JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.Object && value.TryGetProperty(name, out var part) ? part.ValueKind switch
        {
            JsonValueKind.String => part.GetString(),
            JsonValueKind.Number => part.TryGetDecimal(out var number) ? number.ToString(CultureInfo.InvariantCulture) : part.GetRawText(),
            _ => null,
        } : null;

    private static IEnumerable<string?> Parts(JsonElement value, params string[] names) => names.Select(name => Part(value, name));

    private static string Join(string between, IEnumerable<string?> parts) => string.Join(between, parts.Where(part => !string.IsNullOrEmpty(part)));
}
