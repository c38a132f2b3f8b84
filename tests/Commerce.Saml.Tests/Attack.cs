using System.Security.Cryptography;
using System.Security.Cryptography.Xml;
using System.Text;
using System.Xml;

namespace Commerce.Saml.Tests;

/// <summary>A real signed message in the hands of an attacker: nodes are moved, copied and changed, and the result is sent to the receiver.</summary>
internal sealed class Attack
{
    private readonly Func<string, SamlFault?> send;

    private Attack(string xml, string signedElement, Func<string, SamlFault?> send)
    {
        this.send = send;
        Document = Load(xml);
        Signed = (XmlElement)Document.GetElementsByTagName("*").Cast<XmlNode>().First(node => node.LocalName == signedElement);
        Original = Load(xml);
        Xml = xml;
    }

    /// <summary>The message as it was sent.</summary>
    public string Xml { get; }

    public XmlDocument Document { get; }

    public XmlDocument Original { get; }

    public XmlElement Root => Document.DocumentElement!;

    /// <summary>The element whose signature is being abused: the response, its assertion or the request.</summary>
    public XmlElement Signed { get; }

    public XmlElement Signature => Signed.ChildNodes.OfType<XmlElement>().First(child => child.LocalName == "Signature");

    public World World { get; private init; } = null!;

    /// <summary>The kinds of message that the rows are tried on.</summary>
    public static TheoryData<string> Everything => ["signed response", "signed assertion", "both signed", "signed request"];

    public static TheoryData<string> Responses => ["signed response", "signed assertion", "both signed"];

    public static Attack On(string kind, SigningKey? idpKey = null, SigningKey? spKey = null)
    {
        var world = new World(idpKey, spKey, idp: settings => settings with
        {
            SignAssertions = kind is not "signed response",
            SignResponses = kind is not "signed assertion",
        });
        if (kind == "signed request")
            return new Attack(SignedRequest(world), "AuthnRequest", xml => world.Post(xml).Fault) { World = world };
        var request = world.Request();
        return new Attack(world.RespondXml(request), kind is "signed assertion" ? "Assertion" : "Response", xml => world.Consume(xml, request.Id).Fault) { World = world };
    }

    /// <summary>A request as it goes by HTTP-POST, signed inside.</summary>
    public static string SignedRequest(World world, AuthnRequestOptions? options = null, SigningKey? key = null)
    {
        using var writer = new Utf8XmlWriter();
        AuthnRequestWriter.Write(writer, world.SpSide.Settings, options ?? new AuthnRequestOptions { HopTicket = "ticket-1" }, SamlId.New(), World.SsoUrl, world.Clock.Now);
        var document = Load(Encoding.UTF8.GetString(writer.Written));
        XmlSignature.Sign(document.DocumentElement!, document.DocumentElement!.FirstChild!.NextSibling, key ?? world.SpKey);
        return document.OuterXml;
    }

    public static XmlDocument Load(string xml)
    {
        var document = new XmlDocument { XmlResolver = null, PreserveWhitespace = true };
        document.LoadXml(xml);
        return document;
    }

    /// <summary>A copy of the signed element that says something else under another ID, without its signature.</summary>
    public XmlElement Forged(XmlElement? of = null)
    {
        var forged = (XmlElement)(of ?? Signed).CloneNode(deep: true);
        Change(forged);
        forged.SetAttribute("ID", "_forged");
        Unsign(forged);
        return forged;
    }

    /// <summary>The original without its signature: what the reference still points at.</summary>
    public XmlElement Bare()
    {
        var bare = (XmlElement)Signed.CloneNode(deep: true);
        Unsign(bare);
        return bare;
    }

    /// <summary>Says something else: another customer, or another registered endpoint.</summary>
    public static void Change(XmlElement element)
    {
        foreach (var name in Descendants(element, "NameID")) name.InnerText = "p-victim";
        foreach (var inner in Descendants(element, "Assertion")) inner.SetAttribute("ID", "_forged-inner");    // no identifier twice: the attacker knows that much
        if (element.LocalName == "AuthnRequest") element.SetAttribute("AssertionConsumerServiceURL", "https://fitter.example/saml/acs2");
    }

