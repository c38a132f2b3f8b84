namespace Commerce.Kernel.Secrets;

/// <summary>Keyed hashes by which encrypted values are found again: HMAC-SHA256 with a key that the key ring wraps.</summary>
/// <remarks>A copy of the database alone cannot be searched by guessing addresses.</remarks>
public sealed class LookupHash(SharedSecrets secrets)
{
    internal const string Secret = "lookup-hash";

    /// <param name="purpose">What is looked up, such as <c>email</c>: equal values under two purposes have unequal hashes.</param>
    /// <param name="value">Already normalised by the caller.</param>
    /// <returns>32 bytes.</returns>
    public byte[] Of(string purpose, string value) => secrets.HashBy(Secret).Of($"{purpose}\n{value}");
}
