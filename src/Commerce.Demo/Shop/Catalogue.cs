using System.Globalization;

namespace Commerce.Demo.Shop;

/// <summary>What Northern Tires sells in the demo.</summary>
/// <param name="Price">Euros, with tax.</param>
internal sealed record Product(string Sku, string Gtin, string Name, string Category, decimal Price, string? TireSize, object Properties);

internal static class Catalogue
{
    public static readonly IReadOnlyList<Product> Tires =
    [
        Tire("NT-WT-2055516", "6410001122337", 205, 55, 16, 94, "T", 129.90m),
        Tire("NT-WT-2254517", "6410001122405", 225, 45, 17, 94, "T", 164.90m),
        Tire("NT-WT-1956515", "6410001122573", 195, 65, 15, 95, "T", 109.90m),
    ];

    public static readonly Product Mats = new("NT-MAT-07", "6410004455661", "Rubber floor mats, set of 4", "accessories/interior", 39.00m, null, new { });

    public static string Money(decimal amount) => amount.ToString("0.00", CultureInfo.InvariantCulture);

    private static Product Tire(string sku, string gtin, int width, int profile, int rim, int load, string speed, decimal price) => new(
        sku, gtin, $"Winter tire {width}/{profile} R{rim} {load}{speed}", "tires/winter", price, $"{width}/{profile}R{rim}",
        new { width_mm = width, profile_pct = profile, rim_in = rim, load_index = load, speed_index = speed, season = "winter", studded = false });
}
