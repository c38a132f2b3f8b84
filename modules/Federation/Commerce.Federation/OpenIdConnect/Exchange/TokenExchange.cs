using System.Text.Json;
using Commerce.Federation.OpenIdConnect.ApiAccess;
using Commerce.Federation.OpenIdConnect.Jose;
using Commerce.Federation.OpenIdConnect.RichAuthorization;
using Commerce.Federation.OpenIdConnect.TokenStatus;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Microsoft.Extensions.Logging;

namespace Commerce.Federation.OpenIdConnect.Exchange;

/// <summary>What an exchanged token says.</summary>
/// <param name="Actor">Who acts for the customer (RFC 8693 §4.1), with those before it nested inside; a JSON object.</param>
internal sealed record ExchangedFacts(
    Grant Grant, string Client, string Audience, string Subject, string Scope, string? Details, TimeSpan Lifetime, string Actor,
    SenderKey? Key);

/// <summary>
/// Token exchange (RFC 8693): an access token of a customer's sign-in for a narrower one, for another API or with less scope. Only the
/// client that the token was issued to and the API that it is for may exchange it. The new token is about nothing that the old one is not
/// about, and about nothing that was not released under the customer's consent receipt; it lives no longer, and dies with the same grant.
/// </summary>
internal sealed class TokenExchange(
    PresentedTokens presented, Grants grants, Connections connections, ApiResources resources, ResourceChoice choice, Tokens tokens, Issuer issuer, SharedSecrets secrets,
    TimeProvider clock, ILogger<TokenExchange> log)
{
    public const string GrantType = "urn:ietf:params:oauth:grant-type:token-exchange";
    public const string AccessTokenType = "urn:ietf:params:oauth:token-type:access_token";
    private const int MaxActors = 4;

    private sealed record Target(string Audience, string Subject, string Scope);

    public async Task<Result<TokenAnswer>> ExchangeAsync(Connection client, Parameters form, SenderKey? key, CancellationToken stop)
    {
        if (form["subject_token"] is not { } subject) return OAuth.InvalidRequest("subject_token is missing.");
        if (form["subject_token_type"] != AccessTokenType || form["requested_token_type"] is not (null or AccessTokenType)) return OAuth.InvalidRequest("Access tokens are exchanged for access tokens.");
        if (form["actor_token"] is not null || form["actor_token_type"] is not null) return OAuth.InvalidRequest("The client itself is the actor: send no actor_token.");
        var asked = form["resource"] ?? form["audience"];
        if (form["audience"] is { } audience && audience != asked) return OAuth.InvalidTarget;

        // §2.2.2: a subject token that is no good is an invalid request.
        var now = clock.GetUtcNow();
        if (await presented.ReadAsync(subject, stop) is not { Claims: { } claims, Found: { } found } token) return NoSubject;
        if (!new VerifiedJwt(claims, null).IsTimely(now, out var expires) || expires <= now || found.Grant.CodeUsedAt is null) return NoSubject;
        if (!await MayExchangeAsync(token, client, stop) || !(await grants.CheckAsync(found.Grant, stop)).IsOk) return NoSubject;

        // A bound token is not turned into one that is good in anybody's hands (O15).
        if (!SenderKey.TryRead(claims, out var bound) || (bound is not null && key is null)) return NoSubject;

        var held = claims.TryGetProperty("authorization_details", out var list) ? list.GetRawText() : null;
        if (!GrantedDetails.Narrow(held, form["authorization_details"]).TryGet(out var details, out var no)) return no;
        if (!(await TargetAsync(client, token, found, asked, form["scope"], stop)).TryGet(out var target, out no)) return no;
        if (ActorOf(client, claims) is not { } actor) return OAuth.InvalidRequest("The token was passed on too often.");

        var lifetime = expires - now < client.AccessLifetime ? expires - now : client.AccessLifetime;
        log.LogInformation("{Client} exchanged a token of grant {Grant} for {Audience}.", client.Id, found.Grant.Id, target.Audience);
        return new TokenAnswer(tokens.Exchanged(new ExchangedFacts(found.Grant, client.Id, target.Audience, target.Subject, target.Scope, details, lifetime, actor, key)), target.Scope)
        {
            Lifetime = lifetime,
            Key = key,
            IssuedTokenType = AccessTokenType,
            Details = details,
        };
    }

    private static readonly Refusal NoSubject = OAuth.InvalidRequest("subject_token is not an access token that this client can exchange now.");

    private async Task<bool> MayExchangeAsync(PresentedToken token, Connection client, CancellationToken stop) =>
        string.Equals(token.Client, client.Id, StringComparison.Ordinal)
        || (token.Audience is { } audience && await resources.FindAsync(audience, stop) is { Client: { } owner } && string.Equals(owner, client.Id, StringComparison.Ordinal));

    private async Task<Result<Target>> TargetAsync(Connection client, PresentedToken token, GrantWithRelease found, string? asked, string? scope, CancellationToken stop)
    {
        if (asked is null && scope is null) return OAuth.InvalidTarget;
        var scopes = scope?.Split(' ', StringSplitOptions.RemoveEmptyEntries).Distinct().ToList();
        if (asked == issuer.Name || (asked is null && scopes!.All(token.Scopes.Contains) && token.Audience == issuer.Name))
        {
            // Less of the same: for userinfo, by the client whose token it is.
            if (token.Audience != issuer.Name || token.Client != client.Id) return OAuth.InvalidTarget;
            return scopes is { Count: > 0 } && scopes.All(token.Scopes.Contains) ? new Target(issuer.Name, found.Grant.Subject, string.Join(' ', scopes)) : OAuth.InvalidScope;
        }
        // Without a question: as much of what the policy allows as the consent carries.
        if (!(await choice.ChooseAsync(client, asked, scope, stop)).TryGet(out var chosen, out var no)) return no;
        if (chosen.Resource.Identifier == resources.Own.Identifier) return OAuth.InvalidTarget;     // the hub's own API serves clients, not customers
        var carried = await CarriedAsync(token, found, stop);
        var granted = chosen.Scope.Split(' ').Where(name => chosen.Resource.Scope(name)!.Claims.All(carried.Contains)).ToList();
        if (granted.Count == 0 || (scopes is not null && granted.Count != scopes.Count)) return OAuth.InvalidScope;
        return new Target(chosen.Resource.Identifier, await SubjectAsync(client, chosen.Resource, found.Grant, stop), string.Join(' ', granted));
    }

    /// <summary>Claims that the token is about: those of its scopes, of which only the released ones count.</summary>
    private async Task<HashSet<string>> CarriedAsync(PresentedToken token, GrantWithRelease found, CancellationToken stop)
    {
        var released = found.Release?.Names ?? [];
        if (token.Audience == issuer.Name)
        {
            var ofScopes = OidcScopes.Claims(token.Scopes).ToHashSet(StringComparer.Ordinal);
            if (found.Grant.Details is not null) ofScopes.Add(ClaimCatalogue.Purchase);
            return [.. released.Where(ofScopes.Contains)];
        }
        var api = token.Audience is { } audience ? await resources.FindAsync(audience, stop) : null;
        var about = token.Scopes.SelectMany(name => api?.Scope(name)?.Claims ?? []).ToHashSet(StringComparer.Ordinal);
        return [.. released.Where(about.Contains)];
    }

    /// <summary>An API of the same partner knows the customer by the partner's name for them; any other by one of its own (row O21).</summary>
    private async Task<string> SubjectAsync(Connection client, ApiResource resource, Grant grant, CancellationToken stop)
    {
        var owner = resource.Client is { } id ? await connections.FindAsync(id, stop) : null;
        var first = await connections.FindAsync(grant.Connection, stop);
        return owner is not null && first is not null && owner.Partner == first.Partner && client.Partner == first.Partner
            ? grant.Subject : PairwiseSubject.For(resource.Identifier, grant.Customer, secrets.HashBy(PairwiseSubject.Salt));
    }

    /// <summary>The client, and inside it those who acted before (§4.1); null where the row is too long.</summary>
    private static string? ActorOf(Connection client, JsonElement claims)
    {
        var hasEarlier = claims.TryGetProperty("act", out var earlier);
        var depth = 1;
        for (var at = hasEarlier ? earlier : default; at.ValueKind == JsonValueKind.Object; depth++)
        {
            if (!at.TryGetProperty("act", out at)) break;
        }
        if (hasEarlier && depth >= MaxActors) return null;
        return hasEarlier ? $$"""{"sub":{{JsonSerializer.Serialize(client.Id)}},"act":{{earlier.GetRawText()}}}""" : $$"""{"sub":{{JsonSerializer.Serialize(client.Id)}}}""";
    }
}
