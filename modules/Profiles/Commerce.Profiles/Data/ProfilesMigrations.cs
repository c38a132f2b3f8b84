using Commerce.Kernel;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Commerce.Profiles.Data;

[DbContext(typeof(ProfilesDb)), Migration("2026112201_profiles")]
internal sealed class ProfilesMigration() : ModuleMigration("profiles")
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        CreateOutboxAndInbox(migrationBuilder);
        migrationBuilder.CreateTable("attributes", table => new
        {
            Customer = table.Column<Guid>(),
            Name = table.Column<string>(maxLength: 32),
            Source = table.Column<string>(maxLength: 64),
            Value = table.Column<byte[]>(maxLength: 4096),
            SetAt = table.Column<long>(),
            VerifiedAt = table.Column<long>(nullable: true),
        }, Schema, table => table.PrimaryKey("PK_attributes", row => new { row.Customer, row.Name, row.Source }));
        migrationBuilder.CreateTable("vehicles", table => new
        {
            Id = table.Column<Guid>(),
            Customer = table.Column<Guid>(),
            RegistrationHash = table.Column<byte[]>(maxLength: 32),
            Value = table.Column<byte[]>(maxLength: 2048),
            Source = table.Column<string>(maxLength: 64),
            AddedAt = table.Column<long>(),
        }, Schema, table => table.PrimaryKey("PK_vehicles", row => row.Id));
        migrationBuilder.CreateIndex("IX_vehicles_Customer_RegistrationHash", "vehicles", ["Customer", "RegistrationHash"], Schema, unique: true);
        migrationBuilder.CreateTable("timeline", table => new
        {
            Fact = table.Column<Guid>(),
            Customer = table.Column<Guid>(),
            At = table.Column<long>(),
            Kind = table.Column<string>(maxLength: 32),
            Details = table.Column<byte[]>(),
        }, Schema, table => table.PrimaryKey("PK_timeline", row => row.Fact));
        migrationBuilder.CreateIndex("IX_timeline_Customer_At", "timeline", ["Customer", "At"], Schema);
    }
}

[DbContext(typeof(ProfilesDb)), Migration("2026112406_events_held_back")]
internal sealed class EventsHeldBack() : ModuleMigration("profiles")
{
    protected override void Up(MigrationBuilder migrationBuilder) => IndexEventsHeldBack(migrationBuilder);
}
