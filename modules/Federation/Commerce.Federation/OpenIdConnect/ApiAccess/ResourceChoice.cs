using Commerce.Kernel;

namespace Commerce.Federation.OpenIdConnect.ApiAccess;

/// <summary>For which API an access token is, and what it may do there.</summary>
/// <param name="Scope">Granted scopes, separated by spaces; at least one.</param>
internal sealed record ChosenApi(ApiResource Resource, string Scope);

/// <summary>
/// Finds the API of a token request: the one that <c>resource</c> names (RFC 8707 §2), else the one that has the asked scopes. One token is
/// for one API, so scopes of two APIs are asked for one after the other.
/// </summary>
internal sealed class ResourceChoice(ApiResources resources)
{
    public async Task<Result<ChosenApi>> ChooseAsync(Connection client, string? identifier, string? scope, CancellationToken stop)
    {
        if (identifier?.Length > Lengths.Connection) return OAuth.InvalidTarget;
        string[]? asked = scope is null ? null : [.. scope.Split(' ', StringSplitOptions.RemoveEmptyEntries).Distinct()];
        if (asked is { Length: 0 }) return OAuth.InvalidScope;
        if (await FindAsync(client, identifier, asked, stop) is not { } resource) return identifier is null ? OAuth.InvalidScope : OAuth.InvalidTarget;

        var allowed = Allowed(client, resource);
        if (identifier is not null && allowed.Count == 0) return OAuth.InvalidTarget;      // there, but not this client's to ask for
        var granted = asked ?? [.. allowed];
        return granted.Length > 0 && granted.All(allowed.Contains) ? new ChosenApi(resource, string.Join(' ', granted)) : OAuth.InvalidScope;
    }

    /// <summary>Scopes of the API that the client may ask for now: registered ones of the hub's own API, those of its policy for another.</summary>
    public IReadOnlyList<string> Allowed(Connection client, ApiResource resource)
    {
        IReadOnlyList<string> named = resource.Identifier == resources.Own.Identifier ? client.Oidc!.Scopes : client.Policy?.Api(resource.Identifier)?.Scopes ?? [];
        return [.. resource.Scopes.Select(s => s.Name).Where(named.Contains)];
    }

    private async Task<ApiResource?> FindAsync(Connection client, string? identifier, string[]? asked, CancellationToken stop)
    {
        if (identifier is not null) return await resources.FindAsync(identifier, stop);
        if (asked is not null) return await resources.OfScopeAsync(asked[0], stop);
        if (Allowed(client, resources.Own).Count > 0) return resources.Own;
        return client.Policy?.Resources is [var only] ? await resources.FindAsync(only.Identifier, stop) : null;
    }
}
