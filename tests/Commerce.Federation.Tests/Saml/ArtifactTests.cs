using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Xml;
using Commerce.Federation.Contracts;
using Commerce.Federation.Saml;
using Commerce.Saml;
using Commerce.Testing;

namespace Commerce.Federation.Tests.Saml;

/// <summary>HTTP-Artifact for responses: rows S01, S06, S10, X18, X20 and X23 on ArtifactResolve.</summary>
public sealed class ArtifactTests(SamlHub saml) : IClassFixture<SamlHub>
{
    private static string WithArtifactEndpoint(string xml, TestServiceProvider sp) => xml.Replace("</md:SPSSODescriptor>",
        $"<md:AssertionConsumerService index=\"5\" Binding=\"{SamlBindings.HttpArtifact}\" Location=\"{sp.Acs}\"/></md:SPSSODescriptor>", StringComparison.Ordinal);

    private async Task<TestServiceProvider> AddAsync()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        Assert.True((await saml.Hub.AskAsync(new AddSamlPartner(sp.Metadata(xml => WithArtifactEndpoint(xml, sp)), null, null))).IsOk);
        return sp;
    }

    /// <summary>A sign-in whose answer comes by artifact.</summary>
    private async Task<(string Artifact, string RequestId)> SignInAsync(TestServiceProvider sp, string attributes = $"ProtocolBinding=\"{SamlBindings.HttpArtifact}\"", string? acs = null)
    {
        var (browser, _, _) = saml.SignedIn();
        var id = "_" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        var page = await browser.GetAsync(sp.Redirect(sp.RequestXml(id: id, acs: acs, attributes: attributes), "rs &1", sp.SigningKey));
        Assert.Equal(HttpStatusCode.SeeOther, page.Status);
        Assert.StartsWith(sp.Acs + "?SAMLart=", page.Headers["Location"], StringComparison.Ordinal);
        Assert.EndsWith("&RelayState=rs%20%261", page.Headers["Location"], StringComparison.Ordinal);
        return (Uri.UnescapeDataString(page.Headers["Location"].Split("SAMLart=")[1].Split('&')[0]), id);
    }

    private async Task<(HttpStatusCode Status, string Body)> ResolveAsync(TestServiceProvider sp, string artifact, Func<string, string>? edit = null, bool sign = true, bool stranger = false)
    {
        var xml = $"<samlp:ArtifactResolve xmlns:samlp=\"{SamlNamespaces.Protocol}\" xmlns:saml=\"{SamlNamespaces.Assertion}\" ID=\"_{Guid.NewGuid():N}\" Version=\"2.0\" "
            + $"IssueInstant=\"{saml.Clock.GetUtcNow():yyyy-MM-ddTHH:mm:ssZ}\" Destination=\"{saml.Hub.Origin}/saml/artifact\"><saml:Issuer>{sp.EntityId}</saml:Issuer><samlp:Artifact>{artifact}</samlp:Artifact></samlp:ArtifactResolve>";
        if (edit is not null) xml = edit(xml);
        if (sign) xml = TestServiceProvider.Sign(xml, stranger);
        using var content = new StringContent($"<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>{xml}</s:Body></s:Envelope>", Encoding.UTF8, "text/xml");
        using var answer = await saml.Hub.Http.PostAsync("/saml/artifact", content, TestContext.Current.CancellationToken);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    private static XmlElement? ResponseIn(string envelope)
    {
        var document = new XmlDocument { PreserveWhitespace = true };
        document.LoadXml(envelope);
        return document.GetElementsByTagName("Response", SamlNamespaces.Protocol).OfType<XmlElement>().SingleOrDefault();
    }

    [Fact]
    public async Task S01_S32_the_response_is_fetched_by_artifact_and_is_what_would_have_been_posted()
    {
        var sp = await AddAsync();
        var (artifact, id) = await SignInAsync(sp);
        var (status, body) = await ResolveAsync(sp, artifact);
        Assert.Equal(HttpStatusCode.OK, status);
        var response = ResponseIn(body)!;
        var read = await sp.ReceiveAsync(Convert.ToBase64String(Encoding.UTF8.GetBytes(response.OuterXml)), null, id);
        Assert.True(read.IsSuccess, read.Fault?.ToString());
        Assert.Equal(["Aino Virtanen"], read.Value.Values("urn:oid:2.16.840.1.113730.3.1.241"));

        // The envelope's own message is signed too, over all of it.
        var outer = new XmlDocument { PreserveWhitespace = true };
        outer.LoadXml(body);
        var message = (XmlElement)outer.GetElementsByTagName("ArtifactResponse", SamlNamespaces.Protocol)[0]!;
        var signed = new System.Security.Cryptography.Xml.SignedXml(message);
        signed.LoadXml(message.ChildNodes.OfType<XmlElement>().Single(e => e.LocalName == "Signature"));
        using var certificate = System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadCertificate(Convert.FromBase64String(saml.Idp.SigningKeys[0].Certificate!));
        Assert.True(signed.CheckSignature(certificate.PublicKey.GetRSAPublicKey()!));
        Assert.Contains($"Location=\"{saml.Hub.Origin}/saml/artifact\"", await saml.Hub.Http.GetStringAsync("/saml/metadata", TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task S06_the_endpoint_is_chosen_by_its_index_too_and_only_where_metadata_has_one()
    {
        var sp = await AddAsync();
        await SignInAsync(sp, "AssertionConsumerServiceIndex=\"5\"", acs: "");
        var without = await saml.AddPartnerAsync();
        var (browser, _, _) = saml.SignedIn();
        saml.AssertRefused(await browser.GetAsync(without.Redirect(without.RequestXml(attributes: $"ProtocolBinding=\"{SamlBindings.HttpArtifact}\""), key: without.SigningKey)), FaultCodes.AcsInvalid);
    }

    [Fact]
    public async Task S10_X18_an_artifact_is_good_once_for_its_own_service_provider_and_for_a_minute()
    {
        var (sp, thief) = (await AddAsync(), await AddAsync());
        var (artifact, _) = await SignInAsync(sp);
        Assert.Null(ResponseIn((await ResolveAsync(thief, artifact)).Body));
        Assert.NotNull(ResponseIn((await ResolveAsync(sp, artifact)).Body));
        var (status, again) = await ResolveAsync(sp, artifact);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Null(ResponseIn(again));
        Assert.Null(ResponseIn((await ResolveAsync(sp, "AAQAAA==")).Body));
        var (late, _) = await SignInAsync(sp);
        saml.Clock.Advance(ArtifactResponses.Lifetime + TimeSpan.FromSeconds(1));
        Assert.Null(ResponseIn((await ResolveAsync(sp, late)).Body));
    }

    [Fact]
    public async Task S10_an_artifact_turned_in_ten_times_at_once_gives_one_response()
    {
        var sp = await AddAsync();
        var (artifact, _) = await SignInAsync(sp);
        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => ResolveAsync(sp, artifact)));
        Assert.Single(answers, a => ResponseIn(a.Body) is not null);
    }

    [Theory]
    [InlineData("unsigned")]
    [InlineData("stranger")]
    [InlineData("old")]
    [InlineData("elsewhere")]
    [InlineData("two artifacts")]
    [InlineData("unknown issuer")]
    [InlineData("switched off")]
    public async Task S02_X05_X20_X23_who_is_not_proven_gets_the_one_fault_and_the_artifact_stays(string fault)
    {
        var sp = await AddAsync();
        var (artifact, _) = await SignInAsync(sp);
        if (fault == "switched off") await saml.Hub.AskAsync(new SwitchPartner(sp.Partner, false));
        var (status, body) = await ResolveAsync(sp, artifact, xml => fault switch
        {
            "old" => xml.Replace(saml.Clock.GetUtcNow().ToString("yyyy-MM-ddTHH:mm", System.Globalization.CultureInfo.InvariantCulture), "2026-01-01T00:00", StringComparison.Ordinal),
            "elsewhere" => xml.Replace("/saml/artifact\"", "/saml/other\"", StringComparison.Ordinal),
            "two artifacts" => xml.Replace("</samlp:ArtifactResolve>", "<samlp:Artifact>AAQAAA==</samlp:Artifact></samlp:ArtifactResolve>", StringComparison.Ordinal),
            "unknown issuer" => xml.Replace(sp.EntityId, "https://nobody.example/", StringComparison.Ordinal),
            _ => xml,
        }, sign: fault != "unsigned", stranger: fault == "stranger");
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(Encoding.UTF8.GetString(SoapBinding.Fault), body);
        if (fault == "switched off") return;
        Assert.NotNull(ResponseIn((await ResolveAsync(sp, artifact)).Body));
    }
}
