using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Commerce.Federation.Partners;

internal static partial class OidcClientJson
{
    /// <summary>Algorithms of the FAPI 2.0 Security Profile §5.4.1 that the framework has; EdDSA is not among them.</summary>
    private static readonly IReadOnlyList<string> FapiAlgorithms = ["PS256", "ES256"];

    /// <summary>The members of <c>OidcClient.Security.cs</c>.</summary>
    private static OidcClient Security(JsonReader root, string method, bool signsIn, bool development)
    {
        var profile = OneOf(root, "profile", [OidcClient.Fapi2, OidcClient.Fapi2MessageSigning]);
        var security = new OidcClient
        {
            ClientName = "",
            Profile = profile,
            JwksUri = Url(root, "jwks_uri", development),
            TokenEndpointAuthSigningAlg = OneOf(root, "token_endpoint_auth_signing_alg", Algorithms),
            RequirePkce = !root.Has("require_pkce") || root.Flag("require_pkce"),
            RequirePushedAuthorizationRequests = root.Flag("require_pushed_authorization_requests"),
            RequireSignedRequestObject = root.Flag("require_signed_request_object"),
            RequestObjectSigningAlg = OneOf(root, "request_object_signing_alg", Algorithms),
            AuthorizationSignedResponseAlg = OneOf(root, "authorization_signed_response_alg", Algorithms) ?? (profile is null ? "RS256" : "ES256"),
            DpopBoundAccessTokens = root.Flag("dpop_bound_access_tokens"),
            TlsClientCertificateBoundAccessTokens = root.Flag("tls_client_certificate_bound_access_tokens"),
            TlsClientAuthSubjectDn = root.Text("tls_client_auth_subject_dn", 1000),
            TlsClientAuthSanDns = root.Text("tls_client_auth_san_dns", 253),
            TlsClientAuthSanUri = root.Text("tls_client_auth_san_uri", PartnerUrl.Longest),
            TlsClientAuthSanIp = root.Text("tls_client_auth_san_ip", 45),
            TlsClientAuthSanEmail = root.Text("tls_client_auth_san_email", 254),
        };
        var hasKeys = root.Has("jwks") || security.JwksUri is not null;
        if (security.MustSignRequests && !hasKeys) root.No("jwks", "Is needed for signed requests, or jwks_uri in its place.");
        if (!signsIn && (security.RequirePushedAuthorizationRequests || security.RequireSignedRequestObject))
            root.No("grant_types", "Rules for authorization requests have no use without authorization_code.");
        if (security is { DpopBoundAccessTokens: true, TlsClientCertificateBoundAccessTokens: true })
            root.No("tls_client_certificate_bound_access_tokens", "Tokens are bound to a DPoP key or to a certificate, not to both.");
        CheckCertificateName(root, security, method);
        return security;
    }

    /// <summary>RFC 8705 §2.1.2: one name and no more, and none without the method.</summary>
    private static void CheckCertificateName(JsonReader root, OidcClient client, string method)
    {
        (string Member, string? Value)[] names =
        [
            ("tls_client_auth_subject_dn", client.TlsClientAuthSubjectDn), ("tls_client_auth_san_dns", client.TlsClientAuthSanDns),
            ("tls_client_auth_san_uri", client.TlsClientAuthSanUri), ("tls_client_auth_san_ip", client.TlsClientAuthSanIp),
            ("tls_client_auth_san_email", client.TlsClientAuthSanEmail),
        ];
        var given = names.Where(n => n.Value is not null).ToList();
        if (method != ClientAuthenticationMethods.TlsClientAuth)
        {
            if (given.Count > 0) root.No(given[0].Member, "Has no use without the method tls_client_auth.");
            return;
        }
        if (given.Count != 1) root.No("tls_client_auth_subject_dn", "With tls_client_auth exactly one of: " + string.Join(", ", names.Select(n => n.Member)) + ".");
        if (client.TlsClientAuthSanIp is { } ip && !IPAddress.TryParse(ip, out _)) root.No("tls_client_auth_san_ip", "An IP address is expected.");
        if (client.TlsClientAuthSubjectDn is not { } subject) return;
        try
        {
            _ = new X500DistinguishedName(subject);
        }
        catch (CryptographicException)
        {
            root.No("tls_client_auth_subject_dn", "A distinguished name as in RFC 4514 is expected, such as CN=client,O=Partner,C=FI.");
        }
    }

    /// <summary>What the FAPI 2.0 Security Profile asks of a registration (§5.3.2.1, §5.3.3, §5.4.1).</summary>
    private static void FapiRules(JsonReader root, OidcClient client)
    {
        if (!client.IsFapi) return;
        if (client.TokenEndpointAuthMethod is not (ClientAuthenticationMethods.PrivateKeyJwt or ClientAuthenticationMethods.TlsClientAuth))
            root.No("token_endpoint_auth_method", "With this profile: private_key_jwt or tls_client_auth.");
        if (!client.DpopBoundAccessTokens && !client.TlsClientCertificateBoundAccessTokens)
            root.No("dpop_bound_access_tokens", "With this profile this or tls_client_certificate_bound_access_tokens is true.");
        if (!client.RequirePkce) root.No("require_pkce", "With this profile PKCE is required.");
        (string Member, string? Value)[] algorithms =
        [
            ("id_token_signed_response_alg", client.IdTokenSignedResponseAlg), ("userinfo_signed_response_alg", client.UserinfoSignedResponseAlg),
            ("authorization_signed_response_alg", client.AuthorizationSignedResponseAlg), ("request_object_signing_alg", client.RequestObjectSigningAlg),
            ("token_endpoint_auth_signing_alg", client.TokenEndpointAuthSigningAlg),
        ];
        foreach (var (member, value) in algorithms)
        {
            if (value is not null && !FapiAlgorithms.Contains(value)) root.No(member, "With this profile: PS256 or ES256.");
        }
    }
}
