using Commerce.Federation.OpenIdConnect.Devices;
using Commerce.Kernel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>Removes, once an hour, what can no longer be used: requests, assertions, grants and logout deliveries past their time.</summary>
/// <remarks>Grants stay until their absolute end, used or not: a code or refresh token that comes back late is known as reused.</remarks>
internal sealed class Sweep(IServiceScopeFactory scopes, TimeProvider clock, ILogger<Sweep> log) : PeriodicWork(TimeSpan.FromHours(1), scopes, clock, log)
{
    private static readonly TimeSpan KeepDeliveries = TimeSpan.FromDays(30);

    private static readonly HotSweep[] PastTheirTime =
    [
        Past("oidc_requests"), Past("oidc_used_assertions"), Past("oidc_agreed_purchases"), Past("oidc_device_codes"), Past("oidc_initial_tokens"),
        Past("oidc_revoked_tokens"), new("oidc_grants", """ "EndsAt" < $1 """),
    ];

    private static readonly HotSweep
        Pushed = Past("oidc_pushed_requests"),
        Guessed = new("oidc_guesses", """ "Since" < $1 """),
        Deliveries = new("oidc_logout_deliveries", """ "FinishedAt" < $1 """);

    private static HotSweep Past(string table) => new(table, """ "ExpiresAt" < $1 """);

    protected override Task RunAsync(IServiceProvider services, DateTimeOffset now, CancellationToken stop) =>
        SweepAsync(services.GetRequiredService<HotStore<FederationDb>>(), now, stop);

    internal static async Task SweepAsync(HotStore<FederationDb> store, DateTimeOffset now, CancellationToken stop)
    {
        foreach (var table in PastTheirTime) await store.SweepAsync(table, now, stop);
        await store.SweepAsync(Pushed, now - PushedRequests.Kept, stop);
        await store.SweepAsync(Guessed, now - Guesses.Window, stop);
        await store.SweepAsync(Deliveries, now - KeepDeliveries, stop);
    }
}
