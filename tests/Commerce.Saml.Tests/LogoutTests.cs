using System.Security.Cryptography;
using System.Text;

namespace Commerce.Saml.Tests;

/// <summary>Logout messages: rows S28 to S30, and the wraps of X05 on them.</summary>
public sealed class LogoutTests
{
    private const string IdpSlo = "https://id.retailer.example/saml/slo", SpSlo = "https://fitter.example/saml/slo";
    private static readonly RSA OldRsa = RSA.Create(2048), NewRsa = RSA.Create(2048);
    private static readonly DecryptionKey Old = new(OldRsa, Keys.Certificate(OldRsa)), New = new(NewRsa, Keys.Certificate(NewRsa));
    private static readonly NameId Name = NameId.Persistent("p-4b1d9c", World.IdpId, World.SpId);

    private readonly FixedClock clock = new();
    private readonly LogoutPeer sp = new(World.SpId, [TrustedKey.Of(Keys.Sp)], Endpoints(SpSlo), null);
    private readonly LogoutPeer idp = new(World.IdpId, [TrustedKey.Of(Keys.Idp)], Endpoints(IdpSlo), null);

    private static SamlEndpoint[] Endpoints(string url) => [new(SamlBindings.HttpRedirect, url), new(SamlBindings.HttpPost, url), new(SamlBindings.Soap, url + "/soap")];

    private SingleLogout Side(string entityId, SigningKey key, string url, params DecryptionKey[] keys) => new(new SingleLogoutSettings
    {
        EntityId = entityId, SigningKey = key, DecryptionKeys = keys,
        Addresses = Endpoints(url).ToDictionary(e => e.Binding, e => e.Location),
    }, clock);

    private SingleLogout Idp => Side(World.IdpId, Keys.Idp, IdpSlo, New, Old);

    private SingleLogout Sp => Side(World.SpId, Keys.Sp, SpSlo);

    private static SamlResult<LogoutMessage> Read(OutgoingLogout sent, bool isRequest = true) => (sent.Url is { } url ? RedirectBinding.Read(url[url.IndexOf('?', StringComparison.Ordinal)..])
        : sent.Form is { } form ? PostBinding.Read(form.Fields[0].Value, isRequest, null) : SoapBinding.Read(sent.Envelope, isRequest)).Then(SingleLogout.Read);

    private SamlResult<ValidatedLogoutRequest> Post(string xml) =>
        PostBinding.Read(Convert.ToBase64String(Encoding.UTF8.GetBytes(xml)), true, null).Then(SingleLogout.Read).Then(m => Idp.ValidateRequest(m, sp));

    private string SignedXml(Action<System.Xml.XmlElement>? edit = null)
    {
        var document = Attack.Load(Encoding.UTF8.GetString(Convert.FromBase64String(
            Sp.CreateRequest(idp, SamlBindings.HttpPost, Name, "s-1").Value.Form!.Fields[0].Value)));
        if (edit is null) return document.OuterXml;
        Attack.Unsign(document.DocumentElement!);
        edit(document.DocumentElement!);
        XmlSignature.Sign(document.DocumentElement!, document.DocumentElement!.ChildNodes[1], Keys.Sp);
        return document.OuterXml;
    }

    [Theory]
    [InlineData(SamlBindings.HttpRedirect)]
    [InlineData(SamlBindings.HttpPost)]
    [InlineData(SamlBindings.Soap)]
    public void S28_S30_request_and_response_travel_signed_over_each_binding(string binding)
    {
        var request = Sp.CreateRequest(idp, binding, Name, "s-1").Value;
        var read = Read(request).Then(m => Idp.ValidateRequest(m, sp));
        Assert.True(read.IsSuccess, read.Fault?.ToString());
        Assert.Equal((request.Id, Name, "s-1"), (read.Value.Id, read.Value.Name, read.Value.SessionIndexes.Single()));
        var response = Read(Idp.CreateResponse(sp, binding, request.Id, SamlStatus.PartialLogout).Value, isRequest: false);
        var answer = response.Then(m => Sp.ValidateResponse(m, idp, request.Id));
        Assert.Equal(SamlStatus.PartialLogout, answer.Value.Status);
        Assert.False(answer.Value.IsComplete);
        Assert.Equal(FaultCodes.InResponseToInvalid, response.Then(m => Sp.ValidateResponse(m, idp, "_other")).Fault?.Code);
        Assert.Equal(FaultCodes.SignatureInvalid, response.Then(m => Sp.ValidateResponse(m, idp with { SigningKeys = [TrustedKey.Of(Keys.Stranger)] }, request.Id)).Fault?.Code);
        Assert.Equal(FaultCodes.NoUsableKey, response.Then(m => Sp.ValidateResponse(m, idp with { SigningKeys = [] }, request.Id)).Fault?.Code);
        Assert.Equal(FaultCodes.IssuerInvalid, response.Then(m => Sp.ValidateResponse(m, idp with { EntityId = "https://other.example/" }, request.Id)).Fault?.Code);
        clock.Now += TimeSpan.FromMinutes(4);
        Assert.Equal(FaultCodes.Expired, Read(request).Then(m => Idp.ValidateRequest(m, sp)).Fault?.Code);
        clock.Now -= TimeSpan.FromMinutes(8);
        Assert.Equal(FaultCodes.InstantInvalid, Read(request).Then(m => Idp.ValidateRequest(m, sp)).Fault?.Code);
    }

