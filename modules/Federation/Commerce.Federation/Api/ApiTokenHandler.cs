using System.Security.Claims;
using System.Text.Encodings.Web;
using Commerce.Federation.OpenIdConnect;
using Commerce.Federation.OpenIdConnect.TokenStatus;
using Commerce.Kernel;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Commerce.Federation.Api;

/// <summary>
/// The scheme <see cref="HubSchemes.Api"/>: an API client's own access token in the Authorization header (RFC 6750, RFC 9068 §4). Tokens
/// that a customer's sign-in gave out have another audience and open nothing here.
/// </summary>
internal sealed class ApiTokenHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, AccessTokens access, Connections connections,
    PresentedTokens presented)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    private Refusal? refused;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (!(await access.ReadAsync(Context, access.ApiAudience, Context.RequestAborted)).TryGet(out var token, out var no))
        {
            refused = no;
            return no == OAuth.NoToken ? AuthenticateResult.NoResult() : AuthenticateResult.Fail(no.Code);
        }
        // The token says what was true ten minutes ago at most; the registration says what is true now.
        if (token.Grant is not null || token.Subject != token.Client
            || await connections.FindAsync(token.Client, Context.RequestAborted) is not { IsActive: true, Oidc: { } oidc } client
            || !oidc.MayUse("client_credentials"))
            return AuthenticateResult.Fail("The client is not registered or switched off.");
        if (token.Jti is not { } jti || await presented.IsRevokedAsync(jti, Context.RequestAborted)) return AuthenticateResult.Fail("The token was revoked.");
        var identity = new ClaimsIdentity(
        [
            new Claim(HubClaims.ClientId, client.Id),
            new Claim(HubClaims.Partner, client.Partner),
            .. token.Scopes.Where(oidc.Scopes.Contains).Select(scope => new Claim(HubClaims.Scope, scope)),
        ], Scheme.Name);
        return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Scheme.Name));
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        var failed = (await HandleAuthenticateOnceSafeAsync()).Failure is not null;
        await new BearerChallenge(refused ?? (failed ? OAuth.InvalidToken : OAuth.NoToken)).ExecuteAsync(Context);
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) => new BearerChallenge(OAuth.InsufficientScope).ExecuteAsync(Context);
}
