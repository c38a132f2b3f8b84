using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Commerce.Kernel;

/// <summary>Secrets that travel through browsers and partners: codes, tickets, links, session and refresh tokens.</summary>
public static class Token
{
    /// <summary>256 bits from the system's generator, as 43 base64url characters.</summary>
    public static string New()
    {
        Span<byte> bytes = stackalloc byte[32];
        RandomNumberGenerator.Fill(bytes);
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>What is stored instead of the token: SHA-256, 32 bytes. A random 256-bit token needs no salt and no stretching.</summary>
    public static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}
