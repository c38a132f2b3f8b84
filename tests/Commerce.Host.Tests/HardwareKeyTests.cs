using System.Buffers.Text;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using Commerce.Host.Tests.Journey;
using Commerce.Saml;
using Commerce.Testing;
using Xunit;

namespace Commerce.Host.Tests;

/// <summary>Keys that live in a hardware module: SoftHSM stands for it, reached by OpenSSL's PKCS #11 engine. The hub runs as a process of its own, whose OpenSSL reads the environment.</summary>
public sealed class HardwareKeyTests : IDisposable
{
    private const string Pin = "1234";
    private readonly CommandLineRunner hub = new();

    public void Dispose() => hub.Dispose();

    [Fact]
    public async Task Keys_in_a_hardware_module_sign_tokens_and_metadata_and_never_leave_it()
    {
        using var module = await SoftModule.StartAsync();
        using var ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var rsa = RSA.Create(2048);
        await module.ImportAsync("oidc-1", "01", ec);
        await module.ImportAsync("saml-1", "02", rsa);
        var client = await hub.JsonAsync("partner", "add", "--oidc", hub.Write("shop.json", Registrations.Shop));

        await AdoptAsync(module, "oidc-es256", "oidc-1");
        await AdoptAsync(module, "saml-rs256", "saml-1");
        var kid = (await KeyAsync("oidc-es256", "next")).GetProperty("kid").GetString();
        await hub.JsonAsync("keys", "rotate");
        Assert.Equal("hardware", (await KeyAsync("oidc-es256", "active")).GetProperty("store").GetString());
        Assert.Equal(1, (await hub.RunAsync("keys", "rotate", "--purpose", "oidc-es256")).Code);     // no next one was adopted: the active key goes on
        Assert.Equal(kid, (await KeyAsync("oidc-es256", "active")).GetProperty("kid").GetString());

        var origin = $"http://localhost:{TestHub.FreePort()}";
        using var process = await HubProcess.StartAsync(hub.Data, origin, module.Environment);
        using var http = new HttpClient();
        var tokens = await Task.WhenAll(Enumerable.Range(0, 24).Select(_ => TokenAsync(http, origin, client)));     // sessions of the module are shared by threads
        foreach (var token in tokens)
        {
            var parts = token.Split('.');
            Assert.Equal(kid, JsonDocument.Parse(Base64Url.DecodeFromChars(parts[0])).RootElement.GetProperty("kid").GetString());
            Assert.True(ec.VerifyData(Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), Base64Url.DecodeFromChars(parts[2]), HashAlgorithmName.SHA256));
        }
        var jwks = await http.GetStringAsync(await JwksUriAsync(http, origin));
        Assert.Contains(Base64Url.EncodeToString(ec.ExportParameters(false).Q.X), jwks, StringComparison.Ordinal);

