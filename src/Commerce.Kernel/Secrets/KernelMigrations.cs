using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Commerce.Kernel.Secrets;

[DbContext(typeof(KernelDb)), Migration("2026112201_keys_and_secrets")]
internal sealed class KeysAndSecrets() : ModuleMigration("kernel")
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        CreateOutboxAndInbox(migrationBuilder);
        migrationBuilder.CreateTable("customer_keys", table => new
        {
            Customer = table.Column<Guid>(),
            Wrapped = table.Column<byte[]>(maxLength: 512),
            CreatedAt = table.Column<long>(),
            ErasedAt = table.Column<long>(nullable: true),
        }, Schema, table => table.PrimaryKey("PK_customer_keys", row => row.Customer));
        migrationBuilder.CreateTable("secrets", table => new
        {
            Name = table.Column<string>(maxLength: 64),
            Wrapped = table.Column<byte[]>(maxLength: 512),
        }, Schema, table => table.PrimaryKey("PK_secrets", row => row.Name));
        migrationBuilder.CreateTable("signing_keys", table => new
        {
            Kid = table.Column<string>(maxLength: 64),
            Purpose = table.Column<string>(maxLength: 32),
            Algorithm = table.Column<string>(maxLength: 16),
            State = table.Column<int>(),
            WrappedPrivateKey = table.Column<byte[]>(),
            Certificate = table.Column<byte[]>(nullable: true),
            CreatedAt = table.Column<long>(),
            ActivatedAt = table.Column<long>(nullable: true),
            RetiredAt = table.Column<long>(nullable: true),
        }, Schema, table => table.PrimaryKey("PK_signing_keys", row => row.Kid));
        migrationBuilder.CreateIndex("IX_signing_keys_Purpose_State", "signing_keys", ["Purpose", "State"], Schema);
    }
}

[DbContext(typeof(KernelDb)), Migration("2026112202_key_stores")]
internal sealed class KeyStoresOfKeys() : ModuleMigration("kernel")
{
    protected override void Up(MigrationBuilder migrationBuilder) =>
        migrationBuilder.AddColumn<string>("Store", "signing_keys", maxLength: 16, nullable: true, schema: Schema);
}

[DbContext(typeof(KernelDb)), Migration("2026112406_events_held_back")]
internal sealed class EventsHeldBack() : ModuleMigration("kernel")
{
    protected override void Up(MigrationBuilder migrationBuilder) => IndexEventsHeldBack(migrationBuilder);
}
