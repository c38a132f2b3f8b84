using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Commerce.Conformance.Tests.Suite;

namespace Commerce.Conformance.Tests.Plans;

/// <summary>The variant private_key_jwt and DPoP, in both plans.</summary>
public abstract class Fapi2DpopModules(ConformanceHub hub) : Fapi2Modules(hub)
{
    private protected abstract string Profile { get; }

    private protected override async Task<Rp> ClientAsync(string basis = "contract")
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var rp = await Hub.AddAsync(basis, ("require_pkce", null), ("profile", Profile), ("token_endpoint_auth_method", "private_key_jwt"),
            ("jwks", new { keys = new[] { Jws.PublicJwk(key, "k1") } }), ("dpop_bound_access_tokens", true), ("id_token_signed_response_alg", "ES256"));
        (rp.Key, rp.DpopKey) = (key, ECDsa.Create(ECCurve.NamedCurves.nistP256));
        rp.UsePkce();
        return rp;
    }

    private protected override void AssertVariantIsAdvertised()
    {
        Assert.True(Hub.Supports("token_endpoint_auth_methods_supported", "private_key_jwt"));
        Assert.True(Hub.Supports("dpop_signing_alg_values_supported", "ES256") && Hub.Supports("dpop_signing_alg_values_supported", "PS256"));
        Assert.False(Hub.Supports("dpop_signing_alg_values_supported", "RS256"));
    }

    private protected override async Task AssertRefreshNeedsTheClientAsync(Rp rp, string token) =>
        (await rp.RefreshAsync(token, ("client_assertion", null), ("client_assertion_type", null), ("client_id", rp.Id))).AssertRefused("invalid_client", "invalid_request");

    private protected override async Task AssertRefreshNeedsTheKeyAsync(Rp rp, string token) =>
        (await rp.PostAsync(Hub.Endpoint("token_endpoint"), new() { ["grant_type"] = "refresh_token", ["refresh_token"] = token }, false))
            .AssertRefused("invalid_request", "invalid_grant", "invalid_dpop_proof");

    private protected override async Task AssertCodeNeedsTheKeyAsync(Rp rp, string code) => (await rp.PostAsync(Hub.Endpoint("token_endpoint"), new()
    {
        ["grant_type"] = "authorization_code", ["code"] = code, ["redirect_uri"] = rp.RedirectUri, ["code_verifier"] = rp.Verifier,
    }, false)).AssertRefused("invalid_request", "invalid_grant", "invalid_dpop_proof");

    // ---- DPoP ----

    [Fact]
    public Task fapi2_security_profile_final_check_dpop_proof_nbf_exp() => WithProofAsync(claims => (claims["nbf"], claims["exp"]) = (Hub.Now, Hub.Now + 60));

    [Fact]
    public Task fapi2_security_profile_final_ensure_dpopproof_with_iat_10seconds_before_succeeds() => WithProofAsync(claims => claims["iat"] = Hub.Now - 10);

    [Fact]
    public Task fapi2_security_profile_final_ensure_dpopproof_with_iat_10seconds_after_succeeds() => WithProofAsync(claims => claims["iat"] = Hub.Now + 10);

    private async Task WithProofAsync(Action<Dictionary<string, object?>> edit)
    {
        var (rp, browser) = await StartAsync();
        rp.EditProof = (_, claims) => edit(claims);
        var visit = await OpenAsync(rp, browser, await UriAsync(rp, proof: true));
        await AssertBoundAsync(rp, await rp.TokensAsync(visit, rp.Nonce));
    }

    [Fact]
    public async Task fapi2_security_profile_final_ensure_mismatched_dpop_jkt_fails()
    {
        var rp = await ClientAsync();
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        (await PushAsync(rp, rp.Request(("dpop_jkt", Jws.Thumbprint(other))), proof: true)).AssertRefused("invalid_request", "invalid_dpop_proof", "invalid_request_object");
    }

    [Fact]
    public Task fapi2_security_profile_final_ensure_token_endpoint_fails_with_mismatched_dpop_proof_jkt() => MismatchAsync(proof: true);

    [Fact]
    public Task fapi2_security_profile_final_ensure_token_endpoint_fails_with_mismatched_dpop_jkt() => MismatchAsync(proof: false);

    private async Task MismatchAsync(bool proof)
    {
        var (rp, browser) = await StartAsync();
        var uri = await UriAsync(rp, proof, ("dpop_jkt", proof ? null : Jws.Thumbprint(rp.DpopKey!)));
        var visit = await OpenAsync(rp, browser, uri);
        rp.DpopKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        (await rp.RedeemAsync(visit.Code)).AssertRefused("invalid_grant", "invalid_dpop_proof", "invalid_request");
    }

    [Fact]
    public async Task fapi2_security_profile_final_ensure_dpopproof_at_par_endpoint_binding_success()
    {
        var (rp, browser) = await StartAsync();
        var visit = await OpenAsync(rp, browser, await UriAsync(rp, proof: true));
        await AssertBoundAsync(rp, await rp.TokensAsync(visit, rp.Nonce));
    }

    [Fact]
    public async Task fapi2_security_profile_final_ensure_dpop_auth_code_binding_success()
    {
        var (rp, browser) = await StartAsync();
        var visit = await OpenAsync(rp, browser, await UriAsync(rp, true, ("dpop_jkt", Jws.Thumbprint(rp.DpopKey!))));
        await AssertBoundAsync(rp, await rp.TokensAsync(visit, rp.Nonce));
    }

    [Fact]
    public async Task fapi2_security_profile_final_dpop_negative_tests()
    {
        var (rp, browser) = await StartAsync();
        var token = (await SignInAsync(rp, browser)).Access;
        var url = Hub.Endpoint("userinfo_endpoint");
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var rsa = RSA.Create(2048);

        Task<HttpStatusCode> CallAsync(string scheme, params string[] proofs) => SendAsync(url, scheme, token, proofs);
        string Proof(Action<Dictionary<string, object?>, Dictionary<string, object?>>? edit = null, AsymmetricAlgorithm? key = null)
        {
            rp.EditProof = edit;
            return rp.Proof("GET", url, token, key);
        }
        string Unsigned() => Jws.Sign(new Dictionary<string, object?> { ["typ"] = "dpop+jwt", ["alg"] = "none", ["jwk"] = Jws.PublicJwk(rp.DpopKey!) },
            Jws.Claims(Proof()).EnumerateObject().ToDictionary(c => c.Name, c => (object?)c.Value), null);
        var used = Proof();
        Assert.Equal(HttpStatusCode.OK, await CallAsync("DPoP", used));

        List<(string What, Func<string[]> Make)> bad =
        [
            ("two proofs", () => [Proof(), Proof()]), ("no proof", () => []), ("no JWT", () => ["x"]), ("jti used", () => [used]), ("none", () => [Unsigned()]),
            ("upper case", () => [Proof().ToUpperInvariant()]),
            .. new[] { "typ", "alg", "jwk" }.Select(name => ("no " + name, (Func<string[]>)(() => [Proof((header, _) => Drop(header, name))]))),
            .. new[] { "jti", "htm", "htu", "iat", "ath" }.Select(name => ("no " + name, (Func<string[]>)(() => [Proof((_, claims) => claims.Remove(name))]))),
            ("typ", () => [Proof((header, _) => header["typ"] = "JWT")]),
            ("signed by another key", () => [Proof((header, _) => header["jwk"] = Jws.PublicJwk(rp.DpopKey!), other)]),
            ("another key", () => [Proof(null, other)]),
            ("RS256", () => [Proof((header, _) => header["alg"] = "RS256", rsa)]),
            ("private key", () => [Proof((header, _) => header["jwk"] = new Dictionary<string, object?>(Jws.PublicJwk(rp.DpopKey!)) { ["d"] = Jws.Random(32) })]),
            ("htm", () => [Proof((_, claims) => claims["htm"] = "POST")]),
            ("htu", () => [Proof((_, claims) => claims["htu"] = url + "/x")]),
            ("htu of another host", () => [Proof((_, claims) => claims["htu"] = "https://elsewhere.example/connect/userinfo")]),
            ("iat an hour ago", () => [Proof((_, claims) => claims["iat"] = Hub.Now - 3600)]),
            ("iat in an hour", () => [Proof((_, claims) => claims["iat"] = Hub.Now + 3600)]),
            ("ath", () => [Proof((_, claims) => claims["ath"] = Jws.Random(32))]),
        ];
        foreach (var (what, make) in bad)
        {
            var status = await CallAsync("DPoP", make());
            Assert.True(status is HttpStatusCode.BadRequest or HttpStatusCode.Unauthorized, $"{what}: {status}");
        }
        // As a bearer token it opens nothing.
        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync("Bearer", Proof()));
        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync("Bearer"));

        var (colon, port) = (new Uri(url), new Uri(url).Port);
        var good = new (string What, Action<Dictionary<string, object?>, Dictionary<string, object?>> Edit)[]
        {
            ("htu with a query", (_, claims) => claims["htu"] = url + "?a=b"), ("htu with a fragment", (_, claims) => claims["htu"] = url + "#a"),
            ("htu with its host in capitals", (_, claims) => claims["htu"] = $"{colon.Scheme.ToUpperInvariant()}://{colon.Host.ToUpperInvariant()}:{port}{colon.AbsolutePath}"),
            ("claims of its own", (_, claims) => claims["extra"] = "x"),
        };
        foreach (var (what, edit) in good)
        {
            var status = await CallAsync("DPoP", Proof(edit));
            Assert.True(status == HttpStatusCode.OK, $"{what}: {status}");
        }
    }

    private static void Drop(Dictionary<string, object?> header, string name)
    {
        // The signature is still made as ES256: the header alone is wrong.
        if (name == "alg") header["alg"] = "";
        else header.Remove(name);
    }

    private async Task<HttpStatusCode> SendAsync(string url, string scheme, string token, string[] proofs)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url) { Headers = { Authorization = new AuthenticationHeaderValue(scheme, token) } };
        foreach (var proof in proofs) request.Headers.Add("DPoP", proof);
        using var answer = await Hub.Hub.Http.SendAsync(request);
        return answer.StatusCode;
    }

    // ---- private_key_jwt ----

    private async Task RefusesAsync(Func<Rp, string?> assertion, params string[] errors)
    {
        var (rp, browser) = await StartAsync();
        var visit = await VisitAsync(rp, browser);
        var value = assertion(rp);
        (await rp.RedeemAsync(visit.Code, ("client_assertion", value), ("client_assertion_type", value is null ? null : "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_id", value is null ? rp.Id : null))).AssertRefused(errors.Length > 0 ? errors : ["invalid_client"]);
        await rp.TokensAsync(visit, rp.Nonce);      // the code is good still
    }

    [Fact]
    public Task fapi2_security_profile_final_ensure_signed_client_assertion_with_RS256_fails() => RefusesAsync(rp =>
    {
        using var rsa = RSA.Create(2048);
        return rp.Assertion(header: header => header["alg"] = "RS256", key: rsa);
    });

    [Fact]
    public Task fapi2_security_profile_final_ensure_client_assertion_in_token_endpoint() => RefusesAsync(_ => null, "invalid_client", "invalid_request");

    [Fact]
    public Task fapi2_security_profile_final_ensure_client_assertion_with_exp_is_5_minutes_in_past_fails() =>
        RefusesAsync(rp => rp.Assertion(claims => (claims["iat"], claims["exp"]) = (Hub.Now - 360, Hub.Now - 300)));

    [Fact]
    public Task fapi2_security_profile_final_ensure_client_assertion_with_wrong_aud_fails() => RefusesAsync(rp => rp.Assertion(claims => claims["aud"] = "https://elsewhere.example"));

    [Fact]
    public Task fapi2_security_profile_final_ensure_client_assertion_with_no_sub_fails() => RefusesAsync(rp => rp.Assertion(claims => claims.Remove("sub")));

    [Fact]
    public async Task fapi2_security_profile_final_ensure_invalid_client_assertions_fail()
    {
        var rp = await ClientAsync();
        using var foreign = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var push = Hub.Endpoint("pushed_authorization_request_endpoint");
        var used = rp.Assertion();
        Assert.Equal(HttpStatusCode.Created, (await PushAsync(rp, rp.Request(), false, ("client_assertion", used))).Status);
        string[] bad =
        [
            used, rp.Assertion(key: foreign), rp.Assertion(claims => claims.Remove("iss")), rp.Assertion(claims => claims["iss"] = "x"), rp.Assertion(claims => claims["sub"] = "x"),
            rp.Assertion(claims => claims.Remove("aud")), rp.Assertion(claims => claims.Remove("exp")), rp.Assertion(claims => claims.Remove("jti")),
            rp.Assertion(claims => claims["exp"] = Hub.Now - 300), rp.Assertion(claims => claims["aud"] = new[] { Hub.Issuer }),
            rp.Assertion(claims => claims["aud"] = push), rp.Assertion(claims => claims["aud"] = Hub.Endpoint("token_endpoint")), rp.Assertion(claims => claims["aud"] = Hub.Issuer + "/"),
            rp.Assertion(claims => (claims["iat"], claims["nbf"]) = (Hub.Now + 61, Hub.Now + 61)),
            Jws.Sign(new Dictionary<string, object?> { ["alg"] = "none" }, Jws.Claims(rp.Assertion()).EnumerateObject().ToDictionary(c => c.Name, c => (object?)c.Value), null),
        ];
        foreach (var assertion in bad) (await PushAsync(rp, rp.Request(), false, ("client_assertion", assertion))).AssertRefused("invalid_client");
        // A clock that is eight seconds ahead is no attack.
        var early = rp.Assertion(claims => (claims["iat"], claims["nbf"]) = (Hub.Now + 8, Hub.Now + 8));
        Assert.Equal(HttpStatusCode.Created, (await PushAsync(rp, rp.Request(), false, ("client_assertion", early))).Status);
    }
}

/// <summary>fapi2-security-profile-final-test-plan with private_key_jwt and DPoP.</summary>
public sealed class Fapi2DpopPlan(ConformanceHub hub) : Fapi2DpopModules(hub), IClassFixture<ConformanceHub>
{
    private protected override string Profile => "fapi2";
}
