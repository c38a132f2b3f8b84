using System.Diagnostics;
using System.Text;
using System.Text.Json;
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

public sealed class PySaml2Tests(PySaml2Site site) : IClassFixture<PySaml2Site>
{
    [Theory]
    [InlineData("redirect")]
    [InlineData("post")]
    public async Task Pysaml2_signs_a_customer_in_and_verifies_signatures_audience_and_attributes(string binding)
    {
        if (site.Missing is { } missing) Assert.Skip(missing);
        using var browser = site.Hub.NewBrowser();
        var (id, page) = await site.SignInAsync(browser, binding, "/book?a=b&c=ä");

        Assert.Contains("EncryptedAssertion", SamlSite.Xml(page), StringComparison.Ordinal);     // it publishes an encryption key, and xmlsec1 decrypts
        Assert.Equal("/book?a=b&c=ä", page.Forms().Single().Hidden.Single(f => f.Key == "RelayState").Value);
        var received = await site.ReceiveAsync(page, id);
        Assert.True(received.GetProperty("ok").GetBoolean(), received.ToString());
        Assert.Equal(id, received.GetProperty("in_response_to").GetString());
        Assert.Equal(site.Hub.Origin + "/saml/metadata", received.GetProperty("issuer").GetString());
        Assert.Equal([site.EntityId], received.GetProperty("audience").EnumerateArray().Select(a => a.GetString()));
        Assert.Equal("urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", received.GetProperty("format").GetString());
        Assert.Equal("urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport", received.GetProperty("context").GetString());
        var identity = received.GetProperty("identity");
        Assert.Equal("aino.virtanen@example.com", Assert.Single(identity.GetProperty("mail").EnumerateArray()).GetString());
        Assert.Equal("Aino Virtanen", Assert.Single(identity.GetProperty("displayName").EnumerateArray()).GetString());
        Assert.NotEmpty(received.GetProperty("attributes").GetProperty("urn:commerce:claim:consent_receipt").EnumerateArray());
    }

    [Fact]
    public async Task Pysaml2_takes_the_unsolicited_response_of_a_hop_with_the_order_in_it()
    {
        if (site.Missing is { } missing) Assert.Skip(missing);
        var (received, relayState) = await site.HopAsync();
        Assert.True(received.GetProperty("ok").GetBoolean(), received.ToString());
        Assert.Equal("", received.GetProperty("in_response_to").GetString());
        using var purchase = JsonDocument.Parse(received.GetProperty("attributes").GetProperty("urn:commerce:claim:purchase")[0].GetString()!);
        Assert.Equal(SamlSite.Order, purchase.RootElement.GetProperty("order_number").GetString());
        Assert.Equal("https://site.example/book", relayState);
    }

    [Fact]
    public async Task Pysaml2_understands_a_NoPassive_answer()
    {
        if (site.Missing is { } missing) Assert.Skip(missing);
        using var browser = site.Hub.NewBrowser();
        var request = await site.TellAsync(new { @do = "request", binding = "redirect", is_passive = true });
        var received = await site.ReceiveAsync(await browser.GetAsync(request.GetProperty("url").GetString()!), request.GetProperty("id").GetString());
        Assert.False(received.GetProperty("ok").GetBoolean());
        Assert.StartsWith("StatusNoPassive", received.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task S30_pysaml2_signs_a_customer_out_at_the_hub_and_takes_its_answer()
    {
        if (site.Missing is { } missing) Assert.Skip(missing);
        using var browser = site.Hub.NewBrowser();
        var (id, page) = await site.SignInAsync(browser, "redirect");
        Assert.True((await site.ReceiveAsync(page, id)).GetProperty("ok").GetBoolean());
        var request = await site.TellAsync(new { @do = "logout" });
        var answer = await browser.GetAsync(request.GetProperty("url").GetString()!);
        Assert.Equal(site.Slo, answer.Forms().Single().Action);
        var read = await site.TellAsync(new { @do = "logout_response", saml_response = answer.Forms().Single().Hidden.Single(f => f.Key == "SAMLResponse").Value });
        Assert.True(read.GetProperty("ok").GetBoolean(), read.ToString());
        Assert.Equal("/signin", (await browser.FollowAsync(await browser.GetAsync("/account"))).Address.AbsolutePath);
    }

    [Fact]
    public async Task S30_S31_pysaml2_takes_the_hubs_logout_request_and_its_answer_is_taken()
    {
        if (site.Missing is { } missing) Assert.Skip(missing);
        using var browser = site.Hub.NewBrowser();
        var (id, page) = await site.SignInAsync(browser, "redirect");
        Assert.True((await site.ReceiveAsync(page, id)).GetProperty("ok").GetBoolean());
        var signedOut = await browser.SubmitAsync(await browser.GetAsync("/connect/logout"), action: "/connect/logout/confirm");
        var link = System.Net.WebUtility.HtmlDecode(System.Text.RegularExpressions.Regex.Match(signedOut.Body, "href=\"(/saml/slo/tell[^\"]+)\"").Groups[1].Value);
        var request = await browser.GetAsync(link);
        var form = request.Forms().Single();
        Assert.Equal(site.Slo, form.Action);
        var answer = await site.TellAsync(new
        {
            @do = "logout_request", saml_request = form.Hidden.Single(f => f.Key == "SAMLRequest").Value, relay_state = form.Hidden.Single(f => f.Key == "RelayState").Value,
        });
        var last = await browser.PostAsync("/saml/slo", answer.GetProperty("fields").EnumerateObject().Select(f => KeyValuePair.Create(f.Name, f.Value.GetString()!)));
        Assert.Equal(System.Net.HttpStatusCode.OK, last.Status);
        Assert.DoesNotContain("/saml/slo/tell", last.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pysaml2_refuses_a_response_that_was_changed_on_the_way()
    {
        if (site.Missing is { } missing) Assert.Skip(missing);
        using var browser = site.Hub.NewBrowser();
        var (id, page) = await site.SignInAsync(browser, "redirect");
        Assert.False((await site.ReceiveAsync(SamlSite.Changed(page), id)).GetProperty("ok").GetBoolean());
    }
}
