using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Kernel.Secrets;

/// <summary>
/// Encrypts what belongs to one customer with a key of the customer's own (AES-256-GCM), itself wrapped by the key ring.
/// Erasing the customer destroys the key, and with it every copy in every module and backup that came later than it.
/// </summary>
/// <remarks>
/// Layout: 1 byte version (1), 12 bytes nonce, 16 bytes tag, ciphertext. The customer's id and the purpose are authenticated with it,
/// so a value moved to another customer or column does not open.
/// </remarks>
public sealed class PersonalData(IServiceScopeFactory scopes, IDataProtectionProvider ring, TimeProvider clock) : IDisposable
{
    private static readonly HotSql
        Find = new("""SELECT "Wrapped" FROM {schema}customer_keys WHERE "Customer" = $1"""),
        Add = new("""INSERT INTO {schema}customer_keys ("Customer", "Wrapped", "CreatedAt") VALUES ($1, $2, $3) ON CONFLICT DO NOTHING""");

    private const int HeaderLength = 1 + 12 + 16;
    private readonly IDataProtector wrap = ring.CreateProtector("commerce.customer-key.v1");
    private readonly Lazy<HotStore> store = new(() =>
    {
        using var scope = scopes.CreateScope();
        return scope.ServiceProvider.GetRequiredService<HotStore<KernelDb>>();
    });
    private readonly MemoryCache keys = new(new MemoryCacheOptions { SizeLimit = 50_000 });

    /// <param name="customer">Whose data it is. A key is made at first use.</param>
    /// <param name="purpose">Table and column, such as <c>identity.account.email</c>.</param>
    /// <exception cref="CustomerErasedException">The customer's key was destroyed.</exception>
    public async ValueTask<byte[]> ProtectAsync(Guid customer, string purpose, byte[] plain, CancellationToken stop = default)
    {
        var key = await KeyAsync(customer, create: true, stop) ?? throw new CustomerErasedException();
        var sealedBytes = new byte[HeaderLength + plain.Length];
        sealedBytes[0] = 1;
        var nonce = sealedBytes.AsSpan(1, 12);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(key, 16);
        aes.Encrypt(nonce, plain, sealedBytes.AsSpan(HeaderLength), sealedBytes.AsSpan(13, 16), AssociatedData(customer, purpose));
        return sealedBytes;
    }

    /// <returns>The plain bytes, or null where the customer has been erased.</returns>
    /// <exception cref="CryptographicException">The bytes were not sealed for this customer and purpose, or were changed.</exception>
    public async ValueTask<byte[]?> UnprotectAsync(Guid customer, string purpose, byte[] sealedBytes, CancellationToken stop = default)
    {
        if (sealedBytes.Length < HeaderLength || sealedBytes[0] != 1) throw new CryptographicException("Not a sealed value.");
        if (await KeyAsync(customer, create: false, stop) is not { } key) return null;
        var plain = new byte[sealedBytes.Length - HeaderLength];
        using var aes = new AesGcm(key, 16);
        aes.Decrypt(sealedBytes.AsSpan(1, 12), sealedBytes.AsSpan(HeaderLength), sealedBytes.AsSpan(13, 16), plain, AssociatedData(customer, purpose));
        return plain;
    }

    /// <summary>False where the customer was erased, or nothing was ever sealed for them: what is held open of them is not to be used.</summary>
    public async ValueTask<bool> HasKeyAsync(Guid customer, CancellationToken stop = default) => await KeyAsync(customer, create: false, stop) is not null;

    public ValueTask<byte[]> ProtectTextAsync(Guid customer, string purpose, string plain, CancellationToken stop = default) =>
        ProtectAsync(customer, purpose, Encoding.UTF8.GetBytes(plain), stop);

    public async ValueTask<string?> UnprotectTextAsync(Guid customer, string purpose, byte[] sealedBytes, CancellationToken stop = default) =>
        await UnprotectAsync(customer, purpose, sealedBytes, stop) is { } plain ? Encoding.UTF8.GetString(plain) : null;

