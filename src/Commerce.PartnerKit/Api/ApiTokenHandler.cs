using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Commerce.PartnerKit.Api;

/// <summary>
/// The scheme of <see cref="CommerceApi"/>: a token in the Authorization header, as <c>Bearer</c> or <c>DPoP</c>, and never in body or
/// query. A bound token counts with its proof alone (RFC 9449 §7.2, RFC 8705 §3).
/// </summary>
internal sealed class ApiTokenHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> schemes, ILoggerFactory logger, UrlEncoder encoder, CommerceApiOptions options, ApiAccessTokens tokens, ApiProofs proofs)
    : AuthenticationHandler<AuthenticationSchemeOptions>(schemes, logger, encoder)
{
    private const string Bearer = "Bearer ", Dpop = "DPoP ";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var header = Request.Headers.Authorization;
        if (header.Count == 0) return AuthenticateResult.NoResult();
        if (header is not [{ } value]) return AuthenticateResult.Fail("More than one Authorization header.");
        var byProof = value.StartsWith(Dpop, StringComparison.OrdinalIgnoreCase);
        if (!byProof && !value.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)) return AuthenticateResult.NoResult();
        var text = value[(byProof ? Dpop.Length : Bearer.Length)..].Trim(' ');

        if (await tokens.ReadAsync(text) is not { } token) return AuthenticateResult.Fail("Not an access token for this API.");
        if (byProof != token.KeyThumbprint is not null) return AuthenticateResult.Fail("The token's binding and the scheme differ.");
        if (token.KeyThumbprint is { } key && !await proofs.IsProvenAsync(Context, text, key)) return AuthenticateResult.Fail("No good DPoP proof.");
        if (token.CertificateThumbprint is { } certificate && !await ApiProofs.IsCertificateAsync(Context, certificate)) return AuthenticateResult.Fail("Not the token's certificate.");
        if (options.RequireBoundTokens && !token.IsBound) return AuthenticateResult.Fail("Bearer tokens are not taken here.");

        var identity = new ClaimsIdentity(
        [
            new Claim("sub", token.Subject), new Claim("client_id", token.Client), .. token.Scopes.Select(scope => new Claim(CommerceApi.ScopeClaim, scope)),
        ], Scheme.Name, "sub", "role");
        // Receipt, actor and details are there for those who want them, as the hub wrote them.
        foreach (var name in (ReadOnlySpan<string>)["grant_id", "act", "authorization_details", "consent_receipt"])
        {
            if (token.Claims.TryGetProperty(name, out var extra)) identity.AddClaim(new Claim(name, extra.ValueKind == System.Text.Json.JsonValueKind.String ? extra.GetString()! : extra.GetRawText()));
        }
        return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Scheme.Name));
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        // RFC 6750 §3.1: no error code where no token came at all.
        var error = (await HandleAuthenticateOnceSafeAsync()).Failure is null ? "" : ", error=\"invalid_token\"";
        Refuse(StatusCodes.Status401Unauthorized, error);
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties)
    {
        var scope = Context.GetEndpoint()?.Metadata.GetMetadata<RequiredScope>()?.Scope;
        Refuse(StatusCodes.Status403Forbidden, $", error=\"insufficient_scope\"{(scope is null ? "" : $", scope=\"{scope}\"")}");
        return Task.CompletedTask;
    }

    private void Refuse(int status, string error)
    {
        Response.StatusCode = status;
        var dpop = $"DPoP algs=\"{string.Join(' ', ApiProofs.Algorithms)}\"{error}";
        Response.Headers.WWWAuthenticate = options.RequireBoundTokens ? new([dpop]) : new([$"Bearer realm=\"api\"{error}", dpop]);
        Response.Headers.CacheControl = "no-store";
    }
}
