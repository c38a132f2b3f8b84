using System.Text.Json;
using Commerce.Kernel;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>An authorization request that its client sent ahead (RFC 9126). The browser carries a reference to it and nothing else.</summary>
internal sealed class PushedRequest
{
    public required byte[] UriHash { get; init; }
    public required string Connection { get; init; }

    /// <summary>The validated request as JSON, encrypted: a login hint is personal data.</summary>
    public required byte[] Sealed { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Until then a browser may come with the reference.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Set by the one answer that came of it.</summary>
    public DateTimeOffset? UsedAt { get; init; }
}

/// <summary>
/// Keeps pushed requests. A reference may be opened again until an answer came of it: a browser that loads the page twice is no attack
/// (F24). The answer uses it up, by one conditional update, so that one code comes of it at most (F25).
/// </summary>
internal sealed class PushedRequests(OnDemand<FederationDb> db, IDataProtectionProvider ring, TimeProvider clock)
{
    /// <summary>RFC 9126 §2.2: long enough for the redirect and not much more.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(90);

    /// <summary>How long rows stay: a customer may sit at the sign-in page with the request that came of one.</summary>
    public static readonly TimeSpan Kept = FrozenRequests.Lifetime + TimeSpan.FromMinutes(10);

    private const string Prefix = "urn:ietf:params:oauth:request_uri:";
    // Made where it is needed, which is not in every request.
    private IDataProtector Protector => ring.CreateProtector("commerce.oidc-pushed-request.v1");

    /// <returns>The <c>request_uri</c>: 256 random bits behind the standard's prefix.</returns>
    public async Task<string> PushAsync(AuthorizeRequest request, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        var uri = Prefix + Token.New();
        db.Value.Add(new PushedRequest
        {
            UriHash = Token.Hash(uri),
            Connection = request.Client,
            Sealed = Protector.Protect(JsonSerializer.SerializeToUtf8Bytes(request, HubJson.Options)),
            CreatedAt = now,
            ExpiresAt = now + Lifetime,
        });
        await db.Value.SaveChangesAsync(stop);
        return uri;
    }

    /// <summary>The request behind the reference; null where it is unknown, expired, used up, or another client's.</summary>
    public async Task<AuthorizeRequest?> OpenAsync(string uri, string? client, CancellationToken stop)
    {
        if (uri.Length != Prefix.Length + 43) return null;
        var hash = Token.Hash(uri);
        var now = clock.GetUtcNow();
        var row = await db.Value.Set<PushedRequest>().AsNoTracking().SingleOrDefaultAsync(r => r.UriHash == hash && r.UsedAt == null && r.ExpiresAt > now, stop);
        if (row is null || !string.Equals(row.Connection, client, StringComparison.Ordinal)) return null;
        return JsonSerializer.Deserialize<AuthorizeRequest>(Protector.Unprotect(row.Sealed), HubJson.Options)! with { Pushed = hash };
    }

    /// <summary>True for the one caller that used it up; run it in the transaction of the answer.</summary>
    public async Task<bool> UseUpAsync(byte[] uriHash, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        return await db.Value.Set<PushedRequest>().Where(r => r.UriHash == uriHash && r.UsedAt == null)
            .ExecuteUpdateAsync(row => row.SetProperty(r => r.UsedAt, now), stop) == 1;
    }

    /// <summary>True for a reference of our own making; others are addresses elsewhere, which the hub never fetches.</summary>
    public static bool IsOurs(string uri) => uri.StartsWith(Prefix, StringComparison.Ordinal);
}

internal sealed class PushedRequestMap : IEntityTypeConfiguration<PushedRequest>
{
    public void Configure(EntityTypeBuilder<PushedRequest> request)
    {
        request.ToTable("oidc_pushed_requests").HasKey(r => r.UriHash);
        request.Property(r => r.UriHash).HasMaxLength(32);
        request.Property(r => r.Connection).HasMaxLength(Lengths.Connection);
        request.HasIndex(r => r.ExpiresAt);
    }
}

[DbContext(typeof(FederationDb)), Migration("2026112312_pushed_requests")]
internal sealed class PushedRequestsMigration() : ModuleMigration("federation")
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.CreateTable("oidc_pushed_requests", table => new
        {
            UriHash = table.Column<byte[]>(maxLength: 32),
            Connection = table.Column<string>(maxLength: 512),
            Sealed = table.Column<byte[]>(),
            CreatedAt = table.Column<long>(),
            ExpiresAt = table.Column<long>(),
            UsedAt = table.Column<long>(nullable: true),
        }, Schema, table => table.PrimaryKey("PK_oidc_pushed_requests", row => row.UriHash));
        migrationBuilder.CreateIndex("IX_oidc_pushed_requests_ExpiresAt", "oidc_pushed_requests", "ExpiresAt", Schema);
    }
}
