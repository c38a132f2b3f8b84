using System.Security.Cryptography;
using System.Text;
using System.Xml;

namespace Commerce.Saml.Tests;

/// <summary>Encrypted assertions, rows S18, X10 and X21.</summary>
public sealed class EncryptionTests
{
    private static readonly RSA Rsa = RSA.Create(2048);
    private static readonly DecryptionKey Key = new(Rsa, Keys.Certificate(Rsa));
    private static readonly RSA NextRsa = RSA.Create(2048);
    private static readonly DecryptionKey NextKey = new(NextRsa, Keys.Certificate(NextRsa));

    private static (World World, ServiceProviderSide Side) Make(bool signAssertions = true, bool signResponses = true, string content = EncryptionPlan.Aes256Gcm)
    {
        var world = new World(idp: s => s with { EncryptAssertions = true, SignAssertions = signAssertions, SignResponses = signResponses },
            sp: r => r with { EncryptionKeys = [TrustedKey.FromCertificate(Key.Certificate).Value], EncryptionMethods = [content] });
        return (world, new ServiceProviderSide(world.SpSide.Settings with { DecryptionKeys = [NextKey, Key] }, world.Clock));
    }

    private static EncryptionPlan PlanFor(DecryptionKey key) =>
        new(TrustedKey.FromCertificate(key.Certificate).Value, EncryptionPlan.Aes256Gcm, EncryptionPlan.OaepSha1);

    private static async Task<SamlResult<ValidatedAssertion>> Send(World world, ServiceProviderSide side, string xml, string id) =>
        await side.ValidateAsync(PostBinding.Read(Convert.ToBase64String(Encoding.UTF8.GetBytes(xml)), false, null).Value,
            new ResponseExpectation(world.RemoteIdp, id), (_, _, _) => ValueTask.FromResult(true));

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task S18_an_encrypted_assertion_is_read_with_either_of_two_keys(bool signAssertions, bool signResponses)
    {
        var (world, side) = Make(signAssertions, signResponses);
        var request = world.Request();
        var xml = world.RespondXml(request);
        Assert.DoesNotContain("p-4b1d9c", xml, StringComparison.Ordinal);
        Assert.Contains("xmlenc11#aes256-gcm", xml, StringComparison.Ordinal);
        var result = await Send(world, side, xml, request.Id);
        Assert.True(result.IsSuccess, result.Fault?.ToString());
        Assert.Equal("p-4b1d9c", result.Value.Name.Value);
        using var canonical = new Utf8XmlWriter();
        ExclusiveCanonicalizer.Write(XmlGate.ParseMessage(Encoding.UTF8.GetBytes(xml)).Value.DocumentElement!, canonical);
        Assert.Equal(xml, Encoding.UTF8.GetString(canonical.Written));
    }

    [Fact]
    public void S18_a_service_provider_without_an_encryption_key_gets_a_plain_assertion()
    {
        var world = new World(idp: s => s with { EncryptAssertions = true }, sp: r => r with { EncryptionKeys = [TrustedKey.Of(Keys.Ecdsa(ECCurve.NamedCurves.nistP256))] });
        var request = world.Request();
        Assert.True(world.Consume(world.RespondXml(request), request.Id).IsSuccess);
    }

    [Fact]
    public async Task S18_the_key_is_published_and_read()
    {
        var (world, side) = Make();
        var read = SpMetadataReader.ReadSingle(new MemoryStream(side.WriteMetadata()), new SpMetadataOptions(), world.Clock).Value;
        Assert.Equal([NextKey.Certificate, Key.Certificate], read.EncryptionKeys.Select(key => key.Certificate));
        var request = world.Request();
        var without = await Send(world, new ServiceProviderSide(side.Settings with { DecryptionKeys = [NextKey] }, world.Clock), world.RespondXml(request), request.Id);
        Assert.Equal(FaultCodes.DecryptionFailed, without.Fault?.Code);
    }

    [Fact]
    public async Task X10_an_unsigned_assertion_inside_an_unsigned_response_is_refused_although_it_decrypts()
    {
        // Anyone can encrypt to a public key: that says nothing about who wrote it.
        var (world, side) = Make();
        var request = world.Request();
        var plain = new World(idp: s => s with { SignAssertions = false });
        var document = Attack.Load(plain.RespondXml(request));
        var root = document.DocumentElement!;
        Attack.Unsign(root);
        var assertion = Attack.Descendants(root, "Assertion").First();
        using var encrypted = new Utf8XmlWriter();
        AssertionEncryption.Write(encrypted, Encoding.UTF8.GetBytes(assertion.OuterXml), PlanFor(Key));
        root.ReplaceChild(document.ImportNode(Attack.Load(Encoding.UTF8.GetString(encrypted.Written)).DocumentElement!, deep: true), assertion);
        Assert.Equal(FaultCodes.SignatureMissing, (await Send(world, side, document.OuterXml, request.Id)).Fault?.Code);
    }

