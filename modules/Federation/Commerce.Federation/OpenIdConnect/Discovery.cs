using System.Buffers;
using System.Text.Json;
using Commerce.Federation.OpenIdConnect.Jose;
using Commerce.Kernel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>Discovery (OpenID Connect Discovery §3, RFC 8414 §2) and the key set. What is written here works; what does not work is not here.</summary>
internal static class Discovery
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/.well-known/openid-configuration", Describe).ShortCircuit().ExcludeFromDescription();
        routes.MapGet("/.well-known/oauth-authorization-server", Describe).ShortCircuit().ExcludeFromDescription();
        // Clients may keep the set for an hour: the next key is published long before it signs.
        routes.MapGet(Issuer.JwksPath, (HttpContext context, TokenSigner signer) => Public(context, "application/jwk-set+json", signer.WritePublished)).ExcludeFromDescription();
    }

    private static Task Describe(HttpContext context, Issuer issuer) => Public(context, "application/json", json =>
    {
        json.WriteStartObject();
        json.WriteString("issuer", issuer.Name);
        json.WriteString("authorization_endpoint", issuer.Url(Issuer.AuthorizePath));
        json.WriteString("token_endpoint", issuer.Url(Issuer.TokenPath));
        json.WriteString("userinfo_endpoint", issuer.Url(Issuer.UserInfoPath));
        json.WriteString("end_session_endpoint", issuer.Url(Issuer.LogoutPath));
        json.WriteString("device_authorization_endpoint", issuer.Url(Devices.DeviceEndpoint.Path));
        json.WriteString("grant_management_endpoint", issuer.Url(GrantManagement.GrantManagementEndpoint.Path));
        List(json, "grant_management_actions_supported", ["create", "replace", "query", "revoke"]);
        json.WriteBoolean("grant_management_action_required", false);
        json.WriteString("registration_endpoint", issuer.Url(Registration.ClientRegistration.Path));
        json.WriteString("revocation_endpoint", issuer.Url(TokenStatus.Revocation.Path));
        json.WriteString("introspection_endpoint", issuer.Url(TokenStatus.Introspection.Path));
        json.WriteString("jwks_uri", issuer.Url(Issuer.JwksPath));
        List(json, "scopes_supported", [.. OidcScopes.OfCustomers, .. OidcScopes.OfClients]);
        List(json, "response_types_supported", ["code"]);
        List(json, "response_modes_supported", AuthorizeValidation.Modes);
        List(json, "authorization_signing_alg_values_supported", TokenSigner.Algorithms);
        List(json, "grant_types_supported", GrantTypes.All);
        List(json, "code_challenge_methods_supported", ["S256"]);
        List(json, "subject_types_supported", ["pairwise"]);
        List(json, "id_token_signing_alg_values_supported", TokenSigner.Algorithms);
        List(json, "userinfo_signing_alg_values_supported", TokenSigner.Algorithms);
        var methods = ClientAuthenticationMethods.All.Where(m => issuer.SeesCertificates || m != ClientAuthenticationMethods.TlsClientAuth).ToList();
        foreach (var endpoint in (ReadOnlySpan<string>)["token", "revocation", "introspection"])
        {
            List(json, endpoint + "_endpoint_auth_methods_supported", methods);
            List(json, endpoint + "_endpoint_auth_signing_alg_values_supported", TokenSigner.Algorithms);
        }
        List(json, "introspection_signing_alg_values_supported", TokenSigner.Algorithms);
        json.WriteString("pushed_authorization_request_endpoint", issuer.Url(Issuer.PushPath));
        json.WriteBoolean("require_pushed_authorization_requests", false);      // of those that registered so, it is required
        List(json, "dpop_signing_alg_values_supported", DpopProofs.Algorithms);
        List(json, "acr_values_supported", AcrLadder.Acrs);
        List(json, "prompt_values_supported", ["none", "login", "consent", "select_account"]);
        List(json, "ui_locales_supported", Commerce.Web.WebRegistration.Languages);
        List(json, "claim_types_supported", ["normal"]);
        List(json, "claims_supported",
        [
            "sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "sid",
            .. ClaimCatalogue.Names, ClaimCatalogue.ConsentReceipt, ClaimCatalogue.Hop,
        ]);
        List(json, "authorization_details_types_supported", [RichAuthorization.RetailPurchase.Type]);
        json.WriteBoolean("claims_parameter_supported", true);
        json.WriteBoolean("request_parameter_supported", true);
        List(json, "request_object_signing_alg_values_supported", TokenSigner.Algorithms);
        json.WriteBoolean("require_signed_request_object", false);              // of those that registered so, it is required
        json.WriteBoolean("request_uri_parameter_supported", false);        // left out, it would mean true
        if (issuer.SeesCertificates) json.WriteBoolean("tls_client_certificate_bound_access_tokens", true);
        if (issuer.MtlsOrigin is { } mtls)
        {
            // RFC 8705 §5: the same endpoints where TLS asks for a certificate.
            json.WriteStartObject("mtls_endpoint_aliases");
            json.WriteString("token_endpoint", mtls + Issuer.TokenPath);
            json.WriteString("userinfo_endpoint", mtls + Issuer.UserInfoPath);
            json.WriteString("pushed_authorization_request_endpoint", mtls + Issuer.PushPath);
            json.WriteString("revocation_endpoint", mtls + TokenStatus.Revocation.Path);
            json.WriteString("introspection_endpoint", mtls + TokenStatus.Introspection.Path);
            json.WriteString("device_authorization_endpoint", mtls + Devices.DeviceEndpoint.Path);
            json.WriteString("grant_management_endpoint", mtls + GrantManagement.GrantManagementEndpoint.Path);
            json.WriteEndObject();
        }
        json.WriteBoolean("authorization_response_iss_parameter_supported", true);
        json.WriteBoolean("backchannel_logout_supported", true);
        json.WriteBoolean("backchannel_logout_session_supported", true);
        json.WriteEndObject();
    });

    private static async Task Public(HttpContext context, string type, Action<Utf8JsonWriter> write)
    {
        context.Response.ContentType = type;
        context.Response.Headers.CacheControl = "public, max-age=3600";
        context.Response.Headers.AccessControlAllowOrigin = "*";    // public by nature, and browser-based tools read it
        var buffer = new ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(buffer)) write(json);
        await context.Response.Body.WriteAsync(buffer.WrittenMemory, context.RequestAborted);
    }

    private static void List(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values) json.WriteStringValue(value);
        json.WriteEndArray();
    }
}
