using Commerce.Kernel;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Commerce.Federation.Partners;

/// <summary>Follows metadata feeds in the background, and says once a day in the log what ends soon.</summary>
internal sealed partial class MetadataRefresher(IServiceScopeFactory scopes, TimeProvider clock, ILogger<MetadataRefresher> log)
    : PeriodicWork(TimeSpan.FromMinutes(1), scopes, clock, log)
{
    /// <summary>A process that dies while it fetches leaves the feed to others after this time.</summary>
    private static readonly TimeSpan Claim = TimeSpan.FromMinutes(10);
    private readonly IServiceScopeFactory feeds = scopes;
    private DateTimeOffset warnedAt = DateTimeOffset.MinValue;

    private static readonly HotSql AnyDue = new("""SELECT COUNT(*) FROM {schema}metadata_sources WHERE "NextAt" <= $1""");

    protected override async Task RunAsync(IServiceProvider services, DateTimeOffset now, CancellationToken stop)
    {
        var store = services.GetRequiredService<HotStore<FederationDb>>();
        if (await store.ReadAsync(read => read.FirstAsync(AnyDue, row => row.GetInt64(0), now), stop) > 0)
            await RunDueAsync(services.GetRequiredService<FederationDb>(), now, stop);
        await WarnDailyAsync(store, now, stop);
    }

    /// <summary>Says in the log what ends soon, unless it did so within a day.</summary>
    internal async Task WarnDailyAsync(HotStore<FederationDb> store, DateTimeOffset now, CancellationToken stop)
    {
        if (now - warnedAt < TimeSpan.FromDays(1)) return;
        warnedAt = now;
        foreach (var one in await MetadataExpiry.FindAsync(store, now, stop)) LogEnds(log, one.What, one.Connection, one.Partner, one.DaysLeft, one.Until);
    }

    /// <returns>How many feeds were due and are done.</returns>
    internal async Task<int> RunDueAsync(FederationDb db, DateTimeOffset now, CancellationToken stop)
    {
        var done = 0;
        foreach (var due in await db.Set<MetadataSource>().AsNoTracking().Where(s => s.NextAt <= now).OrderBy(s => s.NextAt).Select(s => new { s.Id, s.NextAt }).Take(100).ToListAsync(stop))
        {
            // Of several processes one fetches it.
            if (await db.Set<MetadataSource>().Where(s => s.Id == due.Id && s.NextAt == due.NextAt)
                .ExecuteUpdateAsync(row => row.SetProperty(s => s.NextAt, now + Claim), stop) == 0) continue;
            await using var inner = feeds.CreateAsyncScope();
            var own = inner.ServiceProvider.GetRequiredService<FederationDb>();
            if (await own.Set<MetadataSource>().SingleOrDefaultAsync(s => s.Id == due.Id, stop) is not { } source) continue;
            await inner.ServiceProvider.GetRequiredService<MetadataRefresh>().RunAsync(source, stop);
            done++;
        }
        return done;
    }

    [LoggerMessage(EventId = 3113, Level = LogLevel.Warning, Message = "The {What} of {Connection} ({Partner}) ends in {DaysLeft} days, at {Until}")]
    private static partial void LogEnds(ILogger log, string what, string connection, string partner, int daysLeft, DateTimeOffset until);
}

/// <summary>Registers what follows metadata.</summary>
internal static class MetadataFeeds
{
    public static void Register(IServiceCollection services)
    {
        MetadataFetch.Register(services);
        services.AddScoped<MetadataFetch>().AddScoped<MetadataRefresh>();
        services.AddHostedService<MetadataRefresher>();
    }
}
