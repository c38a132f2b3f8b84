using System.Diagnostics;
using System.Text;
using Commerce.Testing;

namespace Commerce.Interop.Tests;

/// <summary>SimpleSAMLphp (Debian package simplesamlphp) behind PHP's own web server on loopback, with a configuration of its own.</summary>
public sealed class SimpleSamlPhpSite : SamlSite
{
    private const string Php = "/usr/bin/php";

    internal override string EntityId => "https://simplesamlphp.example/saml/metadata";

    internal override string Acs => "https://simplesamlphp.example/simplesaml/module.php/saml/sp/saml2-acs.php/default-sp";

    internal override string Slo => "https://simplesamlphp.example/simplesaml/module.php/saml/sp/saml2-logout.php/default-sp";

    /// <summary>Where the site reads the hub's metadata, at each request again.</summary>
    private string IdpMetadataFile { get; set; } = "";

    protected override string? WhatIsMissing() =>
        !File.Exists("/usr/share/simplesamlphp/lib/_autoload.php") ? "SimpleSAMLphp is not installed (Debian package simplesamlphp)."
        : !File.Exists(Php) ? "PHP is not installed (Debian package php-cli)."
        : !Directory.EnumerateFiles("/usr/lib/php", "dom.so", SearchOption.AllDirectories).Any() ? "PHP's XML extension is not installed (Debian package php-xml)."
        : !Directory.EnumerateFiles("/usr/lib/php", "mbstring.so", SearchOption.AllDirectories).Any() ? "PHP's multibyte extension is not installed (Debian package php-mbstring)." : null;

    internal override async Task ReadHubAgainAsync() => await File.WriteAllTextAsync(IdpMetadataFile, await Hub.Http.GetStringAsync("/saml/metadata"));

    protected override ProcessStartInfo Program(string folder) => new(Php, [Path.Combine(folder, "simplesamlphp", "sp.php")]);

    protected override object Configuration(string idpMetadata, string keyFile, string certificateFile, TempFolder folder)
    {
        IdpMetadataFile = folder.File("idp.xml");
        File.WriteAllText(IdpMetadataFile, idpMetadata);
        return new
        {
            @do = "configure", folder = Path.GetDirectoryName(IdpMetadataFile), origin = "https://simplesamlphp.example", entity_id = EntityId, idp_metadata = IdpMetadataFile,
            idp_entity_id = Hub.Origin + "/saml/metadata", key_file = keyFile, cert_file = certificateFile,
        };
    }
}

public sealed class SimpleSamlPhpTests(SimpleSamlPhpSite site) : SamlSiteTests(site), IClassFixture<SimpleSamlPhpSite>
{
    [Fact]
    public async Task SimpleSAMLphp_signs_a_customer_in_and_reads_the_encrypted_assertion()
    {
        if (Site.Missing is { } missing) Assert.Skip(missing);
        using var browser = Site.Hub.NewBrowser();
        var (id, page) = await Site.SignInAsync(browser, "redirect");
        var response = page.Forms().Single().Hidden.Single(f => f.Key == "SAMLResponse").Value;
        Assert.Contains("EncryptedAssertion", Encoding.UTF8.GetString(Convert.FromBase64String(response)), StringComparison.Ordinal);

        var received = await Site.ReceiveAsync(page, id);
        Assert.True(received.GetProperty("ok").GetBoolean(), received.ToString());
        Assert.Equal(Site.Hub.Origin + "/saml/metadata", received.GetProperty("issuer").GetString());
        Assert.Equal("urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", received.GetProperty("format").GetString());
        Assert.Equal("urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport", received.GetProperty("context").GetString());
        Assert.NotEmpty(received.GetProperty("session_index").GetString()!);
        var attributes = received.GetProperty("attributes");
        Assert.Equal("aino.virtanen@example.com", Assert.Single(attributes.GetProperty("urn:oid:0.9.2342.19200300.100.1.3").EnumerateArray()).GetString());
        Assert.Equal("Aino Virtanen", Assert.Single(attributes.GetProperty("urn:oid:2.16.840.1.113730.3.1.241").EnumerateArray()).GetString());
    }
}
