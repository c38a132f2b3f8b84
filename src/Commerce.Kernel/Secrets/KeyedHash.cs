using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Commerce.Kernel.Secrets;

/// <summary>HMAC-SHA256 with one key, for short values on every request's way.</summary>
/// <remarks>It keeps what it began: to begin a hash with the key anew takes twice as long as to hash a short value.</remarks>
public sealed class KeyedHash
{
    private const int Short = 512;
    private readonly byte[] key;
    private readonly ConcurrentBag<IncrementalHash> idle = [];

    /// <param name="key">32 bytes or more.</param>
    /// <exception cref="ArgumentException">The key is shorter.</exception>
    public KeyedHash(byte[] key) => this.key = key.Length < 32 ? throw new ArgumentException("A key has at least 32 bytes.", nameof(key)) : key;

    /// <returns>32 bytes.</returns>
    public byte[] Of(string value)
    {
        if (!idle.TryTake(out var hash)) hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        Span<byte> room = stackalloc byte[Short];
        hash.AppendData(value.Length <= Short / 3 ? room[..Encoding.UTF8.GetBytes(value, room)] : Encoding.UTF8.GetBytes(value));
        var result = hash.GetHashAndReset();
        idle.Add(hash);
        return result;
    }
}
