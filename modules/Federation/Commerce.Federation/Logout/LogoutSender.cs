using System.Collections.Concurrent;
using System.Net.Sockets;
using Commerce.Federation.OpenIdConnect;
using Commerce.Federation.Partners;
using Commerce.Kernel;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Commerce.Federation.Logout;

/// <summary>
/// Sends logout tokens: a fresh one for each attempt, to many partners at a time and to one partner one at a time, so that a dead partner
/// delays nobody else. What waits stands in the database and survives a restart; a claimed row that is never finished comes due again.
/// </summary>
internal sealed partial class LogoutSender(
    HotStore<FederationDb> store, IServiceScopeFactory scopes, Connections connections, Tokens tokens, LogoutCalls http, TimeProvider clock, ILogger<LogoutSender> log) : BackgroundService
{
    private const int Batch = 128, MaxInFlight = 64;
    private static readonly HotSql AnyDue = new("""SELECT 1 FROM {schema}oidc_logout_deliveries WHERE "State" = $1 AND "NextAttemptAt" <= $2 LIMIT 1""");
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(500);

    /// <summary>How long a claimed row is left alone: longer than an attempt can take.</summary>
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(1);

    /// <summary>Waits after each failed attempt; 27 hours in all. After the last the delivery is dead.</summary>
    internal static readonly IReadOnlyList<TimeSpan> Waits =
    [
        TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(30), TimeSpan.FromHours(1),
        TimeSpan.FromHours(3), TimeSpan.FromHours(5), TimeSpan.FromHours(8), TimeSpan.FromHours(9),
    ];

    private readonly ConcurrentDictionary<string, Task> inFlight = new(StringComparer.Ordinal);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (!await StartDueAsync(stoppingToken)) await Task.Delay(Poll, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
            catch (Exception error)
            {
                log.LogError(error, "The logout sender failed; it goes on in a moment.");
                await Task.Delay(Poll, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        await Task.WhenAll(inFlight.Values).WaitAsync(TimeSpan.FromSeconds(5), CancellationToken.None).ContinueWith(_ => { }, TaskScheduler.Default);
    }

    /// <summary>Starts one attempt for each partner that has something due and none under way. True where there may be more at once.</summary>
    private async Task<bool> StartDueAsync(CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        string[] busy = [.. inFlight.Keys];
        if (busy.Length >= MaxInFlight) return false;
        if (await store.ReadAsync(read => read.FirstAsync(AnyDue, row => row.GetInt32(0), DeliveryState.Waiting, now), stop) == 0) return false;
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<FederationDb>();
        var due = await db.Set<LogoutDelivery>().AsNoTracking()
            .Where(d => d.State == DeliveryState.Waiting && d.NextAttemptAt <= now && !busy.Contains(d.Connection))
            .OrderBy(d => d.NextAttemptAt).Take(Batch).ToListAsync(stop);
        var started = false;
        foreach (var delivery in due)
        {
            if (inFlight.Count >= MaxInFlight) break;
            if (inFlight.ContainsKey(delivery.Connection)) continue;
            // Another process may look at the same row: the one whose update counts has it.
            var lease = now + Lease;
            var claimed = await db.Set<LogoutDelivery>()
                .Where(d => d.Id == delivery.Id && d.State == DeliveryState.Waiting && d.Attempts == delivery.Attempts && d.NextAttemptAt <= now)
                .ExecuteUpdateAsync(row => row.SetProperty(d => d.Attempts, d => d.Attempts + 1).SetProperty(d => d.NextAttemptAt, lease), stop);
            if (claimed != 1) continue;
            started = true;
            var begun = new TaskCompletionSource();
            inFlight[delivery.Connection] = begun.Task;
            _ = Task.Run(async () =>
            {
                try
                {
                    await AttemptAsync(delivery, stop);
                }
                catch (Exception error)
                {
                    log.LogError(error, "Logout delivery {Delivery} could not be noted; it comes due again.", delivery.Id);
                }
                finally
                {
                    inFlight.TryRemove(delivery.Connection, out _);
                    begun.SetResult();
                }
            }, CancellationToken.None);
        }
        return started && due.Count == Batch;
    }

    private async Task AttemptAsync(LogoutDelivery delivery, CancellationToken stop)
    {
        if (delivery.SamlSession is not null)
        {
            await AttemptSamlAsync(delivery, stop);
            return;
        }
        var attempt = delivery.Attempts + 1;
        if (await connections.FindAsync(delivery.Connection, stop) is not { IsActive: true, Oidc.BackchannelLogoutUri: { } address } client)
        {
            await NoteAsync(delivery, DeliveryState.Dropped, null, null, stop);
            return;
        }
        int? status = null;
        string? fault = null;
        try
        {
            status = await http.PostFormAsync(address, "logout_token", tokens.LogoutToken(client, delivery.Subject, delivery.Sid), stop);
        }
        catch (Exception error) when (error is HttpRequestException or SocketException or IOException or OperationCanceledException)
        {
            if (stop.IsCancellationRequested) return;   // not the partner's fault: the row comes due again after its lease
            fault = error is OperationCanceledException ? "timeout" : error is HttpRequestException { InnerException: AddressRefusedException } ? "address refused" : error.GetType().Name;
        }
        var state = status switch
        {
            >= 200 and < 300 => DeliveryState.Delivered,
            >= 400 and < 500 => DeliveryState.Refused,
            _ => attempt > Waits.Count ? DeliveryState.Dead : DeliveryState.Waiting,
        };
        await NoteAsync(delivery, state, status, fault, stop, attempt);
        if (state == DeliveryState.Delivered) return;
        log.LogWarning("Logout of a session was not taken by {Client} at attempt {Attempt}: {Status}; now {State}.",
            client.Id, attempt, (object?)status ?? fault, state);
    }

    private async Task NoteAsync(LogoutDelivery delivery, DeliveryState state, int? status, string? fault, CancellationToken stop, int attempt = 0)
    {
        var now = clock.GetUtcNow();
        var next = state == DeliveryState.Waiting ? now + Waits[attempt - 1] : now;
        DateTimeOffset? finished = state == DeliveryState.Waiting ? null : now;
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<FederationDb>();
        await db.Set<LogoutDelivery>().Where(d => d.Id == delivery.Id && d.State == DeliveryState.Waiting).ExecuteUpdateAsync(row => row
            .SetProperty(d => d.State, state).SetProperty(d => d.NextAttemptAt, next).SetProperty(d => d.FinishedAt, finished)
            .SetProperty(d => d.LastStatus, status).SetProperty(d => d.LastError, fault), stop);
    }
}
