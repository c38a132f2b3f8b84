using System.Text.Json;
using Commerce.Federation.OpenIdConnect.Jose;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.OpenIdConnect.TokenStatus;

/// <summary>A token of ours that a client brought back, genuine but perhaps no longer good.</summary>
/// <param name="Client">To whom it was issued.</param>
/// <param name="Claims">Payload of an access token; null for a refresh token.</param>
/// <param name="Found">The grant it hangs on; null for a client's own access token.</param>
/// <param name="Generation">Number of a refresh token; 0 for an access token.</param>
internal sealed record PresentedToken(string Client, JsonElement? Claims, GrantWithRelease? Found, int Generation)
{
    public bool IsRefresh => Claims is null;

    public string? Audience => Claims?.Text("aud");

    public IReadOnlyList<string> Scopes => Claims?.Text("scope")?.Split(' ') ?? [];

    public Guid? Jti => Claims is { } claims && Guid.TryParseExact(claims.Text("jti"), "D", out var jti) ? jti : null;
}

/// <summary>Tells genuine tokens from noise, for revocation and introspection.</summary>
internal sealed class PresentedTokens(FederationDb db, Grants grants, RefreshToken refreshTokens, TokenSigner signer, Issuer issuer)
{
    /// <summary>The token, whatever its kind (hints are not needed: the two kinds look different); null for anything that is not ours.</summary>
    public async Task<PresentedToken?> ReadAsync(string token, CancellationToken stop)
    {
        if (refreshTokens.TryRead(token, out var id, out var generation))
            return await grants.FindAsync(id, stop) is { } owner ? new PresentedToken(owner.Grant.Connection, null, owner, generation) : null;

        if (signer.OpenAccessToken(token) is not { } jwt || !jwt.Says("iss", issuer.Name)) return null;
        if (jwt.Claims.Text("client_id") is not { } client) return null;
        if (jwt.Claims.Text("grant_id") is not { } grant) return new PresentedToken(client, jwt.Claims, null, 0);
        if (!Guid.TryParseExact(grant, "D", out id) || await grants.FindAsync(id, stop) is not { } found) return null;
        // An exchanged token may be another client's than the grant: it then names its actor.
        var isOwn = string.Equals(found.Grant.Connection, client, StringComparison.Ordinal) || jwt.Claims.TryGetProperty("act", out _);
        return isOwn ? new PresentedToken(client, jwt.Claims, found, 0) : null;
    }

    /// <summary>True for a client's own access token that was revoked before its time.</summary>
    public Task<bool> IsRevokedAsync(Guid jti, CancellationToken stop) => db.Set<RevokedToken>().AsNoTracking().AnyAsync(t => t.Id == jti, stop);
}
