using System.Threading.Channels;
using Commerce.Federation.Data;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Commerce.Federation.Saml;

/// <summary>
/// Puts refused messages on record, some at a time and beside the request: anybody may send nonsense, and must not be able to make the hub
/// write for it without end. Beyond <see cref="MostAMinute"/> only the log has them.
/// </summary>
internal sealed partial class RefusalWriter(IServiceScopeFactory scopes, TimeProvider clock, ILogger<RefusalWriter> log) : BackgroundService
{
    public const int MostAMinute = 600;
    private const int Batch = 64;

    private readonly Channel<RefusalRecord> waiting = Channel.CreateBounded<RefusalRecord>(
        new BoundedChannelOptions(1024) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    private readonly Lock counting = new();
    private DateTimeOffset minute;
    private int count;

    /// <summary>Whether one more may be recorded in this minute. Ask before making the record: masking a message costs time too.</summary>
    public bool HasRoom()
    {
        var now = clock.GetUtcNow();
        lock (counting)
        {
            if (now - minute >= TimeSpan.FromMinutes(1)) (minute, count) = (now, 0);
            return ++count <= MostAMinute;
        }
    }

    public void Add(RefusalRecord record) => waiting.Writer.TryWrite(record);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var batch = new List<RefusalRecord>(Batch);
        try
        {
            while (await waiting.Reader.WaitToReadAsync(stoppingToken)) await SaveAsync(batch);
        }
        catch (OperationCanceledException)
        {
            // The process ends; what waits is still written.
        }
        while (waiting.Reader.TryPeek(out _)) await SaveAsync(batch);
    }

    private async Task SaveAsync(List<RefusalRecord> batch)
    {
        batch.Clear();
        while (batch.Count < Batch && waiting.Reader.TryRead(out var record)) batch.Add(record);
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<FederationDb>();
            db.AddRange(batch);
            await db.SaveChangesAsync(CancellationToken.None);
        }
        catch (Exception error)
        {
            LogLost(log, error, batch.Count);    // the log has them all the same
        }
    }

    [LoggerMessage(EventId = 3103, Level = LogLevel.Warning, Message = "{Count} refused SAML messages could not be put on record")]
    private static partial void LogLost(ILogger log, Exception error, int count);
}
