using Commerce.Federation.Logout;
using Commerce.Federation.OpenIdConnect.Devices;
using Commerce.Federation.OpenIdConnect.Registration;
using Commerce.Federation.OpenIdConnect.RichAuthorization;
using Commerce.Federation.OpenIdConnect.TokenStatus;
using Commerce.Kernel;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>Removes, once an hour, what can no longer be used: requests, assertions, grants and logout deliveries past their time.</summary>
/// <remarks>Grants stay until their absolute end, used or not: a code or refresh token that comes back late is known as reused.</remarks>
internal sealed class Sweep(IServiceScopeFactory scopes, TimeProvider clock, ILogger<Sweep> log) : PeriodicWork(TimeSpan.FromHours(1), scopes, clock, log)
{
    private static readonly TimeSpan KeepDeliveries = TimeSpan.FromDays(30);

    protected override Task RunAsync(IServiceProvider services, DateTimeOffset now, CancellationToken stop) =>
        SweepAsync(services.GetRequiredService<FederationDb>(), now, stop);

    internal static async Task SweepAsync(FederationDb db, DateTimeOffset now, CancellationToken stop)
    {
        var old = now - KeepDeliveries;
        await db.Set<FrozenRequest>().Where(r => r.ExpiresAt < now).ExecuteDeleteAsync(stop);
        var answered = now - PushedRequests.Kept;
        await db.Set<PushedRequest>().Where(r => r.ExpiresAt < answered).ExecuteDeleteAsync(stop);
        await db.Set<UsedAssertion>().Where(u => u.ExpiresAt < now).ExecuteDeleteAsync(stop);
        await db.Set<AgreedPurchase>().Where(a => a.ExpiresAt < now).ExecuteDeleteAsync(stop);
        await db.Set<DeviceAuthorization>().Where(d => d.ExpiresAt < now).ExecuteDeleteAsync(stop);
        await db.Set<InitialToken>().Where(t => t.ExpiresAt < now).ExecuteDeleteAsync(stop);
        await db.Set<RevokedToken>().Where(t => t.ExpiresAt < now).ExecuteDeleteAsync(stop);
        await db.Set<Grant>().Where(g => g.EndsAt < now).ExecuteDeleteAsync(stop);
        await db.Set<LogoutDelivery>().Where(d => d.FinishedAt != null && d.FinishedAt < old).ExecuteDeleteAsync(stop);
    }
}
