using System.Xml.Linq;
using Commerce.Federation.Saml;
using Commerce.Kernel.Secrets;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Federation.Tests.Saml;

/// <summary>Row X22: what a stolen key could do ends at its protocol and its use.</summary>
public sealed class KeySeparationTests(SamlHub saml) : IClassFixture<SamlHub>
{
    [Fact]
    public async Task X22_saml_signs_and_decrypts_with_keys_of_their_own_and_tokens_with_others()
    {
        var keys = saml.Hub.Services.GetRequiredService<SigningKeys>();
        var byPurpose = keys.Purposes.ToDictionary(p => p.Name, p => Convert.ToBase64String(keys.ActiveOf(p.Name).Key.ExportSubjectPublicKeyInfo()));
        Assert.Contains(SamlIdentity.KeyPurposeName, byPurpose.Keys);
        Assert.Contains(LogoutIdentity.DecryptionPurposeName, byPurpose.Keys);
        Assert.Equal(byPurpose.Count, byPurpose.Values.Distinct().Count());

        XNamespace md = "urn:oasis:names:tc:SAML:2.0:metadata", ds = "http://www.w3.org/2000/09/xmldsig#";
        var metadata = XDocument.Parse(await saml.Hub.Http.GetStringAsync("/saml/metadata", TestContext.Current.CancellationToken));
        var published = metadata.Descendants(md + "KeyDescriptor").ToLookup(k => k.Attribute("use")!.Value, k => k.Descendants(ds + "X509Certificate").Single().Value);
        Assert.Empty(published["signing"].Intersect(published["encryption"]));
        Assert.Equal(2, published.Count);     // none without a use
        using var certificate = System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadCertificate(Convert.FromBase64String(published["signing"].First()));
        Assert.Equal(byPurpose[SamlIdentity.KeyPurposeName], Convert.ToBase64String(certificate.PublicKey.ExportSubjectPublicKeyInfo()));
    }
}
