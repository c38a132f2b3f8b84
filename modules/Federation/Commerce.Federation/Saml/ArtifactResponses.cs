using System.Text;
using Commerce.Federation.Data;
using Commerce.Kernel;
using Commerce.Saml;
using Commerce.Web;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Commerce.Federation.Saml;

/// <summary>A response that waits for its service provider to fetch it.</summary>
internal sealed class ArtifactRow
{
    /// <summary>The artifact itself is in the browser's hands only.</summary>
    public required byte[] Hash { get; init; }

    /// <summary>Entity id of the only one who may fetch it.</summary>
    public required string Connection { get; init; }

    /// <summary>The response, sealed by the key ring.</summary>
    public required byte[] Response { get; init; }
    public required DateTimeOffset ExpiresAt { get; init; }
}

internal sealed class ArtifactMap : IEntityTypeConfiguration<ArtifactRow>
{
    public void Configure(EntityTypeBuilder<ArtifactRow> artifact)
    {
        artifact.ToTable("saml_artifacts").HasKey(a => a.Hash);
        artifact.Property(a => a.Hash).HasMaxLength(32);
        artifact.Property(a => a.Connection).HasMaxLength(Lengths.Connection);
        artifact.HasIndex(a => a.ExpiresAt);    // old rows are swept
    }
}

[DbContext(typeof(FederationDb)), Migration("2026112334_saml_artifacts")]
internal sealed class Artifacts2026() : ModuleMigration("federation")
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.CreateTable("saml_artifacts", table => new
        {
            Hash = table.Column<byte[]>(maxLength: 32),
            Connection = table.Column<string>(maxLength: Lengths.Connection),
            Response = table.Column<byte[]>(),
            ExpiresAt = table.Column<long>(),
        }, Schema, table => table.PrimaryKey("PK_saml_artifacts", row => row.Hash));
        migrationBuilder.CreateIndex("IX_saml_artifacts_ExpiresAt", "saml_artifacts", "ExpiresAt", Schema);
    }
}

/// <summary>Sends a response the way its endpoint takes it: posted by the browser, or kept here under an artifact that the browser carries.</summary>
/// <remarks>SAML Bindings 3.6.</remarks>
internal sealed class ArtifactResponses(OnDemand<FederationDb> db, SamlIdentity identity, IDataProtectionProvider ring, TimeProvider clock)
{
    /// <summary>From the redirect to the fetch (Bindings 3.6.5.1: no longer than it takes).</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(1);

    // Made where it is needed, which is not in every request.
    private IDataProtector Protector => ring.CreateProtector("commerce.saml-artifact.v1");

    public async Task<IResult> SendAsync(SamlResponse response, AssertionConsumerService acs, string connection, string? relayState, CancellationToken stop)
    {
        if (acs.Binding != SamlBindings.HttpArtifact) return new PostedResponse(response);
        var artifact = Artifact.New(identity.EntityId, endpointIndex: 0);
        db.Value.Add(new ArtifactRow { Hash = HashOf(artifact), Connection = connection, Response = Protector.Protect(response.Xml.ToArray()), ExpiresAt = clock.GetUtcNow() + Lifetime });
        await db.Value.SaveChangesAsync(stop);
        return new SeeOther(Artifact.Url(acs.Location, artifact, relayState));
    }

    /// <summary>The response behind an artifact, once, for its own service provider; null otherwise.</summary>
    public async Task<byte[]?> TakeAsync(string artifact, string connection, CancellationToken stop)
    {
        if (!Artifact.IsOf(artifact, identity.EntityId)) return null;
        var (hash, now) = (HashOf(artifact), clock.GetUtcNow());
        var row = await db.Value.Set<ArtifactRow>().AsNoTracking().SingleOrDefaultAsync(a => a.Hash == hash && a.Connection == connection && a.ExpiresAt > now, stop);
        return row is not null && await db.Value.Set<ArtifactRow>().Where(a => a.Hash == hash).ExecuteDeleteAsync(stop) == 1 ? Protector.Unprotect(row.Response) : null;
    }

    private static byte[] HashOf(string artifact) => System.Security.Cryptography.SHA256.HashData(Encoding.ASCII.GetBytes(artifact));
}
