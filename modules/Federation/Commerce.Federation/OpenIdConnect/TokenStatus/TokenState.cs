using System.Text.Json;
using Commerce.Federation.OpenIdConnect.ApiAccess;
using Commerce.Federation.OpenIdConnect.Jose;

namespace Commerce.Federation.OpenIdConnect.TokenStatus;

/// <summary>A token that is good at this moment, as its asker may know it.</summary>
/// <param name="Claims">Payload of an access token; null for a refresh token.</param>
internal sealed record ActiveToken(JsonElement? Claims, Grant? Grant, DateTimeOffset? ExpiresAt)
{
    // Names of the payload that say something to a resource server (RFC 7662 §2.2, RFC 8693 §7, RFC 9396 §9.2, RFC 9449 §6.2).
    private static readonly string[] OfAccess =
        ["iss", "sub", "aud", "client_id", "scope", "exp", "iat", "jti", "auth_time", "grant_id", "cnf", "act", "authorization_details"];

    public void Write(Utf8JsonWriter json)
    {
        if (Claims is { } claims)
        {
            json.WriteString("token_type", claims.TryGetProperty("cnf", out var bound) && bound.TryGetProperty("jkt", out _) ? "DPoP" : "Bearer");
            foreach (var name in OfAccess)
            {
                if (!claims.TryGetProperty(name, out var value)) continue;
                json.WritePropertyName(name);
                value.WriteTo(json);
            }
        }
        else
        {
            // A refresh token has no type of use at an API: §2.2 leaves token_type out.
            json.WriteString("client_id", Grant!.Connection);
            json.WriteString("sub", Grant.Subject);
            json.WriteString("scope", Grant.Scope);
            json.WriteString("grant_id", Grant.Id);
            json.WriteNumber("iat", Grant.CreatedAt.ToUnixTimeSeconds());
            if (Grant.Details is { } details)
            {
                json.WritePropertyName("authorization_details");
                json.WriteRawValue(details);
            }
            json.WriteNumber("exp", ExpiresAt!.Value.ToUnixTimeSeconds());
        }
        if (Grant is null) return;
        if (Grant.Acr.Length > 0) json.WriteString("acr", Grant.Acr);
        if (Grant.Receipt is { } receipt) json.WriteString(ClaimCatalogue.ConsentReceipt, receipt);
    }
}

/// <summary>Says whether a genuine token is good now and is the asker's to ask about.</summary>
internal sealed class TokenState(PresentedTokens presented, Grants grants, Connections connections, ApiResources resources, ResourceChoice choice, TimeProvider clock)
{
    /// <returns>Null for "not active", whatever the reason.</returns>
    public async Task<ActiveToken?> OfAsync(PresentedToken token, Connection asker, CancellationToken stop)
    {
        if (!await MayAskAsync(token, asker, stop)) return null;
        var now = clock.GetUtcNow();
        if (token.Claims is { } claims && !new VerifiedJwt(claims, null).IsTimely(now, out _)) return null;
        if (token.Jti is { } own && token.Client != token.Found?.Grant.Connection && await presented.IsRevokedAsync(own, stop)) return null;
        if (token.Found is { Grant: var grant }) return await OfGrantAsync(token, grant, now, stop);

        // A client's own token: what it says, the registration must still say.
        if (token.Jti is null) return null;
        if (await connections.FindAsync(token.Client, stop) is not { IsActive: true, Oidc: { } oidc } client || !oidc.MayUse("client_credentials")) return null;
        var api = token.Audience is { } audience ? await resources.FindAsync(audience, stop) : null;
        return api is not null && token.Scopes.All(choice.Allowed(client, api).Contains) ? new ActiveToken(token.Claims, null, null) : null;
    }

    private async Task<ActiveToken?> OfGrantAsync(PresentedToken token, Grant grant, DateTimeOffset now, CancellationToken stop)
    {
        if (grant.CodeUsedAt is null || !(await grants.CheckAsync(grant, stop)).IsOk) return null;
        // Whoever got it by exchange must be there still, beside the one who had the customer.
        if (token.Client != grant.Connection && await connections.FindAsync(token.Client, stop) is not { IsActive: true }) return null;
        if (!token.IsRefresh) return new ActiveToken(token.Claims, grant, null);
        if (token.Generation != grant.RefreshGeneration || grant.RefreshExpiresAt is not { } idleEnd || idleEnd <= now) return null;
        return new ActiveToken(null, grant, idleEnd < grant.EndsAt ? idleEnd : grant.EndsAt);
    }

    /// <summary>The client that holds it, and the API that it is for.</summary>
    private async Task<bool> MayAskAsync(PresentedToken token, Connection asker, CancellationToken stop) =>
        string.Equals(token.Client, asker.Id, StringComparison.Ordinal)
        || (token.Audience is { } audience && await resources.FindAsync(audience, stop) is { Client: { } client } && string.Equals(client, asker.Id, StringComparison.Ordinal));
}
