using System.Net;
using System.Text.Json;
using Commerce.Federation.Contracts;
using Commerce.Federation.Partners;
using Commerce.Testing;

namespace Commerce.Federation.Tests.OpenIdConnect;

/// <summary>The FAPI 2.0 profiles with private_key_jwt and DPoP.</summary>
public sealed class FapiTests(OidcHub hub) : IClassFixture<OidcHub>
{
    private async Task<(TestClient Client, TestProofs Proofs)> StartAsync(string profile = OidcClient.Fapi2)
    {
        var client = await hub.AddClientAsync(c => c with { Profile = profile, DpopBoundAccessTokens = true, AuthorizationSignedResponseAlg = "ES256" }, withKey: true);
        return (client, await new TestProofs(hub).WithNonceAsync(client));
    }

    [Fact]
    public async Task F02_the_whole_flow_with_two_clients()
    {
        foreach (var (client, proofs) in new[] { await StartAsync(), await StartAsync() })
        {
            var (browser, _, _) = hub.SignedIn();
            var page = await browser.GetAsync(client.ReferenceUrl(await client.PushAsync(hub, ("scope", "openid email offline_access"))));
            var answer = await client.WithProofAsync(hub, proofs.Proof("/connect/token"), TestProofs.Fields(client.CodeOf(page), client));
            Assert.Equal("DPoP", answer.Json.GetProperty("token_type").GetString());
            var access = answer.Json.GetProperty("access_token").GetString()!;
            using var userInfo = await hub.CallAsync("/connect/userinfo", "DPoP", access, proofs.Proof("/connect/userinfo", access, method: "GET"));
            Assert.Equal(HttpStatusCode.OK, userInfo.StatusCode);

            // FAPI 2.0 Security Profile 5.3.2.1: refresh tokens are bound, and not rotated.
            var refresh = answer.Json.GetProperty("refresh_token").GetString()!;
            for (var i = 0; i < 2; i++)
            {
                var again = await client.WithProofAsync(hub, proofs.Proof("/connect/token"), new() { ["grant_type"] = "refresh_token", ["refresh_token"] = refresh });
                Assert.True(again.Status == HttpStatusCode.OK, again.Body);
                Assert.Equal(refresh, again.Json.GetProperty("refresh_token").GetString());
            }
            Assert.Equal("invalid_request", (await client.RefreshAsync(refresh)).Error);       // F21: no proof
        }
    }

    [Fact]
    public async Task F01_discovery_offers_what_the_profile_asks_for_and_no_key_that_both_sides_know()
    {
        using var answer = await hub.Hub.Http.GetAsync("/.well-known/openid-configuration");
        var document = JsonElement.Parse(await answer.Content.ReadAsStringAsync());
        string[] Listed(string name) => [.. document.GetProperty(name).EnumerateArray().Select(value => value.GetString()!)];
        Assert.Equal(hub.Issuer + "/connect/par", document.GetProperty("pushed_authorization_request_endpoint").GetString());
        Assert.True(document.GetProperty("authorization_response_iss_parameter_supported").GetBoolean());
        Assert.Equal(["code"], Listed("response_types_supported"));
        Assert.Equal(["S256"], Listed("code_challenge_methods_supported"));
        Assert.Contains("private_key_jwt", Listed("token_endpoint_auth_methods_supported"));
        Assert.Equal(["ES256", "PS256"], Listed("dpop_signing_alg_values_supported").Order());
        foreach (var name in new[] { "id_token_signing_alg_values_supported", "token_endpoint_auth_signing_alg_values_supported", "request_object_signing_alg_values_supported" })
            Assert.Equal(["ES256", "PS256", "RS256"], Listed(name).Order());        // RS256 is for clients without the profile (F16).
    }

    [Fact]
    public async Task F04_state_and_nonce_may_be_absent_a_nonce_may_have_64_characters_and_scopes_any_order()
    {
        var (client, proofs) = await StartAsync();
        var (browser, _, _) = hub.SignedIn();
        var nonce = new string('n', 64);
        foreach (var changes in new (string, string?)[][] { [("state", null)], [("nonce", null)], [("nonce", nonce)], [("scope", "email offline_access openid")] })
        {
            var page = await browser.GetAsync(client.ReferenceUrl(await client.PushAsync(hub, changes)));
            var response = Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(page.RedirectsTo!.Query);
            Assert.Equal(!changes.Contains(("state", null)), response.ContainsKey("state"));
            var answer = await client.WithProofAsync(hub, proofs.Proof("/connect/token"), TestProofs.Fields(response["code"].ToString(), client));
            Assert.True(answer.Status == HttpStatusCode.OK, answer.Body);
            var id = Jwt.Payload(answer.Json.GetProperty("id_token").GetString()!);
            var expected = changes.Contains(("nonce", null)) ? null : changes.Contains(("nonce", nonce)) ? nonce : client.Nonce;
            Assert.Equal(expected, id.TryGetProperty("nonce", out var told) ? told.GetString() : null);
        }
    }

