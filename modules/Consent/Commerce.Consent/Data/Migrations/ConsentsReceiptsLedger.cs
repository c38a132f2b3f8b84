using Commerce.Kernel;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Commerce.Consent.Data.Migrations;

[DbContext(typeof(ConsentDb)), Migration("2026112201_consents_receipts_ledger")]
internal sealed class ConsentsReceiptsLedger() : ModuleMigration("consent")
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        CreateOutboxAndInbox(migrationBuilder);
        migrationBuilder.CreateTable("consents", table => new
        {
            Id = table.Column<Guid>(),
            Receipt = table.Column<string>(maxLength: 64),
            Customer = table.Column<Guid>(),
            Partner = table.Column<string>(maxLength: 128),
            PartnerName = table.Column<string>(maxLength: 256),
            Purpose = table.Column<string>(maxLength: 64),
            PurposeText = table.Column<string>(maxLength: 1024),
            Language = table.Column<string>(maxLength: 16),
            LegalBasis = table.Column<string>(maxLength: 16),
            RetentionDays = table.Column<int>(),
            ContractVersion = table.Column<int>(),
            Landing = table.Column<string>(maxLength: 253, nullable: true),
            GivenAt = table.Column<long>(),
            EndedAt = table.Column<long>(nullable: true),
            End = table.Column<int>(nullable: true),
        }, Schema, table => table.PrimaryKey("PK_consents", row => row.Id));
        migrationBuilder.CreateIndex("IX_consents_Receipt", "consents", "Receipt", Schema, unique: true);
        migrationBuilder.CreateIndex("IX_consents_Customer_Partner_Purpose", "consents", ["Customer", "Partner", "Purpose"], Schema, unique: true, filter: "\"EndedAt\" IS NULL");
        migrationBuilder.CreateIndex("IX_consents_Customer_GivenAt", "consents", ["Customer", "GivenAt"], Schema);

        migrationBuilder.CreateTable("consent_claims", table => new
        {
            Consent = table.Column<Guid>(),
            Name = table.Column<string>(maxLength: 128),
            Granted = table.Column<bool>(),
            Required = table.Column<bool>(),
            Reason = table.Column<string>(maxLength: 512),
            Position = table.Column<int>(),
        }, Schema, table =>
        {
            table.PrimaryKey("PK_consent_claims", row => new { row.Consent, row.Name });
            table.ForeignKey("FK_consent_claims_consents_Consent", row => row.Consent, "consents", "Id", Schema, onDelete: ReferentialAction.Cascade);
        });

        migrationBuilder.CreateTable("receipts", table => new
        {
            Receipt = table.Column<string>(maxLength: 64),
            Jws = table.Column<string>(),
        }, Schema, table => table.PrimaryKey("PK_receipts", row => row.Receipt));

        migrationBuilder.CreateTable("ledger", table => new
        {
            Number = table.Column<long>(),
            Kind = table.Column<int>(),
            At = table.Column<long>(),
            Customer = table.Column<byte[]>(maxLength: 32),
            Partner = table.Column<string>(maxLength: 128),
            Purpose = table.Column<string>(maxLength: 64),
            Receipt = table.Column<string>(maxLength: 64, nullable: true),
            Claims = table.Column<string>(),
            Release = table.Column<Guid>(nullable: true),
            Connection = table.Column<string>(maxLength: 1024, nullable: true),
            Protocol = table.Column<string>(maxLength: 16, nullable: true),
            Hop = table.Column<string>(maxLength: 128, nullable: true),
            ValuesHash = table.Column<string>(maxLength: 64, nullable: true),
            Previous = table.Column<byte[]>(maxLength: 32),
            Hash = table.Column<byte[]>(maxLength: 32),
        }, Schema, table => table.PrimaryKey("PK_ledger", row => row.Number));
        migrationBuilder.CreateIndex("IX_ledger_Release", "ledger", "Release", Schema, unique: true);
        migrationBuilder.CreateIndex("IX_ledger_Customer", "ledger", "Customer", Schema);
    }
}

[DbContext(typeof(ConsentDb)), Migration("2026112406_events_held_back")]
internal sealed class EventsHeldBack() : ModuleMigration("consent")
{
    protected override void Up(MigrationBuilder migrationBuilder) => IndexEventsHeldBack(migrationBuilder);
}
