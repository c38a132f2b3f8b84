using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Kernel.Secrets;

/// <summary>What a key is for. One set of keys per purpose: a key of one protocol never signs for another.</summary>
/// <param name="Name">Lower case with dashes, at most 32 characters, such as <c>oidc-es256</c>.</param>
/// <param name="Algorithm"><c>ES256</c> (P-256), <c>RS256</c> or <c>PS256</c> (RSA, 2048 bits).</param>
/// <param name="WithCertificate">True where partners expect an X.509 certificate around the public key (SAML metadata).</param>
/// <param name="PublishedForever">True where what it signed is verified years later (consent receipts): retired keys stay published.</param>
public sealed record KeyPurpose(string Name, string Algorithm, bool WithCertificate = false, bool PublishedForever = false)
{
    /// <summary>
    /// How long a key signs before the hub itself lets the next one sign; null where only an operator does. Keys in certificates wait for the
    /// operator: many SAML service providers pin one certificate and have to be told before it changes.
    /// </summary>
    public TimeSpan? RotateAfter { get; init; } = WithCertificate ? null : TimeSpan.FromDays(PublishedForever ? 365 : 90);
}

/// <summary>A key as an operator sees it.</summary>
/// <param name="Store">Null for the hub's own store, else the name of the store that holds the private key.</param>
public sealed record KeyListing(
    string Kid, string Purpose, string Algorithm, KeyState State, string? Store, DateTimeOffset CreatedAt, DateTimeOffset? ActivatedAt, DateTimeOffset? RetiredAt);

/// <summary>One key pair, ready to sign or verify. Do not dispose its parts: they are shared.</summary>
public sealed record SigningKey(
    string Kid, string Purpose, string Algorithm, KeyState State, AsymmetricAlgorithm Key, X509Certificate2? Certificate,
    DateTimeOffset CreatedAt, DateTimeOffset? ActivatedAt, DateTimeOffset? RetiredAt)
{
    /// <summary>A hardware module signs: it may be away.</summary>
    public bool IsInHardware { get; init; }
}

/// <summary>
/// The hub's signing keys: one next, one active and any number of retired keys per purpose, in the hub's own store or in a hardware module.
/// A key is published before it signs and after it has stopped, so that partners with an old copy still verify.
/// </summary>
public sealed class SigningKeys(IServiceScopeFactory scopes, IEnumerable<KeyPurpose> purposes, IDataProtectionProvider ring, TimeProvider clock)
{
    /// <summary>Another process may rotate (<c>keys rotate</c>); this one notices within this time.</summary>
    private static readonly TimeSpan ReadAgainAfter = TimeSpan.FromSeconds(15);

    /// <summary>Retired keys stay published this long, longer than any message they signed is valid; see <see cref="KeyPurpose.PublishedForever"/>.</summary>
    private static readonly TimeSpan KeepRetired = TimeSpan.FromDays(30);

    /// <summary>A key is not put to use by its age alone before partners have had this long to read it.</summary>
    private static readonly TimeSpan PublishAhead = TimeSpan.FromHours(24);

    /// <summary>Requests ask for the keys to be read again this long after the last time: before one of them would have to wait for it.</summary>
    private static readonly TimeSpan ReadAheadAfter = TimeSpan.FromSeconds(10);

    private static readonly HotSql Usable = new("""
        SELECT "Kid", "Purpose", "Algorithm", "State", "Store", "WrappedPrivateKey", "Certificate", "CreatedAt", "ActivatedAt", "RetiredAt"
        FROM {schema}signing_keys WHERE "State" <> $1
        """);

    private readonly KeyStores stores = new(ring);
    private static readonly FormattableString OneAtATime = $"SELECT pg_advisory_xact_lock(hashtextextended('commerce.signing-keys', 0))";
    private readonly Lock gate = new();
    private volatile Snapshot known = new([], DateTimeOffset.MinValue);
    private Task<Snapshot>? reading;
    private int changes;

