using System.Net;
using System.Security.Cryptography;
using Commerce.Conformance.Tests.Suite;

namespace Commerce.Conformance.Tests.Plans;

/// <summary>fapi2-message-signing-final-test-plan: requests are signed by the client (JAR) and answers by the hub (JARM).</summary>
public sealed class Fapi2MessageSigningPlan(ConformanceHub hub) : Fapi2DpopModules(hub), IClassFixture<ConformanceHub>
{
    private protected override string Profile => "fapi2-message-signing";

    private protected override string[] RequestErrors => ["invalid_request", "invalid_request_object"];

    private protected override async Task<Rp> ClientAsync(string basis = "contract")
    {
        var rp = await base.ClientAsync(basis);
        rp.Variant.Add(("response_mode", "jwt"));
        return rp;
    }

    private protected override void AssertVariantIsAdvertised()
    {
        base.AssertVariantIsAdvertised();
        Assert.True(Hub.Supports("response_modes_supported", "jwt"));
        Assert.True(Hub.Supports("request_object_signing_alg_values_supported", "ES256") && Hub.Supports("request_object_signing_alg_values_supported", "PS256"));
        Assert.True(Hub.Supports("authorization_signing_alg_values_supported", "ES256"));
    }

    private protected override Dictionary<string, string> Form(Rp rp, Dictionary<string, string> request) =>
        new() { ["client_id"] = rp.Id, ["request"] = Signed(rp, request) };

    private string Signed(
        Rp rp, Dictionary<string, string> request, Action<Dictionary<string, object?>>? edit = null, Action<Dictionary<string, object?>>? header = null, AsymmetricAlgorithm? key = null)
    {
        var claims = request.ToDictionary(p => p.Key, p => (object?)p.Value);
        (claims["iss"], claims["aud"], claims["nbf"], claims["exp"]) = (rp.Id, Hub.Issuer, Hub.Now, Hub.Now + 300);
        var head = new Dictionary<string, object?> { ["alg"] = rp.KeyAlgorithm, ["kid"] = "k1", ["typ"] = "oauth-authz-req+jwt" };
        edit?.Invoke(claims);
        header?.Invoke(head);
        return Jws.Sign(head, claims, head["alg"] is "none" ? null : key ?? rp.Key);
    }

    private async Task<Answer> PushObjectAsync(Rp rp, string signed) =>
        await rp.PostAsync(Hub.Endpoint("pushed_authorization_request_endpoint"), new() { ["client_id"] = rp.Id, ["request"] = signed }, false);

    private async Task RefusesAsync(Func<Rp, string> make)
    {
        var rp = await ClientAsync();
        (await PushObjectAsync(rp, make(rp))).AssertRefused("invalid_request_object", "invalid_request", "request_not_supported");
        Assert.Equal(HttpStatusCode.Created, (await PushAsync(rp, rp.Request())).Status);      // nothing else was wrong
    }

    private Task RefusesClaimsAsync(Action<Dictionary<string, object?>> edit) => RefusesAsync(rp => Signed(rp, rp.Request(), edit));

    private async Task ServesAsync(Action<Dictionary<string, object?>> edit)
    {
        var (rp, browser) = await StartAsync();
        var pushed = await PushObjectAsync(rp, Signed(rp, rp.Request(), edit));
        Assert.True(pushed.Status == HttpStatusCode.Created, pushed.Body);
        await rp.TokensAsync(await OpenAsync(rp, browser, pushed.Json.GetProperty("request_uri").GetString()!), rp.Nonce);
    }

    [Fact]
    public Task fapi2_security_profile_final_ensure_request_object_with_multiple_aud_succeeds() =>
        ServesAsync(claims => claims["aud"] = new[] { Hub.Issuer, "https://other.example", "invalid" });

    [Fact]
    public Task fapi2_security_profile_final_ensure_request_object_with_nbf_8_seconds_in_the_future_is_accepted() => ServesAsync(claims => claims["nbf"] = Hub.Now + 8);

    [Fact]
    public Task fapi2_security_profile_final_ensure_request_object_without_exp_fails() => RefusesClaimsAsync(claims => claims.Remove("exp"));

    [Fact]
    public Task fapi2_security_profile_final_ensure_request_object_without_nbf_fails() => RefusesClaimsAsync(claims => claims.Remove("nbf"));

    [Fact]
    public Task fapi2_security_profile_final_ensure_expired_request_object_fails() =>
        RefusesClaimsAsync(claims => (claims["nbf"], claims["exp"]) = (Hub.Now - 600, Hub.Now - 300));

    [Fact]
    public Task fapi2_security_profile_final_ensure_request_object_with_bad_aud_fails() => RefusesClaimsAsync(claims => claims["aud"] = "https://elsewhere.example");

    [Fact]
    public Task fapi2_security_profile_final_ensure_request_object_with_exp_over_60_fails() => RefusesClaimsAsync(claims => claims["exp"] = Hub.Now + (70 * 60));

    [Fact]
    public Task fapi2_security_profile_final_ensure_request_object_with_nbf_over_60_fails() => RefusesClaimsAsync(claims => claims["nbf"] = Hub.Now - (70 * 60));

    [Fact]
    public Task fapi2_security_profile_final_ensure_signed_request_object_with_RS256_fails() => RefusesAsync(rp =>
    {
        using var rsa = RSA.Create(2048);
        return Signed(rp, rp.Request(), header: header => header["alg"] = "RS256", key: rsa);
    });

    [Fact]
    public Task fapi2_security_profile_final_ensure_request_object_signature_algorithm_is_not_none() =>
        RefusesAsync(rp => Signed(rp, rp.Request(), header: header => header["alg"] = "none"));

    [Fact]
    public Task fapi2_security_profile_final_ensure_request_object_with_invalid_signature_fails() => RefusesAsync(rp =>
    {
        var good = Signed(rp, rp.Request());
        var signature = System.Buffers.Text.Base64Url.DecodeFromChars(good.AsSpan(good.LastIndexOf('.') + 1));
        signature[10] ^= 1;
        return good[..(good.LastIndexOf('.') + 1)] + Jws.Encode(signature);
    });

    /// <summary>Signed with the second client's key.</summary>
    [Fact]
    public async Task fapi2_security_profile_final_ensure_matching_key_in_authorization_request()
    {
        var two = await ClientAsync();
        await RefusesAsync(rp => Signed(rp, rp.Request(), key: two.Key));
    }

    [Fact]
    public async Task fapi2_security_profile_final_ensure_unsigned_request_at_par_endpoint_fails()
    {
        var rp = await ClientAsync();
        (await rp.PostAsync(Hub.Endpoint("pushed_authorization_request_endpoint"), rp.Request(), false)).AssertRefused("invalid_request", "invalid_request_object");
    }

    [Fact]
    public Task fapi2_security_profile_final_par_authorization_request_containing_request_uri() =>
        RefusesClaimsAsync(claims => claims["request_uri"] = "urn:ietf:params:oauth:request_uri:" + Jws.Random(32));
}
