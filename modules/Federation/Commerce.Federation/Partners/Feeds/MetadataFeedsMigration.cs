using Commerce.Kernel;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Commerce.Federation.Partners;

[DbContext(typeof(FederationDb)), Migration("2026112341_metadata_feeds")]
internal sealed class MetadataFeedsMigration() : ModuleMigration("federation")
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.CreateTable("metadata_sources", table => new
        {
            Id = table.Column<string>(maxLength: MetadataSource.LongestId),
            Url = table.Column<string>(maxLength: PartnerUrl.Longest),
            EntityId = table.Column<string>(maxLength: Lengths.Connection, nullable: true),
            Signers = table.Column<string>(nullable: true),
            AddedAt = table.Column<long>(),
            NextAt = table.Column<long>(),
            FetchedAt = table.Column<long>(nullable: true),
            ValidUntil = table.Column<long>(nullable: true),
            Failures = table.Column<int>(),
            Problem = table.Column<string>(maxLength: MetadataSource.LongestProblem, nullable: true),
            ClockAhead = table.Column<int>(nullable: true),
        }, Schema, table => table.PrimaryKey("PK_metadata_sources", row => row.Id));
        migrationBuilder.CreateIndex("IX_metadata_sources_NextAt", "metadata_sources", "NextAt", Schema);

        migrationBuilder.CreateTable("followed_entities", table => new
        {
            Connection = table.Column<string>(maxLength: Lengths.Connection),
            Source = table.Column<string>(maxLength: MetadataSource.LongestId),
            SeenAt = table.Column<long>(),
            Pending = table.Column<string>(nullable: true),
            PendingAt = table.Column<long>(nullable: true),
        }, Schema, table => table.PrimaryKey("PK_followed_entities", row => row.Connection));
        migrationBuilder.CreateIndex("IX_followed_entities_Source", "followed_entities", "Source", Schema);
    }
}
