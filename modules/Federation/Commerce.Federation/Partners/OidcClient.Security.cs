using System.Text.Json.Serialization;

namespace Commerce.Federation.Partners;

/// <summary>What a client registered to be held to, beyond what everybody is.</summary>
internal sealed partial record OidcClient
{
    public const string Fapi2 = "fapi2", Fapi2MessageSigning = "fapi2-message-signing";

    /// <summary>Our own member: <c>fapi2</c> (FAPI 2.0 Security Profile) or <c>fapi2-message-signing</c> (with signed requests and answers); null for neither.</summary>
    public string? Profile { get; init; }

    /// <summary>Where the client publishes its keys, in place of <see cref="Jwks"/>; read by the hub under the rules for partners' addresses.</summary>
    public string? JwksUri { get; init; }

    /// <summary>The one algorithm of the client's assertions; null where any served one counts.</summary>
    public string? TokenEndpointAuthSigningAlg { get; init; }

    /// <summary>
    /// Our own member, <c>require_pkce</c>. False lets a client that knows nothing of PKCE go on without it; a challenge that is sent is held
    /// to all the same. Every client proves itself at the token endpoint, which is what makes this a choice (RFC 9700 §2.1.1).
    /// </summary>
    public bool RequirePkce { get; init; } = true;

    /// <summary>RFC 9126 §6.</summary>
    public bool RequirePushedAuthorizationRequests { get; init; }

    /// <summary>RFC 9101 §10.5.</summary>
    public bool RequireSignedRequestObject { get; init; }

    /// <summary>The one algorithm of the client's request objects; null where any served one counts.</summary>
    public string? RequestObjectSigningAlg { get; init; }

    /// <summary>Signs JWT-secured authorization responses (JARM §3).</summary>
    public string AuthorizationSignedResponseAlg { get; init; } = "RS256";

    /// <summary>RFC 9449 §5.2: every token request brings a DPoP proof.</summary>
    public bool DpopBoundAccessTokens { get; init; }

    /// <summary>RFC 8705 §3.4: access tokens are bound to the certificate of the connection.</summary>
    public bool TlsClientCertificateBoundAccessTokens { get; init; }

    /// <summary>RFC 8705 §2.1.2: exactly one of these five names the certificate of a client with <c>tls_client_auth</c>.</summary>
    public string? TlsClientAuthSubjectDn { get; init; }
    public string? TlsClientAuthSanDns { get; init; }
    public string? TlsClientAuthSanUri { get; init; }
    public string? TlsClientAuthSanIp { get; init; }
    public string? TlsClientAuthSanEmail { get; init; }

    [JsonIgnore]
    public bool IsFapi => Profile is not null;

    /// <summary>Requests are signed by the client and answers by the hub (FAPI 2.0 Message Signing §5).</summary>
    [JsonIgnore]
    public bool SignsMessages => Profile == Fapi2MessageSigning;

    [JsonIgnore]
    public bool MustPush => RequirePushedAuthorizationRequests || IsFapi;

    [JsonIgnore]
    public bool MustSignRequests => RequireSignedRequestObject || SignsMessages;

    /// <summary>No token of this client is good in the hands of whoever holds it.</summary>
    [JsonIgnore]
    public bool NeedsBoundTokens => DpopBoundAccessTokens || TlsClientCertificateBoundAccessTokens || IsFapi;
}
