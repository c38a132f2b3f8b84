using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Commerce.Kernel.Outbox;

/// <summary>
/// Empties the outboxes: reads events in the order of recording, runs every consumer, then removes the row. A crash anywhere repeats
/// a delivery, and the consumers' inboxes swallow the repetition. A failing aggregate waits and does not hold up the others.
/// </summary>
internal sealed class OutboxRelay(
    IServiceProvider services, IEnumerable<ModuleDbType> modules, IEnumerable<EventConsumer> consumers,
    OutboxSignal signal, OutboxSeal seal, TimeProvider clock, ILogger<OutboxRelay> log) : BackgroundService
{
    private const int BatchSize = 64;

    /// <summary>Attempts 1 to 12 spread over a little more than a day; then the event is dead until an operator looks at it.</summary>
    internal const int MaxAttempts = 12;
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(6);
    private static readonly TimeSpan InboxMemory = TimeSpan.FromDays(30);

    private readonly ILookup<string, EventConsumer> consumersOf = consumers.ToLookup(c => c.EventType);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(modules.Select(module => Task.Run(() => EmptyForeverAsync(module, stoppingToken), stoppingToken)));

    private async Task EmptyForeverAsync(ModuleDbType module, CancellationToken stop)
    {
        var bell = signal.BellOf(module.Type);
        var swept = DateTimeOffset.MinValue;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                if (clock.GetUtcNow() - swept > TimeSpan.FromHours(1))
                {
                    await SweepInboxAsync(module, stop);
                    swept = clock.GetUtcNow();
                }
                if (await DeliverDueAsync(module, stop) > 0) continue;
                await bell.WaitAsync(Poll, stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error)
            {
                log.LogError("The relay of {Module} failed and goes on in a moment: {Error}", module.Module, Described(error));
                await Task.Delay(Poll, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Delivers what is due now. Returns how many events it tried: none means that nothing was due.</summary>
    internal async Task<int> DeliverDueAsync(ModuleDbType module, CancellationToken stop)
    {
        await using var scope = services.CreateAsyncScope();
        var db = (ModuleDb)scope.ServiceProvider.GetRequiredService(module.Type);
        await using var lease = await RelayLease.TakeAsync(db, stop);
        if (lease is null) return 0;    // another process is emptying this outbox

        var now = clock.GetUtcNow();
        // An aggregate whose earliest event is waiting or dead is held back as a whole: its order must stand.
        var due = await db.Outbox.AsNoTracking()
            .Where(m => m.DeadAt == null && m.NextAttemptAt <= now)
            .Where(m => !db.Outbox.Any(earlier => earlier.Aggregate == m.Aggregate && earlier.Sequence < m.Sequence
                && (earlier.DeadAt != null || earlier.NextAttemptAt > now)))
            .OrderBy(m => m.Sequence).Take(BatchSize).ToListAsync(stop);

        var delivered = new List<long>(due.Count);
        var held = new HashSet<string>();
        try
        {
            foreach (var message in due)
            {
                if (held.Contains(message.Aggregate)) continue;
                if (await DeliverAsync(db, message, stop)) delivered.Add(message.Sequence);
                else held.Add(message.Aggregate);
            }
        }
        finally
        {
            // Also when the process is told to stop in the middle: what was delivered need not come again.
            if (delivered.Count > 0) await db.Outbox.Where(m => delivered.Contains(m.Sequence)).ExecuteDeleteAsync(CancellationToken.None);
        }
        return delivered.Count + held.Count;
    }

    private async Task<bool> DeliverAsync(ModuleDb db, OutboxMessage message, CancellationToken stop)
    {
        try
        {
            var body = seal.Open(message.Body);
            var delivery = new Delivery(message.Id, message.CreatedAt, message.Attempts + 1);
            foreach (var consumer in consumersOf[message.Type]) await consumer.RunAsync(services, body, delivery, stop);
            return true;
        }
        catch (Exception error) when (!stop.IsCancellationRequested)
        {
            var attempts = message.Attempts + 1;
            var now = clock.GetUtcNow();
            DateTimeOffset? dead = attempts >= MaxAttempts ? now : null;
            // The type of the error only: its text may hold what the event held.
            var reason = error.GetType().Name;
            await db.Outbox.Where(m => m.Sequence == message.Sequence).ExecuteUpdateAsync(row => row
                .SetProperty(m => m.Attempts, attempts)
                .SetProperty(m => m.NextAttemptAt, now + WaitAfter(attempts))
                .SetProperty(m => m.DeadAt, dead)
                .SetProperty(m => m.LastError, reason), stop);
            log.LogWarning("Event {Event} ({Type}) was not handled at attempt {Attempt}{Dead}: {Error}",
                message.Id, message.Type, attempts, dead is null ? "" : "; it is dead now and waits for an operator", Described(error));
            return false;
        }
    }

    // Where it went wrong, without the error's own words: they may hold what the event held.
    private static string Described(Exception error) =>
        error is { InnerException: { } inner } ? $"{error.GetType().Name}, {Described(inner)}" : $"{error.GetType().Name}{Environment.NewLine}{error.StackTrace}";

    /// <summary>2 s, 8 s, 32 s, … at most 6 h.</summary>
    internal static TimeSpan WaitAfter(int attempts)
    {
        var wait = TimeSpan.FromSeconds(2 * Math.Pow(4, Math.Min(attempts - 1, 10)));
        return wait < LongestWait ? wait : LongestWait;
    }

    private async Task SweepInboxAsync(ModuleDbType module, CancellationToken stop)
    {
        await using var scope = services.CreateAsyncScope();
        var db = (ModuleDb)scope.ServiceProvider.GetRequiredService(module.Type);
        var before = clock.GetUtcNow() - InboxMemory;
        await db.Inbox.Where(e => e.HandledAt < before).ExecuteDeleteAsync(stop);
    }
}
