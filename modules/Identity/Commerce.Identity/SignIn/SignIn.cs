using System.Net;
using Commerce.Identity.Accounts;
using Commerce.Identity.Banners;
using Commerce.Identity.Data;
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

namespace Commerce.Identity.SignIn;

/// <summary>Signs a customer in by e-mail address and password, and goes back to where they were needed.</summary>
internal static class SignIn
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/signin", async ([FromQuery(Name = "return")] string? back, HttpContext context, IdentityDb db, SealedState state, CancellationToken stop) =>
        {
            var why = Why(state, back);
            if (!why.Again && context.User.CustomerId() is not null) return Results.LocalRedirect(why.ReturnPath);
            return await ShowAsync(db, new SignInPage(why, back, why.LoginHint ?? "", null), StatusCodes.Status200OK, stop);
        }).ExcludeFromDescription();

        routes.MapPost("/signin", async (
            [FromQuery(Name = "return")] string? back, [FromForm] string? email, [FromForm] string? password,
            HttpContext context, IdentityDb db, SealedState state, SessionStart sessions, IMediator mediator, CancellationToken stop) =>
        {
            var why = Why(state, back);
            var answer = await mediator.Send(new Request(email ?? "", password ?? "", context.Connection.RemoteIpAddress, context.User.SessionId()), stop);
            if (answer.TryGet(out var started, out var refusal))
            {
                sessions.Finish(context, started);
                return new SeeOther(why.ReturnPath);
            }
            if (refusal.Status == StatusCodes.Status429TooManyRequests) context.Response.Headers.RetryAfter = "900";
            return await ShowAsync(db, new SignInPage(why, back, email ?? "", refusal), refusal.Status, stop);
        }).ExcludeFromDescription();
    }

    /// <summary>Without a sealed request, or with one that is broken, old or edited, the way leads to the account (O03).</summary>
    public static SignInRequest Why(SealedState state, string? back) =>
        state.TryOpen<SignInRequest>(SignInUrl.Use, back, out var why) && Language.IsOwnPath(why.ReturnPath) ? why : new SignInRequest("/account");

    private static async Task<IResult> ShowAsync(IdentityDb db, SignInPage page, int status, CancellationToken stop) =>
        new Page("/SignIn/SignIn.cshtml", page) { Status = status, Look = await db.LookOfAsync(page.Why.Banner, stop), FormTargets = page.Why.Onward };

    /// <param name="CurrentSession">The session this browser holds, if any.</param>
    internal sealed record Request(string Email, string Password, IPAddress? Network, Guid? CurrentSession) : IRequest<Result<StartedSession>>;

    internal sealed class Handler(
        IdentityDb db, LookupHash hash, PersonalData personal, PasswordCheck passwords, AttemptLimiter attempts, SessionStart sessions)
        : IRequestHandler<Request, Result<StartedSession>>
    {
        public async Task<Result<StartedSession>> Handle(Request request, CancellationToken cancellationToken)
        {
            // What is no address is counted and hashed like one: the answer must not come sooner for it (A06).
            var email = EmailAddress.TryParse(request.Email, out var parsed) ? parsed.Compared : request.Email.Trim().ToLowerInvariant();
            if (!await attempts.TryTakeAsync(attempts.ForPassword(email, request.Network), cancellationToken)) return Refusals.TooManyAttempts;

            var wanted = hash.Of("email", email);
            var account = await db.Accounts.SingleOrDefaultAsync(a => a.EmailHash == wanted, cancellationToken);
            var (isRight, newHash) = await passwords.VerifyAsync(account, request.Password, personal, cancellationToken);
            if (account is null || !isRight) return Refusals.WrongPassword;
            if (account.LockedAt is not null) return Refusals.AccountLocked;   // said only to who knows the password

            if (newHash is not null) (account.PasswordHash, account.ImportedHash) = (newHash, null);
            await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
            await attempts.ForgiveAsync(email, request.Network, cancellationToken);
            var started = await sessions.PrepareAsync(account.Customer, request.CurrentSession, cancellationToken);
            await db.SaveChangesAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            return started;
        }
    }
}

/// <param name="Back">The sealed request, to be posted with the form.</param>
/// <param name="Refused">Why the last attempt failed, or null.</param>
internal sealed record SignInPage(SignInRequest Why, string? Back, string Email, Refusal? Refused);
