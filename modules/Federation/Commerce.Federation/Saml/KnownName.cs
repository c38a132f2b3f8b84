using Commerce.Kernel;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Commerce.Federation.Saml;

/// <summary>A service provider knows a customer by a name: what a request that allows no new name (<c>AllowCreate="false"</c>) asks about.</summary>
/// <remarks>SAML Core 3.4.1.1. Written with the first assertion of a browser session, and there already at all later ones.</remarks>
internal sealed class KnownName
{
    public required Guid Customer { get; init; }

    /// <summary>Entity id of the service provider.</summary>
    public required string Connection { get; init; }
}

internal sealed class KnownNameMap : IEntityTypeConfiguration<KnownName>
{
    public void Configure(EntityTypeBuilder<KnownName> name)
    {
        name.ToTable("saml_names").HasKey(n => new { n.Customer, n.Connection });
        name.Property(n => n.Connection).HasMaxLength(Data.Lengths.Connection);
    }
}

/// <summary>
/// A row for each pair in place of an index over all releases, which changed a page of its own at every sign-in; and of the requests only those
/// that wait are found by a handle.
/// </summary>
[DbContext(typeof(Data.FederationDb)), Migration("2026112405_known_names")]
internal sealed class KnownNames() : ModuleMigration("federation")
{
    /// <summary>Who had a release over SAML before there was the table is known there.</summary>
    public static string FromReleases(string? schema)
    {
        var prefix = schema is null ? "" : $"{schema}.";
        return $"""
            INSERT INTO {prefix}saml_names ("Customer", "Connection")
            SELECT DISTINCT r."Customer", r."Connection" FROM {prefix}releases r JOIN {prefix}connections c ON c."Id" = r."Connection" WHERE c."Protocol" = 1
            """;
    }

    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.CreateTable("saml_names", table => new
        {
            Customer = table.Column<Guid>(),
            Connection = table.Column<string>(maxLength: Data.Lengths.Connection),
        }, Schema, table => table.PrimaryKey("PK_saml_names", row => new { row.Customer, row.Connection }));
        migrationBuilder.Sql(FromReleases(Schema));
        migrationBuilder.DropIndex("IX_releases_Customer_Partner", "releases", Schema);
        migrationBuilder.DropIndex("IX_saml_requests_HandleHash", "saml_requests", Schema);
        migrationBuilder.CreateIndex("IX_saml_requests_HandleHash", "saml_requests", "HandleHash", Schema, unique: true, filter: SamlRequestMap.HasHandle);
    }
}
