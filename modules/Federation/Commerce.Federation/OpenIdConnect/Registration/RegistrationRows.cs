using Commerce.Kernel;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Commerce.Federation.OpenIdConnect.Registration;

/// <summary>An initial access token (RFC 7591 §1.2): lets one partner register so many clients until a day.</summary>
internal sealed class InitialToken
{
    public required byte[] TokenHash { get; init; }
    public required string Partner { get; init; }

    /// <summary>A <see cref="RegistrationPolicy"/> as JSON.</summary>
    public required string Policy { get; init; }

    /// <summary>How many clients it may still make.</summary>
    public required int UsesLeft { get; init; }
    public required DateTimeOffset ExpiresAt { get; init; }
}

/// <summary>A client that registered itself, with the one registration access token that is good now (RFC 7592 §1.2).</summary>
internal sealed class SelfRegistration
{
    public required string Connection { get; init; }
    public required byte[] TokenHash { get; init; }
    public required string Policy { get; init; }
    public required DateTimeOffset RegisteredAt { get; init; }
}

internal sealed class InitialTokenMap : IEntityTypeConfiguration<InitialToken>
{
    public void Configure(EntityTypeBuilder<InitialToken> token)
    {
        token.ToTable("oidc_initial_tokens").HasKey(t => t.TokenHash);
        token.Property(t => t.TokenHash).HasMaxLength(32);
        token.Property(t => t.Partner).HasMaxLength(Lengths.PartnerId);
        token.HasIndex(t => t.ExpiresAt);
    }
}

internal sealed class SelfRegistrationMap : IEntityTypeConfiguration<SelfRegistration>
{
    public void Configure(EntityTypeBuilder<SelfRegistration> registration)
    {
        registration.ToTable("oidc_registrations").HasKey(r => r.Connection);
        registration.Property(r => r.Connection).HasMaxLength(Lengths.Connection);
        registration.Property(r => r.TokenHash).HasMaxLength(32);
    }
}

[DbContext(typeof(FederationDb)), Migration("2026112323_client_registration")]
internal sealed class ClientRegistrationMigration() : ModuleMigration("federation")
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.CreateTable("oidc_initial_tokens", table => new
        {
            TokenHash = table.Column<byte[]>(maxLength: 32),
            Partner = table.Column<string>(maxLength: 64),
            Policy = table.Column<string>(),
            UsesLeft = table.Column<int>(),
            ExpiresAt = table.Column<long>(),
        }, Schema, table => table.PrimaryKey("PK_oidc_initial_tokens", row => row.TokenHash));
        migrationBuilder.CreateIndex("IX_oidc_initial_tokens_ExpiresAt", "oidc_initial_tokens", "ExpiresAt", Schema);
        migrationBuilder.CreateTable("oidc_registrations", table => new
        {
            Connection = table.Column<string>(maxLength: 512),
            TokenHash = table.Column<byte[]>(maxLength: 32),
            Policy = table.Column<string>(),
            RegisteredAt = table.Column<long>(),
        }, Schema, table => table.PrimaryKey("PK_oidc_registrations", row => row.Connection));
    }
}
