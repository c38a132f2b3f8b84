using System.Diagnostics;
using System.Xml.Linq;
using Commerce.Testing;

namespace Commerce.Interop.Tests;

/// <summary><c>@node-saml/node-saml</c> from npm, run by Node.js.</summary>
public class NodeSamlSite : SamlSite
{
    internal override string EntityId => "https://node-saml.example/saml/metadata";

    /// <summary>It publishes a key for encryption and decrypts with it.</summary>
    protected virtual bool Decrypts => false;

    protected override string? WhatIsMissing() =>
        !Directory.Exists(Path.Combine(Folder, "node-saml", "node_modules", "@node-saml", "node-saml"))
            ? "node-saml is not installed: run npm ci in tests/Commerce.Interop.Tests/node-saml." : null;

    protected override ProcessStartInfo Program(string folder) => new("node", ["sp.mjs"]) { WorkingDirectory = Path.Combine(folder, "node-saml") };

    protected override object Configuration(string idpMetadata, string keyFile, string certificateFile, TempFolder folder) => new
    {
        @do = "configure", entity_id = EntityId, acs = Acs, slo = Slo, sso = Hub.Origin + "/saml/sso", idp_slo = Hub.Origin + "/saml/slo", idp_entity_id = Hub.Origin + "/saml/metadata", key_file = keyFile, cert_file = certificateFile, decrypts = Decrypts,
        idp_certificates = XDocument.Parse(idpMetadata).Descendants(XName.Get("KeyDescriptor", "urn:oasis:names:tc:SAML:2.0:metadata"))
            .SelectMany(key => key.Descendants(XName.Get("X509Certificate", "http://www.w3.org/2000/09/xmldsig#"))).Select(c => c.Value.Trim()),
    };
}

public sealed class NodeSamlDecryptingSite : NodeSamlSite
{
    protected override bool Decrypts => true;
}

public sealed class NodeSamlEncryptionTests(NodeSamlDecryptingSite site) : IClassFixture<NodeSamlDecryptingSite>
{
    [Fact]
    public async Task S18_node_saml_decrypts_the_assertion()
    {
        if (site.Missing is { } missing) Assert.Skip(missing);
        using var browser = site.Hub.NewBrowser();
        var (id, page) = await site.SignInAsync(browser, "redirect");
        Assert.Contains("EncryptedAssertion", SamlSite.Xml(page), StringComparison.Ordinal);
        var received = await site.ReceiveAsync(page, id);
        Assert.True(received.GetProperty("ok").GetBoolean(), received.ToString());
        Assert.Equal("aino.virtanen@example.com", Assert.Single(received.GetProperty("attributes").GetProperty("urn:oid:0.9.2342.19200300.100.1.3").EnumerateArray()).GetString());
    }
}

public sealed class NodeSamlTests(NodeSamlSite site) : SamlSiteTests(site), IClassFixture<NodeSamlSite>
{
    [Theory]
    [InlineData("redirect")]
    [InlineData("post")]
    public async Task Node_saml_signs_a_customer_in_and_verifies_signatures_audience_and_attributes(string binding)
    {
        if (Site.Missing is { } missing) Assert.Skip(missing);
        using var browser = Site.Hub.NewBrowser();
        var (id, page) = await Site.SignInAsync(browser, binding, "/book?a=b&c=ä");

        Assert.Equal("/book?a=b&c=ä", page.Forms().Single().Hidden.Single(f => f.Key == "RelayState").Value);
        var received = await Site.ReceiveAsync(page, id);
        Assert.True(received.GetProperty("ok").GetBoolean(), received.ToString());
        Assert.Equal(id, received.GetProperty("in_response_to").GetString());
        Assert.Equal(Site.Hub.Origin + "/saml/metadata", received.GetProperty("issuer").GetString());
        Assert.Equal("urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", received.GetProperty("format").GetString());
        var attributes = received.GetProperty("attributes");
        Assert.Equal("aino.virtanen@example.com", Assert.Single(attributes.GetProperty("urn:oid:0.9.2342.19200300.100.1.3").EnumerateArray()).GetString());
        Assert.Equal("Aino Virtanen", Assert.Single(attributes.GetProperty("urn:oid:2.16.840.1.113730.3.1.241").EnumerateArray()).GetString());

        Assert.False((await Site.ReceiveAsync(page, id)).GetProperty("ok").GetBoolean());    // brought twice
    }
}
