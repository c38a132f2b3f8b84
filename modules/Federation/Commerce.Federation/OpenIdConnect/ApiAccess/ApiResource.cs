using Commerce.Kernel;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Commerce.Federation.OpenIdConnect.ApiAccess;

/// <summary>An API whose access tokens the hub issues: a resource server (RFC 6749 §1.1) with an identifier of its own (RFC 8707 §2).</summary>
/// <param name="Identifier">Audience of its tokens, compared as text.</param>
/// <param name="Client">Client id with which the API itself asks the hub about tokens (introspection); null where it never does.</param>
internal sealed record ApiResource(string Identifier, string Name, string? Client, IReadOnlyList<ApiScope> Scopes)
{
    public ApiScope? Scope(string name) => Scopes.FirstOrDefault(s => s.Name == name);
}

/// <param name="Claims">Claims of a customer that the scope is about: a token for a customer holds it only where they were released (see token exchange).</param>
internal sealed record ApiScope(string Name, string Description, IReadOnlyList<string> Claims);

internal sealed class ApiResourceRow
{
    public required string Identifier { get; init; }

    /// <summary>An <see cref="ApiResource"/> as JSON.</summary>
    public required string Json { get; set; }
    public required DateTimeOffset AddedAt { get; init; }
}

internal sealed class ApiResourceMap : IEntityTypeConfiguration<ApiResourceRow>
{
    public void Configure(EntityTypeBuilder<ApiResourceRow> resource)
    {
        resource.ToTable("api_resources").HasKey(r => r.Identifier);
        resource.Property(r => r.Identifier).HasMaxLength(Lengths.Connection);
    }
}

[DbContext(typeof(FederationDb)), Migration("2026112324_api_access")]
internal sealed class ApiAccessMigration() : ModuleMigration("federation")
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.CreateTable("api_resources", table => new
        {
            Identifier = table.Column<string>(maxLength: 512),
            Json = table.Column<string>(),
            AddedAt = table.Column<long>(),
        }, Schema, table => table.PrimaryKey("PK_api_resources", row => row.Identifier));
        migrationBuilder.AddColumn<string>("Policy", "connections", nullable: true, schema: Schema);
    }
}
