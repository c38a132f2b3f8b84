using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using Commerce.Kernel.Secrets;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>
/// Refresh tokens: the grant's id, a number that counts up at each use, and a keyed hash over both (HMAC-SHA256), as 70 base64url
/// characters. Nothing of the token is stored but the number that is good now. A lower number under a right hash is an old token of
/// ours, which only its holder or a thief can have: the whole grant ends (RFC 9700 §4.14.2). A wrong hash is noise and changes nothing.
/// </summary>
internal sealed class RefreshToken(SharedSecrets secrets)
{
    /// <summary>Name of the key among the <see cref="SharedSecrets"/>.</summary>
    public const string Secret = "refresh-token";

    private const int Length = 16 + 4 + 32;
    private const int TextLength = 70;

    public static readonly TimeSpan Absolute = TimeSpan.FromDays(30);
    public static readonly TimeSpan Idle = TimeSpan.FromDays(7);

    public string For(Guid grant, int generation)
    {
        Span<byte> bytes = stackalloc byte[Length];
        grant.TryWriteBytes(bytes, bigEndian: true, out _);
        BinaryPrimitives.WriteInt32BigEndian(bytes[16..], generation);
        HMACSHA256.HashData(secrets.Get(Secret), bytes[..20], bytes[20..]);
        return Base64Url.EncodeToString(bytes);
    }

    public bool TryRead(string? token, out Guid grant, out int generation)
    {
        (grant, generation) = (default, 0);
        Span<byte> bytes = stackalloc byte[Length];
        if (token is not { Length: TextLength } || !OneTimeCode.TryDecode(token, bytes)) return false;
        Span<byte> tag = stackalloc byte[32];
        HMACSHA256.HashData(secrets.Get(Secret), bytes[..20], tag);
        if (!CryptographicOperations.FixedTimeEquals(tag, bytes[20..])) return false;
        // The last character carries two unused bits: one token has one spelling.
        if (!string.Equals(token, Base64Url.EncodeToString(bytes), StringComparison.Ordinal)) return false;
        (grant, generation) = (new Guid(bytes[..16], bigEndian: true), BinaryPrimitives.ReadInt32BigEndian(bytes[16..]));
        return generation > 0;
    }
}
