using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Commerce.Identity.Data;
using Commerce.Kernel.Secrets;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Commerce.Identity.Passwords;

/// <summary>How often something was tried under one key since the window began.</summary>
internal sealed class Attempts
{
    public required byte[] Key { get; init; }
    public int Count { get; init; }
    public DateTimeOffset Since { get; init; }
}

/// <summary>One limit on attempts.</summary>
/// <param name="Key">Keyed hash of what is counted: no address stands in the table.</param>
/// <param name="AtMost">Attempts within the window.</param>
/// <param name="Window">Counting begins anew this long after the first attempt.</param>
internal sealed record AttemptLimit(byte[] Key, int AtMost, TimeSpan Window);

/// <summary>
/// Counts attempts durably, before they are made: parallel attempts cannot slip past, and a restart forgets nothing. What is counted is
/// the address as sent, so that an unknown address is slowed exactly as a known one (security: A05, A06, A14).
/// </summary>
internal sealed class AttemptLimiter(IdentityDb db, LookupHash hash, IdentitySettings settings, TimeProvider clock)
{
    private static readonly TimeSpan QuarterHour = TimeSpan.FromMinutes(15);

    /// <summary>The limits on passwords for one address from one network.</summary>
    /// <remarks>
    /// The first keeps a guesser out and leaves the owner, who comes from another network, alone. The second is the hundred failures in a
    /// row after which a password alone may not be tried on (SP 800-63B-4 §3.2.2); a new password by mail opens the account again.
    /// </remarks>
    public AttemptLimit[] ForPassword(string comparedEmail, IPAddress? network) =>
    [
        new(PairKey(comparedEmail, network), 10, QuarterHour),
        new(AccountKey(comparedEmail), 100, TimeSpan.FromHours(24)),
        new(NetworkKey(network), settings.NetworkFailures, QuarterHour),
    ];

    /// <summary>The limits on mails to one address caused by one network.</summary>
    public AttemptLimit[] ForMail(string comparedEmail, IPAddress? network) =>
    [
        new(hash.Of("attempts.mail", comparedEmail), 5, TimeSpan.FromHours(1)),
        new(hash.Of("attempts.mail-network", Network(network)), settings.NetworkMails, TimeSpan.FromHours(1)),
    ];

    /// <summary>Counts one attempt under every limit. False where any of them is used up.</summary>
    public async Task<bool> TryTakeAsync(AttemptLimit[] limits, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        var table = db.Model.FindEntityType(typeof(Attempts))!.GetSchema() is { } schema ? $"\"{schema}\".\"attempts\"" : "\"attempts\"";
        // One statement decides and counts: two at the same moment cannot both take the last one.
        var sql = $"""
            INSERT INTO {table} AS a ("Key", "Count", "Since") VALUES (@p0, 1, @p1)
            ON CONFLICT ("Key") DO UPDATE SET
                "Count" = CASE WHEN a."Since" <= @p2 THEN 1 ELSE a."Count" + 1 END,
                "Since" = CASE WHEN a."Since" <= @p2 THEN @p1 ELSE a."Since" END
            WHERE a."Since" <= @p2 OR a."Count" < @p3
            """;
        await using var transaction = await db.Database.BeginTransactionAsync(stop);
        var all = true;
        foreach (var limit in limits)
        {
            all &= await db.Database.ExecuteSqlRawAsync(sql, [limit.Key, now.UtcTicks, (now - limit.Window).UtcTicks, limit.AtMost], stop) == 1;
        }
        await transaction.CommitAsync(stop);
        return all;
    }

    /// <summary>The right password was given: nothing is held against the address, and the network gets its attempt back.</summary>
    public async Task ForgiveAsync(string comparedEmail, IPAddress? network, CancellationToken stop)
    {
        var (pair, account, whole) = (PairKey(comparedEmail, network), AccountKey(comparedEmail), NetworkKey(network));
        await db.Attempts.Where(a => a.Key == pair || a.Key == account).ExecuteDeleteAsync(stop);
        await db.Attempts.Where(a => a.Key == whole && a.Count > 0).ExecuteUpdateAsync(row => row.SetProperty(a => a.Count, a => a.Count - 1), stop);
    }

    private byte[] PairKey(string email, IPAddress? network) => hash.Of("attempts.pair", $"{email}\n{Network(network)}");
    private byte[] AccountKey(string email) => hash.Of("attempts.account", email);
    private byte[] NetworkKey(IPAddress? network) => hash.Of("attempts.network", Network(network));

    // An IPv6 customer has a whole /64 to choose addresses from.
    private static string Network(IPAddress? address)
    {
        if (address is null) return "none";
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        return address.AddressFamily == AddressFamily.InterNetworkV6
            ? Convert.ToHexStringLower(address.GetAddressBytes().AsSpan(0, 8)) : address.ToString().ToString(CultureInfo.InvariantCulture);
    }
}

internal sealed class AttemptsMap : IEntityTypeConfiguration<Attempts>
{
    public void Configure(EntityTypeBuilder<Attempts> row)
    {
        row.ToTable("attempts").HasKey(a => a.Key);
        row.Property(a => a.Key).HasMaxLength(32);
        row.HasIndex(a => a.Since);                         // old ones are swept
    }
}
