using System.Buffers.Binary;
using Commerce.Federation.Data;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Commerce.Federation.Saml;

/// <summary>An AuthnRequest that was answered: its key, which is unique, makes sure that none is answered twice (row S10 of docs/security.md).</summary>
/// <remarks>
/// A number and not the two names, because every sign-in writes one somewhere in the middle of the table: with the names in an index it changed
/// three trees and half of all pages that a commit wrote.
/// </remarks>
internal sealed class AnsweredRequest
{
    /// <summary>
    /// 64 bits of a keyed hash over service provider and ID. Of a million that are remembered, one in 18 million million new ones meets
    /// another's key by chance; it is refused as answered, and the customer's next try, which has another ID, is not.
    /// </summary>
    public required long Key { get; init; }

    /// <summary>When the row may go: its age alone refuses the request by then, and nobody comes back with one that was kept.</summary>
    public required DateTimeOffset ForgetAt { get; init; }

    /// <param name="connection">Entity id of the service provider.</param>
    /// <param name="id">The ID that it gave its request.</param>
    /// <param name="hashes">Keyed, so that nobody can look for two requests with one key.</param>
    public static long KeyOf(string connection, string id, LookupHash hashes) =>
        BinaryPrimitives.ReadInt64BigEndian(hashes.Of("saml-request", $"{connection}\n{id}"));
}

internal sealed class AnsweredRequestMap : IEntityTypeConfiguration<AnsweredRequest>
{
    public void Configure(EntityTypeBuilder<AnsweredRequest> answered)
    {
        answered.ToTable("saml_answered").HasKey(a => a.Key);
        answered.Property(a => a.Key).ValueGeneratedNever();
    }
}

/// <summary>Requests that an older version answered stay where they are, in <c>saml_requests</c>, which is asked too.</summary>
[DbContext(typeof(FederationDb)), Migration("2026113001_answered_requests")]
internal sealed class AnsweredRequests() : ModuleMigration("federation")
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.CreateTable("saml_answered", table => new
    {
        Key = table.Column<long>(),
        ForgetAt = table.Column<long>(),
    }, Schema, table => table.PrimaryKey("PK_saml_answered", row => row.Key));
}