    [Fact]
    public async Task X02_X08_what_was_encrypted_passes_the_same_gate()
    {
        var (world, side) = Make();
        var request = world.Request();
        var document = Attack.Load(new World().RespondXml(request));
        var signed = Attack.Descendants(document.DocumentElement!, "Assertion").First().OuterXml;
        foreach (var (inner, code) in new[]
        {
            (signed.Replace(">p-4b1d9c<", ">p-4b<!---->1d9c<", StringComparison.Ordinal), FaultCodes.XmlRefused),
            ("<!DOCTYPE x [<!ENTITY e 'x'>]>" + signed, FaultCodes.XmlRefused),
            (document.DocumentElement!.OuterXml, FaultCodes.StructureInvalid),
            (signed.Replace("</saml:Assertion>", signed.Replace(" ID=\"", " ID=\"_2", StringComparison.Ordinal) + "</saml:Assertion>", StringComparison.Ordinal), FaultCodes.StructureInvalid),
            (SignedAs("Evidence", signed), FaultCodes.StructureInvalid),
            ("", FaultCodes.DecryptionFailed),
        })
        {
            var outer = Attack.Load(world.RespondXml(request));
            using var encrypted = new Utf8XmlWriter();
            AssertionEncryption.Write(encrypted, Encoding.UTF8.GetBytes(inner), PlanFor(Key));
            Attack.Unsign(outer.DocumentElement!);
            outer.DocumentElement!.ReplaceChild(outer.ImportNode(Attack.Load(Encoding.UTF8.GetString(encrypted.Written)).DocumentElement!, deep: true), outer.DocumentElement.LastChild!);
            Assert.Equal(code, (await Send(world, side, outer.OuterXml, request.Id)).Fault?.Code);
        }
    }

    /// <summary>What the assertion says in an element of another name, rightly signed.</summary>
    private static string SignedAs(string name, string assertion)
    {
        var root = Attack.Load(assertion.Replace("saml:Assertion", "saml:" + name, StringComparison.Ordinal)).DocumentElement!;
        Attack.Unsign(root);
        XmlSignature.Sign(root, root.FirstChild!.NextSibling, Keys.Idp);
        return root.OuterXml;
    }

    [Theory]
    [InlineData(EncryptionPlan.Aes256Gcm, "xmldsig#sha1", "xmldsig#sha224")]            // another digest of the transport
    [InlineData(EncryptionPlan.Aes128Gcm, "xmlenc11#aes128-gcm", "xmlenc11#aes256-gcm")]    // a key shorter than the algorithm's
    [InlineData(EncryptionPlan.Aes256Gcm, "xmlenc#Element", "xmlenc#Content")]
    public async Task X21_what_is_said_of_a_ciphertext_has_to_be_true_of_it(string content, string from, string to)
    {
        var (world, side) = Make(signResponses: false, content: content);
        var request = world.Request();
        var xml = world.RespondXml(request);
        Assert.Equal(FaultCodes.DecryptionFailed, (await Send(world, side, xml.Replace(from, to, StringComparison.Ordinal), request.Id)).Fault?.Code);
        Assert.Null((await Send(world, side, xml, request.Id)).Fault);
    }

    [Theory]
    [InlineData("http://www.w3.org/2009/xmlenc11#aes256-gcm", "http://www.w3.org/2001/04/xmlenc#aes256-cbc")]
    [InlineData("http://www.w3.org/2009/xmlenc11#aes256-gcm", "http://www.w3.org/2001/04/xmlenc#tripledes-cbc")]
    [InlineData("http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p", "http://www.w3.org/2001/04/xmlenc#rsa-1_5")]
    public async Task X21_cbc_and_rsa_1_5_are_refused_before_a_key_is_touched(string from, string to)
    {
        var (world, side) = Make(signResponses: false);
        var request = world.Request();
        Assert.Equal(FaultCodes.AlgorithmRefused, (await Send(world, side, world.RespondXml(request).Replace(from, to, StringComparison.Ordinal), request.Id)).Fault?.Code);
    }

    [Fact]
    public async Task X21_every_broken_ciphertext_gets_the_same_answer()
    {
        var (world, side) = Make(signResponses: false);
        var request = world.Request();
        var xml = world.RespondXml(request);
        var faults = new HashSet<SamlFault>();
        var random = new Random(5);
        for (var round = 0; round < 200; round++)
        {
            var document = Attack.Load(xml);
            var value = Attack.Descendants(document.DocumentElement!, "CipherValue").ElementAt(round % 2);
            var bytes = Convert.FromBase64String(value.InnerText);
            if (round % 5 == 0) bytes = bytes[..random.Next(1, bytes.Length)];
            else bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            value.InnerText = Convert.ToBase64String(bytes);
            faults.Add((await Send(world, side, document.OuterXml, request.Id)).Fault!);
        }
        Assert.Equal(FaultCodes.DecryptionFailed, Assert.Single(faults).Code);
    }

    [Fact]
    public async Task X21_where_the_response_is_signed_no_changed_ciphertext_is_even_tried()
    {
        var (world, side) = Make();
        var request = world.Request();
        var document = Attack.Load(world.RespondXml(request));
        var value = Attack.Descendants(document.DocumentElement!, "CipherValue").Last();
        value.InnerText = Convert.ToBase64String(new byte[100]);
        Assert.Equal(FaultCodes.SignatureInvalid, (await Send(world, side, document.OuterXml, request.Id)).Fault?.Code);
    }

    [Fact]
    public void S18_xmlsec1_decrypts_what_we_encrypt()
    {
        var program = Outside.Program("xmlsec1");
        var (world, _) = Make();
        var folder = Directory.CreateTempSubdirectory("saml-xmlsec1-");
        try
        {
            var (message, key) = (Path.Combine(folder.FullName, "message.xml"), Path.Combine(folder.FullName, "key.pem"));
            File.WriteAllText(message, world.RespondXml(world.Request()));
            File.WriteAllText(key, Rsa.ExportPkcs8PrivateKeyPem());
            var (exitCode, output) = Outside.Run(program, "--decrypt", "--privkey-pem", key, message);
            Assert.True(exitCode == 0, output);
            Assert.Contains("p-4b1d9c", output, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
