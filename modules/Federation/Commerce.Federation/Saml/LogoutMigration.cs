using Commerce.Kernel;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Commerce.Federation.Saml;

[DbContext(typeof(Data.FederationDb)), Migration("2026112332_saml_logout")]
internal sealed class SingleLogoutOfParticipants() : ModuleMigration("federation")
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.AddColumn<long>("LoggedOutAt", "saml_participants", nullable: true, schema: Schema);
        migrationBuilder.AddColumn<string>("LogoutRequestId", "saml_participants", maxLength: 64, nullable: true, schema: Schema);
        migrationBuilder.AddColumn<Guid>("SamlSession", "oidc_logout_deliveries", nullable: true, schema: Schema);
    }
}

[DbContext(typeof(Data.FederationDb)), Migration("2026120101_saml_logout_onward")]
internal sealed class OnwardAfterSingleLogout() : ModuleMigration("federation")
{
    protected override void Up(MigrationBuilder migrationBuilder) =>
        migrationBuilder.AddColumn<string>("Onward", "saml_participants", nullable: true, schema: Schema);
}
