using Commerce.Federation.OpenIdConnect.Jose;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

namespace Commerce.Federation.OpenIdConnect.TokenStatus;

/// <summary>
/// The revocation endpoint (RFC 7009). A token of a customer's sign-in, access or refresh, ends its whole grant (§2.1 allows it): code,
/// refresh tokens and access tokens die at once, in every process. A client's own access token is put on a list until it has expired.
/// </summary>
internal static class Revocation
{
    public const string Path = "/connect/revoke";

    public static void Map(IEndpointRouteBuilder routes) => routes.MapPost(Path, async Task<IResult> (
        HttpContext context, ClientRequest requests, PresentedTokens tokens, Grants grants, FederationDb db, ILogger<PresentedToken> log, CancellationToken stop) =>
    {
        if (!(await requests.ReadAsync(context.Request, stop)).TryGet(out var asked, out var no)) return new OAuthErrorAnswer(no, "invalid_request");
        if (asked.Form["token"] is not { } token) return new OAuthErrorAnswer(OAuth.InvalidRequest("token is missing."), "invalid_request");

        // §2.2: a token that is not known is as good as revoked, and the answer is the same.
        if (await tokens.ReadAsync(token, stop) is not { } presented) return Done.Answer;
        // §2.1: somebody else's token is refused and stays as it is.
        if (!string.Equals(presented.Client, asked.Client.Id, StringComparison.Ordinal))
        {
            log.LogWarning("{Client} tried to revoke a token of another client.", asked.Client.Id);
            return new OAuthErrorAnswer(OAuth.InvalidRequest("The token was not issued to this client."), "invalid_request");
        }
        // A token that was got by exchange is only put on the list: the grant is not this client's to end.
        if (presented.Found is { } found && string.Equals(found.Grant.Connection, asked.Client.Id, StringComparison.Ordinal)) await grants.RevokeAsync(found.Grant.Id, "revoked_by_client", stop);
        else await ListAsync(db, presented, stop);
        return Done.Answer;
    }).DisableAntiforgery().ShortCircuit().ExcludeFromDescription();

    private static async Task ListAsync(FederationDb db, PresentedToken token, CancellationToken stop)
    {
        if (token.Jti is not { } jti || !token.Claims!.Value.TryInstant("exp", out var expires) || expires is null) return;
        var row = new RevokedToken { Id = jti, ExpiresAt = expires.Value + JwtGate.Skew };
        db.Add(row);
        try
        {
            await db.SaveChangesAsync(stop);
        }
        catch (DbUpdateException)
        {
            // Revoked before: look, so that a database in trouble is not told as done.
            db.Entry(row).State = EntityState.Detached;
            if (!await db.Set<RevokedToken>().AsNoTracking().AnyAsync(t => t.Id == jti, stop)) throw;
        }
    }

    private sealed class Done : IResult
    {
        public static readonly Done Answer = new();

        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.Headers.CacheControl = "no-store";
            httpContext.Response.Headers.Pragma = "no-cache";
            return Task.CompletedTask;
        }
    }
}
