using System.Security.Cryptography;
using System.Text;

namespace Commerce.Saml.Tests;

/// <summary>Which key and algorithms protect a response, by what the service provider's metadata says: rows S18, S34 and S36.</summary>
public sealed class ProtectionChoiceTests
{
    private const string Gcm256 = "http://www.w3.org/2009/xmlenc11#aes256-gcm", Gcm128 = "http://www.w3.org/2009/xmlenc11#aes128-gcm";
    private const string Cbc256 = "http://www.w3.org/2001/04/xmlenc#aes256-cbc", Rsa15 = "http://www.w3.org/2001/04/xmlenc#rsa-1_5";
    private const string OaepSha1 = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p", Oaep = "http://www.w3.org/2009/xmlenc11#rsa-oaep";
    private static readonly RSA Rsa = RSA.Create(2048);
    private static readonly DecryptionKey Key = new(Rsa, Keys.Certificate(Rsa));

    private static World Asking(bool wants = true, params string[] methods) => new(sp: r => r with
    {
        WantsEncryption = wants, EncryptionMethods = methods, EncryptionKeys = [TrustedKey.FromCertificate(Key.Certificate).Value],
    });

    private static SamlResult<SamlResponse> Respond(World world, AssertionEncryptionWish wish, out string requestId)
    {
        var request = world.Request();
        requestId = request.Id;
        return world.Idp.Respond(request, World.Content() with { Encryption = wish });
    }

    [Theory]
    [InlineData(Gcm256, OaepSha1, new string[0])]
    [InlineData(Gcm128, OaepSha1, new[] { Gcm128, OaepSha1 })]
    [InlineData(Gcm256, OaepSha1, new[] { Cbc256, Gcm128, Gcm256, Rsa15, Oaep, OaepSha1 })]
    [InlineData(Gcm256, Oaep, new[] { Gcm256, Oaep })]
    [InlineData(Gcm256, OaepSha1, new[] { Rsa15 })]
    public async Task S18_content_and_transport_are_what_the_metadata_lists_and_our_own_reader_takes_them(string content, string transport, string[] methods)
    {
        var world = Asking(true, methods);
        var xml = Encoding.UTF8.GetString(Respond(world, AssertionEncryptionWish.AsMetadataSays, out var id).Value.Xml.Span);
        Assert.Contains($"Algorithm=\"{content}\"", xml, StringComparison.Ordinal);
        Assert.Contains($"Algorithm=\"{transport}\"", xml, StringComparison.Ordinal);
        var side = new ServiceProviderSide(world.SpSide.Settings with { DecryptionKeys = [Key] }, world.Clock);
        var read = await side.ValidateAsync(PostBinding.Read(Convert.ToBase64String(Encoding.UTF8.GetBytes(xml)), false, null).Value,
            new ResponseExpectation(world.RemoteIdp, id), (_, _, _) => ValueTask.FromResult(true), TestContext.Current.CancellationToken);
        Assert.True(read.IsSuccess, read.Fault?.ToString());
    }

    [Fact]
    public async Task S18_X21_a_service_provider_that_reads_only_cbc_gets_it_where_the_operator_says_so_and_never_otherwise()
    {
        var world = Asking(true, Cbc256, OaepSha1);
        string Xml(AssertionEncryptionWish wish) => Encoding.UTF8.GetString(Respond(world, wish, out _).Value.Xml.Span);
        Assert.DoesNotContain("EncryptedAssertion", Xml(AssertionEncryptionWish.AsMetadataSays), StringComparison.Ordinal);
        Assert.Equal(FaultCodes.NoUsableKey, Respond(world, AssertionEncryptionWish.Always, out _).Fault?.Code);
        var legacy = Xml(AssertionEncryptionWish.AlwaysEvenLegacy);
        Assert.Contains($"Algorithm=\"{Cbc256}\"", legacy, StringComparison.Ordinal);
        Assert.DoesNotContain("rsa-1_5", legacy, StringComparison.Ordinal);

        // What we write as a legacy decrypts with the platform's own means.
        var document = Attack.Load(legacy);
        var values = Attack.Descendants(document.DocumentElement!, "CipherValue").Select(v => Convert.FromBase64String(v.InnerText)).ToList();
        using var aes = Aes.Create();
        aes.SetKey(Rsa.Decrypt(values[0], RSAEncryptionPadding.OaepSHA1));
        Assert.StartsWith("<saml:Assertion", Encoding.UTF8.GetString(aes.DecryptCbc(values[1].AsSpan(16), values[1].AsSpan(0, 16))), StringComparison.Ordinal);

        // And ours does not read it.
        var side = new ServiceProviderSide(world.SpSide.Settings with { DecryptionKeys = [Key] }, world.Clock);
        var message = PostBinding.Read(Convert.ToBase64String(Encoding.UTF8.GetBytes(legacy)), false, null).Value;
        Assert.Equal(FaultCodes.AlgorithmRefused, (await side.ValidateAsync(message, new ResponseExpectation(world.RemoteIdp, document.DocumentElement!.GetAttribute("InResponseTo")),
            (_, _, _) => ValueTask.FromResult(true), TestContext.Current.CancellationToken)).Fault?.Code);
    }

