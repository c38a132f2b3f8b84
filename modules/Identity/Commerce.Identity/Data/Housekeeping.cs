using Commerce.Identity.Links;
using Commerce.Identity.Mail;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Commerce.Identity.Data;

/// <summary>Once an hour removes what has had its day: links, counts of attempts, mails nobody could deliver, sessions long over.</summary>
internal sealed class Housekeeping(IServiceScopeFactory scopes, TimeProvider clock, ILogger<Housekeeping> log) : BackgroundService
{
    private static readonly TimeSpan KeepEndedSessions = TimeSpan.FromDays(30);
    private static readonly TimeSpan LongestAttemptWindow = TimeSpan.FromHours(24);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var hourly = new PeriodicTimer(TimeSpan.FromHours(1));
        try
        {
            while (await hourly.WaitForNextTickAsync(stoppingToken))
            {
                try
                {
                    await SweepAsync(stoppingToken);
                }
                catch (Exception error) when (!stoppingToken.IsCancellationRequested)
                {
                    log.LogError(error, "Housekeeping failed; it tries again in an hour.");
                }
            }
        }
        catch (OperationCanceledException)
        {
            // the process is stopping
        }
    }

    internal async Task SweepAsync(CancellationToken stop)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<IdentityDb>();
        var now = clock.GetUtcNow();
        var (links, attempts, mails, sessions) = (now - MailedLink.Lifetime, now - LongestAttemptWindow, now - QueuedMail.Lifetime, now - KeepEndedSessions);
        await db.Links.Where(l => l.ExpiresAt < links).ExecuteDeleteAsync(stop);
        await db.Attempts.Where(a => a.Since < attempts).ExecuteDeleteAsync(stop);
        await db.Mails.Where(m => m.CreatedAt < mails).ExecuteDeleteAsync(stop);
        await db.Sessions.Where(s => s.LastSeenAt < sessions).ExecuteDeleteAsync(stop);
    }
}