        var metadata = XDocument.Parse(await http.GetStringAsync($"{origin}/saml/metadata"));
        var certificates = metadata.Descendants(XName.Get("X509Certificate", "http://www.w3.org/2000/09/xmldsig#")).Select(c => Convert.FromBase64String(c.Value));
        Assert.Contains(certificates, der =>
        {
            using var certificate = X509CertificateLoader.LoadCertificate(der);
            return certificate.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(rsa.ExportSubjectPublicKeyInfo());
        });
    }

    [Theory]
    [InlineData("no-such-key", "oidc-es256", "pkcs11")]
    [InlineData("oidc-1", "saml-rs256", "pkcs11")]
    [InlineData("oidc-1", "oidc-es256", "no-such-engine")]
    public async Task A_key_that_cannot_be_used_is_refused_and_changes_nothing(string label, string purpose, string engine)
    {
        using var module = await SoftModule.StartAsync();
        using var ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await module.ImportAsync("oidc-1", "01", ec);
        var before = (await hub.RunAsync("keys", "list")).Output;
        var said = await module.RunAsync(Dotnet("keys", "adopt", "--purpose", purpose, "--engine", engine, "--key", module.Address(label)));
        Assert.Equal(1, said.Code);
        Assert.Contains("cannot be used", said.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(Pin, said.Error, StringComparison.Ordinal);
        Assert.Equal(before, (await hub.RunAsync("keys", "list")).Output);
    }

    [Fact]
    public async Task A_sign_in_over_saml_while_the_hardware_module_is_away_uses_nothing_up_and_the_same_request_works_when_it_is_back()
    {
        using var module = await SoftModule.StartAsync();
        using var rsa = RSA.Create(2048);
        await module.ImportAsync("saml-1", "02", rsa);
        using var fitterKey = RSA.Create(2048);
        var fitter = Registrations.FitterSide(fitterKey);
        await hub.JsonAsync("banner", "add", hub.Write("banner.json", Files.Banner));
        await hub.JsonAsync("customers", "import", hub.Write("customers.jsonl", Registrations.Customers(1)));
        await hub.JsonAsync("partner", "add", "--saml-metadata", hub.Write("fitter.xml", Encoding.UTF8.GetString(fitter.WriteMetadata())));
        await AdoptAsync(module, "saml-rs256", "saml-1");
        await hub.JsonAsync("keys", "rotate");

        var origin = $"http://localhost:{TestHub.FreePort()}";
        using var browser = new TestBrowser(new Uri(origin));
        OutgoingAuthnRequest waiting;
        using (await HubProcess.StartAsync(hub.Data, origin, module.Environment))
        {
            var first = fitter.CreateAuthnRequest(await MetadataAsync(origin), new AuthnRequestOptions()).Value;
            var page = await browser.FollowAsync(await browser.GetAsync(first.Url));
            page = await browser.SubmitAsync(page, [new("email", Registrations.Email(0)), new("password", Registrations.Password)], action: "/signin");
            await AssertSignedInAsync(await browser.FollowAsync(page), origin, first);
            await Wait.UntilAsync(() => hub.Count("federation", "SELECT count(*) FROM outbox") == 0, "the first sign-in is told");

            module.TakeAway();
            waiting = fitter.CreateAuthnRequest(await MetadataAsync(origin), new AuthnRequestOptions()).Value;
            Assert.Equal(HttpStatusCode.InternalServerError, (await browser.GetAsync(waiting.Url)).Status);
            Assert.Equal((1, 1, 0), (hub.Count("federation", "SELECT count(*) FROM releases"), hub.Count("consent", "SELECT count(*) FROM ledger WHERE Release IS NOT NULL"),
                hub.Count("federation", "SELECT count(*) FROM outbox")));
        }
        module.BringBack();
        using (await HubProcess.StartAsync(hub.Data, origin, module.Environment))
            await AssertSignedInAsync(await browser.GetAsync(waiting.Url), origin, waiting);

        async Task AssertSignedInAsync(TestPage page, string at, OutgoingAuthnRequest request)
        {
            var known = await MetadataAsync(at);
            using var certificate = X509CertificateLoader.LoadCertificate(Convert.FromBase64String(known.SigningKeys[0].Certificate!));    // the key in use stands first
            Assert.Equal(rsa.ExportSubjectPublicKeyInfo(), certificate.PublicKey.ExportSubjectPublicKeyInfo());
            known = known with { SigningKeys = [known.SigningKeys[0]] };
            var message = PostBinding.Read(page.Forms().Single().Hidden.Single(f => f.Key == "SAMLResponse").Value, isRequest: false, null).Value;
            var read = await fitter.ValidateAsync(message, new ResponseExpectation(known, request.Id), (_, _, _) => ValueTask.FromResult(true), TestContext.Current.CancellationToken);
            Assert.True(read.IsSuccess, read.Fault?.Detail);
        }
    }

    private static async Task<RemoteIdentityProvider> MetadataAsync(string origin)
    {
        using var http = new HttpClient();
        using var document = new MemoryStream(await http.GetByteArrayAsync($"{origin}/saml/metadata"));
        return IdpMetadataReader.Read(document, null, requireHttps: false, TimeProvider.System).Value;
    }

    private async Task AdoptAsync(SoftModule module, string purpose, string label)
    {
        var said = await module.RunAsync(Dotnet("keys", "adopt", "--purpose", purpose, "--engine", "pkcs11", "--key", module.Address(label)));
        Assert.True(said.Code == 0, said.Error + said.Output);
        Assert.DoesNotContain(Pin, said.Output, StringComparison.Ordinal);
    }

    private string[] Dotnet(params string[] verb) => ["dotnet", Path.Combine(AppContext.BaseDirectory, "Commerce.Host.dll"), .. verb, "--data", hub.Data];

    private async Task<JsonElement> KeyAsync(string purpose, string state) => (await hub.JsonAsync("keys", "list")).EnumerateArray()
        .Single(k => k.GetProperty("purpose").GetString() == purpose && k.GetProperty("state").GetString() == state);

    private static async Task<string> JwksUriAsync(HttpClient http, string origin) =>
        JsonDocument.Parse(await http.GetStringAsync($"{origin}/.well-known/openid-configuration")).RootElement.GetProperty("jwks_uri").GetString()!;

    private static async Task<string> TokenAsync(HttpClient http, string origin, JsonElement client)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{origin}/connect/token")
        {
            Content = new FormUrlEncodedContent([new("grant_type", "client_credentials"), new("scope", "orders:write")]),
            Headers = { Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes($"{client.GetProperty("client_id").GetString()}:{client.GetProperty("secret").GetString()}"))) },
        };
        using var answer = await http.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonDocument.Parse(text).RootElement.GetProperty("access_token").GetString()!;
    }

    /// <summary>A token of SoftHSM in a folder of the test's own.</summary>
    private sealed class SoftModule : IDisposable
    {
        private readonly TempFolder folder = new();

        public Dictionary<string, string?> Environment { get; } = [];

        /// <summary>With the PIN in a file: the engine writes addresses that it cannot open to the error output, as they are.</summary>
        public string Address(string label) => $"pkcs11:token=hub;object={label};type=private?pin-source=file:{folder.File("pin")}";

        public static async Task<SoftModule> StartAsync()
        {
            var library = new[] { "/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so", "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so" }.FirstOrDefault(File.Exists);
            Assert.SkipWhen(library is null, "SoftHSM is not installed (Debian package softhsm2).");
            Assert.SkipWhen(!Directory.Exists("/usr/lib") || !Directory.EnumerateDirectories("/usr/lib", "*-linux-gnu").Any(d => File.Exists(Path.Combine(d, "engines-3", "pkcs11.so"))),
                "OpenSSL's PKCS #11 engine is not installed (Debian package libengine-pkcs11-openssl).");
            var module = new SoftModule();
            Directory.CreateDirectory(module.folder.File("tokens"));
            await File.WriteAllTextAsync(module.folder.File("softhsm2.conf"), $"directories.tokendir = {module.folder.File("tokens")}\nobjectstore.backend = file\nlog.level = ERROR\n");
            await File.WriteAllTextAsync(module.folder.File("pin"), Pin);
            module.Environment["SOFTHSM2_CONF"] = module.folder.File("softhsm2.conf");
            module.Environment["PKCS11_MODULE_PATH"] = library;
            await module.MustAsync("softhsm2-util", "--init-token", "--free", "--label", "hub", "--pin", Pin, "--so-pin", Pin);
            return module;
        }

        public async Task ImportAsync(string label, string id, AsymmetricAlgorithm key)
        {
            var file = folder.File($"{label}.pem");
            await File.WriteAllTextAsync(file, key.ExportPkcs8PrivateKeyPem());
            await MustAsync("softhsm2-util", "--import", file, "--token", "hub", "--label", label, "--id", id, "--pin", Pin);
            File.Delete(file);
        }

        public async Task<Said> RunAsync(params string[] command)
        {
            var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
            foreach (var (name, value) in Environment) start.Environment[name] = value;
            using var process = Process.Start(start)!;
            var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            await process.WaitForExitAsync();
            return new Said(process.ExitCode, await output, await error);
        }

        /// <summary>The token's files move away: the module, and whoever has it open, finds no key any more.</summary>
        public void TakeAway() => Directory.Move(folder.File("tokens"), folder.File("away"));

        public void BringBack() => Directory.Move(folder.File("away"), folder.File("tokens"));

        private async Task MustAsync(params string[] command)
        {
            var said = await RunAsync(command);
            Assert.True(said.Code == 0, $"{string.Join(' ', command)}: {said.Error}{said.Output}");
        }

        public void Dispose() => folder.Dispose();
    }
}
