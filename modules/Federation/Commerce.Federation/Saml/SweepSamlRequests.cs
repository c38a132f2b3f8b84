using Commerce.Federation.Data;
using Commerce.Kernel;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Commerce.Federation.Saml;

/// <summary>Deletes requests that are so old that their age alone refuses them, participants of sessions that ended long ago, and old refusals.</summary>
internal sealed class SweepSamlRequests(IServiceScopeFactory scopes, TimeProvider clock, ILogger<SweepSamlRequests> log)
    : PeriodicWork(TimeSpan.FromMinutes(5), scopes, clock, log)
{
    /// <summary>Longer than any browser session lives.</summary>
    private static readonly TimeSpan KeepParticipants = TimeSpan.FromDays(30);

    protected override Task RunAsync(IServiceProvider services, DateTimeOffset now, CancellationToken stop) =>
        SweepAsync(services.GetRequiredService<FederationDb>(), now, stop);

    internal static async Task<int> SweepAsync(FederationDb db, DateTimeOffset now, CancellationToken stop)
    {
        var before = now - KeepParticipants;
        return await db.Set<SamlRequest>().Where(r => r.ExpiresAt < now).ExecuteDeleteAsync(stop)
            + await db.Set<SamlParticipant>().Where(p => p.FirstAt < before).ExecuteDeleteAsync(stop)
            + await db.Set<ArtifactRow>().Where(a => a.ExpiresAt < now).ExecuteDeleteAsync(stop)
            + await RefusalRecord.SweepAsync(db, now, stop);
    }
}
