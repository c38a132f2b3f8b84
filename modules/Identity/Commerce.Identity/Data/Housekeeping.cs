using Commerce.Identity.Links;
using Commerce.Identity.Mail;
using Commerce.Kernel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Commerce.Identity.Data;

/// <summary>Once an hour removes what has had its day: links, counts of attempts, mails nobody could deliver, sessions long over.</summary>
internal sealed class Housekeeping(IServiceScopeFactory scopes, TimeProvider clock, ILogger<Housekeeping> log) : PeriodicWork(TimeSpan.FromHours(1), scopes, clock, log)
{
    private static readonly TimeSpan KeepEndedSessions = TimeSpan.FromDays(30);
    private static readonly TimeSpan LongestAttemptWindow = TimeSpan.FromHours(24);

    private static readonly HotSweep
        Links = new("links", """ "ExpiresAt" < $1 """),
        Attempts = new("attempts", """ "Since" < $1 """),
        Mails = new("mails", """ "CreatedAt" < $1 """),
        Sessions = new("sessions", """ "LastSeenAt" < $1 """);

    protected override Task RunAsync(IServiceProvider services, DateTimeOffset now, CancellationToken stop) =>
        SweepAsync(services.GetRequiredService<HotStore<IdentityDb>>(), now, stop);

    internal static async Task SweepAsync(HotStore<IdentityDb> store, DateTimeOffset now, CancellationToken stop)
    {
        await store.SweepAsync(Links, now - MailedLink.Lifetime, stop);
        await store.SweepAsync(Attempts, now - LongestAttemptWindow, stop);
        await store.SweepAsync(Mails, now - QueuedMail.Lifetime, stop);
        await store.SweepAsync(Sessions, now - KeepEndedSessions, stop);
    }
}
