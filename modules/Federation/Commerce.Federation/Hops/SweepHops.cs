using Commerce.Kernel;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Commerce.Federation.Hops;

/// <summary>Closes hops for which no partner came in time, and deletes the values that waited for it: they never left.</summary>
internal sealed class SweepHops(IServiceScopeFactory scopes, TimeProvider clock, ILogger<SweepHops> log) : PeriodicWork(TimeSpan.FromMinutes(5), scopes, clock, log)
{
    protected override Task RunAsync(IServiceProvider services, DateTimeOffset now, CancellationToken stop) =>
        SweepAsync(services.GetRequiredService<FederationDb>(), now, stop);

    internal static async Task SweepAsync(FederationDb db, DateTimeOffset now, CancellationToken stop)
    {
        // First closed, then emptied: from the first statement on nobody can redeem what the second one deletes.
        await db.Hops.Where(h => (h.State == HopState.Sent || h.State == HopState.Created) && h.ExpiresAt <= now)
            .ExecuteUpdateAsync(row => row.SetProperty(h => h.State, HopState.Expired), stop);
        await db.Releases.Where(r => db.Hops.Any(h => h.Release == r.Id && h.State == HopState.Expired)).ExecuteDeleteAsync(stop);
    }
}