    public ValueTask<byte[]> ProtectJsonAsync<T>(Guid customer, string purpose, T value, CancellationToken stop = default) =>
        ProtectAsync(customer, purpose, JsonSerializer.SerializeToUtf8Bytes(value, HubJson.Options), stop);

    public async ValueTask<T?> UnprotectJsonAsync<T>(Guid customer, string purpose, byte[] sealedBytes, CancellationToken stop = default) =>
        await UnprotectAsync(customer, purpose, sealedBytes, stop) is { } plain ? JsonSerializer.Deserialize<T>(plain, HubJson.Options) : default;

    /// <summary>Makes or reads the keys of many customers at once, so that sealing for them afterwards asks the database nothing. For imports.</summary>
    public async Task EnsureKeysAsync(IReadOnlyCollection<Guid> customers, CancellationToken stop = default)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<KernelDb>();
        var unknown = customers.Where(c => !keys.TryGetValue(c, out _)).ToHashSet();
        var kept = await db.CustomerKeys.AsNoTracking().Where(k => unknown.Contains(k.Customer)).ToListAsync(stop);
        foreach (var row in kept.Where(row => row.Wrapped.Length > 0)) Remember(row.Customer, wrap.Unprotect(row.Wrapped));
        var made = new List<(Guid Customer, byte[] Key)>();
        foreach (var customer in unknown.Except(kept.Select(row => row.Customer)))
        {
            db.CustomerKeys.Add(NewRow(customer, out var key));
            made.Add((customer, key));
        }
        await db.SaveChangesAsync(stop);
        foreach (var (customer, key) in made) Remember(customer, key);
    }

    /// <summary>Destroys the customer's key. Nothing that was sealed with it opens again, and no new key is made.</summary>
    public async Task EraseAsync(Guid customer, CancellationToken stop = default)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<KernelDb>();
        var row = await db.CustomerKeys.SingleOrDefaultAsync(k => k.Customer == customer, stop);
        if (row is null) db.CustomerKeys.Add(row = NewRow(customer, out _));
        row.Wrapped = [];
        row.ErasedAt = clock.GetUtcNow();
        await db.SaveChangesAsync(stop);
        keys.Remove(customer);
    }

    private static byte[] AssociatedData(Guid customer, string purpose) => Encoding.UTF8.GetBytes($"{customer:N}\n{purpose}");

    private CustomerKey NewRow(Guid customer, out byte[] key)
    {
        key = RandomNumberGenerator.GetBytes(32);
        return new CustomerKey { Customer = customer, Wrapped = wrap.Protect(key), CreatedAt = clock.GetUtcNow() };
    }

    private async ValueTask<byte[]?> KeyAsync(Guid customer, bool create, CancellationToken stop)
    {
        if (keys.TryGetValue(customer, out byte[]? cached)) return cached;
        while (true)
        {
            var wrapped = await store.Value.ReadAsync(read => read.FirstAsync(Find, row => row.GetFieldValue<byte[]>(0), customer), stop);
            if (wrapped is { Length: 0 }) return null;
            if (wrapped is not null) return Remember(customer, wrap.Unprotect(wrapped));
            if (!create) return null;
            // Then read: what counts is what is there, for another request may make the key at the same moment.
            var row = NewRow(customer, out _);
            await store.Value.WriteAsync(write => write.ExecuteAsync(Add, row.Customer, row.Wrapped, row.CreatedAt), stop);
        }
    }

    // Minutes, not hours: another process that erases a customer cannot reach into this cache.
    private byte[] Remember(Guid customer, byte[] key) =>
        keys.Set(customer, key, new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = TimeSpan.FromMinutes(5) });

    public void Dispose() => keys.Dispose();
}

/// <summary>Something was to be written about a customer whose key has been destroyed.</summary>
public sealed class CustomerErasedException() : InvalidOperationException("This customer has been erased; nothing more is kept about them.");
