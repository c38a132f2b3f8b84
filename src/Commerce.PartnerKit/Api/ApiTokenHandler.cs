using System.Globalization;
using System.Security.Claims;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Infrastructure;
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
    private ApiRefusal? refused;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var header = Request.Headers.Authorization;
        if (header.Count == 0) return AuthenticateResult.NoResult();
        if (header is not [{ } value]) return No("More than one Authorization header.");
        var byProof = value.StartsWith(Dpop, StringComparison.OrdinalIgnoreCase);
        if (!byProof && !value.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)) return AuthenticateResult.NoResult();
        var text = value[(byProof ? Dpop.Length : Bearer.Length)..].Trim(' ');

        if (await tokens.ReadAsync(text) is not { } token) return No("Not an access token for this API.");
        if (byProof != token.KeyThumbprint is not null) return No("The token's binding and the scheme differ.");
        if (token.KeyThumbprint is { } key && await proofs.CheckAsync(Context, text, key) is { } no) return No("No good DPoP proof.", no);
        if (token.CertificateThumbprint is { } certificate && !await ApiProofs.IsCertificateAsync(Context, certificate)) return No("Not the token's certificate.");
        if (options.RequireBoundTokens && !token.IsBound) return No("Bearer tokens are not taken here.");

        var validated = new ValidatedApiToken(Context, token.Claims, PrincipalOf(token));
        if (options.OnValidated is { } ask) await ask(validated);
        return validated.Refused is { } their ? No(their.Reason, their.Answer) : AuthenticateResult.Success(new AuthenticationTicket(validated.User, Scheme.Name));
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        // RFC 6750 §3.1: no error code where no token came at all.
        var failed = (await HandleAuthenticateOnceSafeAsync()).Failure is not null;
        await RefuseAsync(refused ?? (failed ? ApiRefusal.InvalidToken : ApiRefusal.NoToken));
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties)
    {
        var scopes = Context.GetEndpoint()?.Metadata.GetOrderedMetadata<AuthorizationPolicy>().SelectMany(policy => policy.Requirements)
            .OfType<ClaimsAuthorizationRequirement>().Where(needs => needs.ClaimType == CommerceApi.ScopeClaim).SelectMany(needs => needs.AllowedValues ?? []);
        return RefuseAsync(ApiRefusal.InsufficientScope, string.Join(' ', scopes ?? []));
    }

    private ClaimsPrincipal PrincipalOf(ApiAccessToken token)
    {
        var identity = new ClaimsIdentity(
        [
            new Claim("sub", token.Subject), new Claim("client_id", token.Client), .. token.Scopes.Select(scope => new Claim(CommerceApi.ScopeClaim, scope)),
        ], Scheme.Name, "sub", "role");
        // Receipt, actor and details are there for those who want them, as the hub wrote them.
        foreach (var name in (ReadOnlySpan<string>)["grant_id", "act", "authorization_details", "consent_receipt"])
        {
            if (token.Claims.TryGetProperty(name, out var extra)) identity.AddClaim(new Claim(name, extra.ValueKind == JsonValueKind.String ? extra.GetString()! : extra.GetRawText()));
        }
        return new ClaimsPrincipal(identity);
    }

    private AuthenticateResult No(string reason, ApiRefusal? answer = null)
    {
        refused = answer ?? ApiRefusal.InvalidToken;
        return AuthenticateResult.Fail(reason);
    }

    private async Task RefuseAsync(ApiRefusal no, string scope = "")
    {
        if (no.RetryAfter is { } wait) Response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        else Response.Headers.WWWAuthenticate = Challenges(no, scope);
        Response.StatusCode = no.Status;
        Response.Headers.CacheControl = "no-store";
        if (options.WriteRefusal is { } write) await write(Context, no);
    }

    private string[] Challenges(ApiRefusal no, string scope)
    {
        var error = no.Error is null ? "" : $", error=\"{no.Error}\", error_description=\"{no.Description}\"";
        var rest = $"realm=\"{options.Realm}\"{error}{(scope.Length == 0 ? "" : $", scope=\"{scope}\"")}";
        // RFC 9449 §7.1: whoever came with a proof is told about proofs; whoever came with nothing, about both ways.
        var byProof = options.RequireBoundTokens || Request.Headers.Authorization.ToString().StartsWith(Dpop, StringComparison.OrdinalIgnoreCase);
        var challenges = new List<string>(2);
        if (!byProof) challenges.Add($"Bearer {rest}");
        if (byProof || no.Error is null) challenges.Add($"DPoP {rest}, algs=\"{string.Join(' ', ApiProofs.Algorithms)}\"");
        return [.. challenges];
    }
}
