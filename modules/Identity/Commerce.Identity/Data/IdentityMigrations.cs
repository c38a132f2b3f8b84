using Commerce.Kernel;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Commerce.Identity.Data;

[DbContext(typeof(IdentityDb)), Migration("2026112201_accounts")]
internal sealed class AccountsMigration() : ModuleMigration("identity")
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        CreateOutboxAndInbox(migrationBuilder);
        migrationBuilder.CreateTable("accounts", table => new
        {
            Customer = table.Column<Guid>(),
            EmailHash = table.Column<byte[]>(maxLength: 32),
            Email = table.Column<byte[]>(maxLength: 512),
            EmailVerifiedAt = table.Column<long>(nullable: true),
            Locale = table.Column<string>(maxLength: 35),
            Banner = table.Column<string>(maxLength: 64),
            PasswordHash = table.Column<string>(maxLength: 256, nullable: true),
            ImportedHash = table.Column<byte[]>(maxLength: 1024, nullable: true),
            LockedAt = table.Column<long>(nullable: true),
            CreatedAt = table.Column<long>(),
        }, Schema, table => table.PrimaryKey("PK_accounts", row => row.Customer));
        migrationBuilder.CreateIndex("IX_accounts_EmailHash", "accounts", "EmailHash", Schema, unique: true);
        migrationBuilder.CreateTable("external_accounts", table => new
        {
            IdHash = table.Column<byte[]>(maxLength: 32),
            Customer = table.Column<Guid>(),
        }, Schema, table => table.PrimaryKey("PK_external_accounts", row => row.IdHash));
        migrationBuilder.CreateIndex("IX_external_accounts_Customer", "external_accounts", "Customer", Schema);
        migrationBuilder.CreateTable("operators", table => new
        {
            EmailHash = table.Column<byte[]>(maxLength: 32),
            AddedAt = table.Column<long>(),
        }, Schema, table => table.PrimaryKey("PK_operators", row => row.EmailHash));
        migrationBuilder.CreateTable("sessions", table => new
        {
            Id = table.Column<Guid>(),
            TokenHash = table.Column<byte[]>(maxLength: 32),
            Customer = table.Column<Guid>(),
            CreatedAt = table.Column<long>(),
            AuthenticatedAt = table.Column<long>(),
            Amr = table.Column<string>(maxLength: 64),
            Acr = table.Column<string>(maxLength: 64),
            LastSeenAt = table.Column<long>(),
            EndedAt = table.Column<long>(nullable: true),
        }, Schema, table => table.PrimaryKey("PK_sessions", row => row.Id));
        migrationBuilder.CreateIndex("IX_sessions_Customer", "sessions", "Customer", Schema);
        migrationBuilder.CreateIndex("IX_sessions_LastSeenAt", "sessions", "LastSeenAt", Schema);
        migrationBuilder.CreateTable("links", table => new
        {
            CodeHash = table.Column<byte[]>(maxLength: 32),
            Kind = table.Column<int>(),
            Customer = table.Column<Guid>(),
            Details = table.Column<byte[]>(),
            CreatedAt = table.Column<long>(),
            ExpiresAt = table.Column<long>(),
            UsedAt = table.Column<long>(nullable: true),
        }, Schema, table => table.PrimaryKey("PK_links", row => row.CodeHash));
        migrationBuilder.CreateIndex("IX_links_Customer", "links", "Customer", Schema);
        migrationBuilder.CreateIndex("IX_links_ExpiresAt", "links", "ExpiresAt", Schema);
        migrationBuilder.CreateTable("attempts", table => new
        {
            Key = table.Column<byte[]>(maxLength: 32),
            Count = table.Column<int>(),
            Since = table.Column<long>(),
        }, Schema, table => table.PrimaryKey("PK_attempts", row => row.Key));
        migrationBuilder.CreateIndex("IX_attempts_Since", "attempts", "Since", Schema);
        migrationBuilder.CreateTable("mails", table => new
        {
            Id = table.Column<Guid>(),
            Content = table.Column<byte[]>(),
            CreatedAt = table.Column<long>(),
            Attempts = table.Column<int>(),
            NextAttemptAt = table.Column<long>(),
        }, Schema, table => table.PrimaryKey("PK_mails", row => row.Id));
        migrationBuilder.CreateIndex("IX_mails_NextAttemptAt", "mails", "NextAttemptAt", Schema);
        migrationBuilder.CreateTable("banners", table => new
        {
            Id = table.Column<string>(maxLength: 64),
            Name = table.Column<string>(maxLength: 100),
            Domains = table.Column<string>(maxLength: 4096),
            Languages = table.Column<string>(maxLength: 256),
            Accent = table.Column<string>(maxLength: 7),
            Logo = table.Column<string>(maxLength: 128, nullable: true),
            Sender = table.Column<string>(maxLength: 320),
        }, Schema, table => table.PrimaryKey("PK_banners", row => row.Id));
    }
}

[DbContext(typeof(IdentityDb)), Migration("2026112406_events_held_back")]
internal sealed class EventsHeldBack() : ModuleMigration("identity")
{
    protected override void Up(MigrationBuilder migrationBuilder) => IndexEventsHeldBack(migrationBuilder);
}
