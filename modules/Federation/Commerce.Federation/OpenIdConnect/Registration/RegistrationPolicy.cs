using Commerce.Kernel;

namespace Commerce.Federation.OpenIdConnect.Registration;

/// <summary>What a partner may register by itself: the operator's word, bound to the initial access token and to every client made with it.</summary>
/// <param name="Scopes">The most that a client may ask for.</param>
/// <param name="RedirectHosts">Hosts on which redirect URIs may be; empty for any.</param>
/// <param name="MayOmitPkce">Clients may register <c>require_pkce: false</c>.</param>
internal sealed record RegistrationPolicy(
    IReadOnlyList<string> Scopes, IReadOnlyList<string> GrantTypes, IReadOnlyList<string> AuthMethods, IReadOnlyList<string> RedirectHosts, bool MayAskForPurchases,
    bool MayOmitPkce)
{
    public static readonly RegistrationPolicy Default = new(
        ["openid", "profile", "email", "phone", "address", "vehicle", "purchase", "offline_access"], ["authorization_code", "refresh_token"], [], [], MayAskForPurchases: false, MayOmitPkce: false);

    /// <summary>Reads the operator's file: <c>scope</c>, <c>grant_types</c>, <c>token_endpoint_auth_methods</c>, <c>redirect_hosts</c>, <c>authorization_details_types</c>, <c>require_pkce</c>.</summary>
    public static Result<RegistrationPolicy> Read(string json)
    {
        var errors = new List<FieldError>();
        if (JsonReader.Open(json, errors) is not { } root) return Refusals.RegistrationPolicyInvalid.With(errors);
        var policy = new RegistrationPolicy(
            root.Text("scope", 400)?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? Default.Scopes,
            root.Has("grant_types") ? root.Texts("grant_types", 10, 64) : Default.GrantTypes,
            root.Texts("token_endpoint_auth_methods", 10, 64),
            root.Texts("redirect_hosts", 20, Lengths.Host),
            root.Texts("authorization_details_types", 4, 64).Contains("retail_purchase"),
            root.Has("require_pkce") && !root.Flag("require_pkce"));
        if (policy.GrantTypes.Count == 0) root.No("grant_types", "At least one is needed.");
        if (policy.RedirectHosts.Any(host => Uri.CheckHostName(host) == UriHostNameType.Unknown)) root.No("redirect_hosts", "Host names are expected, without scheme or path.");
        root.Close();
        return errors.Count > 0 ? Refusals.RegistrationPolicyInvalid.With(errors) : policy;
    }

    /// <summary>What of the client's metadata the policy does not allow; null where it allows all of it.</summary>
    public FieldError? FaultOf(OidcClient client)
    {
        if (client.Scopes.FirstOrDefault(s => !Scopes.Contains(s)) is { } scope) return new("scope", $"{scope} is not open to self-registration here.");
        if (client.GrantTypes.FirstOrDefault(g => !GrantTypes.Contains(g)) is { } grant) return new("grant_types", $"{grant} is not open to self-registration here.");
        if (AuthMethods.Count > 0 && !AuthMethods.Contains(client.TokenEndpointAuthMethod)) return new("token_endpoint_auth_method", $"Expected is one of: {string.Join(", ", AuthMethods)}.");
        if (client.AuthorizationDetailsTypes.Count > 0 && !MayAskForPurchases) return new("authorization_details_types", "They are not open to self-registration here.");
        if (!client.RequirePkce && !MayOmitPkce) return new("require_pkce", "PKCE is required of clients that register themselves here.");
        if (RedirectHosts.Count > 0 && client.RedirectUris.FirstOrDefault(uri => !RedirectHosts.Contains(new Uri(uri).Host, StringComparer.OrdinalIgnoreCase)) is not null)
            return new("redirect_uris", "A redirect URI is on a host that was not agreed.");
        return null;
    }
}
