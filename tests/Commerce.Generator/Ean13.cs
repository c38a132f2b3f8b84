namespace Commerce.Generator;

/// <summary>GTIN-13 (GS1 General Specifications §7.9).</summary>
public static class Ean13
{
    /// <param name="twelve">The first twelve digits.</param>
    /// <returns>The same with its check digit.</returns>
    public static string Of(string twelve)
    {
        var sum = 0;
        for (var i = 0; i < 12; i++) sum += (twelve[i] - '0') * (i % 2 == 0 ? 1 : 3);
        return $"{twelve}{(10 - sum % 10) % 10}";
    }
}
