using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Commerce.Kernel.Secrets;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Federation.Tests.OpenIdConnect;

public sealed class DiscoveryTests(OidcHub hub) : IClassFixture<OidcHub>
{
    private async Task<JsonElement> GetAsync(string path, string type)
    {
        using var answer = await hub.Hub.Http.GetAsync(path);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(type, answer.Content.Headers.ContentType?.MediaType);
        return JsonElement.Parse(await answer.Content.ReadAsStringAsync(), new JsonDocumentOptions { AllowDuplicateProperties = false });
    }

    [Fact]
    public async Task C01_discovery_is_json_and_its_issuer_is_exactly_ours()
    {
        var document = await GetAsync("/.well-known/openid-configuration", "application/json");
        Assert.Equal(hub.Issuer, document.GetProperty("issuer").GetString());
        Assert.DoesNotContain(document.GetProperty("issuer").GetString()!, c => c is '?' or '#');
    }

    [Fact]
    public async Task C02_discovery_names_only_what_works_and_every_address_answers()
    {
        var document = await GetAsync("/.well-known/openid-configuration", "application/json");
        foreach (var name in new[] { "authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "end_session_endpoint", "pushed_authorization_request_endpoint", "revocation_endpoint", "introspection_endpoint" })
        {
            var address = document.GetProperty(name).GetString()!;
            Assert.StartsWith(hub.Issuer + "/", address, StringComparison.Ordinal);
            using var answer = await hub.Hub.Http.GetAsync(address);
            Assert.NotEqual(HttpStatusCode.NotFound, answer.StatusCode);
            Assert.True((int)answer.StatusCode < 500);
        }
        Assert.Equal(["S256"], document.GetProperty("code_challenge_methods_supported").EnumerateArray().Select(v => v.GetString()));
        Assert.Equal(["pairwise"], document.GetProperty("subject_types_supported").EnumerateArray().Select(v => v.GetString()));
        Assert.False(document.GetProperty("request_uri_parameter_supported").GetBoolean());
        Assert.True(document.GetProperty("authorization_response_iss_parameter_supported").GetBoolean());
        foreach (var absent in new[] { "check_session_iframe", "frontchannel_logout_supported" }) Assert.False(document.TryGetProperty(absent, out _), absent);
    }

    [Fact]
    public async Task C02_discovery_says_this_and_nothing_else_under_both_addresses_to_anybody_who_asks()
    {
        foreach (var path in new[] { "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server" })
        {
            using var answer = await hub.Hub.Http.GetAsync(path);
            Assert.Equal("*", answer.Headers.GetValues("Access-Control-Allow-Origin").Single());
            Assert.Equal((true, TimeSpan.FromHours(1)), (answer.Headers.CacheControl?.Public, answer.Headers.CacheControl?.MaxAge));
            var members = JsonElement.Parse(await answer.Content.ReadAsStringAsync()).EnumerateObject();
            var said = members.Select(m => $"{m.Name}: {(m.Value.ValueKind == JsonValueKind.Array ? string.Join(' ', m.Value.EnumerateArray().Select(v => v.GetString())) : m.Value.ToString())}");
            Assert.Equal(Said.Replace("{hub}", hub.Issuer, StringComparison.Ordinal).ReplaceLineEndings("\n"), string.Join('\n', said.Order(StringComparer.Ordinal)));
        }
    }

    private const string Said = """
        acr_values_supported: urn:commerce:acr:password
        authorization_details_types_supported: retail_purchase
        authorization_endpoint: {hub}/connect/authorize
        authorization_response_iss_parameter_supported: True
        authorization_signing_alg_values_supported: RS256 PS256 ES256
        backchannel_logout_session_supported: True
        backchannel_logout_supported: True
        claim_types_supported: normal
        claims_parameter_supported: True
        claims_supported: sub iss aud exp iat auth_time nonce acr amr at_hash sid name given_name family_name email email_verified phone_number phone_number_verified address locale vehicle purchase consent_receipt hop
        code_challenge_methods_supported: S256
        device_authorization_endpoint: {hub}/connect/device_authorization
        dpop_signing_alg_values_supported: ES256 PS256
        end_session_endpoint: {hub}/connect/logout
        grant_management_action_required: False
        grant_management_actions_supported: create replace query revoke
        grant_management_endpoint: {hub}/connect/grants
        grant_types_supported: authorization_code refresh_token client_credentials urn:ietf:params:oauth:grant-type:device_code urn:ietf:params:oauth:grant-type:token-exchange
        id_token_signing_alg_values_supported: RS256 PS256 ES256
        introspection_endpoint: {hub}/connect/introspect
        introspection_endpoint_auth_methods_supported: client_secret_basic client_secret_post private_key_jwt
        introspection_endpoint_auth_signing_alg_values_supported: RS256 PS256 ES256
        introspection_signing_alg_values_supported: RS256 PS256 ES256
        issuer: {hub}
        jwks_uri: {hub}/connect/jwks
        prompt_values_supported: none login consent select_account
        pushed_authorization_request_endpoint: {hub}/connect/par
        registration_endpoint: {hub}/connect/register
        request_object_signing_alg_values_supported: RS256 PS256 ES256
        request_parameter_supported: True
        request_uri_parameter_supported: False
        require_pushed_authorization_requests: False
        require_signed_request_object: False
        response_modes_supported: query form_post jwt query.jwt form_post.jwt
        response_types_supported: code
        revocation_endpoint: {hub}/connect/revoke
        revocation_endpoint_auth_methods_supported: client_secret_basic client_secret_post private_key_jwt
        revocation_endpoint_auth_signing_alg_values_supported: RS256 PS256 ES256
        scopes_supported: openid profile email phone address vehicle purchase offline_access orders:write bookings:write grant_management_query grant_management_revoke
        subject_types_supported: pairwise
        token_endpoint: {hub}/connect/token
        token_endpoint_auth_methods_supported: client_secret_basic client_secret_post private_key_jwt
        token_endpoint_auth_signing_alg_values_supported: RS256 PS256 ES256
        ui_locales_supported: en fi sv ko
        userinfo_endpoint: {hub}/connect/userinfo
        userinfo_signing_alg_values_supported: RS256 PS256 ES256
        """;

    [Fact]
    public async Task C02_the_key_set_has_unique_kids_and_nothing_private()
    {
        var keys = (await GetAsync("/connect/jwks", "application/jwk-set+json")).GetProperty("keys").EnumerateArray().ToList();
        Assert.Equal(keys.Count, keys.Select(k => k.GetProperty("kid").GetString()).Distinct().Count());
        Assert.All(keys, key => Assert.All(new[] { "d", "p", "q", "dp", "dq", "qi", "oth", "k" }, name => Assert.False(key.TryGetProperty(name, out _))));
        Assert.Equal(["ES256", "PS256", "RS256"], keys.Select(k => k.GetProperty("alg").GetString()!).Distinct().Order());
    }

    [Fact]
    public async Task B03_a_client_that_registered_nothing_gets_RS256_and_none_is_neither_offered_nor_made()
    {
        var document = await GetAsync("/.well-known/openid-configuration", "application/json");
        Assert.DoesNotContain("none", document.GetRawText().Split("prompt_values_supported")[0], StringComparison.Ordinal);
        var client = await hub.AddClientAsync(c => c with { IdTokenSignedResponseAlg = new Commerce.Federation.Partners.OidcClient { ClientName = "x" }.IdTokenSignedResponseAlg });
        var (browser, _, _) = hub.SignedIn();
        await AssertSignedAsync(hub, (await hub.TokensAsync(client, browser)).Id!, "RS256");
    }

    [Fact]
    public async Task D06_after_a_rotation_the_new_key_signs_and_the_old_one_is_still_published_and_counts()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var before = await hub.TokensAsync(client, browser);
        await hub.Hub.Services.GetRequiredService<SigningKeys>().RotateAsync("oidc-es256");
        var after = await hub.TokensAsync(client, browser, ("id_token_hint", before.Id));
        Assert.NotEqual(Jwt.Header(before.Id!).GetProperty("kid").GetString(), Jwt.Header(after.Id!).GetProperty("kid").GetString());
        await AssertSignedAsync(hub, before.Id!, "ES256");
        await AssertSignedAsync(hub, after.Id!, "ES256");
        Assert.Equal(HttpStatusCode.OK, (await hub.UserInfoAsync(before.Access)).StatusCode);
    }

    /// <summary>Verifies as a client would: with the published key that the header names.</summary>
    internal static async Task AssertSignedAsync(OidcHub hub, string jwt, string algorithm)
    {
        var header = Jwt.Header(jwt);
        Assert.Equal(algorithm, header.GetProperty("alg").GetString());
        var keys = JsonElement.Parse(await hub.Hub.Http.GetStringAsync("/connect/jwks")).GetProperty("keys").EnumerateArray();
        var key = keys.Single(k => k.GetProperty("kid").GetString() == header.GetProperty("kid").GetString());
        byte[] Number(string name) => Base64Url.DecodeFromChars(key.GetProperty(name).GetString()!);
        var signed = Encoding.ASCII.GetBytes(jwt[..jwt.LastIndexOf('.')]);
        var signature = Base64Url.DecodeFromChars(jwt[(jwt.LastIndexOf('.') + 1)..]);
        if (algorithm == "ES256")
        {
            using var ec = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = Number("x"), Y = Number("y") } });
            Assert.True(ec.VerifyData(signed, signature, HashAlgorithmName.SHA256));
        }
        else
        {
            using var rsa = RSA.Create(new RSAParameters { Modulus = Number("n"), Exponent = Number("e") });
            Assert.True(rsa.VerifyData(signed, signature, HashAlgorithmName.SHA256, algorithm == "PS256" ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1));
        }
    }
}
