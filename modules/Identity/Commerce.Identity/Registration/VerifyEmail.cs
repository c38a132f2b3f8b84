using System.Net;
using System.Security.Claims;
using Commerce.Identity.Accounts;
using Commerce.Identity.Banners;
using Commerce.Identity.Contracts;
using Commerce.Identity.Data;
using Commerce.Identity.Links;
using Commerce.Identity.Mail;
using Commerce.Identity.Passwords;
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
/// Customers who came by import may have an address that nobody has proven. On their account page they ask for a link; its button proves
/// the address. It signs nobody in, so it may be opened in any browser.
/// </summary>
internal static class VerifyEmail
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/email/verify", async (IFormCollection _, ClaimsPrincipal user, HttpContext context, IMediator mediator, CancellationToken stop) =>
            (await mediator.Send(new Ask(user.CustomerId()!.Value, context.Connection.RemoteIpAddress), stop))
                .Match<IResult>(_ => new SeeOther("/register/sent"), no => Answer.RefusedPage(context, no))).RequireCustomer().ExcludeFromDescription();

        routes.MapGet("/email/confirm", async (string? code, HttpContext context, MailedLinks links, CancellationToken stop) =>
            await links.FindAsync(code, [LinkKind.VerifyEmail], stop) is null
                ? Answer.RefusedPage(context, Refusals.LinkNotOurs)
                : new Page("/Registration/VerifyEmail.cshtml", new VerifyEmailPage(code!, IsDone: false))).ExcludeFromDescription();

        routes.MapPost("/email/confirm", async ([FromForm] string? code, HttpContext context, IMediator mediator, CancellationToken stop) =>
            (await mediator.Send(new Prove(code), stop)).Match<IResult>(
                _ => new Page("/Registration/VerifyEmail.cshtml", new VerifyEmailPage("", IsDone: true)), no => Answer.RefusedPage(context, no))).ExcludeFromDescription();
    }

    internal sealed record Ask(Guid Customer, IPAddress? Network) : IRequest<Result<bool>>;

    internal sealed class AskHandler(IdentityDb db, PersonalData personal, AttemptLimiter attempts, MailedLinks links, MailQueue mails) : IRequestHandler<Ask, Result<bool>>
    {
        public async Task<Result<bool>> Handle(Ask request, CancellationToken cancellationToken)
        {
            var account = await db.Accounts.AsNoTracking().SingleOrDefaultAsync(a => a.Customer == request.Customer, cancellationToken);
            if (account is null || await account.EmailAsync(personal, cancellationToken) is not { } email || !EmailAddress.TryParse(email, out var address)) return Refusals.SignInNeeded;
            if (account.EmailVerifiedAt is not null) return true;
            if (!await attempts.TryTakeAsync(attempts.ForMail(address.Compared, request.Network), cancellationToken)) return Refusals.TooManyMails;
            var code = links.Add(LinkKind.VerifyEmail, account.Customer, new VerifyEmailDetails(Convert.ToHexStringLower(account.EmailHash)));
            mails.Add("verify", email, account.Locale, $"/email/confirm?code={code}", await db.SenderOfAsync(account.Banner, cancellationToken));
            await db.SaveChangesAsync(cancellationToken);
            return true;
        }
    }

    internal sealed record Prove(string? Code) : IRequest<Result<bool>>;

    internal sealed class ProveHandler(IdentityDb db, PersonalData personal, MailedLinks links, CustomerChanges changes, TimeProvider clock) : IRequestHandler<Prove, Result<bool>>
    {
        public async Task<Result<bool>> Handle(Prove request, CancellationToken cancellationToken)
        {
            if (await links.FindAsync(request.Code, [LinkKind.VerifyEmail], cancellationToken) is not { } link) return Refusals.LinkNotOurs;
            var account = await db.Accounts.FindAsync([link.Customer], cancellationToken);
            // The link proves the address it went to; the account may have another one by now.
            if (account is null || Convert.ToHexStringLower(account.EmailHash) != links.Open<VerifyEmailDetails>(link).EmailHash) return Refusals.LinkNotOurs;
            if (await account.EmailAsync(personal, cancellationToken) is not { } email) return Refusals.LinkNotOurs;
            var now = clock.GetUtcNow();
            link.UsedAt = now;
            if (account.EmailVerifiedAt is null)
            {
                account.EmailVerifiedAt = now;
                db.Publish(new EmailConfirmed(account.Customer, email, now));
            }
            try
            {
                await db.SaveChangesAsync(cancellationToken);
                changes.Note(account.Customer);
                return true;
            }
            catch (DbUpdateConcurrencyException)
            {
                return Refusals.LinkNotOurs;    // used at the same moment
            }
        }
    }
}

/// <param name="EmailHash">Hash of the address that the link went to, hexadecimal.</param>
internal sealed record VerifyEmailDetails(string EmailHash);

internal sealed record VerifyEmailPage(string Code, bool IsDone);
