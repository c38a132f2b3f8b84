using Commerce.Federation.Data;
using Commerce.Kernel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Commerce.Federation.Saml;

/// <summary>Deletes requests that are so old that their age alone refuses them, participants of sessions that ended long ago, and old refusals.</summary>
internal sealed class SweepSamlRequests(IServiceScopeFactory scopes, TimeProvider clock, ILogger<SweepSamlRequests> log)
    : PeriodicWork(TimeSpan.FromMinutes(5), scopes, clock, log)
{
    /// <summary>Longer than any browser session lives.</summary>
    private static readonly TimeSpan KeepParticipants = TimeSpan.FromDays(30);

    private static readonly HotSweep
        Requests = new("saml_requests", """ "ExpiresAt" < $1 """),
        Answered = new("saml_answered", """ "ForgetAt" < $1 """) { HasIndex = false },
        Participants = new("saml_participants", """ "FirstAt" < $1 """),
        Artifacts = new("saml_artifacts", """ "ExpiresAt" < $1 """);

    protected override Task RunAsync(IServiceProvider services, DateTimeOffset now, CancellationToken stop) =>
        SweepAsync(services.GetRequiredService<HotStore<FederationDb>>(), now, stop);

    internal static async Task SweepAsync(HotStore<FederationDb> store, DateTimeOffset now, CancellationToken stop)
    {
        await store.SweepAsync(Requests, now, stop);
        await store.SweepAsync(Answered, now, stop);
        await store.SweepAsync(Participants, now - KeepParticipants, stop);
        await store.SweepAsync(Artifacts, now, stop);
        await RefusalRecord.SweepAsync(store, now, stop);
    }
}
