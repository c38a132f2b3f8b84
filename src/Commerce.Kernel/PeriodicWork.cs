using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Commerce.Kernel;

/// <summary>
/// What a server does again and again while it runs, such as removing rows that have had their day. The first round comes one
/// <paramref name="every"/> after the start, or five minutes: a server that never runs for an hour does its hourly work too. A round that
/// fails is logged, and the next one comes as if it had not.
/// </summary>
/// <remarks>Several processes may do the same round at the same time: each round must bear that.</remarks>
public abstract partial class PeriodicWork(TimeSpan every, IServiceScopeFactory scopes, TimeProvider clock, ILogger log) : BackgroundService
{
    internal static readonly TimeSpan FirstAtLatest = TimeSpan.FromMinutes(5);

    /// <param name="services">A scope of this round's own.</param>
    /// <param name="now">The hub's clock, read once for the whole round.</param>
    /// <param name="stop">Cancelled when the process stops.</param>
    protected abstract Task RunAsync(IServiceProvider services, DateTimeOffset now, CancellationToken stop);

    protected sealed override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // By the machine's time: a test moves the hub's clock and calls the round itself.
        using var timer = new PeriodicTimer(every < FirstAtLatest ? every : FirstAtLatest);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                timer.Period = every;
                try
                {
                    await using var scope = scopes.CreateAsyncScope();
                    await RunAsync(scope.ServiceProvider, clock.GetUtcNow(), stoppingToken);
                }
                catch (Exception error) when (!stoppingToken.IsCancellationRequested)
                {
                    LogFailed(log, GetType().Name, error);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // the process is stopping
        }
    }

    [LoggerMessage(EventId = 1101, Level = LogLevel.Warning, Message = "{Work} failed; its next round comes in its time")]
    private static partial void LogFailed(ILogger log, string work, Exception error);
}
