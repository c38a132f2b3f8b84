using System.Diagnostics;
using Commerce.Testing;

namespace Commerce.Interop.Tests;

/// <summary><c>pysaml2</c> (Debian package python3-pysaml2), run by Debian's Python.</summary>
public sealed class PySaml2Site : SamlSite
{
    private const string Python = "/usr/bin/python3", XmlSec1 = "/usr/bin/xmlsec1";

    internal override string EntityId => "https://pysaml2.example/saml/metadata";

    protected override string? WhatIsMissing() =>
        !File.Exists("/usr/lib/python3/dist-packages/saml2/__init__.py") || !File.Exists(Python) ? "pysaml2 is not installed (Debian package python3-pysaml2)."
        : !File.Exists(XmlSec1) ? "xmlsec1 is not installed (Debian package xmlsec1)." : null;

    protected override ProcessStartInfo Program(string folder) => new(Python, [Path.Combine(folder, "pysaml2", "sp.py")]);

    protected override object Configuration(string idpMetadata, string keyFile, string certificateFile, TempFolder folder)
    {
        File.WriteAllText(folder.File("idp.xml"), idpMetadata);
        return new { @do = "configure", entity_id = EntityId, acs = Acs, slo = Slo, idp_metadata = folder.File("idp.xml"), key_file = keyFile, cert_file = certificateFile, xmlsec1 = XmlSec1 };
    }
}

public sealed class PySaml2Tests(PySaml2Site site) : SamlSiteTests(site), IClassFixture<PySaml2Site>
{
    [Theory]
    [InlineData("redirect")]
    [InlineData("post")]
    public async Task Pysaml2_signs_a_customer_in_and_verifies_signatures_audience_and_attributes(string binding)
    {
        if (Site.Missing is { } missing) Assert.Skip(missing);
        using var browser = Site.Hub.NewBrowser();
        var (id, page) = await Site.SignInAsync(browser, binding, "/book?a=b&c=ä");

        Assert.Contains("EncryptedAssertion", SamlSite.Xml(page), StringComparison.Ordinal);     // it publishes an encryption key, and xmlsec1 decrypts
        Assert.Equal("/book?a=b&c=ä", page.Forms().Single().Hidden.Single(f => f.Key == "RelayState").Value);
        var received = await Site.ReceiveAsync(page, id);
        Assert.True(received.GetProperty("ok").GetBoolean(), received.ToString());
        Assert.Equal(id, received.GetProperty("in_response_to").GetString());
        Assert.Equal(Site.Hub.Origin + "/saml/metadata", received.GetProperty("issuer").GetString());
        Assert.Equal([Site.EntityId], received.GetProperty("audience").EnumerateArray().Select(a => a.GetString()));
        Assert.Equal("urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", received.GetProperty("format").GetString());
        Assert.Equal("urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport", received.GetProperty("context").GetString());
        var identity = received.GetProperty("identity");
        Assert.Equal("aino.virtanen@example.com", Assert.Single(identity.GetProperty("mail").EnumerateArray()).GetString());
        Assert.Equal("Aino Virtanen", Assert.Single(identity.GetProperty("displayName").EnumerateArray()).GetString());
        Assert.NotEmpty(received.GetProperty("attributes").GetProperty("urn:commerce:claim:consent_receipt").EnumerateArray());
    }

    [Fact]
    public async Task Pysaml2_understands_a_NoPassive_answer()
    {
        if (Site.Missing is { } missing) Assert.Skip(missing);
        using var browser = Site.Hub.NewBrowser();
        var request = await Site.TellAsync(new { @do = "request", binding = "redirect", is_passive = true });
        var received = await Site.ReceiveAsync(await browser.GetAsync(request.GetProperty("url").GetString()!), request.GetProperty("id").GetString());
        Assert.False(received.GetProperty("ok").GetBoolean());
        Assert.StartsWith("StatusNoPassive", received.GetProperty("error").GetString(), StringComparison.Ordinal);
    }
}
