using Commerce.Kernel;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Commerce.Federation.OpenIdConnect;

[DbContext(typeof(FederationDb)), Migration("2026112313_bound_grants")]
internal sealed class BoundGrantsMigration() : ModuleMigration("federation")
{
    protected override void Up(MigrationBuilder migrationBuilder) =>
        migrationBuilder.AddColumn<string>("BoundTo", "oidc_grants", schema: Schema, maxLength: 64, nullable: true);
}
