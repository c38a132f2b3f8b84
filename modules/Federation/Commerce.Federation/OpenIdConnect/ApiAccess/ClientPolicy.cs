using Commerce.Kernel;

namespace Commerce.Federation.OpenIdConnect.ApiAccess;

/// <summary>The operator's word about one client, beside what it registered: it adds APIs, and otherwise only takes away.</summary>
/// <param name="Scopes">Of customers and of the hub's own API; null: those that it registered.</param>
/// <param name="GrantTypes">Null: those that it registered.</param>
/// <param name="AccessTokenSeconds">Life of its access tokens; null for the hub's own ten minutes.</param>
/// <param name="RequestsPerMinute">Calls of its own to the provider; null for no limit but that of its network.</param>
internal sealed record ClientPolicy(
    IReadOnlyList<ClientApi> Resources, IReadOnlyList<string>? Scopes, IReadOnlyList<string>? GrantTypes, int? AccessTokenSeconds, bool RequireDpop, bool RequirePushedRequests, int? RequestsPerMinute)
{
    public ClientApi? Api(string identifier) => Resources.FirstOrDefault(r => r.Identifier == identifier);

    /// <summary>The registration as it counts under this policy.</summary>
    public OidcClient Narrow(OidcClient client) => client with
    {
        Scopes = Scopes is null ? client.Scopes : [.. client.Scopes.Where(Scopes.Contains)],
        GrantTypes = GrantTypes is null ? client.GrantTypes : [.. client.GrantTypes.Where(GrantTypes.Contains)],
        DpopBoundAccessTokens = client.DpopBoundAccessTokens || (RequireDpop && !client.TlsClientCertificateBoundAccessTokens),
        RequirePushedAuthorizationRequests = client.RequirePushedAuthorizationRequests || RequirePushedRequests,
    };

    /// <summary>Reads the operator's file; <c>client</c> in it says whose policy it is.</summary>
    public static Result<(string Client, ClientPolicy Policy)> Read(string json)
    {
        var errors = new List<FieldError>();
        if (JsonReader.Open(json, errors) is not { } root) return Refusals.ClientPolicyInvalid.With(errors);
        var client = root.Text("client", Lengths.Connection, required: true) ?? "";
        var resources = root.Has("resources") ? root.Objects("resources", 50).Select(Api).ToList() : [];
        if (resources.Select(r => r.Identifier).Distinct(StringComparer.Ordinal).Count() != resources.Count) root.No("resources", "Each API stands once.");
        var policy = new ClientPolicy(resources, root.Has("scopes") ? root.Texts("scopes", 50, 64) : null, root.Has("grant_types") ? root.Texts("grant_types", 10, 64) : null,
            root.Has("access_token_seconds") ? root.Number("access_token_seconds", 30, 3600) : null, root.Flag("require_dpop"), root.Flag("require_pushed_requests"),
            root.Has("requests_per_minute") ? root.Number("requests_per_minute", 1, 1_000_000) : null);
        root.Close();
        return errors.Count > 0 ? Refusals.ClientPolicyInvalid.With(errors) : (client, policy);
    }

    private static ClientApi Api(JsonReader json)
    {
        var api = new ClientApi(json.Text("identifier", Lengths.Connection, required: true) ?? "", json.Texts("scopes", 100, 64));
        if (api.Scopes.Count == 0) json.No("scopes", "At least one scope is expected.");
        json.Close();
        return api;
    }
}

/// <param name="Scopes">Scopes of the API that the client may ask for.</param>
internal sealed record ClientApi(string Identifier, IReadOnlyList<string> Scopes);
