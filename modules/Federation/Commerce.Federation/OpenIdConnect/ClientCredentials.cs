using Commerce.Federation.OpenIdConnect.ApiAccess;
using Commerce.Kernel;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>
/// A client that acts for itself (RFC 6749 §4.4) at the hub's API or at another that its policy names: a shop posting orders, a machine
/// reading a calendar. No refresh token (§4.4.3).
/// </summary>
internal sealed class ClientCredentials(Tokens tokens, ResourceChoice resources)
{
    public async Task<Result<TokenAnswer>> IssueAsync(Connection client, Parameters form, SenderKey? key, CancellationToken stop)
    {
        if (!(await resources.ChooseAsync(client, form["resource"], form["scope"], stop)).TryGet(out var api, out var no)) return no;
        return new TokenAnswer(tokens.ApiToken(client.Id, api.Resource.Identifier, api.Scope, client.AccessLifetime, key), api.Scope) { Key = key, Lifetime = client.AccessLifetime };
    }
}
