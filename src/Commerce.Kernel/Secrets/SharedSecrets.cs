using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Kernel.Secrets;

/// <summary>A name among the <see cref="SharedSecrets"/>; see <see cref="KernelRegistration.AddSharedSecret"/>.</summary>
public sealed record SharedSecretName(string Name);

/// <summary>Long-lived secrets of the hub by name, 32 random bytes each, made at the first start and kept wrapped by the key ring.</summary>
/// <remarks>
/// They are never changed: the pairwise salt, for one, decides under which name each partner knows each customer. All of them are read before
/// the first request, so that no request waits for the database on its thread.
/// </remarks>
public sealed class SharedSecrets(IServiceScopeFactory scopes, IDataProtectionProvider ring, IEnumerable<SharedSecretName> names)
{
    private static readonly HotSql
        All = new("""SELECT "Name", "Wrapped" FROM {schema}secrets"""),
        Add = new("""INSERT INTO {schema}secrets ("Name", "Wrapped") VALUES ($1, $2) ON CONFLICT DO NOTHING""");
    private readonly IDataProtector wrap = ring.CreateProtector("commerce.shared-secret.v1");
    private readonly ConcurrentDictionary<string, KeyedHash> hashes = new(StringComparer.Ordinal);
    private readonly Lock gate = new();
    private Task<FrozenDictionary<string, byte[]>>? reading;

    /// <exception cref="ArgumentException">No module registered the name.</exception>
    public byte[] Get(string name) => LoadAsync().GetAwaiter().GetResult().GetValueOrDefault(name)
        ?? throw new ArgumentException($"No module registered the secret '{name}'.", nameof(name));

    /// <summary>The keyed hash with one of them as its key.</summary>
    /// <exception cref="ArgumentException">No module registered the name.</exception>
    public KeyedHash HashBy(string name) => hashes.TryGetValue(name, out var known) ? known : hashes.GetOrAdd(name, new KeyedHash(Get(name)));

    /// <summary>Reads every registered secret and makes those that are not there yet. Awaited at the start; later it is a look at memory.</summary>
    internal Task<FrozenDictionary<string, byte[]>> LoadAsync()
    {
        if (reading is { IsCompletedSuccessfully: true } done) return done;
        lock (gate)
        {
            return reading is null or { IsFaulted: true } ? reading = ReadAsync() : reading;
        }
    }

    private async Task<FrozenDictionary<string, byte[]>> ReadAsync()
    {
        await using var scope = scopes.CreateAsyncScope();
        var store = scope.ServiceProvider.GetRequiredService<HotStore<KernelDb>>();
        var wanted = names.Select(n => n.Name).ToHashSet(StringComparer.Ordinal);
        var there = await ThereAsync(store);
        if (!wanted.All(there.ContainsKey))
        {
            await MakeAsync(store, wanted.Where(name => !there.ContainsKey(name)));
            there = await ThereAsync(store);    // what counts: another process may have made them at the same moment
        }
        return wanted.ToFrozenDictionary(name => name, name => wrap.Unprotect(there[name]), StringComparer.Ordinal);
    }

    private static async Task<Dictionary<string, byte[]>> ThereAsync(HotStore store) =>
        (await store.ReadAsync(read => read.ListAsync(All, row => (Name: row.GetString(0), Wrapped: row.GetFieldValue<byte[]>(1)))))
            .ToDictionary(s => s.Name, s => s.Wrapped, StringComparer.Ordinal);

    /// <returns>How many rows were added.</returns>
    private Task<int> MakeAsync(HotStore store, IEnumerable<string> missing)
    {
        var made = missing.Select(name => (Name: name, Wrapped: wrap.Protect(RandomNumberGenerator.GetBytes(32)))).ToList();
        return store.WriteAsync(async write =>
        {
            var added = 0;
            foreach (var (name, wrapped) in made) added += await write.ExecuteAsync(Add, name, wrapped);
            return added;
        });
    }
}
