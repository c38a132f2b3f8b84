using System.Globalization;
using System.Net;
using Commerce.Identity.Accounts;
using Commerce.Identity.Banners;
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
/// Takes a registration and sends a link. There is no account until the link is used: nobody can hold an address that is not theirs,
/// and whether an address has an account already is said in its mailbox and nowhere else (A06).
/// </summary>
internal static class Register
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/register", async ([FromQuery(Name = "return")] string? back, IdentityDb db, SealedState state, CancellationToken stop) =>
        {
            var why = SignIn.SignIn.Why(state, back);
            return await ShowAsync(db, why, new RegisterPage(back, new RegisterForm("", "", why.LoginHint ?? ""), [], null), StatusCodes.Status200OK, stop);
        }).ExcludeFromDescription();

        routes.MapPost("/register", async (
            [FromQuery(Name = "return")] string? back, [FromForm(Name = "given_name")] string? givenName, [FromForm(Name = "family_name")] string? familyName,
            [FromForm] string? email, [FromForm] string? password, HttpContext context, IdentityDb db, SealedState state, RegisteringBrowser browser,
            IMediator mediator, CancellationToken stop) =>
        {
            var why = SignIn.SignIn.Why(state, back);
            var form = new RegisterForm(givenName?.Trim() ?? "", familyName?.Trim() ?? "", email?.Trim() ?? "");
            var faults = Faults(form, password);
            if (faults.Count > 0) return await ShowAsync(db, why, new RegisterPage(back, form, faults, null), StatusCodes.Status400BadRequest, stop);

            var mark = browser.Mark(context);
            var locale = CultureInfo.CurrentUICulture.TwoLetterISOLanguageName;
            var answer = await mediator.Send(new Request(form, password!, locale, why, mark, context.Connection.RemoteIpAddress), stop);
            if (answer.IsOk) return new SeeOther("/register/sent");
            context.Response.Headers.RetryAfter = "3600";
            return await ShowAsync(db, why, new RegisterPage(back, form, [], answer.Refusal), answer.Refusal.Status, stop);
        }).ExcludeFromDescription();

        routes.MapGet("/register/sent", (HubSettings settings, SmtpSettings smtp) =>
            new Page("/Registration/MailSent.cshtml", new MailSentPage(Mailbox.IsOpen(settings, smtp)))).ExcludeFromDescription();
    }

    private static async Task<IResult> ShowAsync(IdentityDb db, SignInRequest why, RegisterPage page, int status, CancellationToken stop) =>
        new Page("/Registration/Register.cshtml", page) { Status = status, Look = await db.LookOfAsync(why.Banner, stop) };

    private static Dictionary<string, string> Faults(RegisterForm form, string? password)
    {
        var faults = new Dictionary<string, string>();
        if (!PersonName.IsValid(form.GivenName)) faults["given_name"] = "register.name_needed";
        if (!PersonName.IsValid(form.FamilyName)) faults["family_name"] = "register.name_needed";
        if (!EmailAddress.TryParse(form.Email, out _)) faults["email"] = "identity.not_an_address";
        if (PasswordRules.Fault(password, form.Email) is { } fault) faults["password"] = fault;
        return faults;
    }

    /// <param name="Browser">Hash of the mark that the registering browser keeps.</param>
    internal sealed record Request(RegisterForm Form, string Password, string Locale, SignInRequest Why, byte[] Browser, IPAddress? Network) : IRequest<Result<bool>>;

    internal sealed class Handler(
        IdentityDb db, LookupHash hash, PasswordCheck passwords, AttemptLimiter attempts, MailedLinks links, MailQueue mails, TimeProvider clock)
        : IRequestHandler<Request, Result<bool>>
    {
        public async Task<Result<bool>> Handle(Request request, CancellationToken cancellationToken)
        {
            if (!EmailAddress.TryParse(request.Form.Email, out var email)) return Refusals.NotAnAddress;
            if (!await attempts.TryTakeAsync(attempts.ForMail(email.Compared, request.Network), cancellationToken)) return Refusals.TooManyMails;

            var passwordHash = passwords.Hash(request.Password);     // for a known address too: the work must be the same
            var wanted = email.LookupHash(hash);
            var known = await db.Accounts.AsNoTracking().Where(a => a.EmailHash == wanted).SingleOrDefaultAsync(cancellationToken);
            var sender = await db.SenderOfAsync(request.Why.Banner, cancellationToken);
            if (known is null)
            {
                var code = links.Add(LinkKind.Register, Guid.CreateVersion7(clock.GetUtcNow()), new PendingAccount(
                    email.Written, passwordHash, request.Form.GivenName, request.Form.FamilyName, request.Locale, request.Why.Banner ?? "hub",
                    Convert.ToHexStringLower(request.Browser), request.Why));
                mails.Add("register", email.Written, request.Locale, $"/confirm?code={code}", sender);
            }
            else
            {
                var code = links.Add(LinkKind.NewPassword, known.Customer, NewPasswordDetails.For(known, request.Why));
                mails.Add("known", email.Written, known.Locale, $"/password/new?code={code}", sender);
            }
            await db.SaveChangesAsync(cancellationToken);
            return true;
        }
    }
}

/// <summary>What a registration asked for, until its link is used.</summary>
/// <param name="Browser">Hash of the mark in the browser that registered, hexadecimal.</param>
internal sealed record PendingAccount(
    string Email, string PasswordHash, string GivenName, string FamilyName, string Locale, string Banner, string Browser, SignInRequest Why);

internal sealed record RegisterForm(string GivenName, string FamilyName, string Email);

/// <param name="Faults">Field name to the key of the text that says what is wrong with it.</param>
internal sealed record RegisterPage(string? Back, RegisterForm Form, Dictionary<string, string> Faults, Refusal? Refused)
{
    public string? FaultId(string field) => Faults.ContainsKey(field) ? $"{field}-fault" : null;
}

/// <param name="HasMailbox">True where the demo's mailbox page shows the mails.</param>
internal sealed record MailSentPage(bool HasMailbox);

internal static class PersonName
{
    public const int MaxLength = 100;

    public static bool IsValid(string name) => name.Length is > 0 and <= MaxLength && !name.Any(char.IsControl) && !name.Contains("://", StringComparison.Ordinal);
}
