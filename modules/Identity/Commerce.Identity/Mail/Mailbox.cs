using Commerce.Identity.Accounts;
using Commerce.Identity.Data;
using Commerce.Kernel;
using Commerce.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Identity.Mail;

/// <summary>Shows the mails that no server is there to send. For demos on one machine: elsewhere there is no such page.</summary>
internal static class Mailbox
{
    private const int Shown = 50;

    public static bool IsOpen(HubSettings settings, SmtpSettings smtp) => settings.IsDevelopment && smtp.Host is null;

    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/mailbox",
        async (string? to, IdentityDb db, MailQueue queue, HubSettings settings, SmtpSettings smtp, HttpContext context, CancellationToken stop) =>
        {
            if (!IsOpen(settings, smtp)) return Answer.No(context, Refusals.NoMailbox);
            var wanted = EmailAddress.TryParse(to, out var address) ? address.Compared : null;
            var mails = await db.Mails.AsNoTracking().OrderByDescending(m => m.Id).Take(1000).ToListAsync(stop);
            var shown = mails.Select(m => new MailShown(m.CreatedAt, queue.Open(m)))
                .Where(m => to is null || (EmailAddress.TryParse(m.Message.To, out var reader) && reader.Compared == wanted));
            return new Page("/Mail/Mailbox.cshtml", new MailboxPage(to, settings.PublicOrigin, [.. shown.Take(Shown)]));
        }).ExcludeFromDescription();
}

internal sealed record MailShown(DateTimeOffset At, Message Message);

/// <param name="Origin">Lines of a mail that begin with it are links.</param>
internal sealed record MailboxPage(string? To, string Origin, IReadOnlyList<MailShown> Mails);
