using Commerce.Kernel;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Commerce.Federation.Saml;

[DbContext(typeof(Data.FederationDb)), Migration("2026112331_saml_names")]
internal sealed class NamesOfParticipants() : ModuleMigration("federation")
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.AddColumn<string>("NameFormat", "saml_participants", maxLength: 64, nullable: true, schema: Schema);
        migrationBuilder.AddColumn<Guid>("Release", "saml_participants", nullable: true, schema: Schema);
    }
}
