using System.Globalization;
using System.Net;
using Commerce.Identity.Accounts;
using Commerce.Identity.Banners;
using Commerce.Identity.Contracts;
using Commerce.Identity.Data;
using Commerce.Identity.Links;
using Commerce.Identity.Mail;
using Commerce.Identity.Passwords;
using Commerce.Identity.Sessions;
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
/// A new password by a mailed link. It ends every session of the account, opens a password that was tried too often, and proves the
/// address. Customers who came by import without a password set their first one here.
/// </summary>
internal static class NewPassword
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/password", async ([FromQuery(Name = "return")] string? back, IdentityDb db, SealedState state, CancellationToken stop) =>
        {
            var why = SignIn.SignIn.Why(state, back);
            return await AskAsync(db, why, new AskPasswordPage(back, why.LoginHint ?? "", null), StatusCodes.Status200OK, stop);
        }).ExcludeFromDescription();

        routes.MapPost("/password", async (
            [FromQuery(Name = "return")] string? back, [FromForm] string? email, HttpContext context, IdentityDb db, SealedState state, IMediator mediator,
            CancellationToken stop) =>
        {
            var why = SignIn.SignIn.Why(state, back);
            var answer = await mediator.Send(new Ask(email ?? "", CultureInfo.CurrentUICulture.TwoLetterISOLanguageName, why, context.Connection.RemoteIpAddress), stop);
            return answer.IsOk ? new SeeOther("/register/sent") : await AskAsync(db, why, new AskPasswordPage(back, email ?? "", answer.Refusal), answer.Refusal.Status, stop);
        }).ExcludeFromDescription();

        routes.MapGet("/password/new", async (string? code, HttpContext context, MailedLinks links, IdentityDb db, CancellationToken stop) =>
            await FindAsync(code, links, db, stop) is { } found
                ? Show(found.Details, new NewPasswordPage(code!, null), StatusCodes.Status200OK) : Answer.RefusedPage(context, Refusals.LinkNotOurs)).ExcludeFromDescription();

        routes.MapPost("/password/new", async (
            [FromForm] string? code, [FromForm] string? password, HttpContext context, MailedLinks links, IdentityDb db, PersonalData personal,
            SessionStart sessions, LiveSessions live, IMediator mediator, CancellationToken stop) =>
        {
            if (await FindAsync(code, links, db, stop) is not { } found) return Answer.RefusedPage(context, Refusals.LinkNotOurs);
            var email = await found.Account.EmailAsync(personal, stop);
            if (PasswordRules.Fault(password, email) is { } fault) return Show(found.Details, new NewPasswordPage(code!, fault), StatusCodes.Status400BadRequest);
            var answer = await mediator.Send(new Set(found.Link, found.Account, password!, context.Connection.RemoteIpAddress), stop);
            if (!answer.TryGet(out var done, out var refusal)) return Answer.RefusedPage(context, refusal);
            live.Forget(done.Ended);
            sessions.Finish(context, done.Started);
            return new SeeOther(Language.IsOwnPath(found.Details.Why.ReturnPath) ? found.Details.Why.ReturnPath : "/account");
        }).ExcludeFromDescription();
    }

    private static async Task<IResult> AskAsync(IdentityDb db, SignInRequest why, AskPasswordPage page, int status, CancellationToken stop) =>
        new Page("/Registration/AskPassword.cshtml", page) { Status = status, Look = await db.LookOfAsync(why.Banner, stop) };

    private static Page Show(NewPasswordDetails details, NewPasswordPage page, int status) =>
        new("/Registration/NewPassword.cshtml", page) { Status = status, FormTargets = details.Why.Onward };

    // The link is bound to the password it replaces: once that has changed, whoever changed it, the link opens nothing (A03).
    private static async Task<Found?> FindAsync(string? code, MailedLinks links, IdentityDb db, CancellationToken stop)
    {
        if (await links.FindAsync(code, [LinkKind.NewPassword], stop) is not { } link) return null;
        var details = links.Open<NewPasswordDetails>(link);
        var account = await db.Accounts.FindAsync([link.Customer], stop);
        return account is { LockedAt: null } && NewPasswordDetails.StateOf(account) == details.AccountState ? new Found(link, details, account) : null;
    }

    private sealed record Found(MailedLink Link, NewPasswordDetails Details, CustomerAccount Account);

    internal sealed record Ask(string Email, string Locale, SignInRequest Why, IPAddress? Network) : IRequest<Result<bool>>;

    internal sealed class AskHandler(IdentityDb db, LookupHash hash, AttemptLimiter attempts, MailedLinks links, MailQueue mails) : IRequestHandler<Ask, Result<bool>>
    {
        public async Task<Result<bool>> Handle(Ask request, CancellationToken cancellationToken)
        {
            if (!EmailAddress.TryParse(request.Email, out var email)) return Refusals.NotAnAddress;
            if (!await attempts.TryTakeAsync(attempts.ForMail(email.Compared, request.Network), cancellationToken)) return Refusals.TooManyMails;
            var wanted = email.LookupHash(hash);
            var account = await db.Accounts.AsNoTracking().SingleOrDefaultAsync(a => a.EmailHash == wanted, cancellationToken);
            var sender = await db.SenderOfAsync(request.Why.Banner, cancellationToken);
            if (account is { LockedAt: null })
            {
                var code = links.Add(LinkKind.NewPassword, account.Customer, NewPasswordDetails.For(account, request.Why));
                mails.Add("password", email.Written, account.Locale, $"/password/new?code={code}", sender);
            }
            else
            {
                // A mail goes out here as well: the work is the same, and who mistyped the address of their account learns it.
                mails.Add("unknown", email.Written, request.Locale, "/register", sender);
            }
            await db.SaveChangesAsync(cancellationToken);
            return true;
        }
    }

    internal sealed record Set(MailedLink Link, CustomerAccount Account, string Password, IPAddress? Network) : IRequest<Result<Done>>;

    internal sealed record Done(StartedSession Started, IReadOnlyList<Guid> Ended);

    internal sealed class SetHandler(
        IdentityDb db, PersonalData personal, PasswordCheck passwords, AttemptLimiter attempts, SessionStart sessions, CustomerChanges changes, TimeProvider clock)
        : IRequestHandler<Set, Result<Done>>
    {
        public async Task<Result<Done>> Handle(Set request, CancellationToken cancellationToken)
        {
            var (account, now) = (request.Account, clock.GetUtcNow());
            if (await account.EmailAsync(personal, cancellationToken) is not { } email || !EmailAddress.TryParse(email, out var address)) return Refusals.LinkNotOurs;
            (account.PasswordHash, account.ImportedHash) = (passwords.Hash(request.Password), null);
            if (account.EmailVerifiedAt is null)
            {
                account.EmailVerifiedAt = now;      // the link came by mail to this very address
                db.Publish(new EmailConfirmed(account.Customer, address.Written, now));
            }
            request.Link.UsedAt = now;
            var ended = await db.EndSessionsAsync(s => s.Customer == account.Customer, "password_changed", now, cancellationToken);
            db.Publish(new AccountSecured(account.Customer, "password_changed", now));
            var started = await sessions.PrepareAsync(account.Customer, null, cancellationToken);
            try
            {
                await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
                await attempts.ForgiveAsync(address.Compared, request.Network, cancellationToken);
                await db.SaveChangesAsync(cancellationToken);
                await transaction.CommitAsync(cancellationToken);
                changes.Note(account.Customer);
                return new Done(started, ended);
            }
            catch (DbUpdateConcurrencyException)
            {
                return Refusals.LinkNotOurs;    // used at the same moment
            }
        }
    }
}

/// <param name="AccountState">Hash of the password hash that the link replaces.</param>
internal sealed record NewPasswordDetails(string AccountState, SignInRequest Why)
{
    public static NewPasswordDetails For(CustomerAccount account, SignInRequest why) => new(StateOf(account), why);

    public static string StateOf(CustomerAccount account) =>
        Convert.ToHexStringLower(Token.Hash(account.PasswordHash ?? (account.ImportedHash is { } imported ? Convert.ToHexStringLower(imported) : "none")));
}

internal sealed record AskPasswordPage(string? Back, string Email, Refusal? Refused);

/// <param name="Fault">Key of the text that says what is wrong with the new password, or null.</param>
internal sealed record NewPasswordPage(string Code, string? Fault);
