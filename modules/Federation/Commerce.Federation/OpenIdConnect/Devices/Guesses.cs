using System.Net;
using Commerce.Federation.Data;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Commerce.Federation.OpenIdConnect.Devices;

/// <summary>
/// User codes tried, counted by customer and by network for ten minutes (RFC 8628 §5.1), durably and before they are looked up: a hundred at
/// the same moment do not slip past, nor those sent to another process. Guessing is done by people who are signed in, so with 20^8 codes, a
/// handful live and ten tries, a hit is one in hundreds of millions.
/// </summary>
internal sealed class Guesses(HotStore<FederationDb> store, LookupHash hash, TimeProvider clock)
{
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(10);
    private const int OfCustomer = 10, OfNetwork = 100;

    // One statement decides and counts.
    private static readonly HotSql
        Take = new("""
            INSERT INTO {schema}oidc_guesses AS g ("Key", "Count", "Since") VALUES ($1, 1, $2)
            ON CONFLICT ("Key") DO UPDATE SET
              "Count" = CASE WHEN g."Since" <= $3 THEN 1 ELSE g."Count" + 1 END,
              "Since" = CASE WHEN g."Since" <= $3 THEN $2 ELSE g."Since" END
            WHERE g."Since" <= $3 OR g."Count" < $4
            """),
        Return = new("""UPDATE {schema}oidc_guesses SET "Count" = "Count" - 1 WHERE "Key" = $1 AND "Count" > 0""");

    /// <summary>Counts one try. False where the customer's tries or the network's are used up.</summary>
    public Task<bool> TryTakeAsync(Guid customer, IPAddress? network, CancellationToken stop)
    {
        var (mine, all, now) = (Key(customer), Key(network), clock.GetUtcNow());
        return store.WriteAsync(async write =>
            await write.ExecuteAsync(Take, mine, now, now - Window, OfCustomer) == 1 && await write.ExecuteAsync(Take, all, now, now - Window, OfNetwork) == 1, stop);
    }

    /// <summary>The code was right: the try is not held against anybody.</summary>
    public Task ForgiveAsync(Guid customer, IPAddress? network, CancellationToken stop)
    {
        var (mine, all) = (Key(customer), Key(network));
        return store.WriteAsync(async write => await write.ExecuteAsync(Return, mine) + await write.ExecuteAsync(Return, all), stop);
    }

    private byte[] Key(Guid customer) => hash.Of("guesses.customer", customer.ToString("N"));

    private byte[] Key(IPAddress? network) => hash.Of("guesses.network", $"{network}");
}

/// <summary>How often user codes were tried by one customer or from one network since the window began.</summary>
internal sealed class GuessCount
{
    /// <summary>Keyed hash: neither customer nor address stands in the table.</summary>
    public required byte[] Key { get; init; }
    public int Count { get; init; }
    public required DateTimeOffset Since { get; init; }
}

internal sealed class GuessCountMap : IEntityTypeConfiguration<GuessCount>
{
    public void Configure(EntityTypeBuilder<GuessCount> count)
    {
        count.ToTable("oidc_guesses").HasKey(c => c.Key);
        count.Property(c => c.Key).HasMaxLength(32);
        count.HasIndex(c => c.Since);       // old ones are swept
    }
}

[DbContext(typeof(FederationDb)), Migration("2026112403_guesses")]
internal sealed class CountedGuesses() : ModuleMigration("federation")
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.CreateTable("oidc_guesses", table => new
        {
            Key = table.Column<byte[]>(maxLength: 32),
            Count = table.Column<int>(),
            Since = table.Column<long>(),
        }, Schema, table => table.PrimaryKey("PK_oidc_guesses", row => row.Key));
        migrationBuilder.CreateIndex("IX_oidc_guesses_Since", "oidc_guesses", "Since", Schema);
    }
}
