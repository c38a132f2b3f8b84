using System.Text;
using System.Xml;
using Commerce.Federation.Contracts;
using Commerce.Saml;
using Commerce.Testing;

namespace Commerce.Federation.Tests.Saml;

/// <summary>A hub whose operator offers an elliptic-curve key beside the RSA one.</summary>
public sealed class CurveHub : SamlHub
{
    protected override IReadOnlyDictionary<string, string?> Configuration => new Dictionary<string, string?> { ["Saml:EllipticCurveKey"] = "true" };
}

/// <summary>S36: service providers that say in their metadata which signatures they verify.</summary>
public sealed class CurveKeyTests(CurveHub saml) : IClassFixture<CurveHub>
{
    internal const string Rsa = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", Curve = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
        Pss = "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1";

    internal static string Listing(string xml, string algorithm)
    {
        var start = xml.IndexOf("<md:SPSSODescriptor", StringComparison.Ordinal);
        var end = xml.IndexOf('>', start) + 1;
        return xml[..end] + $"<md:Extensions><alg:SigningMethod xmlns:alg=\"urn:oasis:names:tc:SAML:metadata:algsupport\" Algorithm=\"{algorithm}\"/></md:Extensions>"
            + xml[end..].Replace("<md:Extensions>", "", StringComparison.Ordinal).Replace("</md:Extensions>", "", StringComparison.Ordinal);
    }

    private static async Task<(string Xml, ValidatedAssertion Assertion)> SignInAsync(TestServiceProvider sp, TestBrowser browser)
    {
        var request = sp.Request();
        var page = await browser.GetAsync(request.Url);
        var xml = Encoding.UTF8.GetString(Convert.FromBase64String(page.Forms().Single().Hidden.Single(f => f.Key == "SAMLResponse").Value));
        return (xml, (await sp.ReceiveAsync(page, request.Id)).Value);
    }

