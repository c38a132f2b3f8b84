using Commerce.Identity.Links;
using Commerce.Identity.Mail;
using Commerce.Kernel;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Commerce.Identity.Data;

/// <summary>Once an hour removes what has had its day: links, counts of attempts, mails nobody could deliver, sessions long over.</summary>
internal sealed class Housekeeping(IServiceScopeFactory scopes, TimeProvider clock, ILogger<Housekeeping> log) : PeriodicWork(TimeSpan.FromHours(1), scopes, clock, log)
{
    private static readonly TimeSpan KeepEndedSessions = TimeSpan.FromDays(30);
    private static readonly TimeSpan LongestAttemptWindow = TimeSpan.FromHours(24);

    protected override Task RunAsync(IServiceProvider services, DateTimeOffset now, CancellationToken stop) =>
        SweepAsync(services.GetRequiredService<IdentityDb>(), now, stop);

    internal static async Task SweepAsync(IdentityDb db, DateTimeOffset now, CancellationToken stop)
    {
        var (links, attempts, mails, sessions) = (now - MailedLink.Lifetime, now - LongestAttemptWindow, now - QueuedMail.Lifetime, now - KeepEndedSessions);
        await db.Links.Where(l => l.ExpiresAt < links).ExecuteDeleteAsync(stop);
        await db.Attempts.Where(a => a.Since < attempts).ExecuteDeleteAsync(stop);
        await db.Mails.Where(m => m.CreatedAt < mails).ExecuteDeleteAsync(stop);
        await db.Sessions.Where(s => s.LastSeenAt < sessions).ExecuteDeleteAsync(stop);
    }
}
