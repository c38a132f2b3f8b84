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
    private readonly TimeSpan? age = configuration?["Keys:RotateAfterDays"] is { } days ? TimeSpan.FromDays(int.Parse(days, System.Globalization.CultureInfo.InvariantCulture)) : null;

    protected override async Task RunAsync(IServiceProvider services, DateTimeOffset now, CancellationToken stop)
    {
        foreach (var purpose in await keys.RotateDueAsync(age, stop)) LogRotated(log, purpose);
    }

    [LoggerMessage(EventId = 1102, Level = LogLevel.Information, Message = "The keys of {Purpose} were rotated: their time had come")]
    private static partial void LogRotated(ILogger log, string purpose);
}
