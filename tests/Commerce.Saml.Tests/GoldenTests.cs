using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Commerce.Saml.Tests;

/// <summary>What partners parse, byte for byte. A change here is a change for every partner: look at it before you take it over.</summary>
/// <remarks>COMMERCE_WRITE_GOLDEN=1 writes the files anew.</remarks>
public sealed class GoldenTests
{
    [Fact]
    public void A_response_is_written_as_partners_know_it() => Same("response.xml", world =>
    {
        var request = new ValidatedAuthnRequest
        {
            Id = "_request-1",
            ServiceProvider = world.Sp,
            AssertionConsumerService = world.Sp.AssertionConsumerServices[0],
            IssueInstant = world.Clock.Now,
            ExpiresAt = world.Clock.Now.AddMinutes(3),
            IsSigned = true,
            AllowCreate = true,
        };
        var ids = new Queue<string>(["_response-1", "_assertion-1"]);
        return new IdentityProvider(world.Idp.Settings, world.Clock) { NewId = ids.Dequeue }.Respond(request, World.Content()).Value.Xml.ToArray();
    });

    [Fact]
    public void Metadata_is_written_as_partners_know_it() => Same("idp-metadata.xml", world =>
        new IdentityProvider(world.Idp.Settings, world.Clock) { NewId = () => "_metadata-1" }.WriteMetadata(MetadataTests.Description with
        {
            MetadataSigningKey = world.IdpKey, ValidFor = TimeSpan.FromDays(14), CacheDuration = TimeSpan.FromHours(1), NextCertificates = ["bmV4dA=="],
        }));

    private static void Same(string name, Func<World, byte[]> write)
    {
        var folder = Path.Combine(Outside.Root(), "tests", "Commerce.Saml.Tests", "Golden");
        using var rsa = RSA.Create();
        rsa.ImportFromPem(File.ReadAllText(Path.Combine(folder, "key.pem")));
        using var certificate = X509Certificate2.CreateFromPem(File.ReadAllText(Path.Combine(folder, "certificate.pem")));
        var written = Encoding.UTF8.GetString(write(new World(idpKey: new SigningKey(rsa, certificate))));
        var file = Path.Combine(folder, name);
        if (Environment.GetEnvironmentVariable("COMMERCE_WRITE_GOLDEN") == "1") File.WriteAllText(file, written + "\n");
        Assert.Equal(File.ReadAllText(file).TrimEnd('\n'), written);
    }
}
