using Commerce.Kernel;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Commerce.Federation.Data.Migrations;

[DbContext(typeof(FederationDb)), Migration("2026112201_partners_offers_hops")]
internal sealed class PartnersOffersHops() : ModuleMigration("federation")
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        CreateOutboxAndInbox(migrationBuilder);
        migrationBuilder.CreateTable("partners", table => new
        {
            Id = table.Column<string>(maxLength: 64),
            Name = table.Column<string>(maxLength: 200),
            IsActive = table.Column<bool>(),
            AddedAt = table.Column<long>(),
        }, Schema, table => table.PrimaryKey("PK_partners", row => row.Id));
        migrationBuilder.CreateTable("data_contracts", table => new
        {
            Partner = table.Column<string>(maxLength: 64),
            Version = table.Column<int>(),
            Json = table.Column<string>(),
            AddedAt = table.Column<long>(),
        }, Schema, table => table.PrimaryKey("PK_data_contracts", row => new { row.Partner, row.Version }));
        migrationBuilder.CreateTable("connections", table => new
        {
            Id = table.Column<string>(maxLength: 512),
            Partner = table.Column<string>(maxLength: 64),
            Protocol = table.Column<int>(),
            Name = table.Column<string>(maxLength: 200),
            Metadata = table.Column<string>(),
            SecretHash = table.Column<byte[]>(maxLength: 32, nullable: true),
            IsActive = table.Column<bool>(),
            LandingHost = table.Column<string>(maxLength: 253, nullable: true),
            AddedAt = table.Column<long>(),
        }, Schema, table => table.PrimaryKey("PK_connections", row => row.Id));
        migrationBuilder.CreateIndex("IX_connections_Partner", "connections", "Partner", Schema);
        migrationBuilder.CreateTable("offers", table => new
        {
            Id = table.Column<string>(maxLength: 64),
            Partner = table.Column<string>(maxLength: 64),
            Json = table.Column<string>(),
            AddedAt = table.Column<long>(),
        }, Schema, table => table.PrimaryKey("PK_offers", row => row.Id));
        migrationBuilder.CreateIndex("IX_offers_Partner", "offers", "Partner", Schema);
        migrationBuilder.CreateTable("hops", table => new
        {
            Id = table.Column<Guid>(),
            Offer = table.Column<string>(maxLength: 64),
            Partner = table.Column<string>(maxLength: 64),
            Connection = table.Column<string>(maxLength: 512),
            Customer = table.Column<Guid>(),
            Session = table.Column<Guid>(),
            OrderNumber = table.Column<string>(maxLength: 64),
            Release = table.Column<Guid>(nullable: true),
            TicketHash = table.Column<byte[]>(maxLength: 32, nullable: true),
            Sheet = table.Column<Guid>(nullable: true),
            State = table.Column<int>(),
            CreatedAt = table.Column<long>(),
            ExpiresAt = table.Column<long>(),
            RedeemedAt = table.Column<long>(nullable: true),
        }, Schema, table => table.PrimaryKey("PK_hops", row => row.Id));
        migrationBuilder.CreateIndex("IX_hops_TicketHash", "hops", "TicketHash", Schema, unique: true);
        migrationBuilder.CreateIndex("IX_hops_Sheet", "hops", "Sheet", Schema, unique: true);
        migrationBuilder.CreateIndex("IX_hops_Session_Connection_CreatedAt", "hops", ["Session", "Connection", "CreatedAt"], Schema);
        migrationBuilder.CreateTable("releases", table => new
        {
            Id = table.Column<Guid>(),
            Customer = table.Column<Guid>(),
            Session = table.Column<Guid>(),
            Partner = table.Column<string>(maxLength: 64),
            Connection = table.Column<string>(maxLength: 512),
            Purpose = table.Column<string>(maxLength: 64),
            ContractVersion = table.Column<int>(),
            Receipt = table.Column<string>(maxLength: 64, nullable: true),
            Hop = table.Column<Guid>(nullable: true),
            ClaimNames = table.Column<string>(maxLength: 512),
            Values = table.Column<byte[]>(),
            ValuesHash = table.Column<string>(maxLength: 64),
            CreatedAt = table.Column<long>(),
        }, Schema, table => table.PrimaryKey("PK_releases", row => row.Id));
        migrationBuilder.CreateIndex("IX_releases_Customer_Partner", "releases", ["Customer", "Partner"], Schema);
        migrationBuilder.CreateIndex("IX_releases_Receipt", "releases", "Receipt", Schema);
    }
}

[DbContext(typeof(FederationDb)), Migration("2026112406_events_held_back")]
internal sealed class EventsHeldBack() : ModuleMigration("federation")
{
    protected override void Up(MigrationBuilder migrationBuilder) => IndexEventsHeldBack(migrationBuilder);
}
