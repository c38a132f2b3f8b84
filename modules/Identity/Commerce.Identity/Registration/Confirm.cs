using System.Net;
using Commerce.Identity.Accounts;
using Commerce.Identity.Contracts;
using Commerce.Identity.Data;
using Commerce.Identity.Links;
using Commerce.Identity.Passwords;
using Commerce.Identity.SignIn;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Commerce.Web;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Identity.Registration;

/// <summary>
/// The link of a registration. Opening it changes nothing, because mail scanners open links too (K02); the button makes the account,
/// signs in and goes back to where the customer was needed.
/// </summary>
internal static class Confirm
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/confirm", async (string? code, HttpContext context, MailedLinks links, CancellationToken stop) =>
        {
            if (await links.FindAsync(code, [LinkKind.Register], stop) is not { } link) return Answer.RefusedPage(context, Refusals.LinkNotOurs);
            var pending = links.Open<PendingAccount>(link);
            return Show(pending, new ConfirmPage(code!, !RegisteringBrowser.Is(context, pending.Browser), null), StatusCodes.Status200OK);
        }).ExcludeFromDescription();

        routes.MapPost("/confirm", async (
            [FromForm] string? code, [FromForm] string? password, HttpContext context, MailedLinks links, RegisteringBrowser browser, SessionStart sessions,
            IMediator mediator, CancellationToken stop) =>
        {
            if (await links.FindAsync(code, [LinkKind.Register], stop) is not { } link) return Answer.RefusedPage(context, Refusals.LinkNotOurs);
            var pending = links.Open<PendingAccount>(link);
            var isSameBrowser = RegisteringBrowser.Is(context, pending.Browser);
            var answer = await mediator.Send(new Request(link, pending, isSameBrowser, password, context.Connection.RemoteIpAddress, context.User.SessionId()), stop);
            if (answer.TryGet(out var started, out var refusal))
            {
                sessions.Finish(context, started);
                browser.Forget(context);
                return new SeeOther(Language.IsOwnPath(pending.Why.ReturnPath) ? pending.Why.ReturnPath : "/account");
            }
            if (refusal == Refusals.LinkNotOurs) return Answer.RefusedPage(context, refusal);
            return Show(pending, new ConfirmPage(code!, !isSameBrowser, refusal), refusal.Status);
        }).ExcludeFromDescription();
    }

    private static Page Show(PendingAccount pending, ConfirmPage page, int status) =>
        new("/Registration/Confirm.cshtml", page) { Status = status, FormTargets = pending.Why.Onward };

    internal sealed record Request(
        MailedLink Link, PendingAccount Pending, bool IsSameBrowser, string? Password, IPAddress? Network, Guid? CurrentSession) : IRequest<Result<StartedSession>>;

    internal sealed class Handler(
        IdentityDb db, LookupHash hash, PersonalData personal, PasswordCheck passwords, AttemptLimiter attempts, SessionStart sessions, TimeProvider clock)
        : IRequestHandler<Request, Result<StartedSession>>
    {
        public async Task<Result<StartedSession>> Handle(Request request, CancellationToken cancellationToken)
        {
            var (link, pending) = (request.Link, request.Pending);
            if (!EmailAddress.TryParse(pending.Email, out var email)) return Refusals.LinkNotOurs;
            if (!request.IsSameBrowser)
            {
                if (!await attempts.TryTakeAsync(attempts.ForPassword(email.Compared, request.Network), cancellationToken)) return Refusals.TooManyAttempts;
                if (!passwords.Matches(pending.PasswordHash, request.Password ?? "")) return Refusals.WrongPassword;
            }

            var now = clock.GetUtcNow();
            var account = await CustomerAccount.NewAsync(link.Customer, email, pending.Locale, pending.Banner, now, personal, hash, cancellationToken);
            (account.PasswordHash, account.EmailVerifiedAt) = (pending.PasswordHash, now);
            db.Accounts.Add(account);
            link.UsedAt = now;
            db.Publish(new CustomerRegistered(account.Customer, account.Banner, pending.GivenName, pending.FamilyName, account.Locale, now));
            db.Publish(new EmailConfirmed(account.Customer, email.Written, now));
            var started = await sessions.PrepareAsync(account.Customer, request.CurrentSession, cancellationToken);
            try
            {
                await db.SaveChangesAsync(cancellationToken);
                return started;
            }
            catch (DbUpdateException) when (!cancellationToken.IsCancellationRequested)
            {
                // The link was used, or the address got its account, at the same moment: one of the two saves wins.
                db.ChangeTracker.Clear();
                if (await db.Accounts.AnyAsync(a => a.EmailHash == account.EmailHash || a.Customer == account.Customer, cancellationToken)) return Refusals.LinkNotOurs;
                throw;
            }
        }
    }
}

/// <param name="AsksPassword">True in any browser but the one that registered.</param>
internal sealed record ConfirmPage(string Code, bool AsksPassword, Refusal? Refused);