    [Fact]
    public void S28_a_request_that_never_ends_is_read_like_one_that_ends_soon()
    {
        var read = Post(SignedXml(root => root.SetAttribute("NotOnOrAfter", "9999-12-31T23:59:59.9999999Z")));
        Assert.True(read.IsSuccess, read.Fault?.ToString());
        Assert.Equal(FaultCodes.Expired, Post(SignedXml(root => root.SetAttribute("NotOnOrAfter", "0001-01-01T00:00:00Z"))).Fault?.Code);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void S29_an_encrypted_name_is_read_with_the_old_key_and_with_the_new_one(bool useOld)
    {
        var plan = new EncryptionPlan(TrustedKey.FromCertificate((useOld ? Old : New).Certificate).Value, EncryptionPlan.Aes256Gcm, EncryptionPlan.OaepSha1);
        var xml = SignedXml(root => Encrypt(root, plan, $"<saml:NameID xmlns:saml=\"{SamlNamespaces.Assertion}\" Format=\"{NameIdFormats.Persistent}\">p-4b1d9c</saml:NameID>"));
        Assert.DoesNotContain("p-4b1d9c", xml, StringComparison.Ordinal);
        var read = Post(xml);
        Assert.True(read.IsSuccess, read.Fault?.ToString());
        Assert.Equal("p-4b1d9c", read.Value.Name.Value);
    }

    [Theory]
    [InlineData("<saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">x</saml:Issuer>")]
    [InlineData("no xml")]
    public void S29_X21_what_is_no_name_inside_or_for_another_key_is_one_fault(string inside)
    {
        using var stranger = RSA.Create(2048);
        foreach (var key in new[] { New, new DecryptionKey(stranger, Keys.Certificate(stranger)) })
        {
            var plan = new EncryptionPlan(TrustedKey.FromCertificate(key.Certificate).Value, EncryptionPlan.Aes256Gcm, EncryptionPlan.OaepSha1);
            Assert.Equal(FaultCodes.DecryptionFailed, Post(SignedXml(root => Encrypt(root, plan, inside))).Fault?.Code);
        }
    }

    [Fact]
    public void X05_X03_a_signed_logout_request_carried_inside_another_is_refused()
    {
        var signed = SignedXml();
        var carried = signed[signed.IndexOf("<samlp:LogoutRequest", StringComparison.Ordinal)..];
        string Outer(string extensions, string signature) =>
            $"<samlp:LogoutRequest xmlns:samlp=\"{SamlNamespaces.Protocol}\" xmlns:saml=\"{SamlNamespaces.Assertion}\" ID=\"_evil\" Version=\"2.0\" IssueInstant=\"{clock.Now:yyyy-MM-ddTHH:mm:ssZ}\" Destination=\"{IdpSlo}\">"
            + $"<saml:Issuer>{World.SpId}</saml:Issuer>{signature}<samlp:Extensions>{extensions}</samlp:Extensions><saml:NameID>victim</saml:NameID></samlp:LogoutRequest>";
        var document = Attack.Load(signed);
        var signature = document.DocumentElement!["Signature", SamlNamespaces.XmlSignature]!.OuterXml;
        Assert.Equal(FaultCodes.StructureInvalid, Post(Outer(carried, "")).Fault?.Code);
        Assert.Equal(FaultCodes.StructureInvalid, Post(Outer(carried, signature)).Fault?.Code);
        Assert.Equal(FaultCodes.SignatureShape, Post(Outer("", signature)).Fault?.Code);
        Assert.Equal(FaultCodes.SignatureMissing, Post(Outer("", "")).Fault?.Code);
        Assert.Equal(FaultCodes.SignatureInvalid, Post(signed.Replace("p-4b1d9c", "p-victim", StringComparison.Ordinal)).Fault?.Code);
        Assert.Equal(FaultCodes.XmlRefused, Post(signed.Replace("p-4b1d9c", "p-4b<!---->1d9c", StringComparison.Ordinal)).Fault?.Code);
    }

    [Fact]
    public void X02_X06_the_envelope_holds_one_message_and_no_header()
    {
        var message = SignedXml();
        SamlResult<LogoutMessage> Soap(string inside, string around = "{0}") => SoapBinding.Read(Encoding.UTF8.GetBytes(
            "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\">" + around.Replace("{0}", $"<s:Body>{inside}</s:Body>", StringComparison.Ordinal) + "</s:Envelope>"), true).Then(SingleLogout.Read);
        Assert.True(Soap(message).IsSuccess);
        Assert.True(Soap(message, "<s:Header/>{0}").IsSuccess);
        Assert.Equal(FaultCodes.StructureInvalid, Soap(message + "<x/>").Fault?.Code);
        Assert.Equal(FaultCodes.StructureInvalid, Soap("").Fault?.Code);
        Assert.Equal(FaultCodes.StructureInvalid, Soap(message, "<s:Header><x/></s:Header>{0}").Fault?.Code);
        Assert.Equal(FaultCodes.StructureInvalid, Soap(message, "{0}<x/>").Fault?.Code);
        Assert.Equal(FaultCodes.DuplicateId, Soap(message + message).Fault?.Code);
    }

    private static void Encrypt(System.Xml.XmlElement root, EncryptionPlan plan, string inside)
    {
        using var encrypted = new Utf8XmlWriter();
        AssertionEncryption.Write(encrypted, Encoding.UTF8.GetBytes(inside), plan);
        var element = Attack.Load(Encoding.UTF8.GetString(encrypted.Written).Replace("EncryptedAssertion", "EncryptedID", StringComparison.Ordinal)).DocumentElement!;
        var name = root["NameID", SamlNamespaces.Assertion]!;
        root.ReplaceChild(root.OwnerDocument.ImportNode(element, deep: true), name);
    }
}
