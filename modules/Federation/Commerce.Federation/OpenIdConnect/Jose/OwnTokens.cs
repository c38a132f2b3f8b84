using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Commerce.Federation.OpenIdConnect.Jose;

/// <summary>
/// The access tokens that this process signed last. One that comes back octet by octet needs no second look at its signature, which costs
/// three times what making it cost: userinfo follows the token within milliseconds. Held by hash, so the memory gives no token away.
/// </summary>
internal sealed class OwnTokens
{
    /// <summary>A power of two. At a thousand tokens a second the last four seconds.</summary>
    private const int Places = 4096;
    private readonly Held?[] places = new Held?[Places];

    private sealed record Held(byte[] Hash, string KeyId, byte[] Payload);

    public void Remember(ReadOnlySpan<byte> token, string keyId, ReadOnlySpan<byte> payload)
    {
        var hash = SHA256.HashData(token);
        Volatile.Write(ref places[PlaceOf(hash)], new Held(hash, keyId, payload.ToArray()));
    }

    /// <summary>What the token says, as if its signature had just been verified; null where it is none of those.</summary>
    public VerifiedJwt? Find(string token)
    {
        if (token.Length > CompactJws.MaxLength) return null;
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes(token), hash);
        return Volatile.Read(ref places[PlaceOf(hash)]) is { } held && hash.SequenceEqual(held.Hash)
            ? new VerifiedJwt(JsonElement.Parse(held.Payload), held.KeyId) : null;
    }

    private static int PlaceOf(ReadOnlySpan<byte> hash) => BitConverter.ToUInt16(hash) & (Places - 1);
}
