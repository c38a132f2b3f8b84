using System.Security.Cryptography;

namespace Commerce.Saml;

/// <summary>Identifiers of messages and assertions: 160 random bits, SAML Core 1.3.4 asks for at least 128.</summary>
internal static class SamlId
{
    private const int Length = 20, Drawn = 32;

    // The generator takes as long for the bytes of 32 identifiers as for those of one.
    [ThreadStatic] private static byte[]? reserve;
    [ThreadStatic] private static int left;

    public static string New()
    {
        reserve ??= new byte[Drawn * Length];
        if (left == 0)
        {
            RandomNumberGenerator.Fill(reserve);
            left = Drawn;
        }
        return string.Concat("_", Convert.ToHexStringLower(reserve.AsSpan(--left * Length, Length)));    // xs:ID cannot begin with a digit
    }
}
