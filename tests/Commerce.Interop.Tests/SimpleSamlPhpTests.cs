using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Commerce.Federation.Contracts;
using Commerce.Testing;

namespace Commerce.Interop.Tests;

/// <summary>SimpleSAMLphp (Debian package simplesamlphp) behind PHP's own web server on loopback, with a configuration of its own.</summary>
public sealed class SimpleSamlPhpSite : SamlSite
{
    private const string Php = "/usr/bin/php";

    internal override string EntityId => "https://simplesamlphp.example/saml/metadata";

    internal override string Acs => "https://simplesamlphp.example/simplesaml/module.php/saml/sp/saml2-acs.php/default-sp";

    /// <summary>Where the site reads the hub's metadata, at each request again.</summary>
    internal string IdpMetadataFile { get; private set; } = "";

    protected override string? WhatIsMissing() =>
        !File.Exists("/usr/share/simplesamlphp/lib/_autoload.php") ? "SimpleSAMLphp is not installed (Debian package simplesamlphp)."
        : !File.Exists(Php) ? "PHP is not installed (Debian package php-cli)."
        : !Directory.EnumerateFiles("/usr/lib/php", "dom.so", SearchOption.AllDirectories).Any() ? "PHP's XML extension is not installed (Debian package php-xml)."
        : !Directory.EnumerateFiles("/usr/lib/php", "mbstring.so", SearchOption.AllDirectories).Any() ? "PHP's multibyte extension is not installed (Debian package php-mbstring)." : null;

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

public sealed class SimpleSamlPhpTests(SimpleSamlPhpSite site) : IClassFixture<SimpleSamlPhpSite>
{
    [Fact]
    public async Task SimpleSAMLphp_signs_a_customer_in_and_reads_the_encrypted_assertion()
    {
        if (site.Missing is { } missing) Assert.Skip(missing);
        using var browser = site.Hub.NewBrowser();
        var (id, page) = await site.SignInAsync(browser, "redirect");
        var response = page.Forms().Single().Hidden.Single(f => f.Key == "SAMLResponse").Value;
        Assert.Contains("EncryptedAssertion", Encoding.UTF8.GetString(Convert.FromBase64String(response)), StringComparison.Ordinal);

        var received = await site.ReceiveAsync(page, id);
        Assert.True(received.GetProperty("ok").GetBoolean(), received.ToString());
        Assert.Equal(site.Hub.Origin + "/saml/metadata", received.GetProperty("issuer").GetString());
        Assert.Equal("urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", received.GetProperty("format").GetString());
        Assert.Equal("urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport", received.GetProperty("context").GetString());
        Assert.NotEmpty(received.GetProperty("session_index").GetString()!);
        var attributes = received.GetProperty("attributes");
        Assert.Equal("aino.virtanen@example.com", Assert.Single(attributes.GetProperty("urn:oid:0.9.2342.19200300.100.1.3").EnumerateArray()).GetString());
        Assert.Equal("Aino Virtanen", Assert.Single(attributes.GetProperty("urn:oid:2.16.840.1.113730.3.1.241").EnumerateArray()).GetString());
    }

    [Fact]
    public async Task SimpleSAMLphp_takes_the_unsolicited_response_of_a_hop_with_the_order_in_it()
    {
        if (site.Missing is { } missing) Assert.Skip(missing);
        var (received, _) = await site.HopAsync();
        Assert.True(received.GetProperty("ok").GetBoolean(), received.ToString());
        using var purchase = JsonDocument.Parse(received.GetProperty("attributes").GetProperty("urn:commerce:claim:purchase")[0].GetString()!);
        Assert.Equal(SamlSite.Order, purchase.RootElement.GetProperty("order_number").GetString());
    }

    [Fact]
    public async Task S32_after_a_key_rotation_SimpleSAMLphp_goes_on_with_the_metadata_it_has_and_with_the_new()
    {
        if (site.Missing is { } missing) Assert.Skip(missing);
        await SignsInAsync();
        Assert.True((await site.Hub.AskAsync(new RotateKeys("saml-rs256"))).IsOk);
        await SignsInAsync();
        await File.WriteAllTextAsync(site.IdpMetadataFile, await site.Hub.Http.GetStringAsync("/saml/metadata"));
        Assert.True((await site.Hub.AskAsync(new RotateKeys("saml-rs256"))).IsOk);
        await SignsInAsync();
        await File.WriteAllTextAsync(site.IdpMetadataFile, await site.Hub.Http.GetStringAsync("/saml/metadata"));

        async Task SignsInAsync()
        {
            using var browser = site.Hub.NewBrowser();
            var (id, page) = await site.SignInAsync(browser, "redirect");
            var received = await site.ReceiveAsync(page, id);
            Assert.True(received.GetProperty("ok").GetBoolean(), received.ToString());
        }
    }

    [Fact]
    public async Task SimpleSAMLphp_refuses_a_response_that_was_changed_on_the_way()
    {
        if (site.Missing is { } missing) Assert.Skip(missing);
        using var browser = site.Hub.NewBrowser();
        var (id, page) = await site.SignInAsync(browser, "redirect");
        var xml = Encoding.UTF8.GetString(Convert.FromBase64String(page.Forms().Single().Hidden.Single(f => f.Key == "SAMLResponse").Value));
        var at = xml.LastIndexOf("CipherValue>", xml.LastIndexOf("</", xml.LastIndexOf("CipherValue>", StringComparison.Ordinal), StringComparison.Ordinal), StringComparison.Ordinal) + 200;
        var changed = Convert.ToBase64String(Encoding.UTF8.GetBytes(xml[..at] + (xml[at] == 'A' ? 'B' : 'A') + xml[(at + 1)..]));
        Assert.False((await site.ReceiveAsync(changed, id)).GetProperty("ok").GetBoolean());
    }
}
