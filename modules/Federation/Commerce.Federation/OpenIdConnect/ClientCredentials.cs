using Commerce.Kernel;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>A client that acts for itself (RFC 6749 §4.4): a shop posting orders, a partner posting bookings. No refresh token (§4.4.3).</summary>
internal sealed class ClientCredentials(Tokens tokens)
{
    public Result<TokenAnswer> Issue(Connection client, Parameters form, SenderKey? key)
    {
        string[] registered = [.. OidcScopes.OfClients.Where(client.Oidc!.Scopes.Contains)];
        string[] asked = form["scope"] is { } scope ? [.. scope.Split(' ', StringSplitOptions.RemoveEmptyEntries).Distinct()] : registered;
        if (asked.Length == 0 || !asked.All(registered.Contains)) return OAuth.InvalidScope;
        var granted = string.Join(' ', asked);
        return new TokenAnswer(tokens.ApiToken(client.Id, granted, key), granted) { Key = key };
    }
}
