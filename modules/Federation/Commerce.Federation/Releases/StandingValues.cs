using System.Text.Json;
using Commerce.Kernel;
using Microsoft.Extensions.Caching.Memory;

namespace Commerce.Federation.Releases;

/// <summary>What a set of values was fixed for. Whatever differs makes it another set.</summary>
/// <param name="Names">Names of the claims decided on, separated by spaces.</param>
internal readonly record struct ValuesKey(Guid Customer, string Connection, string Purpose, int ContractVersion, string? Receipt, string Names);

/// <summary>Values as they were fixed.</summary>
/// <param name="ClaimNames">Names of those that have a value.</param>
/// <param name="Sealed">With the customer's key, as they are stored.</param>
/// <param name="Opened">The same as they would be read: to open and parse them for every answer took 15 µs.</param>
internal sealed record FixedValues(string ClaimNames, byte[] Sealed, IReadOnlyDictionary<string, JsonElement> Opened, string Hash);

/// <summary>
/// The values of sign-ins a moment ago. A customer who goes to the same partner again under the same receipt takes the same values
/// along: they are neither gathered nor sealed anew, and still every release is a row and an entry of its own.
/// </summary>
/// <remarks>What the customer changes in this process counts at once, what another process changes within <see cref="CustomerChanges.Freshness"/>.</remarks>
internal sealed class StandingValues(CustomerChanges changes) : IDisposable
{
    private readonly MemoryCache known = new(new MemoryCacheOptions { SizeLimit = 20_000 });

    private sealed record Held(FixedValues Values, long Stamp);

    /// <summary>Read it before the values are gathered, and hand it to <see cref="Keep"/>.</summary>
    public long StampOf(Guid customer) => changes.Of(customer);

    public FixedValues? Find(in ValuesKey key) =>
        known.TryGetValue(key, out Held? held) && held!.Stamp == changes.Of(key.Customer) ? held.Values : null;

    public void Keep(in ValuesKey key, FixedValues values, long stamp) => known.Set(key, new Held(values, stamp),
        new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = CustomerChanges.Freshness });

    public void Dispose() => known.Dispose();
}
