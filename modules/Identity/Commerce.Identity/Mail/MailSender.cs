using Commerce.Identity.Data;
using Commerce.Kernel;
using MailKit.Net.Smtp;
using MailKit.Security;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using MimeKit;

namespace Commerce.Identity.Mail;

/// <summary>Sends what waits in the queue. A mail that the server did not take is tried again, later and later, for a day.</summary>
internal sealed class MailSender(HotStore<IdentityDb> store, IServiceScopeFactory scopes, SmtpSettings smtp, TimeProvider clock, ILogger<MailSender> log) : BackgroundService
{
    private static readonly HotSql AnyDue = new("""SELECT 1 FROM {schema}mails WHERE "NextAttemptAt" <= $1 LIMIT 1""");
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Claim = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (smtp.Host is not { } host) return;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (await SendDueAsync(host, stoppingToken) == 0) await Task.Delay(Poll, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error)
            {
                log.LogError(error, "The mail sender failed; it goes on in a moment.");
                await Task.Delay(Poll, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task<int> SendDueAsync(string host, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        if (await store.ReadAsync(read => read.FirstAsync(AnyDue, row => row.GetInt32(0), now), stop) == 0) return 0;
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<IdentityDb>();
        var queue = scope.ServiceProvider.GetRequiredService<MailQueue>();
        var due = await db.Mails.AsNoTracking().Where(m => m.NextAttemptAt <= now).OrderBy(m => m.NextAttemptAt).Take(20).ToListAsync(stop);
        foreach (var mail in due)
        {
            // Claimed for a while, so that no other process sends it too; after a crash the claim runs out and it is sent then.
            var claimed = await db.Mails.Where(m => m.Id == mail.Id && m.NextAttemptAt == mail.NextAttemptAt).ExecuteUpdateAsync(row => row
                .SetProperty(m => m.NextAttemptAt, now + Claim).SetProperty(m => m.Attempts, m => m.Attempts + 1), stop);
            if (claimed == 0) continue;
            if (await TrySendAsync(host, queue.Open(mail), mail.Id, stop) || now - mail.CreatedAt >= QueuedMail.Lifetime)
            {
                await db.Mails.Where(m => m.Id == mail.Id).ExecuteDeleteAsync(stop);
            }
            else
            {
                var next = now + WaitAfter(mail.Attempts + 1);
                await db.Mails.Where(m => m.Id == mail.Id).ExecuteUpdateAsync(row => row.SetProperty(m => m.NextAttemptAt, next), stop);
            }
        }
        return due.Count;
    }

    private async Task<bool> TrySendAsync(string host, Message message, Guid id, CancellationToken stop)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(Timeout);
        try
        {
            using var mime = new MimeMessage();
            mime.From.Add(MailboxAddress.Parse(message.From ?? smtp.From));
            mime.To.Add(new MailboxAddress("", message.To));
            mime.Subject = message.Subject;
            mime.Headers.Add("Auto-Submitted", "auto-generated");     // RFC 3834: nobody's holiday notice answers it
            mime.Body = new TextPart("plain") { Text = message.Text };
            using var client = new SmtpClient();
            var security = smtp.StartTls ? SecureSocketOptions.StartTls : SecureSocketOptions.None;
            if (!smtp.StartTls && host is not ("localhost" or "127.0.0.1" or "::1")) throw new InvalidOperationException("Smtp:StartTls is off for a host that is not this machine.");
            await client.ConnectAsync(host, smtp.Port, security, patience.Token);
            if (smtp.User is { } user) await client.AuthenticateAsync(user, smtp.Password ?? "", patience.Token);
            await client.SendAsync(mime, patience.Token);
            await client.DisconnectAsync(quit: true, patience.Token);
            return true;
        }
        catch (Exception error) when (!stop.IsCancellationRequested)
        {
            log.LogWarning("Mail {Mail} was not taken by the mail server: {Error}. It is tried again.", id, error.GetType().Name);
            return false;
        }
    }

    /// <summary>1, 2, 4, … minutes, at most 2 hours.</summary>
    internal static TimeSpan WaitAfter(int attempts) => TimeSpan.FromMinutes(Math.Min(120, Math.Pow(2, Math.Min(attempts - 1, 10))));
}
