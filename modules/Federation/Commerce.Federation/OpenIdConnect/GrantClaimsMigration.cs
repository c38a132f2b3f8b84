using Commerce.Kernel;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Commerce.Federation.OpenIdConnect;

[DbContext(typeof(FederationDb)), Migration("2026112314_grant_claims")]
internal sealed class GrantClaimsMigration() : ModuleMigration("federation")
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.AddColumn<string>("UserInfoClaims", "oidc_grants", schema: Schema, maxLength: 512, nullable: true);
        migrationBuilder.AddColumn<string>("IdTokenClaims", "oidc_grants", schema: Schema, maxLength: 512, nullable: true);
    }
}
