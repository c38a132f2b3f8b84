using System.Security.Cryptography;
using Commerce.Federation.OpenIdConnect.RichAuthorization;
using Commerce.Kernel;
using Microsoft.Extensions.Logging;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>
/// Takes a code for tokens (RFC 6749 §4.1.3, OpenID Connect Core §3.1.3). The code is used up by one conditional update; a second use ends
/// everything that the first one brought (RFC 6749 §4.1.2). A request that fails a check before that leaves the code as it was.
/// </summary>
internal sealed class RedeemCode(
    Grants grants, GrantRows rows, RecentGrants recent, ReleasedClaims released, RefreshToken refreshTokens, GrantManagement.ReplacedGrants replaced,
    Tokens tokens, TimeProvider clock, ILogger<RedeemCode> log)
{
    public async Task<Result<TokenAnswer>> RedeemAsync(Connection client, Parameters form, SenderKey? key, CancellationToken stop)
    {
        if (form["code"] is not { } code) return OAuth.InvalidRequest("code is missing.");
        if (form["redirect_uri"] is not { } redirect) return OAuth.InvalidRequest("redirect_uri is missing.");
        if (!OneTimeCode.TryRead(code, out var id)) return OAuth.InvalidGrant;
        // From memory only to say yes: whatever is wrong is found again on the row itself, which knows of a first use elsewhere.
        if (recent.Find(id) is { } known && await RedeemAsync(known, code, redirect, client, form, key, isFromMemory: true, stop) is { IsOk: true } quick) return quick;
        return await grants.FindAsync(id, stop) is { } found
            ? await RedeemAsync(found, code, redirect, client, form, key, isFromMemory: false, stop) : OAuth.InvalidGrant;
    }

    private async Task<Result<TokenAnswer>> RedeemAsync(
        GrantWithRelease found, string code, string redirect, Connection client, Parameters form, SenderKey? key, bool isFromMemory, CancellationToken stop)
    {
        var grant = found.Grant;
        if (!CryptographicOperations.FixedTimeEquals(grant.CodeHash, OneTimeCode.Hash(code))) return OAuth.InvalidGrant;
        // Another client's code is not its to use up, and not its to revoke (O05).
        if (!string.Equals(grant.Connection, client.Id, StringComparison.Ordinal)) return OAuth.InvalidGrant;
        if (grant.CodeUsedAt is not null) return await ReusedAsync(grant, stop);
        var now = clock.GetUtcNow();
        if (grant.CodeExpiresAt <= now) return OAuth.InvalidGrant;
        if (!string.Equals(grant.RedirectUri, redirect, StringComparison.Ordinal)) return OAuth.InvalidGrant;
        if (!Pkce.Proves(form["code_verifier"], grant.Challenge)) return OAuth.InvalidGrant;
        // RFC 9449 §10: a code that was asked for with a key is good with that key alone.
        if (grant.BoundTo is { } bound && bound != key?.Text) return OAuth.InvalidGrant;
        if (!(await grants.CheckAsync(grant, stop)).TryGet(out var open, out var no)) return no;
        if (!GrantedDetails.Narrow(grant.Details, form["authorization_details"]).TryGet(out var details, out no)) return no;
        var named = grant.IdTokenClaims?.Split(' ');
        var claims = grant.IsHop || named is not null ? await released.ReadAsync(found.Release!, [.. OidcScopes.Claims(grant.Scopes), .. named ?? []], stop) : null;

        if (!await UseUpAsync(grant, found.Release, open, key, now, stop)) return isFromMemory ? OAuth.InvalidGrant : await ReusedAsync(grant, stop);
        await replaced.EndAsync(grant, stop);

        var access = tokens.AccessToken(grant, grant.Scope, key, details, client.AccessLifetime);
        return new TokenAnswer(access, grant.Scope, tokens.IdToken(client, new IdTokenFacts(grant, access, grant.Nonce, claims) { Named = named }),
            grant.IsOffline ? refreshTokens.For(grant.Id, 1) : null)
        {
            Key = key,
            Details = details,
            Lifetime = client.AccessLifetime,
            Grant = grant.Id,
        };
    }

    /// <summary>Marks the code as used and puts the release on record, in one commit. False where another request was first.</summary>
    private async Task<bool> UseUpAsync(Grant grant, Release? release, GateOpen open, SenderKey? key, DateTimeOffset now, CancellationToken stop)
    {
        var order = release?.Hop is { } hop ? await rows.OrderOfHopAsync(hop, stop) : null;
        var news = release is null ? null : ReleaseRecord.Of(release, open.Connection, now, order);
        return await rows.UseUpAsync(grant.Id, now, grant.IsOffline ? now + RefreshToken.Idle : null, key?.Text, news, stop);
    }

    private async Task<Refusal> ReusedAsync(Grant grant, CancellationToken stop)
    {
        log.LogWarning("A code of {Client} was used again: grant {Grant} is ended.", grant.Connection, grant.Id);
        await grants.RevokeAsync(grant.Id, "code_reused", stop);
        return OAuth.InvalidGrant;
    }
}
