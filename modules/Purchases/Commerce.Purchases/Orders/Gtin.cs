namespace Commerce.Purchases.Orders;

/// <summary>Global Trade Item Numbers (GS1 General Specifications §7.9): GTIN-8, -12, -13 and -14.</summary>
internal static class Gtin
{
    /// <summary>Digits only, one of the four lengths, and a right check digit: from the right, weights 1 and 3 in turn sum up to a multiple of ten.</summary>
    public static bool IsRight(string text)
    {
        if (text.Length is not (8 or 12 or 13 or 14)) return false;
        var sum = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsAsciiDigit(text[i])) return false;
            sum += (text[i] - '0') * ((text.Length - i) % 2 == 0 ? 3 : 1);
        }
        return sum % 10 == 0;
    }
}
