using Commerce.Identity.Contracts;
using Commerce.Kernel.Secrets;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Commerce.Identity.Accounts;

/// <summary>One customer's account: one e-mail address, one password, any number of sessions.</summary>
internal sealed class CustomerAccount
{
    private const string EmailPurpose = "identity.account.email";
    private const string ImportedHashPurpose = "identity.account.imported-hash";

    public required Guid Customer { get; init; }

    /// <summary>Keyed hash of the normalised address; unique, so that one address has one account.</summary>
    public required byte[] EmailHash { get; set; }

    /// <summary>The address as the customer wrote it, sealed with the customer's key.</summary>
    public required byte[] Email { get; set; }

    public DateTimeOffset? EmailVerifiedAt { get; set; }
    public required string Locale { get; set; }
    public required string Banner { get; init; }

    /// <summary>PBKDF2 as the framework's password hasher writes it, or null where no password has been set here yet.</summary>
    public string? PasswordHash { get; set; }

    /// <summary>
    /// An older directory's hash, sealed with the customer's key because such hashes are quick to guess against. It goes at the first
    /// sign-in, which sets <see cref="PasswordHash"/> instead.
    /// </summary>
    public byte[]? ImportedHash { get; set; }

    public DateTimeOffset? LockedAt { get; set; }
    public DateTimeOffset CreatedAt { get; init; }

    public static async ValueTask<CustomerAccount> NewAsync(
        Guid customer, EmailAddress email, string locale, string banner, DateTimeOffset createdAt, PersonalData personal, LookupHash hash, CancellationToken stop) => new()
        {
            Customer = customer,
            EmailHash = email.LookupHash(hash),
            Email = await personal.ProtectTextAsync(customer, EmailPurpose, email.Written, stop),
            Locale = locale,
            Banner = banner,
            CreatedAt = createdAt,
        };

    /// <summary>The address, or null where the customer has been erased.</summary>
    public ValueTask<string?> EmailAsync(PersonalData personal, CancellationToken stop) =>
        personal.UnprotectTextAsync(Customer, EmailPurpose, Email, stop);

    public async Task KeepImportedHashAsync(ImportedPasswordHash imported, PersonalData personal, CancellationToken stop) =>
        ImportedHash = await personal.ProtectJsonAsync(Customer, ImportedHashPurpose, imported, stop);

    public async ValueTask<ImportedPasswordHash?> ImportedHashAsync(PersonalData personal, CancellationToken stop) =>
        ImportedHash is { } kept ? await personal.UnprotectJsonAsync<ImportedPasswordHash>(Customer, ImportedHashPurpose, kept, stop) : null;
}

/// <summary>A customer's id in an older system of one banner. Kept as a keyed hash: only who knows the id can find it again.</summary>
internal sealed class ExternalAccount
{
    public required byte[] IdHash { get; init; }
    public required Guid Customer { get; init; }

    public static byte[] HashOf(LookupHash hash, string banner, string externalId) => hash.Of("external-id", $"{banner}\n{externalId}");
}

internal sealed class CustomerAccountMap : IEntityTypeConfiguration<CustomerAccount>
{
    public void Configure(EntityTypeBuilder<CustomerAccount> account)
    {
        account.ToTable("accounts").HasKey(a => a.Customer);
        account.Property(a => a.Customer).ValueGeneratedNever();
        account.Property(a => a.EmailHash).HasMaxLength(32);
        account.Property(a => a.Email).HasMaxLength(512);
        account.Property(a => a.Locale).HasMaxLength(35);            // the longest language tag that RFC 5646 asks programs to take
        account.Property(a => a.Banner).HasMaxLength(64);
        account.Property(a => a.PasswordHash).HasMaxLength(256);
        account.Property(a => a.ImportedHash).HasMaxLength(1024);
        account.HasIndex(a => a.EmailHash).IsUnique();
    }
}

internal sealed class ExternalAccountMap : IEntityTypeConfiguration<ExternalAccount>
{
    public void Configure(EntityTypeBuilder<ExternalAccount> external)
    {
        external.ToTable("external_accounts").HasKey(e => e.IdHash);
        external.Property(e => e.IdHash).HasMaxLength(32);
        external.HasIndex(e => e.Customer);
    }
}
