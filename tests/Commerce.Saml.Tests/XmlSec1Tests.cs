namespace Commerce.Saml.Tests;

/// <summary>A verifier that nobody here wrote agrees with what we sign.</summary>
public sealed class XmlSec1Tests
{
    [Theory]
    [InlineData(SignatureAlgorithm.RsaSha256)]
    [InlineData(SignatureAlgorithm.RsaSha384)]
    [InlineData(SignatureAlgorithm.RsaSha512)]
    [InlineData(SignatureAlgorithm.EcdsaSha256)]
    [InlineData(SignatureAlgorithm.EcdsaSha384)]
    public void S17_xmlsec1_verifies_both_signatures_of_a_response(SignatureAlgorithm algorithm)
    {
        var key = algorithm.IsRsa() ? Keys.Rsa(2048, algorithm)
            : Keys.Ecdsa(algorithm == SignatureAlgorithm.EcdsaSha384 ? System.Security.Cryptography.ECCurve.NamedCurves.nistP384 : System.Security.Cryptography.ECCurve.NamedCurves.nistP256, algorithm);
        var world = new World(idpKey: key);
        var xml = world.RespondXml(world.Request());
        Verify(xml, key, "Assertion");
        Verify(xml, key, "Response");
        Assert.True(world.Consume(xml, world.Request().Id).Fault?.Code == FaultCodes.InResponseToInvalid);
    }

    [Fact]
    public void Xmlsec1_refuses_a_changed_response()
    {
        var world = new World();
        var xml = world.RespondXml(world.Request()).Replace("Aino", "Eino", StringComparison.Ordinal);
        Assert.NotEqual(0, Run(xml, world.IdpKey, "Assertion").ExitCode);
    }

    [Fact]
    public void S32_xmlsec1_verifies_signed_metadata()
    {
        var world = new World();
        var xml = System.Text.Encoding.UTF8.GetString(world.Idp.WriteMetadata(new IdentityProviderDescription { MetadataSigningKey = world.IdpKey }));
        Verify(xml, world.IdpKey, "EntityDescriptor");
    }

    internal static void Verify(string xml, SigningKey key, string element)
    {
        var (exitCode, output) = Run(xml, key, element);
        Assert.True(exitCode == 0, output);
    }

    private static (int ExitCode, string Output) Run(string xml, SigningKey key, string element)
    {
        var program = Outside.Program("xmlsec1");
        var folder = Directory.CreateTempSubdirectory("saml-xmlsec1-");
        try
        {
            var document = Path.Combine(folder.FullName, "message.xml");
            var certificate = Path.Combine(folder.FullName, "key.pem");
            File.WriteAllText(document, xml);
            File.WriteAllText(certificate, $"-----BEGIN CERTIFICATE-----\n{string.Join('\n', key.Certificate.Chunk(64).Select(line => new string(line)))}\n-----END CERTIFICATE-----\n");
            var ns = element switch
            {
                "Assertion" => SamlNamespaces.Assertion,
                "EntityDescriptor" or "EntitiesDescriptor" => SamlNamespaces.Metadata,
                _ => SamlNamespaces.Protocol,
            };
            return Outside.Run(program, "--verify", "--enabled-key-data", "raw-x509-cert,rsa,ec", "--pubkey-cert-pem", certificate,
                $"--id-attr:ID", $"{ns}:{element}", "--node-xpath", $"/*[local-name()='{element}']/*[local-name()='Signature'] | /*/*[local-name()='{element}']/*[local-name()='Signature']",
                document);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
