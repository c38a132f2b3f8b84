using System.Globalization;
using System.Text;
using System.Xml;

namespace Commerce.Saml.Tests;

/// <summary>Each check of a logout message by itself, on messages that their rightful sender signed.</summary>
public sealed class LogoutChecksTests
{
    private const string IdpSlo = "https://id.retailer.example/saml/slo", SpSlo = "https://fitter.example/saml/slo";
    private static readonly NameId Name = NameId.Persistent("p-4b1d9c", World.IdpId, World.SpId);

    private readonly FixedClock clock = new();
    private readonly LogoutPeer sp = new(World.SpId, [TrustedKey.Of(Keys.Sp)], [new(SamlBindings.HttpRedirect, SpSlo), new(SamlBindings.HttpPost, SpSlo)], null);
    private readonly LogoutPeer idp = new(World.IdpId, [TrustedKey.Of(Keys.Idp)], [new(SamlBindings.HttpRedirect, IdpSlo), new(SamlBindings.HttpPost, IdpSlo)], null);

    private SingleLogout Idp => Side(World.IdpId, Keys.Idp, IdpSlo);

    private SingleLogout Sp => Side(World.SpId, Keys.Sp, SpSlo);

    private SingleLogout Side(string entityId, SigningKey key, string url) => new(new SingleLogoutSettings
    {
        EntityId = entityId, SigningKey = key, Addresses = new Dictionary<string, string> { [SamlBindings.HttpRedirect] = url, [SamlBindings.HttpPost] = url },
    }, clock);

    private XmlElement Request() => Root(Sp.CreateRequest(idp, SamlBindings.HttpPost, Name, "s-1").Value);

    private XmlElement Response() => Root(Idp.CreateResponse(sp, SamlBindings.HttpPost, "_asked", new SamlStatus(StatusCodes.Success)).Value);

    private static XmlElement Root(OutgoingLogout sent)
    {
        var root = Attack.Load(Encoding.UTF8.GetString(Convert.FromBase64String(sent.Form!.Fields[0].Value))).DocumentElement!;
        Attack.Unsign(root);
        return root;
    }

    private static SamlResult<LogoutMessage> Read(XmlElement root, SigningKey key, bool isRequest = true)
    {
        XmlSignature.Sign(root, root.ChildNodes[1], key);
        return PostBinding.Read(Convert.ToBase64String(Encoding.UTF8.GetBytes(root.OuterXml)), isRequest, null).Then(SingleLogout.Read);
    }

    private string? Asked(Action<XmlElement> edit)
    {
        var root = Request();
        edit(root);
        return Read(root, Keys.Sp).Then(message => Idp.ValidateRequest(message, sp)).Fault?.Code;
    }

    /// <summary>Puts this in the place of all that follows the Issuer.</summary>
    private static void Inside(XmlElement root, string xml)
    {
        foreach (var child in root.ChildNodes.OfType<XmlElement>().Skip(1).ToList()) root.RemoveChild(child);
        var parts = Attack.Load($"<x xmlns:samlp=\"{SamlNamespaces.Protocol}\" xmlns:saml=\"{SamlNamespaces.Assertion}\">{xml}</x>").DocumentElement!;
        foreach (var part in parts.ChildNodes.OfType<XmlElement>()) root.AppendChild(root.OwnerDocument.ImportNode(part, deep: true));
    }

    private static string NameXml(string value) => $"<saml:NameID>{value}</saml:NameID>";

    private static string Index(string value) => $"<samlp:SessionIndex>{value}</samlp:SessionIndex>";

