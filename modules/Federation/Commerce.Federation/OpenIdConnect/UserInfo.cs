using System.Text.Json;
using Commerce.Federation.OpenIdConnect.Jose;
using Commerce.Federation.OpenIdConnect.RichAuthorization;
using Commerce.Kernel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>The userinfo endpoint (OpenID Connect Core §5.3): the released claims of the scopes, while everything they stand on still stands.</summary>
internal static class UserInfo
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapMethods(Issuer.UserInfoPath, ["GET", "POST"], async Task<IResult> (
        HttpContext context, AccessTokens access, Grants grants, ReleasedClaims released, Tokens tokens, ILogger<Tokens> log, CancellationToken stop) =>
    {
        if (!(await access.ReadAsync(context, stop)).TryGet(out var token, out var no)) return new BearerChallenge(no);
        if (!token.Scopes.Contains("openid")) return new BearerChallenge(OAuth.InsufficientScope, "openid");
        if (token.Grant is not { } id || await grants.FindInUseAsync(id, stop) is not { } found
            || !string.Equals(found.Grant.Connection, token.Client, StringComparison.Ordinal))
            return new BearerChallenge(OAuth.InvalidToken);
        if (!(await grants.CheckAsync(found.Grant, stop)).TryGet(out var open, out no))
        {
            log.LogWarning("Userinfo refused to {Client}: {Reason}.", token.Client, no.Code);
            return new BearerChallenge(OAuth.InvalidToken);
        }
        IReadOnlyDictionary<string, JsonElement>? claims = found.Release is null ? new Dictionary<string, JsonElement>()
            : await released.ReadAsync(found.Release, Asked(found.Grant, token), stop);
        if (claims is null) return new BearerChallenge(OAuth.InvalidToken);
        if (token.Details is { } detail) claims = GrantedDetails.Apply(claims, detail);
        return open.Connection.Oidc!.UserinfoSignedResponseAlg is null
            ? new Plain(found.Grant.Subject, claims)
            : new Signed(tokens.UserInfo(open.Connection, found.Grant.Subject, claims));
    }).DisableAntiforgery().ShortCircuit().ExcludeFromDescription();

    /// <summary>Claims of the token's scopes, and those asked for by name. A token of fewer scopes than were granted is for less: no names then.</summary>
    private static IReadOnlyList<string> Asked(Grant grant, ReadAccessToken token)
    {
        var ofScopes = GrantedDetails.Claims(token.Scopes, token.Details);
        return grant.UserInfoClaims is { } names && grant.Scopes.All(token.Scopes.Contains) ? [.. ofScopes, .. names.Split(' ')] : ofScopes;
    }

    private sealed class Plain(string subject, IReadOnlyDictionary<string, JsonElement> claims) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext) => JsonAnswer.WriteAsync(httpContext, StatusCodes.Status200OK, (subject, claims),
            static (json, state) => Tokens.WriteUserInfo(json, state.subject, state.claims));
    }

    private sealed class Signed(string jwt) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.ContentType = "application/jwt";
            httpContext.Response.Headers.CacheControl = "no-store";
            return httpContext.Response.WriteAsync(jwt, httpContext.RequestAborted);
        }
    }
}

/// <summary>An access token of ours that passed the gate. Whether what it stands on still stands is for its user to ask.</summary>
internal sealed record ReadAccessToken(string Client, string Subject, IReadOnlyList<string> Scopes, Guid? Grant)
{
    /// <summary>The key that the caller was proven to hold; null for a bearer token.</summary>
    public SenderKey? Key { get; init; }

    /// <summary>The authorization detail that this token holds; null where there is none.</summary>
    public RetailPurchase? Details { get; init; }
}

