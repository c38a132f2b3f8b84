using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Commerce.Kernel.Secrets;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>
/// Nonces for DPoP proofs (RFC 9449 §8, §9): a keyed hash over a span of two minutes. Nothing is stored, every process knows every
/// other's, and a proof made ahead of time is worth nothing.
/// </summary>
internal sealed class DpopNonces(SharedSecrets secrets, TimeProvider clock)
{
    /// <summary>Name of the key among the <see cref="SharedSecrets"/>.</summary>
    public const string Secret = "dpop-nonce";

    private static readonly TimeSpan Span = TimeSpan.FromMinutes(2);

    /// <summary>The nonce to use from now on; 22 characters.</summary>
    public string Current => Of(Now);

    /// <summary>True for the nonce of this span or the one before; of the next too, for another process's clock may run ahead.</summary>
    public bool IsGood(string nonce)
    {
        var given = Encoding.UTF8.GetBytes(nonce);
        var (now, good) = (Now, false);
        for (var span = now - 1; span <= now + 1; span++) good |= CryptographicOperations.FixedTimeEquals(given, Encoding.ASCII.GetBytes(Of(span)));
        return good;
    }

    private long Now => clock.GetUtcNow().UtcTicks / Span.Ticks;

    private string Of(long span)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(bytes, span);
        Span<byte> hash = stackalloc byte[32];
        HMACSHA256.HashData(secrets.Get(Secret), bytes, hash);
        return Base64Url.EncodeToString(hash[..16]);
    }
}