    [Fact]
    public async Task F11_F14_F21_nothing_goes_round_the_push_or_the_proof()
    {
        var (client, proofs) = await StartAsync();
        var (browser, _, _) = hub.SignedIn();
        Assert.Equal("invalid_request", client.ErrorOf(await browser.GetAsync(client.AuthorizeUrl())));
        var code = client.CodeOf(await browser.GetAsync(client.ReferenceUrl(await client.PushAsync(hub))));
        Assert.Equal("invalid_request", (await client.RedeemAsync(code)).Error);
        Assert.Equal(HttpStatusCode.OK, (await client.WithProofAsync(hub, proofs.Proof("/connect/token"), TestProofs.Fields(code, client))).Status);
    }

    [Fact]
    public async Task F16_an_RS256_assertion_is_refused_and_a_PS256_one_taken()
    {
        using var rsa = System.Security.Cryptography.RSA.Create(2048);
        var numbers = rsa.ExportParameters(false);
        static string Text(byte[] bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);
        var keys = JsonSerializer.SerializeToElement(new { keys = new[] { new { kty = "RSA", kid = "k1", n = Text(numbers.Modulus!), e = Text(numbers.Exponent!) } } });
        foreach (var (profile, algorithm, error) in new[] { (OidcClient.Fapi2, "RS256", "invalid_client"), (OidcClient.Fapi2, "PS256", "invalid_request"), (null, "RS256", "invalid_grant") })
        {
            var client = await hub.AddClientAsync(c => c with { Profile = profile, DpopBoundAccessTokens = profile is not null, Jwks = keys }, withKey: true);
            var unsigned = client.Assertion(header: h => h["alg"] = algorithm);
            unsigned = unsigned[..unsigned.LastIndexOf('.')];
            var assertion = unsigned + "." + Text(rsa.SignData(System.Text.Encoding.ASCII.GetBytes(unsigned), System.Security.Cryptography.HashAlgorithmName.SHA256,
                algorithm == "PS256" ? System.Security.Cryptography.RSASignaturePadding.Pss : System.Security.Cryptography.RSASignaturePadding.Pkcs1));
            Assert.Equal(error, (await client.RedeemAsync("x", ("client_assertion", assertion))).Error);
        }
    }

    [Fact]
    public async Task F28_message_signing_wants_a_signed_request_and_gives_a_signed_answer()
    {
        var (client, proofs) = await StartAsync(OidcClient.Fapi2MessageSigning);
        var (browser, _, _) = hub.SignedIn();
        string Signed(params (string, string?)[] changes)
        {
            var now = hub.Clock.GetUtcNow().ToUnixTimeSeconds();
            var payload = client.Request(changes).ToDictionary(p => p.Key, p => (object?)p.Value);
            (payload["iss"], payload["aud"], payload["nbf"], payload["exp"]) = (client.Id, hub.Issuer, now, now + 300);
            return Jwt.Sign("""{"alg":"ES256","kid":"k1"}""", JsonSerializer.Serialize(payload), client.Key!);
        }
        Task<TestAnswer> Push(string request) => client.WithProofsAsync(hub, "/connect/par", new() { ["client_id"] = client.Id, ["request"] = request });
        Assert.Equal("invalid_request", (await client.PushAsync(hub, ("response_mode", "jwt"))).Error);
        Assert.Equal("invalid_request", (await Push(Signed())).Error);
        var page = await browser.GetAsync(client.ReferenceUrl(await Push(Signed(("response_mode", "jwt")))));
        var response = Jwt.Payload(Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(page.RedirectsTo!.Query)["response"].ToString());
        var answer = await client.WithProofAsync(hub, proofs.Proof("/connect/token"), TestProofs.Fields(response.GetProperty("code").GetString()!, client));
        Assert.Equal(HttpStatusCode.OK, answer.Status);
    }

    [Fact]
    public async Task A_registration_under_the_profile_takes_safe_defaults()
    {
        var json = $$"""{"client_name":"Bank","redirect_uris":["https://bank.example/cb"],"profile":"fapi2","token_endpoint_auth_method":"private_key_jwt","dpop_bound_access_tokens":true,"jwks":{{(await hub.AddClientAsync(withKey: true)).PublicKeys().GetRawText()}}}""";
        var added = await hub.Hub.AskAsync(new AddOidcPartner(json, null));
        Assert.True(added.IsOk, added.Refusal?.Errors?[0].ToString());
        Assert.Null(added.Value.Secret);
        foreach (var (member, value) in new[] { ("id_token_signed_response_alg", "RS256"), ("token_endpoint_auth_method", "client_secret_basic"), ("dpop_bound_access_tokens", "") })
        {
            var changed = System.Text.Json.Nodes.JsonNode.Parse(json)!.AsObject();
            changed[member] = value.Length > 0 ? value : false;
            var refused = await hub.Hub.AskAsync(new AddOidcPartner(changed.ToJsonString(), null));
            Assert.Contains(refused.Refusal!.Errors!, e => e.Field == member);
        }
    }
}
