using Commerce.Consent.Consents;
using Commerce.Consent.Ledger;
using Commerce.Consent.Receipts;
using Commerce.Kernel;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Commerce.Consent.Data;

internal sealed class ConsentDb(DbContextOptions<ConsentDb> options) : ModuleDb(options)
{
    public override string ModuleName => "consent";
    public DbSet<GivenConsent> Consents => Set<GivenConsent>();
    public DbSet<GivenClaim> Claims => Set<GivenClaim>();
    public DbSet<SignedReceipt> Receipts => Set<SignedReceipt>();
    public DbSet<LedgerEntry> Ledger => Set<LedgerEntry>();

    protected override void Build(ModelBuilder model) =>
        model.ApplyConfiguration(new ConsentMap()).ApplyConfiguration(new ClaimMap()).ApplyConfiguration(new ReceiptMap()).ApplyConfiguration(new LedgerMap());

    private sealed class ConsentMap : IEntityTypeConfiguration<GivenConsent>
    {
        public void Configure(EntityTypeBuilder<GivenConsent> consent)
        {
            consent.ToTable("consents").HasKey(c => c.Id);
            consent.Property(c => c.Receipt).HasMaxLength(64);
            consent.Property(c => c.Partner).HasMaxLength(128);
            consent.Property(c => c.PartnerName).HasMaxLength(256);
            consent.Property(c => c.Purpose).HasMaxLength(64);
            consent.Property(c => c.PurposeText).HasMaxLength(1024);
            consent.Property(c => c.Language).HasMaxLength(16);
            consent.Property(c => c.LegalBasis).HasMaxLength(16);
            consent.Property(c => c.Landing).HasMaxLength(253);
            consent.HasMany(c => c.Claims).WithOne().HasForeignKey(c => c.Consent);
            consent.HasIndex(c => c.Receipt).IsUnique();
            consent.HasIndex(c => new { c.Customer, c.Partner, c.Purpose }).IsUnique().HasFilter("\"EndedAt\" IS NULL");    // one stands
            consent.HasIndex(c => new { c.Customer, c.GivenAt });                                                         // the customer's page
        }
    }

    private sealed class ClaimMap : IEntityTypeConfiguration<GivenClaim>
    {
        public void Configure(EntityTypeBuilder<GivenClaim> claim)
        {
            claim.ToTable("consent_claims").HasKey(c => new { c.Consent, c.Name });
            claim.Property(c => c.Name).HasMaxLength(128);
            claim.Property(c => c.Reason).HasMaxLength(512);
        }
    }

    private sealed class ReceiptMap : IEntityTypeConfiguration<SignedReceipt>
    {
        public void Configure(EntityTypeBuilder<SignedReceipt> receipt)
        {
            receipt.ToTable("receipts").HasKey(r => r.Receipt);
            receipt.Property(r => r.Receipt).HasMaxLength(64);
        }
    }

    private sealed class LedgerMap : IEntityTypeConfiguration<LedgerEntry>
    {
        public void Configure(EntityTypeBuilder<LedgerEntry> entry)
        {
            entry.ToTable("ledger").HasKey(e => e.Number);
            entry.Property(e => e.Number).ValueGeneratedNever();
            entry.Property(e => e.Customer).HasMaxLength(LedgerEntry.HashBytes);
            entry.Property(e => e.Partner).HasMaxLength(128);
            entry.Property(e => e.Purpose).HasMaxLength(64);
            entry.Property(e => e.Receipt).HasMaxLength(64);
            entry.Property(e => e.Connection).HasMaxLength(1024);   // an entity id is at most that long
            entry.Property(e => e.Protocol).HasMaxLength(16);
            entry.Property(e => e.Hop).HasMaxLength(128);
            entry.Property(e => e.ValuesHash).HasMaxLength(64);
            entry.Property(e => e.Previous).HasMaxLength(LedgerEntry.HashBytes);
            entry.Property(e => e.Hash).HasMaxLength(LedgerEntry.HashBytes);
            entry.HasIndex(e => e.Release).IsUnique();              // a release is written once
            entry.HasIndex(e => e.Customer);                        // the customer's page
        }
    }
}
