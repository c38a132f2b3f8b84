using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Commerce.Kernel.Outbox;

/// <summary>
/// Empties the outboxes: reads events in the order of recording, runs every consumer, then removes the rows. A crash anywhere repeats
/// a delivery, and the consumers' inboxes swallow the repetition. A failing aggregate waits and does not hold up the others.
/// </summary>
/// <remarks>
/// A consuming module gets what is due for it in one transaction and sees each aggregate in order. Two modules that consume events of
/// one aggregate do not wait for each other.
/// </remarks>
internal sealed class OutboxRelay(
    IServiceProvider services, IEnumerable<ModuleDbType> modules, IEnumerable<EventConsumer> consumers, IEnumerable<IEventSource> sources,
    OutboxSignal signal, OutboxSeal seal, RecentEvents recent, HubSettings settings, TimeProvider clock, ILogger<OutboxRelay> log) : BackgroundService
{
    private const int BatchSize = 512;

    // An aggregate whose earliest event is waiting or dead is held back as a whole: its order must stand. What was never tried is due whatever
    // the clock says, which may have been set back since.
    private static readonly HotSql
        Due = new("""
            SELECT "Sequence", "Id", "Aggregate", "Type", "Body", "CreatedAt", "Attempts" FROM {schema}outbox m
            WHERE "DeadAt" IS NULL AND ("Attempts" = 0 OR "NextAttemptAt" <= $1) AND NOT EXISTS (SELECT 1 FROM {schema}outbox e
              WHERE e."Aggregate" = m."Aggregate" AND e."Sequence" < m."Sequence" AND e."Attempts" > 0 AND (e."DeadAt" IS NOT NULL OR e."NextAttemptAt" > $1))
            ORDER BY "Sequence" LIMIT $2
            """),
        Remove = new(
            """DELETE FROM {schema}outbox WHERE "Sequence" IN (SELECT value FROM json_each($1))""",
            postgres: """DELETE FROM {schema}outbox WHERE "Sequence" IN (SELECT value::bigint FROM json_array_elements_text($1::json))"""),
        PutOff = new("""UPDATE {schema}outbox SET "Attempts" = $2, "NextAttemptAt" = $3, "LastError" = $4 WHERE "Sequence" = $1"""),
        Bury = new("""UPDATE {schema}outbox SET "Attempts" = $2, "NextAttemptAt" = $3, "DeadAt" = $3, "LastError" = $4 WHERE "Sequence" = $1""");

    /// <summary>Attempts 1 to 12 spread over a little more than a day; then the event is dead until an operator looks at it.</summary>
    internal const int MaxAttempts = 12;
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);

    /// <summary>
    /// After a round that delivered something and did not leave more behind: what comes meanwhile shares the next round's three commits. The
    /// first event after a pause waits for nothing.
    /// </summary>
    private static readonly TimeSpan Linger = TimeSpan.FromMilliseconds(150);
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(6);
    private static readonly TimeSpan InboxMemory = TimeSpan.FromDays(30);

    private static readonly HotSweep OldInbox = new("inbox", """ "HandledAt" < $1 """);
    private readonly ILookup<string, EventConsumer> consumersOf = consumers.ToLookup(c => c.EventType);
    private readonly Dictionary<string, IEventSource> sourcesByName = sources.ToDictionary(s => s.Name, StringComparer.Ordinal);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(modules.Select(module => Task.Run(() => EmptyForeverAsync(module, stoppingToken), stoppingToken)));

    private async Task EmptyForeverAsync(ModuleDbType module, CancellationToken stop)
    {
        var bell = signal.BellOf(module.Type);
        var sweepAt = clock.GetUtcNow() + PeriodicWork.FirstAtLatest;       // not at the start, which has enough to do
        while (!stop.IsCancellationRequested)
        {
            try
            {
                if (clock.GetUtcNow() >= sweepAt)
                {
                    await module.HotStore(services).SweepAsync(OldInbox, clock.GetUtcNow() - InboxMemory, stop);
                    sweepAt = clock.GetUtcNow() + TimeSpan.FromHours(1);
                }
                var tried = await DeliverDueAsync(module, stop);
                if (tried == 0) await bell.WaitAsync(Poll, stop);
                else if (tried < BatchSize) await Task.Delay(Linger, stop);
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
        await using var scope = settings.Postgres is null ? (AsyncServiceScope?)null : services.CreateAsyncScope();
        await using var lease = scope is null ? null : await RelayLease.TakeAsync((ModuleDb)scope.Value.ServiceProvider.GetRequiredService(module.Type), stop);
        if (scope is not null && lease is null) return 0;    // another process is emptying this outbox

        var store = module.HotStore(services);
        var round = new RelayRound(await store.ReadAsync(read => read.ListAsync(Due, row => DueEvent.Of(row, recent), clock.GetUtcNow(), BatchSize), stop));
        if (round.Due.Count == 0) return 0;
        try
        {
            foreach (var lane in await LanesOfAsync(round, stop)) await DeliverAsync(round, lane, stop);
        }
        finally
        {
            // Also when the process is told to stop in the middle: what was delivered need not come again.
            var delivered = round.Delivered.Select(e => e.Sequence).ToList();
            if (delivered.Count > 0) await store.WriteAsync(write => write.ExecuteAsync(Remove, $"[{string.Join(',', delivered)}]"), CancellationToken.None);
        }
        foreach (var (message, error) in round.Failed) await PutOffAsync(store, message, error, stop);
        return round.Delivered.Count() + round.Failed.Count;
    }

    /// <summary>Each consuming module's share of what is due, in the order of recording.</summary>
    private async ValueTask<IReadOnlyList<List<OneDelivery>>> LanesOfAsync(RelayRound round, CancellationToken stop)
    {
        var lanes = new Dictionary<Type, List<OneDelivery>>();
        foreach (var message in round.Due)
        {
            try
            {
                foreach (var incoming in await EventsInAsync(message, stop))
                {
                    foreach (var consumer in consumersOf[incoming.Type])
                    {
                        if (!lanes.TryGetValue(consumer.Db, out var lane)) lanes.Add(consumer.Db, lane = []);
                        lane.Add(new OneDelivery(message, consumer, incoming));
                        message.ConsumersLeft++;
                    }
                }
            }
            catch (Exception error) when (!stop.IsCancellationRequested)
            {
                // It cannot be opened, or its row does not tell it: that is its own affair and holds up no other.
                round.Fail(message, error);
            }
        }
        return [.. lanes.Values];
    }

    private async ValueTask<IReadOnlyList<Incoming>> EventsInAsync(DueEvent message, CancellationToken stop)
    {
        var types = OutboxParcel.TypesIn(message.Type);
        var at = new DateTimeOffset(message.CreatedAt, TimeSpan.Zero);
        var told = message.Told;
        if (told is null && EventRowBody.TryRead(message.Body, out var source, out var row)) told = await ToldByRowAsync(source, row, at, types, stop);
        var body = told is null ? seal.Open(message.Body) : [];
        var events = new List<Incoming>(types.Count);
        for (var number = 0; number < types.Count; number++)
        {
            var delivery = new Delivery(OutboxParcel.IdOf(message.Id, number), at, message.Attempts + 1);
            events.Add(told is not null ? new Incoming(types[number], told[number], default, delivery) : new Incoming(types[number], null, OutboxParcel.EventIn(body, number), delivery));
        }
        return events;
    }

    private async ValueTask<IReadOnlyList<IIntegrationEvent>> ToldByRowAsync(string source, Guid row, DateTimeOffset at, IReadOnlyList<string> types, CancellationToken stop)
    {
        var told = sourcesByName.TryGetValue(source, out var known) ? await known.TellAgainAsync(row, at, stop) : null;
        return told is not null && told.Select(e => EventTypes.NameOf(e.GetType())).SequenceEqual(types) ? told : throw new EventRowChangedException(source, row);
    }

    private async Task DeliverAsync(RelayRound round, List<OneDelivery> lane, CancellationToken stop)
    {
        for (var from = 0; from < lane.Count;)
        {
            var consumer = lane[from].Consumer;
            var to = from + 1;
            while (to < lane.Count && to - from < consumer.AtMost && ReferenceEquals(lane[to].Consumer, consumer)) to++;
            var run = lane.GetRange(from, to - from);
            from = to;
            run.RemoveAll(one => round.IsHeld(one.Message));
            if (run.Count > 1 && await TryAsync(run, stop) is null) continue;
            // Each alone, so that the one that fails is found and the others go on.
            foreach (var one in run)
            {
                if (!round.IsHeld(one.Message) && await TryAsync([one], stop) is { } error) round.Fail(one.Message, error);
            }
        }
    }

    /// <summary>Null where all were handled, else why none was.</summary>
    private async Task<Exception?> TryAsync(List<OneDelivery> run, CancellationToken stop)
    {
        try
        {
            await run[0].Consumer.RunAsync(services, [.. run.Select(one => one.Incoming)], stop);
            foreach (var one in run) one.Message.ConsumersLeft--;
            return null;
        }
        catch (Exception error) when (!stop.IsCancellationRequested)
        {
            return error;
        }
    }

    private async Task PutOffAsync(HotStore store, DueEvent message, Exception error, CancellationToken stop)
    {
        var attempts = message.Attempts + 1;
        var now = clock.GetUtcNow();
        DateTimeOffset? dead = attempts >= MaxAttempts ? now : null;
        // The type of the error only: its text may hold what the event held.
        await store.WriteAsync(write => dead is null
            ? write.ExecuteAsync(PutOff, message.Sequence, attempts, now + WaitAfter(attempts), error.GetType().Name)
            : write.ExecuteAsync(Bury, message.Sequence, attempts, now, error.GetType().Name), stop);
        log.LogWarning("Event {Event} ({Type}) was not handled at attempt {Attempt}{Dead}: {Error}",
            message.Id, message.Type, attempts, dead is null ? "" : "; it is dead now and waits for an operator", Described(error));
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
}