    public static void Unsign(XmlElement element)
    {
        foreach (var signature in element.ChildNodes.OfType<XmlElement>().Where(child => child.LocalName == "Signature").ToList()) element.RemoveChild(signature);
    }

    public static IEnumerable<XmlElement> Descendants(XmlElement element, string localName) =>
        element.GetElementsByTagName("*").OfType<XmlElement>().Where(inner => inner.LocalName == localName).ToList();

    public XmlElement Part(string localName) => Descendants(Signed, localName).First();

    public XmlElement New(string prefix, string localName, string ns) => Document.CreateElement(prefix, localName, ns);

    /// <summary>Replaces the signature by one made with the real key over whatever SignedInfo the attacker could talk it into.</summary>
    /// <param name="signedInfo">Children of SignedInfo, given the digest of the element in Base64.</param>
    /// <param name="hash">For the signature value.</param>
    /// <param name="signer">The key; the receiver has it pinned.</param>
    public Attack Resign(Func<string, string> signedInfo, HashAlgorithmName hash, RSA signer)
    {
        var old = Signature;
        var digest = Convert.ToBase64String(SHA256.HashData(Canonical(Bare())));
        var next = old.NextSibling;
        Signed.RemoveChild(old);
        var holder = Load($"<ds:Signature xmlns:ds=\"{SamlNamespaces.XmlSignature}\"><ds:SignedInfo>{signedInfo(digest)}</ds:SignedInfo><ds:SignatureValue/></ds:Signature>");
        var signature = (XmlElement)Document.ImportNode(holder.DocumentElement!, deep: true);
        Signed.InsertBefore(signature, next);
        signature.ChildNodes.OfType<XmlElement>().Last().InnerText =
            Convert.ToBase64String(signer.SignData(Canonical((XmlElement)signature.FirstChild!), hash, RSASignaturePadding.Pkcs1));
        return this;
    }

    /// <summary>The SignedInfo that is accepted, with parts to be exchanged.</summary>
    public string SignedInfo(string digest, string? c14n = null, string? method = null, string? uri = null, string? transforms = null, string? digestMethod = null) =>
        $"""
        <ds:CanonicalizationMethod Algorithm="{c14n ?? "http://www.w3.org/2001/10/xml-exc-c14n#"}"/><ds:SignatureMethod Algorithm="{method ?? "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"}"/>{Reference(digest, uri, transforms, digestMethod)}
        """;

    public string Reference(string digest, string? uri = null, string? transforms = null, string? digestMethod = null) =>
        $"""
        <ds:Reference URI="{uri ?? "#" + Signed.GetAttribute("ID")}"><ds:Transforms>{transforms ?? Transform("http://www.w3.org/2000/09/xmldsig#enveloped-signature") + Transform("http://www.w3.org/2001/10/xml-exc-c14n#")}</ds:Transforms><ds:DigestMethod Algorithm="{digestMethod ?? "http://www.w3.org/2001/04/xmlenc#sha256"}"/><ds:DigestValue>{digest}</ds:DigestValue></ds:Reference>
        """;

    public static string Transform(string algorithm) => $"<ds:Transform Algorithm=\"{algorithm}\"/>";

    public SamlFault? Send() => send(Document.OuterXml);

    public SamlFault? Send(string xml) => send(xml);

    /// <summary>The receiver refuses, with one of these codes.</summary>
    public void Refused(params string[] codes) => RefusedAs(Document.OuterXml, codes);

    public void RefusedAs(string xml, params string[] codes)
    {
        var fault = send(xml);
        Assert.NotNull(fault);
        if (codes.Length > 0) Assert.True(codes.Contains(fault.Code), fault.ToString());
        Assert.NotEqual(FaultCodes.Internal, fault.Code);
    }

    /// <summary>The platform's own exclusive canonicalisation.</summary>
    public static byte[] Canonical(XmlElement element)
    {
        var transform = new XmlDsigExcC14NTransform();
        var copy = new XmlDocument { XmlResolver = null, PreserveWhitespace = true };
        copy.LoadXml(element.OuterXml);    // takes the namespaces it uses along
        transform.LoadInput(copy);
        using var output = (Stream)transform.GetOutput(typeof(Stream));
        using var bytes = new MemoryStream();
        output.CopyTo(bytes);
        return bytes.ToArray();
    }
}
