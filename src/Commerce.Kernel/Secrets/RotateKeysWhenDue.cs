using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Commerce.Kernel.Secrets;

/// <summary>
/// Rotates keys by age, while the hub serves. The configuration's <c>Keys:RotateAfterDays</c> sets another age for all purposes that rotate by
/// themselves; 0 leaves rotation to the operator.
/// </summary>
internal sealed partial class RotateKeysWhenDue(
    SigningKeys keys, IServiceScopeFactory scopes, TimeProvider clock, ILogger<RotateKeysWhenDue> log, IConfiguration? configuration = null)
    : PeriodicWork(TimeSpan.FromHours(1), scopes, clock, log)
{
    private Task reading = Task.CompletedTask;
    private readonly TimeSpan? age = configuration?["Keys:RotateAfterDays"] is { } days ? TimeSpan.FromDays(int.Parse(days, System.Globalization.CultureInfo.InvariantCulture)) : null;

    /// <summary>Reads the keys, and makes those that a new hub has not yet: beside the start, and before the first request waits for it.</summary>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        reading = Task.Run(keys.ReadAheadAsync, CancellationToken.None);
        return base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await reading.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);  // a request that needs them says why not
    }

    protected override async Task RunAsync(IServiceProvider services, DateTimeOffset now, CancellationToken stop)
    {
        foreach (var purpose in await keys.RotateDueAsync(age, stop)) LogRotated(log, purpose);
    }

    [LoggerMessage(EventId = 1102, Level = LogLevel.Information, Message = "The keys of {Purpose} were rotated: their time had come")]
    private static partial void LogRotated(ILogger log, string purpose);
}
