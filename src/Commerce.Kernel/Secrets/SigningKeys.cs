using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Kernel.Secrets;

/// <summary>What a key is for. One set of keys per purpose: a key of one protocol never signs for another.</summary>
/// <param name="Name">Lower case with dashes, at most 32 characters, such as <c>oidc-es256</c>.</param>
/// <param name="Algorithm"><c>ES256</c> (P-256), <c>RS256</c> or <c>PS256</c> (RSA, 2048 bits).</param>
/// <param name="WithCertificate">True where partners expect an X.509 certificate around the public key (SAML metadata).</param>
/// <param name="PublishedForever">True where what it signed is verified years later (consent receipts): retired keys stay published.</param>
public sealed record KeyPurpose(string Name, string Algorithm, bool WithCertificate = false, bool PublishedForever = false);

/// <summary>One key pair, ready to sign or verify. Do not dispose its parts: they are shared.</summary>
public sealed record SigningKey(
    string Kid, string Purpose, string Algorithm, KeyState State, AsymmetricAlgorithm Key, X509Certificate2? Certificate,
    DateTimeOffset CreatedAt, DateTimeOffset? ActivatedAt, DateTimeOffset? RetiredAt);

/// <summary>
/// The hub's signing keys: private parts wrapped by the key ring, one next, one active and any number of retired keys per purpose.
/// A key is published before it signs and after it has stopped, so that partners with an old copy still verify.
/// </summary>
public sealed class SigningKeys(IServiceScopeFactory scopes, IEnumerable<KeyPurpose> purposes, IDataProtectionProvider ring, TimeProvider clock)
{
    /// <summary>Another process may rotate (<c>keys rotate</c>); this one notices within this time.</summary>
    private static readonly TimeSpan ReadAgainAfter = TimeSpan.FromSeconds(15);

    /// <summary>Retired keys stay published this long, longer than any message they signed is valid; see <see cref="KeyPurpose.PublishedForever"/>.</summary>
    private static readonly TimeSpan KeepRetired = TimeSpan.FromDays(30);

    private readonly IDataProtector wrap = ring.CreateProtector("commerce.signing-key.v1");
    private readonly Lock gate = new();
    private volatile Snapshot known = new([], DateTimeOffset.MinValue);

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
        lock (gate)
        {
            return known.Of(purpose, now) ?? Read(now).Keys.GetValueOrDefault(purpose)
                ?? throw new ArgumentException($"No keys are kept for '{purpose}'.", nameof(purpose));
        }
    }

    /// <summary>Next becomes active, active becomes retired, and a new next is made.</summary>
    /// <param name="purpose">One purpose, or null for all.</param>
    public async Task RotateAsync(string? purpose, CancellationToken stop = default)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<KernelDb>();
        EnsureAll(db);
        var now = clock.GetUtcNow();
        foreach (var wanted in Purposes.Where(p => purpose is null || p.Name == purpose))
        {
            var rows = await db.SigningKeys.Where(k => k.Purpose == wanted.Name && k.State != KeyState.Retired).ToListAsync(stop);
            foreach (var row in rows)
            {
                if (row.State == KeyState.Active) (row.State, row.RetiredAt) = (KeyState.Retired, now);
                else (row.State, row.ActivatedAt) = (KeyState.Active, now);
            }
            db.SigningKeys.Add(Make(wanted, KeyState.Next, now));
        }
        await db.SaveChangesAsync(stop);
        lock (gate) known = known with { ReadAt = DateTimeOffset.MinValue };
    }

    /// <summary>All keys of all purposes, as they stand in the store.</summary>
    public IReadOnlyList<SigningKey> List()
    {
        lock (gate)
        {
            return [.. Read(clock.GetUtcNow()).Keys.Values.SelectMany(k => k)];
        }
    }

    private Snapshot Read(DateTimeOffset now)
    {
        using var scope = scopes.CreateScope();
        var db = scope.ServiceProvider.GetRequiredService<KernelDb>();
        EnsureAll(db);
        var before = now - KeepRetired;
        var forever = Purposes.Where(p => p.PublishedForever).Select(p => p.Name).ToList();
        var opened = known.Keys.Values.SelectMany(k => k).ToDictionary(k => k.Kid);
        var rows = db.SigningKeys.AsNoTracking().Where(k => k.RetiredAt == null || k.RetiredAt > before || forever.Contains(k.Purpose)).ToList();
        var keys = rows
            .Select(row => opened.TryGetValue(row.Kid, out var open)
                ? open with { State = row.State, ActivatedAt = row.ActivatedAt, RetiredAt = row.RetiredAt } : Open(row))
            .GroupBy(k => k.Purpose)
            .ToDictionary(g => g.Key, g => g.OrderBy(k => k.State switch { KeyState.Active => 0, KeyState.Next => 1, _ => 2 })
                .ThenByDescending(k => k.CreatedAt).ToArray());
        return known = new Snapshot(keys, now);
    }

    private void EnsureAll(KernelDb db)
    {
        if (Missing(db).Count == 0) return;
        // A second process may be starting on the same store: two active keys of one purpose must not come of it.
        using var transaction = db.Database.BeginTransaction();     // on SQLite it takes the write lock at once
        if (db.Database.ProviderName == Engines.Npgsql) db.Database.ExecuteSql($"SELECT pg_advisory_xact_lock(hashtextextended('commerce.signing-keys', 0))");
        var now = clock.GetUtcNow();
        db.SigningKeys.AddRange(Missing(db).Select(m => Make(m.Purpose, m.State, now)));
        db.SaveChanges();
        transaction.Commit();
    }

    private List<(KeyPurpose Purpose, KeyState State)> Missing(KernelDb db)
    {
        var there = db.SigningKeys.Where(k => k.State != KeyState.Retired).Select(k => new { k.Purpose, k.State }).ToList();
        return [.. from purpose in Purposes
                   from state in new[] { KeyState.Active, KeyState.Next }
                   where !there.Any(k => k.Purpose == purpose.Name && k.State == state)
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
        return new SigningKeyRow
        {
            Kid = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(12)),
            Purpose = purpose.Name,
            Algorithm = purpose.Algorithm,
            State = state,
            WrappedPrivateKey = wrap.Protect(key.ExportPkcs8PrivateKey()),
            Certificate = purpose.WithCertificate ? SelfSigned(purpose, key, now) : null,
            CreatedAt = now,
            ActivatedAt = state == KeyState.Active ? now : null,
        };
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
        AsymmetricAlgorithm key = row.Algorithm == "ES256" ? ECDsa.Create() : RSA.Create();
        key.ImportPkcs8PrivateKey(wrap.Unprotect(row.WrappedPrivateKey), out _);
        var certificate = row.Certificate is { } bytes ? X509CertificateLoader.LoadCertificate(bytes) : null;
        return new SigningKey(row.Kid, row.Purpose, row.Algorithm, row.State, key, certificate, row.CreatedAt, row.ActivatedAt, row.RetiredAt);
    }
}
