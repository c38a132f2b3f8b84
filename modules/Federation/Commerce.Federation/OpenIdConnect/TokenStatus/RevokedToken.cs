using Commerce.Kernel;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Commerce.Federation.OpenIdConnect.TokenStatus;

/// <summary>A client's own access token that was revoked. Tokens of a customer's sign-in need no row: their grant is ended.</summary>
internal sealed class RevokedToken
{
    /// <summary>Its <c>jti</c>.</summary>
    public required Guid Id { get; init; }

    /// <summary>Until when the row is needed.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }
}

internal sealed class RevokedTokenMap : IEntityTypeConfiguration<RevokedToken>
{
    public void Configure(EntityTypeBuilder<RevokedToken> token)
    {
        token.ToTable("oidc_revoked_tokens").HasKey(t => t.Id);
        token.HasIndex(t => t.ExpiresAt);
    }
}

[DbContext(typeof(FederationDb)), Migration("2026112321_revoked_tokens")]
internal sealed class RevokedTokensMigration() : ModuleMigration("federation")
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.CreateTable("oidc_revoked_tokens", table => new
        {
            Id = table.Column<Guid>(),
            ExpiresAt = table.Column<long>(),
        }, Schema, table => table.PrimaryKey("PK_oidc_revoked_tokens", row => row.Id));
        migrationBuilder.CreateIndex("IX_oidc_revoked_tokens_ExpiresAt", "oidc_revoked_tokens", "ExpiresAt", Schema);
    }
}
