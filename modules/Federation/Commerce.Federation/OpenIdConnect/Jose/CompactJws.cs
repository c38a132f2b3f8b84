using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace Commerce.Federation.OpenIdConnect.Jose;

/// <summary>
/// A JWT as it was read: well-formed, and nothing more. Only <see cref="JwtGate"/> turns it into a <see cref="VerifiedJwt"/>; what is
/// read here may choose whose keys to try and must decide nothing else.
/// </summary>
internal sealed class CompactJws
{
    /// <summary>Longest token that is looked at, in characters. Ours are near one thousand.</summary>
    public const int MaxLength = 16 * 1024;

    private CompactJws(JsonElement header, JsonElement payload, string algorithm, string? type, string? keyId, byte[] signed, byte[] signature) =>
        (Header, Payload, Algorithm, Type, KeyId, Signed, Signature) = (header, payload, algorithm, type, keyId, signed, signature);

    public JsonElement Header { get; }
    public JsonElement Payload { get; }
    public string Algorithm { get; }
    public string? Type { get; }
    public string? KeyId { get; }

    /// <summary>The octets under the signature: header and payload as they came (RFC 7515 §5.2).</summary>
    public byte[] Signed { get; }
    public byte[] Signature { get; }

    /// <summary>
    /// Reads the compact form of RFC 7515 §7.1. Refused: anything but three parts (so every JWE), padding or other characters,
    /// a second encoding of the same octets, a member twice, <c>crit</c> (§4.1.11: we understand no extension), and <c>b64</c>.
    /// Header members that bring a key (<c>jwk</c>, <c>jku</c>, <c>x5u</c>, <c>x5c</c>) are never looked at.
    /// </summary>
    public static CompactJws? Read(string? token, out string fault)
    {
        fault = "malformed";
        if (string.IsNullOrEmpty(token)) return null;
        if (token.Length > MaxLength)
        {
            fault = "too long";
            return null;
        }
        var first = token.IndexOf('.', StringComparison.Ordinal);
        var second = first < 0 ? -1 : token.IndexOf('.', first + 1);
        if (second < 0 || token.IndexOf('.', second + 1) >= 0) return null;
        if (Decode(token.AsSpan(0, first)) is not { } head || Decode(token.AsSpan(first + 1, second - first - 1)) is not { } body) return null;
        if (Decode(token.AsSpan(second + 1)) is not { } signature) return null;
        if (!StrictJson.TryReadObject(head, out var header) || !StrictJson.TryReadObject(body, out var payload)) return null;
        if (header.TryGetProperty("crit", out _) || header.TryGetProperty("b64", out _))
        {
            fault = "critical header";
            return null;
        }
        if (header.TryGetProperty("zip", out _) || header.TryGetProperty("enc", out _)) return null;
        if (!header.TryText("alg", out var algorithm) || algorithm is null) return null;
        if (!header.TryText("typ", out var type) || !header.TryText("kid", out var kid)) return null;
        return new CompactJws(header, payload, algorithm, type, kid, Encoding.ASCII.GetBytes(token, 0, second), signature);
    }

    /// <summary>Base64url without padding, in its one canonical spelling; else null.</summary>
    private static byte[]? Decode(ReadOnlySpan<char> part)
    {
        if (part.IsEmpty || part.Length % 4 == 1) return null;
        foreach (var c in part)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_')) return null;
        }
        // Where the unused low bits of the last character are not zero, this is a second text for the same octets: refused by the decoder
        // or by the comparison.
        var bytes = new byte[Base64Url.GetMaxDecodedLength(part.Length)];
        if (Base64Url.DecodeFromChars(part, bytes, out var consumed, out var length) != OperationStatus.Done || consumed != part.Length) return null;
        Array.Resize(ref bytes, length);
        Span<char> tail = stackalloc char[4];
        var start = part.Length / 4 * 4;
        if (start == part.Length) return bytes;
        Base64Url.EncodeToChars(bytes.AsSpan(start / 4 * 3), tail, out _, out var written);
        return part[start..].SequenceEqual(tail[..written]) ? bytes : null;
    }
}
