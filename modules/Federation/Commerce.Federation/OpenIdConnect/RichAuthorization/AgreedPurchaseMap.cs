using Commerce.Kernel;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Commerce.Federation.OpenIdConnect.RichAuthorization;

internal sealed class AgreedPurchaseMap : IEntityTypeConfiguration<AgreedPurchase>
{
    public void Configure(EntityTypeBuilder<AgreedPurchase> agreed)
    {
        agreed.ToTable("oidc_agreed_purchases").HasKey(a => a.HandleHash);
        agreed.Property(a => a.HandleHash).HasMaxLength(32);
        agreed.HasIndex(a => a.ExpiresAt);
    }
}

[DbContext(typeof(FederationDb)), Migration("2026112322_authorization_details")]
internal sealed class AuthorizationDetailsMigration() : ModuleMigration("federation")
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.AddColumn<string>("Details", "oidc_grants", maxLength: RetailPurchase.MaxJson, nullable: true, schema: Schema);
        migrationBuilder.CreateTable("oidc_agreed_purchases", table => new
        {
            HandleHash = table.Column<byte[]>(maxLength: 32),
            Release = table.Column<Guid>(),
            ExpiresAt = table.Column<long>(),
        }, Schema, table => table.PrimaryKey("PK_oidc_agreed_purchases", row => row.HandleHash));
        migrationBuilder.CreateIndex("IX_oidc_agreed_purchases_ExpiresAt", "oidc_agreed_purchases", "ExpiresAt", Schema);
    }
}
