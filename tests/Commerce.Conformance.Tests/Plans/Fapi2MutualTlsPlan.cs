using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Commerce.Conformance.Tests.Suite;
using Commerce.Testing;

namespace Commerce.Conformance.Tests.Plans;

/// <summary>The hub behind a proxy that ends TLS and hands the client's certificate on (RFC 9440).</summary>
public sealed class MutualTlsConformanceHub : ConformanceHub
{
    internal const string Header = "Client-Cert";

    protected override Task<TestHub> StartAsync() =>
        TestHub.StartAsync(configuration: new Dictionary<string, string?> { ["TrustedProxies:0"] = "127.0.0.1", ["Mtls:CertificateHeader"] = Header });
}

/// <summary>fapi2-security-profile-final-test-plan with mutual TLS, for the client and for its tokens.</summary>
public sealed class Fapi2MutualTlsPlan(MutualTlsConformanceHub hub) : Fapi2Modules(hub), IClassFixture<MutualTlsConformanceHub>
{
    private protected override async Task<Rp> ClientAsync(string basis = "contract")
    {
        var subject = $"CN={Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6))},O=Fuel Oy,C=FI";
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var certificate = new CertificateRequest(subject, key, HashAlgorithmName.SHA256).CreateSelfSigned(
            Hub.Hub.Clock.GetUtcNow().AddDays(-1), Hub.Hub.Clock.GetUtcNow().AddDays(30));
        var rp = await Hub.AddAsync(basis, ("require_pkce", null), ("profile", "fapi2"), ("token_endpoint_auth_method", "tls_client_auth"),
            ("tls_client_auth_subject_dn", subject), ("tls_client_certificate_bound_access_tokens", true), ("id_token_signed_response_alg", "ES256"));
        rp.Certificate = certificate;
        rp.UsePkce();
        return rp;
    }

    private protected override void AssertVariantIsAdvertised()
    {
        Assert.True(Hub.Supports("token_endpoint_auth_methods_supported", "tls_client_auth"));
        Assert.True(Hub.Metadata.GetProperty("tls_client_certificate_bound_access_tokens").GetBoolean());
    }

    private protected override async Task<TokenSet> AssertBoundAsync(Rp rp, TokenSet tokens)
    {
        Assert.Equal("Bearer", tokens.Type);
        var bound = Jws.Claims(tokens.Access).GetProperty("cnf").GetProperty("x5t#S256").GetString();
        Assert.Equal(Jws.Encode(SHA256.HashData(rp.Certificate!.RawData)), bound);
        Assert.Equal(HttpStatusCode.OK, (await rp.UserInfoAsync(tokens.Access)).Status);
        var certificate = rp.Certificate;
        rp.Certificate = null;
        Assert.Equal(HttpStatusCode.Unauthorized, (await rp.UserInfoAsync(tokens.Access)).Status);
        rp.Certificate = certificate;
        return tokens;
    }

    private protected override Task AssertRefreshNeedsTheClientAsync(Rp rp, string token) => WithoutCertificateAsync(rp, () => rp.RefreshAsync(token));

    /// <summary>The certificate is both at once: who the client is, and what its tokens are bound to.</summary>
    private protected override Task AssertRefreshNeedsTheKeyAsync(Rp rp, string token) => WithoutCertificateAsync(rp, () => rp.RefreshAsync(token));

    private protected override Task AssertCodeNeedsTheKeyAsync(Rp rp, string code) => WithoutCertificateAsync(rp, () => rp.RedeemAsync(code));

    private static async Task WithoutCertificateAsync(Rp rp, Func<Task<Answer>> ask)
    {
        var certificate = rp.Certificate;
        rp.Certificate = null;
        (await ask()).AssertRefused("invalid_client", "invalid_request", "invalid_grant");
        rp.Certificate = certificate;
    }
}