    [Theory]
    [InlineData(Curve, Curve)]
    [InlineData(Pss, Pss)]
    [InlineData(Rsa, Rsa)]
    [InlineData("http://www.w3.org/2000/09/xmldsig#dsa-sha1", Rsa)]
    public async Task S36_what_is_sent_is_signed_with_an_algorithm_that_the_service_provider_lists(string listed, string used)
    {
        var sp = await saml.AddPartnerAsync(slo: true, editMetadata: xml => Listing(xml, listed), claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        var (xml, assertion) = await SignInAsync(sp, browser);
        Assert.Contains($"<ds:SignatureMethod Algorithm=\"{used}\">", xml, StringComparison.Ordinal);

        // The answer to its logout as well.
        var asked = sp.Slo.CreateRequest(LogoutPeer.Of(sp.Hub), SamlBindings.HttpRedirect, assertion.Name, assertion.SessionIndex).Value;
        var answered = await browser.GetAsync(asked.Url!);
        Assert.Contains($"SigAlg={Uri.EscapeDataString(used)}", answered.Headers["Location"], StringComparison.OrdinalIgnoreCase);
        Assert.Equal(StatusCodes.Success, sp.LoggedOut(answered, asked.Id).Status.Code);
    }

    [Fact]
    public async Task S36_a_verifier_of_others_takes_what_the_curve_signed()
    {
        var sp = await saml.AddPartnerAsync(editMetadata: xml => Listing(xml, Curve), claims: ["name", "email"]);
        var (xml, _) = await SignInAsync(sp, saml.SignedIn().Browser);
        using var folder = new TempFolder();
        var refusals = saml.Idp.SigningKeys.Select(key => XmlSec1.Refuses(xml, key, folder.Path)).ToList();
        Assert.Equal(4, refusals.Count);
        Assert.Single(refusals, refusal => refusal is null);
    }

    [Fact]
    public async Task S36_the_envelope_of_an_artifact_is_signed_with_it_too()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        string WithArtifact(string xml) => Listing(xml, Curve).Replace("</md:SPSSODescriptor>",
            $"<md:AssertionConsumerService index=\"5\" Binding=\"{SamlBindings.HttpArtifact}\" Location=\"{sp.Acs}\"/></md:SPSSODescriptor>", StringComparison.Ordinal);
        Assert.True((await saml.Hub.AskAsync(new AddSamlPartner(sp.Metadata(WithArtifact), null, null))).IsOk);
        var page = await saml.SignedIn().Browser.GetAsync(sp.Redirect(sp.RequestXml(attributes: $"ProtocolBinding=\"{SamlBindings.HttpArtifact}\""), null, sp.SigningKey));
        var artifact = Uri.UnescapeDataString(page.Headers["Location"].Split("SAMLart=")[1].Split('&')[0]);
        var resolve = TestServiceProvider.Sign($"<samlp:ArtifactResolve xmlns:samlp=\"{SamlNamespaces.Protocol}\" xmlns:saml=\"{SamlNamespaces.Assertion}\" ID=\"_{Guid.NewGuid():N}\" Version=\"2.0\" "
            + $"IssueInstant=\"{saml.Clock.GetUtcNow():yyyy-MM-ddTHH:mm:ssZ}\"><saml:Issuer>{sp.EntityId}</saml:Issuer><samlp:Artifact>{artifact}</samlp:Artifact></samlp:ArtifactResolve>");
        using var content = new StringContent($"<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>{resolve}</s:Body></s:Envelope>", Encoding.UTF8, "text/xml");
        using var answer = await saml.Hub.Http.PostAsync("/saml/artifact", content, TestContext.Current.CancellationToken);

        var document = new XmlDocument();
        document.LoadXml(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        var methods = document.GetElementsByTagName("SignatureMethod", SamlNamespaces.XmlSignature).OfType<XmlElement>().Select(method => method.GetAttribute("Algorithm")).ToList();
        Assert.Equal([Curve, Curve, Curve], methods);       // the envelope, the response in it, and the assertion in that
    }

    [Fact]
    public async Task S32_metadata_publishes_both_keys_and_the_next_ones_ahead_and_a_roll_over_keeps_both_working()
    {
        var sp = await saml.AddPartnerAsync(editMetadata: xml => Listing(xml, Curve), claims: ["name"]);
        var before = await saml.ReadIdpAsync();
        Assert.Equal(4, before.SigningKeys.Count);      // two that sign and two that wait

        Assert.True((await saml.Hub.AskAsync(new RotateKeys("saml-es256"))).IsOk);
        var (xml, _) = await SignInAsync(sp, saml.SignedIn().Browser);      // by the metadata that was read before
        Assert.Contains(Curve, xml, StringComparison.Ordinal);
        Assert.Equal(4, (await saml.ReadIdpAsync()).SigningKeys.Count);
    }

    [Fact]
    public async Task The_check_of_a_partner_says_what_it_gets()
    {
        var curve = await saml.AddPartnerAsync(editMetadata: xml => Listing(xml, Curve), claims: ["name"]);
        Assert.Contains((await saml.Hub.AskAsync(new CheckPartner(curve.Partner))).Value.Findings, f => f.Message.Contains("signed with ecdsa-sha256", StringComparison.Ordinal));
    }
}

/// <summary>The same where no operator asked for it.</summary>
public sealed class WithoutCurveKeyTests(SamlHub saml) : IClassFixture<SamlHub>
{
    [Fact]
    public async Task Metadata_has_RSA_keys_alone_and_a_service_provider_that_lists_none_of_their_algorithms_is_pointed_out()
    {
        Assert.Equal(2, saml.Idp.SigningKeys.Count);
        var sp = await saml.AddPartnerAsync(editMetadata: xml => CurveKeyTests.Listing(xml, CurveKeyTests.Curve), claims: ["name"]);
        var report = (await saml.Hub.AskAsync(new CheckPartner(sp.Partner))).Value;
        Assert.Contains(report.Findings, f => f.Message.Contains("gets rsa-sha256", StringComparison.Ordinal) && f.Message.Contains("Saml:EllipticCurveKey", StringComparison.Ordinal));
    }
}
