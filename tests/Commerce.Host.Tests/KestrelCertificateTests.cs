using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Commerce.Testing;
using Xunit;

namespace Commerce.Host.Tests;

/// <summary>A hub with nothing in front that ends TLS itself: one port for everybody and one that asks for clients' certificates.</summary>
public sealed class TlsHub : IAsyncLifetime
{
    internal const string Subject = "CN=till server,O=Northern Group,C=FI";
    private const string Registration = """
        {"client_name":"Till server","grant_types":["client_credentials"],"scope":"orders:write","token_endpoint_auth_method":"tls_client_auth",
         "tls_client_auth_subject_dn":"CN=till server,O=Northern Group,C=FI","tls_client_certificate_bound_access_tokens":true}
        """;

    private readonly CommandLineRunner hub = new();
    private HubProcess? process;

    internal int ForAll { get; } = TestHub.FreePort();
    internal int ForClients { get; } = TestHub.FreePort();
    internal X509Certificate2 Authority { get; } = Certificates.Authority("CN=Northern clients");
    internal string Client { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        Client = (await hub.JsonAsync("partner", "add", "--oidc", hub.Write("client.json", Registration))).GetProperty("client_id").GetString()!;
        using var server = Certificates.Issue(Authority, "CN=localhost", Certificates.ForServers);
        process = await HubProcess.StartAsync(hub.Data, $"https://localhost:{ForAll}", new Dictionary<string, string?>
        {
            ["Kestrel__Certificates__Default__Path"] = hub.Write("server.pem", server.ExportCertificatePem()),
            ["Kestrel__Certificates__Default__KeyPath"] = hub.Write("server.key", server.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem()),
            ["Mtls__ClientAuthorities"] = hub.Write("authorities.pem", Authority.ExportCertificatePem()),
            ["Mtls__Port"] = $"{ForClients}",
            ["Mtls__Origin"] = $"https://localhost:{ForClients}",
        }, listens: $"http://localhost:{TestHub.FreePort()};https://localhost:{ForAll};https://localhost:{ForClients}");
    }

    public ValueTask DisposeAsync()
    {
        process?.Dispose();
        Authority.Dispose();
        hub.Dispose();
        return ValueTask.CompletedTask;
    }
}

public sealed class KestrelCertificateTests(TlsHub hub) : IClassFixture<TlsHub>
{
    [Fact]
    public async Task F02_a_client_proves_itself_by_the_certificate_of_its_connection()
    {
        using var certificate = Certificates.Issue(hub.Authority, TlsHub.Subject);

        var (status, answer) = await TokenAsync(hub.ForClients, certificate);
        Assert.True(status == HttpStatusCode.OK, answer.GetRawText());
        var token = answer.GetProperty("access_token").GetString()!;
        var claims = JsonElement.Parse(Base64Url.DecodeFromChars(token.Split('.')[1]));
        Assert.Equal(Base64Url.EncodeToString(SHA256.HashData(certificate.RawData)), claims.GetProperty("cnf").GetProperty("x5t#S256").GetString());

        // Its token opens the API with it, and with nothing else.
        using var renewed = Certificates.Issue(hub.Authority, TlsHub.Subject);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, await OrderAsync(token, certificate));      // let in: the empty order is what is wrong
        Assert.Equal(HttpStatusCode.Unauthorized, await OrderAsync(token, renewed));
        Assert.Equal(HttpStatusCode.Unauthorized, await OrderAsync(token, null));
    }

    [Fact]
    public async Task A_certificate_of_nobody_listed_or_not_for_clients_does_not_connect_and_a_wrong_one_proves_nothing()
    {
        using var stranger = Certificates.Authority("CN=Northern clients");
        using var forged = Certificates.Issue(stranger, TlsHub.Subject);
        using var forServers = Certificates.Issue(hub.Authority, TlsHub.Subject, Certificates.ForServers);
        using var old = Certificates.Issue(hub.Authority, TlsHub.Subject, days: -1);
        using var other = Certificates.Issue(hub.Authority, "CN=another server,O=Northern Group,C=FI");
        using var right = Certificates.Issue(hub.Authority, TlsHub.Subject);

        foreach (var refused in new[] { forged, forServers, old })
            await Assert.ThrowsAsync<HttpRequestException>(() => TokenAsync(hub.ForClients, refused));
        foreach (var (port, shown) in new[] { (hub.ForClients, other), (hub.ForClients, null), (hub.ForAll, right) })
        {
            var (status, answer) = await TokenAsync(port, shown);
            Assert.Equal((HttpStatusCode.Unauthorized, "invalid_client"), (status, answer.GetProperty("error").GetString()));
        }
    }

    [Fact]
    public async Task Authorities_that_cannot_be_read_are_named_and_nothing_listens()
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder.File("empty.pem"), "no certificate", TestContext.Current.CancellationToken);
        using var other = new CommandLineRunner();
        var ended = await Assert.ThrowsAsync<InvalidOperationException>(() => HubProcess.StartAsync(other.Data, $"http://localhost:{TestHub.FreePort()}",
            new Dictionary<string, string?> { ["Mtls__ClientAuthorities"] = folder.File("empty.pem") }));
        Assert.Contains("Mtls:ClientAuthorities", ended.Message, StringComparison.Ordinal);
        Assert.Contains("empty.pem", ended.Message, StringComparison.Ordinal);
    }

    private async Task<(HttpStatusCode Status, JsonElement Body)> TokenAsync(int port, X509Certificate2? certificate)
    {
        using var http = Http(certificate);
        using var answer = await http.PostAsync(new Uri($"https://localhost:{port}/connect/token"), new FormUrlEncodedContent(
            [new("grant_type", "client_credentials"), new("scope", "orders:write"), new("client_id", hub.Client)]));
        return (answer.StatusCode, JsonElement.Parse(await answer.Content.ReadAsStringAsync()));
    }

    private async Task<HttpStatusCode> OrderAsync(string token, X509Certificate2? certificate)
    {
        using var http = Http(certificate);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"https://localhost:{hub.ForClients}/api/orders") { Content = new StringContent("{}", null, "application/json") };
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        request.Headers.Add("Idempotency-Key", "one");
        using var answer = await http.SendAsync(request);
        return answer.StatusCode;
    }

    private HttpClient Http(X509Certificate2? certificate)
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { hub.Authority }, RevocationMode = X509RevocationMode.NoCheck };
        if (certificate is not null) handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate;
        return new HttpClient(handler);
    }
}

internal static class Certificates
{
    public const string ForClients = "1.3.6.1.5.5.7.3.2", ForServers = "1.3.6.1.5.5.7.3.1";

    public static X509Certificate2 Authority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-90), DateTimeOffset.UtcNow.AddDays(90));
    }

    public static X509Certificate2 Issue(X509Certificate2 issuer, string subject, string usage = ForClients, int days = 30)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], false));
        using var certificate = request.Create(issuer, DateTimeOffset.UtcNow.AddDays(-60), DateTimeOffset.UtcNow.AddDays(days), RandomNumberGenerator.GetBytes(8));
        using var withKey = certificate.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
    }
}
