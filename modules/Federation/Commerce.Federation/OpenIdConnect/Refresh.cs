using Commerce.Federation.OpenIdConnect.RichAuthorization;
using Commerce.Kernel;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>
/// Takes a refresh token for new tokens and the next refresh token (RFC 6749 §6). Each is good once: the grant's number is counted up by
/// compare-and-swap, and an old number ends the grant, whoever sent it (RFC 9700 §4.14.2). No clock takes part in that rule.
/// </summary>
internal sealed class Refresh(FederationDb db, Grants grants, RefreshToken refreshTokens, Tokens tokens, TimeProvider clock, ILogger<Refresh> log)
{
    public async Task<Result<TokenAnswer>> RefreshAsync(Connection client, Parameters form, SenderKey? key, CancellationToken stop)
    {
        if (form["refresh_token"] is not { } token) return OAuth.InvalidRequest("refresh_token is missing.");
        if (!refreshTokens.TryRead(token, out var id, out var generation) || await grants.FindAsync(id, stop) is not { Grant: var grant }) return OAuth.InvalidGrant;
        if (!string.Equals(grant.Connection, client.Id, StringComparison.Ordinal)) return OAuth.InvalidGrant;
        if (grant.RevokedAt is not null) return OAuth.InvalidGrant;
        if (generation != grant.RefreshGeneration) return await ReusedAsync(grant, stop);
        var now = clock.GetUtcNow();
        if (grant.RefreshExpiresAt is not { } idleEnd || idleEnd <= now) return OAuth.InvalidGrant;
        // The client itself is proven, so it may have a new key (RFC 9449 §5); what it may not is come without one where it had one.
        if (SenderKey.Of(grant.BoundTo) is { } bound && bound.Method != key?.Method) return OAuth.InvalidGrant;
        if (!TryNarrow(grant, form["scope"], out var scope)) return OAuth.InvalidScope;
        if (!GrantedDetails.Narrow(grant.Details, form["authorization_details"]).TryGet(out var details, out var tooMuch)) return tooMuch;
        if (!(await grants.CheckAsync(grant, stop)).TryGet(out _, out var no)) return no;

        var idle = now + RefreshToken.Idle;
        // FAPI 2.0 Security Profile §5.3.2.1: tokens of such clients are bound to the client and a key, and are not rotated.
        var next = client.Oidc!.IsFapi ? generation : generation + 1;
        var swapped = await db.Set<Grant>().Where(g => g.Id == grant.Id && g.RefreshGeneration == generation && g.RevokedAt == null).ExecuteUpdateAsync(row => row
            .SetProperty(g => g.RefreshGeneration, next)
            .SetProperty(g => g.RefreshExpiresAt, idle), stop);
        if (swapped != 1) return await ReusedAsync(grant, stop);

        var access = tokens.AccessToken(grant, scope, key, details, client.AccessLifetime);
        return new TokenAnswer(access, scope, tokens.IdToken(client, new IdTokenFacts(grant, access, null, null)), refreshTokens.For(grant.Id, next))
        {
            Key = key,
            Details = details,
            Lifetime = client.AccessLifetime,
            Grant = grant.Id,
        };
    }

    /// <summary>The asked scopes, all of which were granted (RFC 6749 §6); without a question, the granted ones.</summary>
    private static bool TryNarrow(Grant grant, string? asked, out string scope)
    {
        scope = grant.Scope;
        if (asked is null) return true;
        var granted = grant.Scopes;
        var wanted = asked.Split(' ', StringSplitOptions.RemoveEmptyEntries).Distinct().ToList();
        scope = string.Join(' ', wanted);
        return wanted.Contains("openid") && wanted.All(granted.Contains);
    }

    private async Task<Refusal> ReusedAsync(Grant grant, CancellationToken stop)
    {
        log.LogWarning("An old refresh token of {Client} was used: grant {Grant} is ended.", grant.Connection, grant.Id);
        await grants.RevokeAsync(grant.Id, "refresh_reused", stop);
        return OAuth.InvalidGrant;
    }
}
