using System.Security.Cryptography;

namespace Commerce.Saml;

/// <summary>Identifiers of messages and assertions: 160 random bits, SAML Core 1.3.4 asks for at least 128.</summary>
internal static class SamlId
{
    public static string New()
    {
        Span<byte> random = stackalloc byte[20];
        RandomNumberGenerator.Fill(random);
        return string.Concat("_", Convert.ToHexStringLower(random));    // xs:ID cannot begin with a digit
    }
}
