using Microsoft.EntityFrameworkCore;

namespace Commerce.Kernel.Secrets;

/// <summary>The kernel's own database: customers' keys, shared secrets and signing keys, each wrapped by the key ring.</summary>
internal sealed class KernelDb(DbContextOptions<KernelDb> options) : ModuleDb(options)
{
    public override string ModuleName => "kernel";
    public DbSet<CustomerKey> CustomerKeys => Set<CustomerKey>();
    public DbSet<SharedSecret> Secrets => Set<SharedSecret>();
    public DbSet<SigningKeyRow> SigningKeys => Set<SigningKeyRow>();

    protected override void Build(ModelBuilder model)
    {
        model.Entity<CustomerKey>(key =>
        {
            key.ToTable("customer_keys").HasKey(k => k.Customer);
            key.Property(k => k.Wrapped).HasMaxLength(512);
        });
        model.Entity<SharedSecret>(secret =>
        {
            secret.ToTable("secrets").HasKey(s => s.Name);
            secret.Property(s => s.Name).HasMaxLength(64);
            secret.Property(s => s.Wrapped).HasMaxLength(512);
        });
        model.Entity<SigningKeyRow>(key =>
        {
            key.ToTable("signing_keys").HasKey(k => k.Kid);
            key.Property(k => k.Kid).HasMaxLength(64);
            key.Property(k => k.Purpose).HasMaxLength(32);
            key.Property(k => k.Algorithm).HasMaxLength(16);
            key.Property(k => k.Store).HasMaxLength(16);
            key.HasIndex(k => new { k.Purpose, k.State });
        });
    }
}

/// <summary>One customer's data key, wrapped. The row outlives erasure with an empty key, so that no new one is made for the erased customer.</summary>
internal sealed class CustomerKey
{
    public required Guid Customer { get; init; }
    public required byte[] Wrapped { get; set; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? ErasedAt { get; set; }
}

internal sealed class SharedSecret
{
    public required string Name { get; init; }
    public required byte[] Wrapped { get; init; }
}

/// <summary>One signing key pair of one purpose.</summary>
internal sealed class SigningKeyRow
{
    public required string Kid { get; init; }
    public required string Purpose { get; init; }
    public required string Algorithm { get; init; }
    public KeyState State { get; set; }

    /// <summary>Null where <see cref="WrappedPrivateKey"/> is the key itself; else the store that <see cref="WrappedPrivateKey"/> is an address in.</summary>
    public string? Store { get; init; }

    public required byte[] WrappedPrivateKey { get; set; }
    public byte[]? Certificate { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? ActivatedAt { get; set; }
    public DateTimeOffset? RetiredAt { get; set; }
}

/// <summary>A key is published before it signs (next), signs (active), and stays published until all it signed has expired (retired).
/// One that may be in foreign hands is published no more (revoked).</summary>
public enum KeyState
{
    Next = 0,
    Active = 1,
    Retired = 2,
    Revoked = 3,
}
