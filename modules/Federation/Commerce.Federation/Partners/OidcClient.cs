using System.Text.Json;
using System.Text.Json.Serialization;

namespace Commerce.Federation.Partners;

/// <summary>An OIDC client's metadata as it was checked at registration (RFC 7591 §2, OpenID Connect Dynamic Client Registration §2).</summary>
internal sealed partial record OidcClient
{
    public required string ClientName { get; init; }

    /// <summary>Compared by ordinal equality, never as a Uri. Empty for clients that only call the API.</summary>
    public IReadOnlyList<string> RedirectUris { get; init; } = [];

    /// <summary>Of <c>authorization_code</c>, <c>refresh_token</c>, <c>client_credentials</c>.</summary>
    public IReadOnlyList<string> GrantTypes { get; init; } = ["authorization_code"];
    public IReadOnlyList<string> ResponseTypes { get; init; } = ["code"];

    /// <summary>One of <see cref="ClientAuthenticationMethods"/>; exactly this one is accepted.</summary>
    public string TokenEndpointAuthMethod { get; init; } = "client_secret_basic";

    /// <summary>The client's public keys, a JWK Set (RFC 7517 §5); with <c>private_key_jwt</c> either this or <see cref="JwksUri"/> is there.</summary>
    public JsonElement? Jwks { get; init; }
    public string? ClientUri { get; init; }
    public string? LogoUri { get; init; }
    public string? PolicyUri { get; init; }
    public string? TosUri { get; init; }

    /// <summary>Where a hop begins at the partner (OpenID Connect Core §4).</summary>
    public string? InitiateLoginUri { get; init; }
    public IReadOnlyList<string> PostLogoutRedirectUris { get; init; } = [];
    public string? BackchannelLogoutUri { get; init; }
    public bool BackchannelLogoutSessionRequired { get; init; }
    public string? SectorIdentifierUri { get; init; }

    /// <summary><c>pairwise</c>: the hub gives out no other kind.</summary>
    public string SubjectType { get; init; } = "pairwise";
    public string IdTokenSignedResponseAlg { get; init; } = "RS256";

    /// <summary>Null: userinfo is plain JSON.</summary>
    public string? UserinfoSignedResponseAlg { get; init; }

    /// <summary>Types of authorization details that the client may ask for (RFC 9396 §10): <c>retail_purchase</c> or none.</summary>
    public IReadOnlyList<string> AuthorizationDetailsTypes { get; init; } = [];

    /// <summary>Algorithm of introspection answers as JWTs (RFC 9701 §6).</summary>
    public string IntrospectionSignedResponseAlg { get; init; } = "RS256";

    /// <summary>Scopes that the client may ask for.</summary>
    public IReadOnlyList<string> Scopes { get; init; } = [];
    public IReadOnlyList<string> Contacts { get; init; } = [];

    /// <summary>Our own member: where a shop's customer goes back to after a hop that they denied.</summary>
    public string? HopReturnUri { get; init; }

    /// <summary>Whether the client proves itself with a secret that the hub gave it.</summary>
    [JsonIgnore]
    public bool UsesSecret => ClientAuthenticationMethods.TakesSecret(TokenEndpointAuthMethod);

    /// <summary>Host at which the customer arrives; null for clients of the API alone.</summary>
    [JsonIgnore]
    public string? LandingHost => RedirectUris.Count == 0 ? null : new Uri(InitiateLoginUri ?? RedirectUris[0]).Host;

    public bool MayUse(string grantType) => GrantTypes.Contains(grantType);

    /// <summary>
    /// The pairwise sector (OpenID Connect Core §8.1): host of the sector identifier, else the one host of the redirect URIs. Null for
    /// clients of the API alone, which know no customers.
    /// </summary>
    [JsonIgnore]
    public string? Sector => (SectorIdentifierUri ?? RedirectUris.FirstOrDefault()) is { } uri ? new Uri(uri).Host : null;
}
