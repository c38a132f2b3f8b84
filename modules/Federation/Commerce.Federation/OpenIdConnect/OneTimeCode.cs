using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>
/// An authorization code: the grant's id and 256 random bits, as 64 base64url characters. The id finds the row by its key; the hash of
/// the whole decides.
/// </summary>
internal static class OneTimeCode
{
    private const int Length = 16 + 32;

    /// <summary>RFC 9700 §2.1.1 and RFC 6749 §4.1.2 ask for a short life; ours is what certified clients need and no more.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(60);

    public static string New(Guid grant)
    {
        Span<byte> bytes = stackalloc byte[Length];
        grant.TryWriteBytes(bytes, bigEndian: true, out _);
        RandomNumberGenerator.Fill(bytes[16..]);
        return Base64Url.EncodeToString(bytes);
    }

    public static byte[] Hash(string code) => SHA256.HashData(Encoding.ASCII.GetBytes(code));

    public static bool TryRead(string? code, out Guid grant)
    {
        grant = default;
        Span<byte> bytes = stackalloc byte[Length];
        if (code is not { Length: Length / 3 * 4 } || !TryDecode(code, bytes)) return false;
        grant = new Guid(bytes[..16], bigEndian: true);
        return true;
    }

    internal static bool TryDecode(string text, Span<byte> bytes) =>
        text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
        && Base64Url.DecodeFromChars(text, bytes, out var consumed, out var written) == OperationStatus.Done && consumed == text.Length && written == bytes.Length;
}
