using System.Security.Cryptography;
using System.Text.Encodings.Web;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Commerce.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Commerce.Identity.Sessions;

/// <summary>Turns the session cookie into the signed-in customer, and sends a browser without a session to the sign-in page and back.</summary>
internal sealed class SessionHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder,
    LiveSessions sessions, SessionCookie cookie, SealedState state) : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (!cookie.TryRead(Request, out var id, out var token)) return AuthenticateResult.NoResult();
        var session = await sessions.FindAsync(id, seen: true, Context.RequestAborted);
        if (session is null || !CryptographicOperations.FixedTimeEquals(session.TokenHash, Token.Hash(token))) return AuthenticateResult.NoResult();
        return AuthenticateResult.Success(new AuthenticationTicket(session.Principal, Scheme.Name));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        // Only what a browser can simply open again is worth coming back to; a form's content would be lost on the way.
        if (!HttpMethods.IsGet(Request.Method) && !HttpMethods.IsHead(Request.Method)) return Answer.No(Context, Refusals.SignInNeeded).ExecuteAsync(Context);
        var here = $"{Request.PathBase}{Request.Path}{Request.QueryString}";
        Response.Headers.CacheControl = "no-store";
        Response.Redirect(state.SignInPath(new SignInRequest(Language.IsOwnPath(here) ? here : "/account")));
        return Task.CompletedTask;
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) => Answer.No(Context, Refusals.NotAllowed).ExecuteAsync(Context);
}
