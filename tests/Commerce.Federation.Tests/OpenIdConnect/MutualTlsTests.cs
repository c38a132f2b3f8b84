using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Commerce.Federation.Partners;

namespace Commerce.Federation.Tests.OpenIdConnect;

/// <summary>A hub behind a proxy that ends TLS and hands certificates on.</summary>
public sealed class MutualTlsHub : OidcHub
{
    public const string Header = "Client-Cert";
    protected override IReadOnlyDictionary<string, string?> Configuration => new Dictionary<string, string?>
    {
        ["TrustedProxies:0"] = "127.0.0.1", ["Mtls:CertificateHeader"] = Header, ["Mtls:Origin"] = "https://mtls.hub.example",
    };
}

public sealed class MutualTlsTests(MutualTlsHub hub) : IClassFixture<MutualTlsHub>
{
    internal const string Subject = "CN=fuel client,O=Fuel Oy,C=FI";

    internal static X509Certificate2 Make(OidcHub hub, string subject = Subject, Action<SubjectAlternativeNameBuilder>? names = null, int days = 30)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        if (names is not null)
        {
            var builder = new SubjectAlternativeNameBuilder();
            names(builder);
            request.CertificateExtensions.Add(builder.Build());
        }
        return request.CreateSelfSigned(hub.Clock.GetUtcNow().AddDays(-60), hub.Clock.GetUtcNow().AddDays(days));
    }

    internal static async Task<TestAnswer> PostAsync(OidcHub hub, string path, Dictionary<string, string> fields, params string[] certificates)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new FormUrlEncodedContent(fields) };
        foreach (var certificate in certificates) request.Headers.TryAddWithoutValidation(MutualTlsHub.Header, certificate);
        return await TestAnswer.OfAsync(await hub.Hub.Http.SendAsync(request));
    }

    internal static string Rfc9440(X509Certificate2 certificate) => $":{Convert.ToBase64String(certificate.RawData)}:";

    private Task<TestClient> AddAsync(Func<OidcClient, OidcClient>? edit = null) => hub.AddClientAsync(c => (edit ?? (x => x))(c with
    {
        TokenEndpointAuthMethod = "tls_client_auth", TlsClientAuthSubjectDn = Subject, TlsClientCertificateBoundAccessTokens = true,
    }));

    internal static Dictionary<string, string> Redeem(TestClient client, string code) => new(TestProofs.Fields(code, client)) { ["client_id"] = client.Id };

    private async Task<HttpResponseMessage> UserInfoAsync(string scheme, string token, string? certificate)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/connect/userinfo");
        request.Headers.TryAddWithoutValidation("Authorization", $"{scheme} {token}");
        if (certificate is not null) request.Headers.TryAddWithoutValidation(MutualTlsHub.Header, certificate);
        return await hub.Hub.Http.SendAsync(request);
    }

    [Fact]
    public async Task F02_a_client_proves_itself_by_its_certificate_and_its_tokens_are_bound_to_it()
    {
        var client = await AddAsync();
        using var certificate = Make(hub);
        var code = await hub.CodeAsync(client, hub.SignedIn().Browser, ("scope", "openid offline_access"));
        var answer = await PostAsync(hub, "/connect/token", Redeem(client, code), Rfc9440(certificate));
        var tokens = TestTokens.Of(answer);
        Assert.Equal(System.Buffers.Text.Base64Url.EncodeToString(SHA256.HashData(certificate.RawData)), tokens.AccessClaims.GetProperty("cnf").GetProperty("x5t#S256").GetString());

        using var other = Make(hub);
        foreach (var (sent, expected) in new[] { (Rfc9440(certificate), HttpStatusCode.OK), (Rfc9440(other), HttpStatusCode.Unauthorized), (null, HttpStatusCode.Unauthorized) })
        {
            using var userInfo = await UserInfoAsync("Bearer", tokens.Access, sent);
            Assert.Equal(expected, userInfo.StatusCode);
        }
        using var asDpop = await UserInfoAsync("DPoP", tokens.Access, Rfc9440(certificate));
        Assert.Equal(HttpStatusCode.Unauthorized, asDpop.StatusCode);
        // A renewed certificate with the same subject refreshes; the new token is bound to it.
        var refreshed = TestTokens.Of(await PostAsync(hub, "/connect/token", new() { ["grant_type"] = "refresh_token", ["refresh_token"] = tokens.Refresh!, ["client_id"] = client.Id }, Rfc9440(other)));
        Assert.NotEqual(tokens.AccessClaims.GetProperty("cnf").GetRawText(), refreshed.AccessClaims.GetProperty("cnf").GetRawText());
    }

    [Fact]
    public async Task O15_the_hubs_own_API_holds_bound_tokens_to_their_certificate_too()
    {
        var client = await AddAsync(c => c with { GrantTypes = ["client_credentials"], RedirectUris = [], Scopes = ["bookings:write"] });
        using var certificate = Make(hub);
        using var other = Make(hub);
        var token = TestTokens.Of(await PostAsync(hub, "/connect/token", new() { ["grant_type"] = "client_credentials", ["client_id"] = client.Id }, Rfc9440(certificate))).Access;
        foreach (var (sent, expected) in new[] { (Rfc9440(certificate), HttpStatusCode.OK), (Rfc9440(other), HttpStatusCode.Unauthorized), (null, HttpStatusCode.Unauthorized) })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/api/probe");
            request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
            if (sent is not null) request.Headers.TryAddWithoutValidation(MutualTlsHub.Header, sent);
            using var answer = await hub.Hub.Http.SendAsync(request);
            Assert.Equal(expected, answer.StatusCode);
        }
    }

    [Theory]
    [InlineData("another subject")]
    [InlineData("the subject with one attribute more")]
    [InlineData("the subject in another order")]
    [InlineData("expired")]
    [InlineData("none")]
    [InlineData("no certificate at all")]
    [InlineData("two headers")]
    public async Task A_certificate_that_is_not_the_registered_one_proves_nothing(string what)
    {
        var client = await AddAsync();
        using var right = Make(hub);
        using var wrong = Make(hub, what switch
        {
            "another subject" => "CN=fuel client2,O=Fuel Oy,C=FI",
            "the subject with one attribute more" => "CN=fuel client,OU=x,O=Fuel Oy,C=FI",
            "the subject in another order" => "C=FI,O=Fuel Oy,CN=fuel client",
            _ => Subject,
        }, days: what == "expired" ? -1 : 30);
        string[] sent = what switch { "none" => [], "no certificate at all" => [":AAAA:"], "two headers" => [Rfc9440(right), Rfc9440(right)], _ => [Rfc9440(wrong)] };
        var answer = await PostAsync(hub, "/connect/token", Redeem(client, "x"), sent);
        Assert.Equal((HttpStatusCode.Unauthorized, "invalid_client"), (answer.Status, answer.Error));
        Assert.Equal("invalid_grant", (await PostAsync(hub, "/connect/token", Redeem(client, "x"), Rfc9440(right))).Error);
    }

    [Fact]
    public async Task Each_kind_of_alternative_name_counts_and_only_as_its_kind()
    {
        (Func<OidcClient, OidcClient> Registered, Action<SubjectAlternativeNameBuilder> Carries)[] kinds =
        [
            (c => c with { TlsClientAuthSanDns = "fuel.example" }, n => n.AddDnsName("Fuel.example")),
            (c => c with { TlsClientAuthSanUri = "https://fuel.example/client" }, n => n.AddUri(new Uri("https://fuel.example/client"))),
            (c => c with { TlsClientAuthSanIp = "2001:db8::1" }, n => n.AddIpAddress(IPAddress.Parse("2001:db8::1"))),
            (c => c with { TlsClientAuthSanEmail = "ops@fuel.example" }, n => n.AddEmailAddress("ops@fuel.example")),
        ];
        for (var i = 0; i < kinds.Length; i++)
        {
            var client = await AddAsync(c => kinds[i].Registered(c with { TlsClientAuthSubjectDn = null }));
            for (var j = 0; j < kinds.Length; j++)
            {
                using var certificate = Make(hub, names: kinds[j].Carries);
                Assert.Equal(i == j ? "invalid_grant" : "invalid_client", (await PostAsync(hub, "/connect/token", Redeem(client, "x"), Rfc9440(certificate))).Error);
            }
        }
    }

    [Fact]
    public async Task O09_a_certificate_does_not_stand_in_for_a_secret_nor_a_secret_for_a_certificate()
    {
        using var certificate = Make(hub);
        var secret = await hub.AddClientAsync();
        Assert.Equal("invalid_client", (await PostAsync(hub, "/connect/token", Redeem(secret, "x"), Rfc9440(certificate))).Error);
        var client = await AddAsync();
        Assert.Equal("invalid_client", (await client.TokenAsync(TestProofs.Fields("x", client))).Error);
    }

    [Fact]
    public async Task F14_a_client_with_certificate_bound_tokens_gets_none_without_a_certificate()
    {
        var client = await hub.AddClientAsync(c => c with { TlsClientCertificateBoundAccessTokens = true }, withKey: true);
        var code = await hub.CodeAsync(client, hub.SignedIn().Browser);
        Assert.Equal("invalid_request", (await client.RedeemAsync(code)).Error);
    }

    [Fact]
    public async Task The_formats_of_common_proxies_are_read()
    {
        var client = await AddAsync();
        using var certificate = Make(hub);
        foreach (var format in new[] { Rfc9440(certificate), Convert.ToBase64String(certificate.RawData), Uri.EscapeDataString(certificate.ExportCertificatePem()) })
            Assert.Equal("invalid_grant", (await PostAsync(hub, "/connect/token", Redeem(client, "x"), format)).Error);
        foreach (var broken in new[] { "-----BEGIN%20CERTIFICATE", "::", Convert.ToBase64String(certificate.RawData)[..100], new string('A', 20000) })
            Assert.Equal("invalid_client", (await PostAsync(hub, "/connect/token", Redeem(client, "x"), broken)).Error);
    }

    [Fact]
    public async Task C02_discovery_names_the_method_the_binding_and_the_aliases()
    {
        var document = JsonElement.Parse(await hub.Hub.Http.GetStringAsync("/.well-known/openid-configuration"));
        Assert.Contains("tls_client_auth", document.GetProperty("token_endpoint_auth_methods_supported").EnumerateArray().Select(v => v.GetString()));
        Assert.True(document.GetProperty("tls_client_certificate_bound_access_tokens").GetBoolean());
        string[] asked =
        [
            "token_endpoint", "userinfo_endpoint", "pushed_authorization_request_endpoint", "revocation_endpoint", "introspection_endpoint", "device_authorization_endpoint",
            "grant_management_endpoint",
        ];
        Assert.Equal(asked.Select(name => (name, document.GetProperty(name).GetString()!.Replace(hub.Issuer, "https://mtls.hub.example", StringComparison.Ordinal))),
            document.GetProperty("mtls_endpoint_aliases").EnumerateObject().Select(alias => (alias.Name, alias.Value.GetString()!)));
    }

    [Fact]
    public async Task F02_FAPI_2_with_mutual_TLS_alone()
    {
        var client = await AddAsync(c => c with { Profile = OidcClient.Fapi2 });
        using var certificate = Make(hub);
        var pushed = await PostAsync(hub, "/connect/par", client.Request(), Rfc9440(certificate));
        var code = client.CodeOf(await hub.SignedIn().Browser.GetAsync(client.ReferenceUrl(pushed)));
        Assert.Equal("invalid_client", (await PostAsync(hub, "/connect/token", Redeem(client, code))).Error);
        TestTokens.Of(await PostAsync(hub, "/connect/token", Redeem(client, code), Rfc9440(certificate)));
    }
}

/// <summary>Where the caller is no listed proxy, the header is nobody's word.</summary>
public sealed class StrangersCertificateHub : OidcHub
{
    protected override IReadOnlyDictionary<string, string?> Configuration => new Dictionary<string, string?> { ["TrustedProxies:0"] = "192.0.2.7", ["Mtls:CertificateHeader"] = MutualTlsHub.Header };
}

public sealed class StrangersCertificateTests(StrangersCertificateHub hub) : IClassFixture<StrangersCertificateHub>
{
    [Fact]
    public async Task A14_a_certificate_in_a_header_from_anybody_but_a_listed_proxy_proves_nothing()
    {
        var client = await hub.AddClientAsync(c => c with { TokenEndpointAuthMethod = "tls_client_auth", TlsClientAuthSubjectDn = MutualTlsTests.Subject });
        using var certificate = MutualTlsTests.Make(hub);
        var answer = await MutualTlsTests.PostAsync(hub, "/connect/token", MutualTlsTests.Redeem(client, "x"), MutualTlsTests.Rfc9440(certificate));
        Assert.Equal((HttpStatusCode.Unauthorized, "invalid_client"), (answer.Status, answer.Error));
    }
}
