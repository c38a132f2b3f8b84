using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Commerce.Kernel;

namespace Commerce.Federation.OpenIdConnect;

[DbContext(typeof(FederationDb)), Migration("2026112202_openid_connect")]
internal sealed class OpenIdConnectMigration() : ModuleMigration("federation")
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.CreateTable("oidc_grants", table => new
        {
            Id = table.Column<Guid>(),
            Connection = table.Column<string>(maxLength: 512),
            Customer = table.Column<Guid>(),
            Session = table.Column<Guid>(),
            Release = table.Column<Guid>(nullable: true),
            Receipt = table.Column<string>(maxLength: 64, nullable: true),
            IsHop = table.Column<bool>(),
            Subject = table.Column<string>(maxLength: 64),
            Scope = table.Column<string>(maxLength: 512),
            IsOffline = table.Column<bool>(),
            RedirectUri = table.Column<string>(maxLength: 2048),
            Challenge = table.Column<string>(maxLength: 43),
            Nonce = table.Column<string>(maxLength: 1024, nullable: true),
            AuthenticatedAt = table.Column<long>(),
            Acr = table.Column<string>(maxLength: 128),
            Amr = table.Column<string>(maxLength: 128),
            CodeHash = table.Column<byte[]>(maxLength: 32),
            CodeExpiresAt = table.Column<long>(),
            CodeUsedAt = table.Column<long>(nullable: true),
            RefreshGeneration = table.Column<int>(),
            RefreshExpiresAt = table.Column<long>(nullable: true),
            CreatedAt = table.Column<long>(),
            EndsAt = table.Column<long>(),
            RevokedAt = table.Column<long>(nullable: true),
            RevokedReason = table.Column<string>(maxLength: 32, nullable: true),
        }, Schema, table => table.PrimaryKey("PK_oidc_grants", row => row.Id));
        migrationBuilder.CreateIndex("IX_oidc_grants_Session", "oidc_grants", "Session", Schema);
        migrationBuilder.CreateIndex("IX_oidc_grants_Customer", "oidc_grants", "Customer", Schema);
        migrationBuilder.CreateTable("oidc_requests", table => new
        {
            HandleHash = table.Column<byte[]>(maxLength: 32),
            BrowserHash = table.Column<byte[]>(maxLength: 32),
            Sealed = table.Column<byte[]>(),
            CreatedAt = table.Column<long>(),
            ExpiresAt = table.Column<long>(),
            CompletedAt = table.Column<long>(nullable: true),
        }, Schema, table => table.PrimaryKey("PK_oidc_requests", row => row.HandleHash));
        migrationBuilder.CreateIndex("IX_oidc_requests_ExpiresAt", "oidc_requests", "ExpiresAt", Schema);
        migrationBuilder.CreateTable("oidc_used_assertions", table => new
        {
            Id = table.Column<byte[]>(maxLength: 32),
            ExpiresAt = table.Column<long>(),
        }, Schema, table => table.PrimaryKey("PK_oidc_used_assertions", row => row.Id));
        migrationBuilder.CreateIndex("IX_oidc_used_assertions_ExpiresAt", "oidc_used_assertions", "ExpiresAt", Schema);
        migrationBuilder.CreateTable("oidc_logout_deliveries", table => new
        {
            Id = table.Column<Guid>(),
            Connection = table.Column<string>(maxLength: 512),
            Subject = table.Column<string>(maxLength: 64),
            Sid = table.Column<string>(maxLength: 43),
            State = table.Column<int>(),
            Attempts = table.Column<int>(),
            CreatedAt = table.Column<long>(),
            NextAttemptAt = table.Column<long>(),
            FinishedAt = table.Column<long>(nullable: true),
            LastStatus = table.Column<int>(nullable: true),
            LastError = table.Column<string>(maxLength: 64, nullable: true),
        }, Schema, table => table.PrimaryKey("PK_oidc_logout_deliveries", row => row.Id));
        migrationBuilder.CreateIndex("IX_oidc_logout_deliveries_State_NextAttemptAt", "oidc_logout_deliveries", ["State", "NextAttemptAt"], Schema);
    }
}
