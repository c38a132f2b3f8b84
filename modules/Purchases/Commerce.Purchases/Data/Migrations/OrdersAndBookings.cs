using Commerce.Kernel;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Commerce.Purchases.Data.Migrations;

[DbContext(typeof(PurchasesDb)), Migration("2026112201_orders_and_bookings")]
internal sealed class OrdersAndBookings() : ModuleMigration("purchases")
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        CreateOutboxAndInbox(migrationBuilder);
        migrationBuilder.CreateTable("orders", table => new
        {
            Id = table.Column<Guid>(),
            OrderNumber = table.Column<string>(maxLength: 64),
            Banner = table.Column<string>(maxLength: 64),
            PlacedAt = table.Column<long>(),
            ReceivedAt = table.Column<long>(),
            Currency = table.Column<string>(maxLength: 3),
            Customer = table.Column<Guid>(nullable: true),
            EmailHash = table.Column<byte[]>(maxLength: 32),
            Contents = table.Column<byte[]>(),
            Fulfilment = table.Column<byte[]>(),
            ApiClient = table.Column<string>(maxLength: 128, nullable: true),
            IdempotencyKey = table.Column<byte[]>(maxLength: 32, nullable: true),
            BodyHash = table.Column<byte[]>(maxLength: 32),
            Answer = table.Column<string>(nullable: true),
        }, Schema, table => table.PrimaryKey("PK_orders", row => row.Id));
        migrationBuilder.CreateIndex("IX_orders_OrderNumber", "orders", "OrderNumber", Schema, unique: true);
        migrationBuilder.CreateIndex("IX_orders_ApiClient_IdempotencyKey", "orders", ["ApiClient", "IdempotencyKey"], Schema, unique: true);
        migrationBuilder.CreateIndex("IX_orders_EmailHash", "orders", "EmailHash", Schema, filter: "\"Customer\" IS NULL");

        migrationBuilder.CreateTable("bookings", table => new
        {
            Id = table.Column<Guid>(),
            Order = table.Column<Guid>(),
            Customer = table.Column<Guid>(),
            Partner = table.Column<string>(maxLength: 128),
            PartnerName = table.Column<string>(maxLength: 256),
            Hop = table.Column<Guid>(),
            Reference = table.Column<string>(maxLength: 64),
            MadeAt = table.Column<long>(),
            Details = table.Column<byte[]>(),
            ApiClient = table.Column<string>(maxLength: 128),
            IdempotencyKey = table.Column<byte[]>(maxLength: 32),
            BodyHash = table.Column<byte[]>(maxLength: 32),
        }, Schema, table =>
        {
            table.PrimaryKey("PK_bookings", row => row.Id);
            table.ForeignKey("FK_bookings_orders_Order", row => row.Order, "orders", "Id", Schema, onDelete: ReferentialAction.Cascade);
        });
        migrationBuilder.CreateIndex("IX_bookings_Order", "bookings", "Order", Schema);
        migrationBuilder.CreateIndex("IX_bookings_ApiClient_IdempotencyKey", "bookings", ["ApiClient", "IdempotencyKey"], Schema, unique: true);
        migrationBuilder.CreateIndex("IX_bookings_Partner_Reference", "bookings", ["Partner", "Reference"], Schema, unique: true);
    }
}

[DbContext(typeof(PurchasesDb)), Migration("2026112406_events_held_back")]
internal sealed class EventsHeldBack() : ModuleMigration("purchases")
{
    protected override void Up(MigrationBuilder migrationBuilder) => IndexEventsHeldBack(migrationBuilder);
}