    [Fact]
    public void S28_a_request_is_for_this_address_now_and_by_a_sender_whose_metadata_stands()
    {
        Assert.Null(Asked(_ => { }));
        Assert.Equal(FaultCodes.DestinationInvalid, Asked(root => root.SetAttribute("Destination", IdpSlo + "/")));
        Assert.Equal(FaultCodes.DestinationInvalid, Asked(root => root.RemoveAttribute("Destination")));
        Assert.Equal(FaultCodes.Expired, Asked(root => root.SetAttribute("NotOnOrAfter", clock.Now.AddMinutes(-4).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture))));
        Assert.Equal(FaultCodes.InstantInvalid, Asked(root => root.SetAttribute("NotOnOrAfter", "soon")));
        Assert.Equal(FaultCodes.MetadataInvalid, Read(Request(), Keys.Sp).Then(message => Idp.ValidateRequest(message, sp with { ValidUntil = clock.Now })).Fault?.Code);
        Assert.Equal(FaultCodes.IssuerInvalid, Read(Request(), Keys.Sp).Then(message => Idp.ValidateRequest(message, sp with { EntityId = "https://other.example/" })).Fault?.Code);
    }

    [Fact]
    public void S28_a_request_names_one_customer_and_at_most_sixteen_sessions()
    {
        Assert.Null(Asked(root => Inside(root, NameXml("a") + string.Concat(Enumerable.Range(0, 16).Select(i => Index($"s-{i}"))))));
        Assert.Equal(FaultCodes.StructureInvalid, Asked(root => Inside(root, NameXml("a") + string.Concat(Enumerable.Range(0, 17).Select(i => Index($"s-{i}"))))));
        Assert.Equal(FaultCodes.SubjectInvalid, Asked(root => Inside(root, Index("s-1"))));
        Assert.Equal(FaultCodes.SubjectInvalid, Asked(root => Inside(root, "")));
        Assert.Equal(FaultCodes.SubjectInvalid, Asked(root => Inside(root, NameXml(""))));
        Assert.Equal(FaultCodes.SubjectInvalid, Asked(root => Inside(root, NameXml(new string('x', 1025)))));
        Assert.Equal(FaultCodes.StructureInvalid, Asked(root => Inside(root, NameXml("a") + NameXml("b"))));
        Assert.Equal(FaultCodes.ValueInvalid, Asked(root => Inside(root, NameXml("a") + Index(""))));
        Assert.Equal(FaultCodes.ValueInvalid, Asked(root => Inside(root, NameXml("a") + Index(new string('x', 257)))));
    }

    [Fact]
    public void S30_a_request_is_no_response_and_a_response_no_request()
    {
        Assert.Equal(FaultCodes.StructureInvalid, Read(Request(), Keys.Sp).Then(message => Idp.ValidateResponse(message, sp, "_asked")).Fault?.Code);
        Assert.Equal(FaultCodes.StructureInvalid, Read(Response(), Keys.Idp, isRequest: false).Then(message => Sp.ValidateRequest(message, idp)).Fault?.Code);
    }

    [Theory]
    [InlineData("")]
    [InlineData("<samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/></samlp:Status><samlp:Status/>")]
    [InlineData("<samlp:Status/>")]
    [InlineData("<samlp:Status><samlp:StatusCode/></samlp:Status>")]
    [InlineData("<samlp:Status><samlp:StatusCode Value=\"a\"><samlp:StatusCode Value=\"b\"/><samlp:StatusCode Value=\"c\"/></samlp:StatusCode></samlp:Status>")]
    public void S30_a_response_has_one_status(string inside)
    {
        var root = Response();
        Inside(root, inside);
        Assert.Equal(FaultCodes.StructureInvalid, Read(root, Keys.Idp, isRequest: false).Then(message => Sp.ValidateResponse(message, idp, "_asked")).Fault?.Code);
    }

    [Fact]
    public void X16_by_redirect_the_query_is_signed_and_nothing_inside_is()
    {
        string Query(XmlElement root, SigningKey? key) => RedirectBinding.Write("", true, Encoding.UTF8.GetBytes(root.OuterXml), null, key).TrimStart('?');
        SamlResult<ValidatedLogoutRequest> Redirect(string query) => RedirectBinding.Read(query).Then(SingleLogout.Read).Then(message => Idp.ValidateRequest(message, sp));
        Assert.True(Redirect(Query(Request(), Keys.Sp)).IsSuccess);
        Assert.Equal(FaultCodes.SignatureMissing, Redirect(Query(Request(), null)).Fault?.Code);
        Assert.Equal(FaultCodes.SignatureInvalid, Redirect(Query(Request(), Keys.Stranger)).Fault?.Code);
        var inside = Request();
        XmlSignature.Sign(inside, inside.ChildNodes[1], Keys.Sp);
        Assert.Equal(FaultCodes.SignatureShape, Redirect(Query(inside, Keys.Sp)).Fault?.Code);
    }
}