/// <summary>Reads access tokens for userinfo (RFC 6750 §2.1) and checks them as RFC 9068 §4 says. Those for the hub's API: <see cref="Api.ApiProtection"/>.</summary>
internal sealed class AccessTokens(TokenSigner signer, Issuer issuer, TimeProvider clock)
{
    /// <summary>
    /// The request's access token, with the proof that its caller may use it. A bound token without its key, or under the name of a bearer
    /// token, is refused here (O15).
    /// </summary>
    public ValueTask<Result<ReadAccessToken>> ReadAsync(HttpContext context, CancellationToken stop)
    {
        if (!TryRead(context.Request, out var token, out var isDpop, out var text, out var no)) return ValueTask.FromResult<Result<ReadAccessToken>>(no);
        // RFC 9449 §7.1: the scheme DPoP is for tokens bound to a DPoP key, and those for no other scheme.
        if (isDpop != token.Key is { IsDpop: true }) return ValueTask.FromResult<Result<ReadAccessToken>>(OAuth.InvalidToken);
        return token.Key is null ? ValueTask.FromResult<Result<ReadAccessToken>>(token) : ProvenAsync(context, token, text, stop);
    }

    private static async ValueTask<Result<ReadAccessToken>> ProvenAsync(HttpContext context, ReadAccessToken token, string text, CancellationToken stop)
    {
        var constraint = context.RequestServices.GetRequiredService<SenderConstraint>();
        return await constraint.ProvesAsync(context, token.Key!, text, stop) is { } no ? no : token;
    }

    private bool TryRead(HttpRequest request, out ReadAccessToken token, out bool isDpop, out string text, out Refusal no)
    {
        (token, isDpop, text, no) = (null!, false, "", OAuth.NoToken);
        var header = request.Headers.Authorization;
        if (header.Count == 0) return false;
        no = OAuth.InvalidToken;
        // The scheme's name is compared without case (RFC 9110 §11.1). A token in the body or the query is not looked at.
        if (header.Count != 1 || header[0] is not { } value) return false;
        isDpop = value.StartsWith("DPoP ", StringComparison.OrdinalIgnoreCase);
        if (!isDpop && !value.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)) return false;
        text = value[(isDpop ? 5 : 7)..].Trim(' ');
        if (signer.OpenAccessToken(text) is not { } jwt) return false;
        if (!jwt.Says("iss", issuer.Name) || !jwt.Says("aud", issuer.Name) || !jwt.IsTimely(clock.GetUtcNow(), out _)) return false;
        if (jwt.Claims.Text("client_id") is not { } client || jwt.Claims.Text("sub") is not { } subject || jwt.Claims.Text("scope") is not { } scope) return false;
        if (!SenderKey.TryRead(jwt.Claims, out var key)) return false;
        token = new ReadAccessToken(client, subject, scope.Split(' '), Guid.TryParseExact(jwt.Claims.Text("grant_id"), "D", out var grant) ? grant : null)
        {
            Key = key,
            Details = jwt.Claims.TryGetProperty("authorization_details", out var details) ? RetailPurchase.Read(details).Value : null,
        };
        return true;
    }
}

/// <summary>RFC 6750 §3: says in the header what is missing, and in the body the same as problem+json.</summary>
internal sealed class BearerChallenge(Refusal refusal, string? scope = null) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        // §3.1: a request without any token gets no error code.
        var error = refusal == OAuth.NoToken ? "" : $", error=\"{OAuth.ErrorOf(refusal, "invalid_token")}\", error_description=\"{refusal.Message}\"";
        var rest = $"realm=\"commerce\"{error}{(scope is null ? "" : $", scope=\"{scope}\"")}";
        var challenges = new List<string>(2);
        // RFC 9449 §7.1: whoever came with a proof is told about proofs; whoever came with nothing, about both ways.
        var isDpop = httpContext.Request.Headers.Authorization.ToString().StartsWith("DPoP ", StringComparison.OrdinalIgnoreCase);
        if (!isDpop) challenges.Add($"Bearer {rest}");
        if (isDpop || refusal == OAuth.NoToken) challenges.Add($"DPoP {rest}, algs=\"{string.Join(' ', DpopProofs.Algorithms)}\"");
        httpContext.Response.Headers.WWWAuthenticate = challenges.ToArray();
        httpContext.Response.Headers.CacheControl = "no-store";
        // At a protected resource a proof that is missing or wrong is a 401; at the token endpoint it is a 400.
        return Problem.From(refusal.Status == StatusCodes.Status400BadRequest ? refusal with { Status = StatusCodes.Status401Unauthorized } : refusal).ExecuteAsync(httpContext);
    }
}