    /// <summary>What was read and when, as one: a reader without the lock never sees half of it.</summary>
    private sealed record Snapshot(Dictionary<string, SigningKey[]> Keys, DateTimeOffset ReadAt)
    {
        public SigningKey[]? Of(string purpose, DateTimeOffset now) => now - ReadAt < ReadAgainAfter ? Keys.GetValueOrDefault(purpose) : null;
    }

    public IReadOnlyList<KeyPurpose> Purposes { get; } = [.. purposes];

    /// <summary>The key that signs now.</summary>
    /// <exception cref="ArgumentException">No module registered the purpose.</exception>
    public SigningKey ActiveOf(string purpose) => PublishedOf(purpose).First(k => k.State == KeyState.Active);

    /// <summary>Every key that partners should accept or expect: active first, then next, then retired ones, newest first.</summary>
    public IReadOnlyList<SigningKey> PublishedOf(string purpose)
    {
        var now = clock.GetUtcNow();
        if (known.Of(purpose, now) is { } keys) return keys;
        return ReadOnceAsync(now).GetAwaiter().GetResult().Keys.GetValueOrDefault(purpose)
            ?? throw new ArgumentException($"No keys are kept for '{purpose}'.", nameof(purpose));
    }

    /// <summary>
    /// Reads the keys where what is known of them gets old. Awaited ahead of every request, so that none of them waits for the database on its
    /// thread when it signs, least of all between a commit and its answer.
    /// </summary>
    public Task ReadAheadAsync()
    {
        var now = clock.GetUtcNow();
        return now - known.ReadAt < ReadAheadAfter ? Task.CompletedTask : ReadOnceAsync(now);
    }

    /// <summary>Next becomes active, active becomes retired, and a new next is made.</summary>
    /// <param name="purpose">One purpose, or null for all.</param>
    /// <param name="emergency">
    /// The active key may be in foreign hands: it is no longer published, and nothing that it signed is accepted. A purpose that is published for
    /// ever keeps it published, because what it signed is proved by other means as well.
    /// </param>
    /// <returns>The purposes that were left as they are because no next key waits: those in hardware, where an operator adopts the next one.</returns>
    public Task<IReadOnlyList<string>> RotateAsync(string? purpose, bool emergency = false, CancellationToken stop = default) => ChangeAsync(async (db, now) =>
    {
        var waiting = new List<string>();
        foreach (var wanted in Purposes.Where(p => purpose is null || p.Name == purpose))
        {
            if (!await StepAsync(db, wanted, now, emergency && !wanted.PublishedForever ? KeyState.Revoked : KeyState.Retired, stop)) waiting.Add(wanted.Name);
        }
        return (IReadOnlyList<string>)waiting;
    }, stop);

    /// <summary>Rotates the purposes whose active key has signed for its time, where the next one has been published for a day.</summary>
    /// <param name="after">Age at which a key is due; null for each purpose's own, zero for never.</param>
    /// <returns>The purposes that were rotated.</returns>
    public async Task<IReadOnlyList<string>> RotateDueAsync(TimeSpan? after, CancellationToken stop = default)
    {
        var read = await ReadOnceAsync(clock.GetUtcNow());
        if (!Purposes.Any(p => IsDue(p, read.Keys.GetValueOrDefault(p.Name) ?? [], k => (k.State, k.CreatedAt, k.ActivatedAt), after, clock.GetUtcNow()))) return [];
        return await ChangeAsync(async (db, now) =>
        {
            var rotated = new List<string>();
            foreach (var wanted in Purposes)
            {
                // Looked at again under the lock: another process may have rotated meanwhile.
                var rows = await db.SigningKeys.Where(k => k.Purpose == wanted.Name && (k.State == KeyState.Active || k.State == KeyState.Next)).ToListAsync(stop);
                if (IsDue(wanted, rows, k => (k.State, k.CreatedAt, k.ActivatedAt), after, now) && await StepAsync(db, wanted, now, KeyState.Retired, stop)) rotated.Add(wanted.Name);
            }
            return (IReadOnlyList<string>)rotated;
        }, stop);
    }