    [Fact]
    public void S18_the_operators_word_goes_before_the_metadata_and_nothing_goes_in_the_clear_where_encryption_is_demanded()
    {
        Assert.DoesNotContain("EncryptedAssertion", Encoding.UTF8.GetString(Respond(Asking(), AssertionEncryptionWish.Never, out _).Value.Xml.Span), StringComparison.Ordinal);
        Assert.Contains("EncryptedAssertion", Encoding.UTF8.GetString(Respond(Asking(false), AssertionEncryptionWish.Always, out _).Value.Xml.Span), StringComparison.Ordinal);
        Assert.DoesNotContain("EncryptedAssertion", Encoding.UTF8.GetString(Respond(Asking(false), AssertionEncryptionWish.AsMetadataSays, out _).Value.Xml.Span), StringComparison.Ordinal);
        Assert.Equal(FaultCodes.NoUsableKey, Respond(new World(), AssertionEncryptionWish.Always, out _).Fault?.Code);
    }

    [Theory]
    [InlineData("use=\"encryption\"", "", true)]
    [InlineData("", "", false)]
    [InlineData("", "<md:EncryptionMethod Algorithm=\"http://www.w3.org/2009/xmlenc11#aes128-gcm\"/>", true)]
    [InlineData("", "<md:EncryptionMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#aes128-cbc\"/>", false)]
    [InlineData("use=\"signing\"", "", false)]
    public void S18_S34_metadata_asks_for_encryption_by_a_key_of_its_own_or_by_naming_gcm(string use, string method, bool asks)
    {
        var read = Read($"<md:KeyDescriptor {use}>{KeyInfo(Key.Certificate)}{method}</md:KeyDescriptor>");
        Assert.Equal(asks, read.WantsEncryption);
        Assert.Equal(use != "use=\"signing\"", read.EncryptionKeys.Count == 1);
    }

    [Fact]
    public void S34_the_key_for_encryption_alone_is_chosen_before_one_of_both_uses()
    {
        using var other = RSA.Create(2048);
        var read = Read($"<md:KeyDescriptor>{KeyInfo(Keys.Sp.Certificate)}</md:KeyDescriptor><md:KeyDescriptor use=\"encryption\">{KeyInfo(Key.Certificate)}</md:KeyDescriptor>");
        Assert.Equal([Key.Certificate, Keys.Sp.Certificate], read.EncryptionKeys.Select(k => k.Certificate));
        Assert.Equal([Keys.Sp.Certificate], read.SigningKeys.Select(k => k.Certificate));
    }

    [Theory]
    [InlineData(new string[0], SignatureAlgorithm.RsaSha256)]
    [InlineData(new[] { "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256" }, SignatureAlgorithm.RsaSha256)]
    [InlineData(new[] { "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512" }, SignatureAlgorithm.RsaSha512)]
    [InlineData(new[] { "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1" }, SignatureAlgorithm.RsaPssSha256)]
    [InlineData(new[] { "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256" }, SignatureAlgorithm.EcdsaSha256)]
    [InlineData(new[] { "http://www.w3.org/2000/09/xmldsig#rsa-sha1" }, SignatureAlgorithm.RsaSha256)]
    public void S36_the_signature_is_made_with_an_algorithm_that_the_service_provider_lists_and_never_a_weak_one(string[] listed, SignatureAlgorithm used)
    {
        var curve = Keys.Ecdsa(ECCurve.NamedCurves.nistP256);
        var world = new World(idp: s => s with { OtherSigningKeys = [curve] }, sp: r => r with { SigningMethods = listed });
        world.RemoteIdp = world.RemoteIdp with { SigningKeys = [TrustedKey.Of(world.IdpKey), TrustedKey.Of(curve)] };
        var request = world.Request();
        var xml = world.RespondXml(request);
        Assert.Equal(3, xml.Split($"<ds:SignatureMethod Algorithm=\"{used.Uri()}\">").Length);
        Assert.True(world.Consume(xml, request.Id) is { IsSuccess: true });
    }

    [Fact]
    public void S36_the_roles_list_of_algorithms_goes_before_the_entitys()
    {
        const string Of = "<md:Extensions><alg:SigningMethod xmlns:alg=\"urn:oasis:names:tc:SAML:metadata:algsupport\" Algorithm=\"{0}\"/></md:Extensions>";
        Assert.Equal(["urn:role"], Read(Of.Replace("{0}", "urn:role", StringComparison.Ordinal), Of.Replace("{0}", "urn:entity", StringComparison.Ordinal)).SigningMethods);
        Assert.Equal(["urn:entity"], Read("", Of.Replace("{0}", "urn:entity", StringComparison.Ordinal)).SigningMethods);
    }

    private static string KeyInfo(string certificate) =>
        $"<ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>";

    private static ServiceProvider Read(string role, string entity = "") => SpMetadataReader.ReadSingle(new MemoryStream(Encoding.UTF8.GetBytes(
        $"""
        <md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{World.SpId}">{entity}
        <md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">{role}
        <md:AssertionConsumerService index="0" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="{World.AcsUrl}"/></md:SPSSODescriptor></md:EntityDescriptor>
        """)), new SpMetadataOptions(), new World().Clock).Value;
}
