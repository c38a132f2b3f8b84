using Commerce.Kernel;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>One index for both questions, by customer and by session: each of the two changed a page of its own at every sign-in.</summary>
[DbContext(typeof(FederationDb)), Migration("2026112404_grants_by_customer")]
internal sealed class GrantsByCustomerMigration() : ModuleMigration("federation")
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.DropIndex("IX_oidc_grants_Session", "oidc_grants", Schema);
        migrationBuilder.DropIndex("IX_oidc_grants_Customer", "oidc_grants", Schema);
        migrationBuilder.CreateIndex("IX_oidc_grants_Customer_Session", "oidc_grants", ["Customer", "Session"], Schema);
    }
}