    private static bool IsDue<TKey>(
        KeyPurpose purpose, IReadOnlyList<TKey> keys, Func<TKey, (KeyState State, DateTimeOffset CreatedAt, DateTimeOffset? ActivatedAt)> of, TimeSpan? after, DateTimeOffset now)
    {
        if (purpose.RotateAfter is null || (after ?? purpose.RotateAfter) is not { } age || age <= TimeSpan.Zero) return false;
        return keys.Select(of).Any(k => k.State == KeyState.Active && k.ActivatedAt <= now - age)
            && keys.Select(of).Any(k => k.State == KeyState.Next && k.CreatedAt <= now - PublishAhead);
    }

    /// <summary>
    /// Takes a key out of a hardware module as the next key of a purpose, in place of the one that waits there. From the time it signs, the purpose
    /// stays in hardware: no next key is made in the hub's own store.
    /// </summary>
    /// <exception cref="CryptographicException">The key cannot be reached, does not sign, or is not of the purpose's kind.</exception>
    public async Task AdoptAsync(string purpose, HardwareKey address, CancellationToken stop = default)
    {
        var wanted = Purposes.Single(p => p.Name == purpose);
        using var key = HardwareKeyStore.Open(wanted.Algorithm, address);
        Prove(key);
        await ChangeAsync(async (db, now) =>
        {
            db.SigningKeys.RemoveRange(await db.SigningKeys.Where(k => k.Purpose == purpose && k.State == KeyState.Next).ToListAsync(stop));
            db.SigningKeys.Add(RowOf(wanted, KeyState.Next, now, key, HardwareKeyStore.StoreName, JsonSerializer.SerializeToUtf8Bytes(address)));
            return true;
        }, stop);
    }

