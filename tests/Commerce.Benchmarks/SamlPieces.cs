using System.Security.Cryptography;
using System.Security.Cryptography.Xml;
using System.Text;
using System.Text.Json;
using System.Xml;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using Commerce.Saml;

namespace Commerce.Benchmarks;

/// <summary>
/// Whole responses, serialisation, canonical form, digest and Base64 included, beside what the bare key signs; and whole validations beside
/// the platform's SignedXml, which only checks the signature.
/// </summary>
[MemoryDiagnoser]
[GroupBenchmarksBy(BenchmarkLogicalGroupRule.ByCategory)]
[CategoriesColumn]
public class SamlPieces : IDisposable
{
    private const string IdpId = "https://id.retailer.example/saml/metadata", Sso = "https://id.retailer.example/saml/sso",
        SpId = "https://fitter.example/saml/metadata", Acs = "https://fitter.example/saml/acs";

    private readonly RSA rsa = RSA.Create(2048);
    private readonly ECDsa ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly byte[] hash = SHA256.HashData([1, 2, 3]);
    private readonly AssertionConsumerService acs = new(0, SamlBindings.HttpPost, Acs, true);
    private ServiceProvider record = null!;
    private IdentityProvider byRsa = null!, byCurve = null!;
    private ServiceProviderSide receiver = null!;
    private RemoteIdentityProvider sender = null!;
    private AssertionContent content = null!;
    private string posted = "";
    private byte[] xml = [];

    [GlobalSetup]
    public void SetUp()
    {
        var now = TimeProvider.System.GetUtcNow();
        record = new ServiceProvider { EntityId = SpId, AssertionConsumerServices = [acs] };
        var rsaKey = new SigningKey(rsa, SigningKey.SelfSigned(rsa, "id.retailer.example", now.AddDays(-1), now.AddYears(1)));
        byRsa = With(rsaKey);
        byCurve = With(new SigningKey(ecdsa, SigningKey.SelfSigned(ecdsa, "id.retailer.example", now.AddDays(-1), now.AddYears(1))));
        receiver = new ServiceProviderSide(new ServiceProviderSettings { EntityId = SpId, AssertionConsumerServiceUrl = Acs }, TimeProvider.System);
        sender = new RemoteIdentityProvider { EntityId = IdpId, SingleSignOnServices = [new(SamlBindings.HttpRedirect, Sso)], SigningKeys = [TrustedKey.Of(rsaKey)] };
        content = new AssertionContent(NameId.Persistent("p-4b1d9c", IdpId, SpId), now, AuthnContextClasses.PasswordProtectedTransport, "s-1",
        [
            ClaimNames.ToAttribute("name", JsonSerializer.SerializeToElement("Aino Virtanen")), ClaimNames.ToAttribute("email", JsonSerializer.SerializeToElement("aino@example.com")),
            ClaimNames.ToAttribute("vehicle", JsonSerializer.SerializeToElement(new { registration = "ABC-123", tire_size = "205/55R16" })),
            ClaimNames.ToAttribute("purchase", JsonSerializer.SerializeToElement(new { order_number = "NT-1", lines = new[] { new { description = "Winter tire", quantity = 4 } } })),
        ]);
        posted = SignRsa();
        xml = Convert.FromBase64String(posted);
    }

    private static IdentityProvider With(SigningKey key) => new(new IdentityProviderSettings
    {
        EntityId = IdpId, SsoRedirectUrl = Sso, SsoPostUrl = Sso, SigningKey = key, SignAssertions = false, ContextClasses = [AuthnContextClasses.PasswordProtectedTransport],
    }, TimeProvider.System);

    [Benchmark(Baseline = true), BenchmarkCategory("sign, RSA-2048")] public byte[] BareRsa() => rsa.SignHash(hash, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);

    [Benchmark, BenchmarkCategory("sign, RSA-2048")] public string SignRsa() => Respond(byRsa);

    [Benchmark(Baseline = true), BenchmarkCategory("sign, ECDSA P-256")] public byte[] BareCurve() => ecdsa.SignHash(hash);

    [Benchmark, BenchmarkCategory("sign, ECDSA P-256")] public string SignCurve() => Respond(byCurve);

    /// <summary>Reading and every check of <see cref="ServiceProviderSide"/>.</summary>
    [Benchmark, BenchmarkCategory("verify, RSA-2048")]
    public async Task<ValidatedAssertion> Validate() => (await receiver.ValidateAsync(
        PostBinding.Read(posted, isRequest: false, null).Value, new ResponseExpectation(sender, null, AllowUnsolicited: true), (_, _, _) => ValueTask.FromResult(true))).Value;

    /// <summary>Reading and the signature, nothing else.</summary>
    [Benchmark(Baseline = true), BenchmarkCategory("verify, RSA-2048")]
    public bool PlatformSignedXml()
    {
        var document = new XmlDocument { PreserveWhitespace = true, XmlResolver = null };
        document.LoadXml(Encoding.UTF8.GetString(xml));
        var signed = new SignedXml(document);
        signed.LoadXml((XmlElement)document.GetElementsByTagName("Signature", SignedXml.XmlDsigNamespaceUrl)[0]!);
        return signed.CheckSignature(rsa) ? true : throw new InvalidOperationException("The signature does not hold.");
    }

    private string Respond(IdentityProvider identityProvider) =>
        Convert.ToBase64String(identityProvider.RespondUnsolicited(record, acs, null, content).Value.Xml.Span);

    public void Dispose()
    {
        rsa.Dispose();
        ecdsa.Dispose();
        GC.SuppressFinalize(this);
    }
}
