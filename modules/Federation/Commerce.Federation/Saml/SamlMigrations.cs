using Commerce.Kernel;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Commerce.Federation.Saml;

[DbContext(typeof(Data.FederationDb)), Migration("2026112203_saml")]
internal sealed class RequestsAndParticipants() : ModuleMigration("federation")
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.CreateTable("saml_requests", table => new
        {
            Connection = table.Column<string>(maxLength: Data.Lengths.Connection),
            RequestId = table.Column<string>(maxLength: FrozenRequests.LongestId),
            ContentHash = table.Column<byte[]>(maxLength: 32),
            HandleHash = table.Column<byte[]>(maxLength: 32, nullable: true),
            Frozen = table.Column<byte[]>(),
            ReceivedAt = table.Column<long>(),
            ExpiresAt = table.Column<long>(),
            AnsweredAt = table.Column<long>(nullable: true),
        }, Schema, table => table.PrimaryKey("PK_saml_requests", row => new { row.Connection, row.RequestId }));
        migrationBuilder.CreateIndex("IX_saml_requests_HandleHash", "saml_requests", "HandleHash", Schema, unique: true);
        migrationBuilder.CreateIndex("IX_saml_requests_ExpiresAt", "saml_requests", "ExpiresAt", Schema);

        migrationBuilder.CreateTable("saml_participants", table => new
        {
            Session = table.Column<Guid>(),
            Connection = table.Column<string>(maxLength: Data.Lengths.Connection),
            Customer = table.Column<Guid>(),
            SessionIndex = table.Column<string>(maxLength: 64),
            FirstAt = table.Column<long>(),
        }, Schema, table => table.PrimaryKey("PK_saml_participants", row => new { row.Session, row.Connection }));
        migrationBuilder.CreateIndex("IX_saml_participants_SessionIndex", "saml_participants", "SessionIndex", Schema, unique: true);
        migrationBuilder.CreateIndex("IX_saml_participants_FirstAt", "saml_participants", "FirstAt", Schema);
    }
}
