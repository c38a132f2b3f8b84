using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Commerce.Federation.Data;

/// <summary>Longest values, in characters. They are checked where a value comes in, and kept by the columns.</summary>
internal static class Lengths
{
    public const int PartnerId = 64;
    public const int Name = 200;

    /// <summary>A SAML entity id has at most 1024 characters (SAML Core 8.3.6); longer than 512 is not taken.</summary>
    public const int Connection = 512;
    public const int Host = 253;
    public const int Offer = 64;
    public const int Purpose = 64;
    public const int OrderNumber = 64;
    public const int Receipt = 64;
    public const int ClaimNames = 512;
}

internal sealed class PartnerMap : IEntityTypeConfiguration<Partner>
{
    public void Configure(EntityTypeBuilder<Partner> partner)
    {
        partner.ToTable("partners").HasKey(p => p.Id);
        partner.Property(p => p.Id).HasMaxLength(Lengths.PartnerId);
        partner.Property(p => p.Name).HasMaxLength(Lengths.Name);
    }
}

internal sealed class DataContractMap : IEntityTypeConfiguration<DataContractRow>
{
    public void Configure(EntityTypeBuilder<DataContractRow> contract)
    {
        contract.ToTable("data_contracts").HasKey(c => new { c.Partner, c.Version });
        contract.Property(c => c.Partner).HasMaxLength(Lengths.PartnerId);
    }
}

internal sealed class ConnectionMap : IEntityTypeConfiguration<ConnectionRow>
{
    public void Configure(EntityTypeBuilder<ConnectionRow> connection)
    {
        connection.ToTable("connections").HasKey(c => c.Id);
        connection.Property(c => c.Id).HasMaxLength(Lengths.Connection);
        connection.Property(c => c.Partner).HasMaxLength(Lengths.PartnerId);
        connection.Property(c => c.Name).HasMaxLength(Lengths.Name);
        connection.Property(c => c.LandingHost).HasMaxLength(Lengths.Host);
        connection.Property(c => c.SecretHash).HasMaxLength(32);
        connection.Property(c => c.NextSecretHash).HasMaxLength(32);
        connection.HasIndex(c => c.Partner);
    }
}

internal sealed class OfferMap : IEntityTypeConfiguration<OfferRow>
{
    public void Configure(EntityTypeBuilder<OfferRow> offer)
    {
        offer.ToTable("offers").HasKey(o => o.Id);
        offer.Property(o => o.Id).HasMaxLength(Lengths.Offer);
        offer.Property(o => o.Partner).HasMaxLength(Lengths.PartnerId);
        offer.HasIndex(o => o.Partner);
    }
}

internal sealed class HopMap : IEntityTypeConfiguration<Hop>
{
    public const string IsOpen = "\"State\" IN (0, 1)";

    public void Configure(EntityTypeBuilder<Hop> hop)
    {
        hop.ToTable("hops").HasKey(h => h.Id);
        hop.Property(h => h.Offer).HasMaxLength(Lengths.Offer);
        hop.Property(h => h.Partner).HasMaxLength(Lengths.PartnerId);
        hop.Property(h => h.Connection).HasMaxLength(Lengths.Connection);
        hop.Property(h => h.OrderNumber).HasMaxLength(Lengths.OrderNumber);
        hop.Property(h => h.TicketHash).HasMaxLength(32);
        hop.HasIndex(h => h.TicketHash).IsUnique();
        hop.HasIndex(h => h.Sheet).IsUnique();                              // one answer to one consent sheet
        hop.HasIndex(h => new { h.Session, h.Connection, h.CreatedAt });    // the pending hop of a browser session
        hop.HasIndex(h => h.ExpiresAt).HasFilter(IsOpen);                   // open ones past their time are swept
    }
}

internal sealed class ReleaseMap : IEntityTypeConfiguration<Release>
{
    public void Configure(EntityTypeBuilder<Release> release)
    {
        release.ToTable("releases").HasKey(r => r.Id);
        release.Property(r => r.Partner).HasMaxLength(Lengths.PartnerId);
        release.Property(r => r.Connection).HasMaxLength(Lengths.Connection);
        release.Property(r => r.Purpose).HasMaxLength(Lengths.Purpose);
        release.Property(r => r.Receipt).HasMaxLength(Lengths.Receipt);
        release.Property(r => r.ClaimNames).HasMaxLength(Lengths.ClaimNames);
        release.Property(r => r.ValuesHash).HasMaxLength(64);
        release.Ignore(r => r.Opened);
    }
}
