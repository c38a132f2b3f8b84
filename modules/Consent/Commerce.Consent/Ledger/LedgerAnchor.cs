using Commerce.Consent.Data;
using Commerce.Kernel;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Commerce.Consent.Ledger;

/// <summary>
/// Follows the ledger and anchors its head: at once when an agreement is given or withdrawn, else within a second, and at most once a
/// second. Only what is committed is anchored, so a crash leaves the anchor behind the chain and never ahead of it.
/// </summary>
internal sealed class LedgerAnchor(HotStore<ConsentDb> store, AnchorFile file, TimeProvider clock, ILogger<LedgerAnchor> log) : BackgroundService
{
    private static readonly HotSql Newest = new("""SELECT "Number", "Hash" FROM {schema}ledger ORDER BY "Number" DESC LIMIT 1""");
    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(1);
    private readonly SemaphoreSlim bell = new(0, 1);
    private long anchored = -1;

    /// <summary>Something was appended and committed.</summary>
    public void Wake()
    {
        try
        {
            if (bell.CurrentCount == 0) bell.Release();
        }
        catch (SemaphoreFullException)
        {
            // rung by another at the same moment: one ring is enough
        }
    }

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await BeginAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await AnchorHeadAsync(stoppingToken);
                await bell.WaitAsync(Pace, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error)
            {
                log.LogError(error, "The ledger could not be anchored; it is tried again in a moment.");
                await Task.Delay(Pace, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await AnchorHeadAsync(cancellationToken);
    }

    // The first line is written before there is any entry: a file that begins later has lost its beginning, or has been put in its place.
    private async Task BeginAsync(CancellationToken stop)
    {
        if (file.Exists) return;
        if (await HeadAsync(stop) is null) file.Append(0, LedgerEntry.Origin, clock.GetUtcNow());
        else log.LogError("The ledger has entries but no anchor file. Bring it back from the backup, then run 'ledger verify'.");
    }

    internal async Task AnchorHeadAsync(CancellationToken stop)
    {
        if (await HeadAsync(stop) is not { } head || head.Number == anchored) return;
        if (anchored < 0 && file.Exists) anchored = LastAnchored();
        if (head.Number <= anchored) return;     // nothing new, or the tail was cut: 'ledger verify' says so
        file.Append(head.Number, head.Hash, clock.GetUtcNow());
        anchored = head.Number;
    }

    private long LastAnchored()
    {
        try
        {
            return file.Read().LastOrDefault()?.Number ?? -1;
        }
        catch (InvalidDataException error)
        {
            log.LogError(error, "The ledger's anchor file was edited. Run 'ledger verify'.");
            return -1;
        }
    }

    private ValueTask<Head?> HeadAsync(CancellationToken stop) =>
        store.ReadAsync(read => read.FirstAsync(Newest, row => new Head(row.GetInt64(0), row.GetFieldValue<byte[]>(1))), stop);

    private sealed record Head(long Number, byte[] Hash);

    public override void Dispose()
    {
        bell.Dispose();
        base.Dispose();
    }
}
