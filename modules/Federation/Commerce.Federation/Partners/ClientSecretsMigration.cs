using Commerce.Kernel;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Commerce.Federation.Partners;

[DbContext(typeof(FederationDb)), Migration("2026112311_two_client_secrets")]
internal sealed class ClientSecretsMigration() : ModuleMigration("federation")
{
    protected override void Up(MigrationBuilder migrationBuilder) =>
        migrationBuilder.AddColumn<byte[]>("NextSecretHash", "connections", schema: Schema, maxLength: 32, nullable: true);
}
