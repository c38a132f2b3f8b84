using Commerce.Federation.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Commerce.Federation.Saml;

/// <summary>Deletes requests that are so old that their age alone refuses them, and participants of sessions that ended long ago.</summary>
internal sealed partial class SweepSamlRequests(IServiceScopeFactory scopes, TimeProvider clock, ILogger<SweepSamlRequests> log) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromMinutes(5);

    /// <summary>Longer than any browser session lives.</summary>
    private static readonly TimeSpan KeepParticipants = TimeSpan.FromDays(30);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await using var scope = scopes.CreateAsyncScope();
                await SweepAsync(scope.ServiceProvider.GetRequiredService<FederationDb>(), clock.GetUtcNow(), stoppingToken);
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                LogFailed(log, error);   // the next round tries again
            }
        }
    }

    internal static async Task<int> SweepAsync(FederationDb db, DateTimeOffset now, CancellationToken stop)
    {
        var before = now - KeepParticipants;
        return await db.Set<SamlRequest>().Where(r => r.ExpiresAt < now).ExecuteDeleteAsync(stop)
            + await db.Set<SamlParticipant>().Where(p => p.FirstAt < before).ExecuteDeleteAsync(stop);
    }

    [LoggerMessage(EventId = 3102, Level = LogLevel.Warning, Message = "Old SAML requests could not be swept")]
    private static partial void LogFailed(ILogger log, Exception error);
}