    /// <summary>All keys of all purposes, as they stand in the store, revoked ones and those no longer published included.</summary>
    /// <exception cref="CryptographicException">The key ring that wrapped them is lost: none of them would sign.</exception>
    public async Task<IReadOnlyList<KeyListing>> ListAsync(CancellationToken stop = default)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<KernelDb>();
        await EnsureAllAsync(db, stop);
        var rows = await db.SigningKeys.AsNoTracking().ToListAsync(stop);
        foreach (var row in rows) CryptographicOperations.ZeroMemory(stores.Unwrap(row));
        return [.. rows.OrderBy(k => k.Purpose, StringComparer.Ordinal).ThenBy(Rank).ThenByDescending(k => k.CreatedAt)
            .Select(k => new KeyListing(k.Kid, k.Purpose, k.Algorithm, k.State, k.Store, k.CreatedAt, k.ActivatedAt, k.RetiredAt))];
    }

    private static int Rank(SigningKeyRow key) => key.State switch { KeyState.Active => 0, KeyState.Next => 1, KeyState.Retired => 2, _ => 3 };

    /// <summary>One step of one purpose. False where no next key waits: the active one then goes on.</summary>
    private async Task<bool> StepAsync(KernelDb db, KeyPurpose wanted, DateTimeOffset now, KeyState outgoing, CancellationToken stop)
    {
        var rows = await db.SigningKeys.Where(k => k.Purpose == wanted.Name && (k.State == KeyState.Active || k.State == KeyState.Next)).ToListAsync(stop);
        if (rows.SingleOrDefault(k => k.State == KeyState.Next) is not { } next) return false;
        foreach (var row in rows.Where(k => k.State == KeyState.Active)) (row.State, row.RetiredAt) = (outgoing, now);
        (next.State, next.ActivatedAt) = (KeyState.Active, now);
        if (next.Store is null) db.SigningKeys.Add(Make(wanted, KeyState.Next, now));
        return true;
    }

    /// <summary>One change at a time, over all processes on the same store: two of them must not both rotate.</summary>
    private async Task<T> ChangeAsync<T>(Func<KernelDb, DateTimeOffset, Task<T>> change, CancellationToken stop)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<KernelDb>();
        await EnsureAllAsync(db, stop);
        await using var transaction = await db.Database.BeginTransactionAsync(stop);     // on SQLite it takes the write lock at once
        if (db.Database.ProviderName == Engines.Npgsql) await db.Database.ExecuteSqlAsync(OneAtATime, stop);
        var outcome = await change(db, clock.GetUtcNow());
        await db.SaveChangesAsync(stop);
        await transaction.CommitAsync(stop);
        lock (gate)
        {
            changes++;
            (known, reading) = (known with { ReadAt = DateTimeOffset.MinValue }, null);
        }
        return outcome;
    }

    /// <summary>One reading at a time: all who need it wait for the same.</summary>
    private Task<Snapshot> ReadOnceAsync(DateTimeOffset now)
    {
        lock (gate)
        {
            return reading is { IsCompleted: false } ? reading : reading = ReadAsync(now, changes);
        }
    }

    private async Task<Snapshot> ReadAsync(DateTimeOffset now, int changesBefore)
    {
        await using var scope = scopes.CreateAsyncScope();
        var store = scope.ServiceProvider.GetRequiredService<HotStore<KernelDb>>();
        var rows = await UsableAsync(store);
        if (MissingIn(rows).Count > 0)
        {
            await EnsureAllAsync(scope.ServiceProvider.GetRequiredService<KernelDb>(), CancellationToken.None);
            rows = await UsableAsync(store);
        }
        var before = now - KeepRetired;
        var forever = Purposes.Where(p => p.PublishedForever).Select(p => p.Name).ToHashSet(StringComparer.Ordinal);
        var opened = known.Keys.Values.SelectMany(k => k).ToDictionary(k => k.Kid);
        var keys = rows
            .Where(k => k.RetiredAt is null || k.RetiredAt > before || forever.Contains(k.Purpose))
            .Select(row => opened.TryGetValue(row.Kid, out var open)
                ? open with { State = row.State, ActivatedAt = row.ActivatedAt, RetiredAt = row.RetiredAt } : Open(row))
            .GroupBy(k => k.Purpose)
            .ToDictionary(g => g.Key, g => g.OrderBy(k => k.State switch { KeyState.Active => 0, KeyState.Next => 1, _ => 2 })
                .ThenByDescending(k => k.CreatedAt).ToArray());
        lock (gate)
        {
            // What was changed meanwhile may be missing here: the next one reads again.
            return known = new Snapshot(keys, changes == changesBefore ? now : DateTimeOffset.MinValue);
        }
    }

    private static async Task<List<SigningKeyRow>> UsableAsync(HotStore store) => await store.ReadAsync(read => read.ListAsync(Usable, row => new SigningKeyRow
    {
        Kid = row.GetString(0),
        Purpose = row.GetString(1),
        Algorithm = row.GetString(2),
        State = (KeyState)row.GetInt32(3),
        Store = row.GetStringOrNull(4),
        WrappedPrivateKey = row.GetFieldValue<byte[]>(5),
        Certificate = row.GetBytesOrNull(6),
        CreatedAt = row.GetInstant(7),
        ActivatedAt = row.GetInstantOrNull(8),
        RetiredAt = row.GetInstantOrNull(9),
    }, KeyState.Revoked));

    private async Task EnsureAllAsync(KernelDb db, CancellationToken stop)
    {
        if ((await MissingAsync(db, stop)).Count == 0) return;
        // A second process may be starting on the same store: two active keys of one purpose must not come of it.
        await using var transaction = await db.Database.BeginTransactionAsync(stop);     // on SQLite it takes the write lock at once
        if (db.Database.ProviderName == Engines.Npgsql) await db.Database.ExecuteSqlAsync(OneAtATime, stop);
        var now = clock.GetUtcNow();
        db.SigningKeys.AddRange((await MissingAsync(db, stop)).Select(m => Make(m.Purpose, m.State, now)));
        await db.SaveChangesAsync(stop);
        await transaction.CommitAsync(stop);
    }

    private async Task<List<(KeyPurpose Purpose, KeyState State)>> MissingAsync(KernelDb db, CancellationToken stop) =>
        MissingIn(await db.SigningKeys.AsNoTracking().Where(k => k.State == KeyState.Active || k.State == KeyState.Next).ToListAsync(stop));

    private List<(KeyPurpose Purpose, KeyState State)> MissingIn(List<SigningKeyRow> rows)
    {
        var there = rows.Where(k => k.State is KeyState.Active or KeyState.Next).ToList();
        return [.. from purpose in Purposes
                   from state in new[] { KeyState.Active, KeyState.Next }
                   where !there.Any(k => k.Purpose == purpose.Name && (k.State == state || k.Store is not null))    // what is in hardware stays there
                   select (purpose, state)];
    }

    private SigningKeyRow Make(KeyPurpose purpose, KeyState state, DateTimeOffset now)
    {
        using AsymmetricAlgorithm key = purpose.Algorithm switch
        {
            "ES256" => ECDsa.Create(ECCurve.NamedCurves.nistP256),
            "RS256" or "PS256" => RSA.Create(2048),
            _ => throw new NotSupportedException($"No key generator for {purpose.Algorithm}."),
        };
        return RowOf(purpose, state, now, key, store: null, key.ExportPkcs8PrivateKey());
    }

    private SigningKeyRow RowOf(KeyPurpose purpose, KeyState state, DateTimeOffset now, AsymmetricAlgorithm key, string? store, byte[] content) => new()
    {
        Kid = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(12)),
        Purpose = purpose.Name,
        Algorithm = purpose.Algorithm,
        State = state,
        Store = store,
        WrappedPrivateKey = stores.Wrap(content),
        Certificate = purpose.WithCertificate ? SelfSigned(purpose, key, now) : null,
        CreatedAt = now,
        ActivatedAt = state == KeyState.Active ? now : null,
    };

    /// <summary>A key of the right kind that does not sign is found out when it is adopted, not when the first customer waits for it.</summary>
    private static void Prove(AsymmetricAlgorithm key)
    {
        byte[] probe = [1, 2, 3];
        var holds = key switch
        {
            ECDsa { KeySize: 256 } ec => ec.VerifyData(probe, ec.SignData(probe, HashAlgorithmName.SHA256), HashAlgorithmName.SHA256),
            RSA { KeySize: >= 2048 } rsa => rsa.VerifyData(probe, rsa.SignData(probe, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
            _ => throw new CryptographicException($"The key has {key.KeySize} bits; P-256 or RSA from 2048 bits on is needed."),
        };
        if (!holds) throw new CryptographicException("What the key signs does not verify under its public part.");
    }

    private static byte[] SelfSigned(KeyPurpose purpose, AsymmetricAlgorithm key, DateTimeOffset now)
    {
        var name = new X500DistinguishedName($"CN=Commerce {purpose.Name}");
        var request = key is RSA rsa
            ? new CertificateRequest(name, rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest(name, (ECDsa)key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddYears(10));   // partners pin the key, not the dates
        return certificate.Export(X509ContentType.Cert);
    }

    private SigningKey Open(SigningKeyRow row)
    {
        var key = stores.Open(row);
        var certificate = row.Certificate is { } bytes ? X509CertificateLoader.LoadCertificate(bytes) : null;
        return new SigningKey(row.Kid, row.Purpose, row.Algorithm, row.State, key, certificate, row.CreatedAt, row.ActivatedAt, row.RetiredAt) { IsInHardware = row.Store is not null };
    }
}
