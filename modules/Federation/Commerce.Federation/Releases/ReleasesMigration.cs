using Commerce.Kernel;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Commerce.Federation.Releases;

/// <summary>Nothing looks releases up by their receipt; the index changed a page of its own at every release.</summary>
[DbContext(typeof(Data.FederationDb)), Migration("2026112401_releases_by_customer")]
internal sealed class ReleasesByCustomer() : ModuleMigration("federation")
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.DropIndex("IX_releases_Receipt", "releases", Schema);
}
