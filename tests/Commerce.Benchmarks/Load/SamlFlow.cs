using System.Buffers;
using System.Buffers.Text;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Security.Cryptography.Xml;
using System.Text;
using System.Xml;

namespace Commerce.Benchmarks.Load;

/// <summary>Web browser SSO at an identity provider with a live session: one GET, one auto-posted form with a signed response.</summary>
public sealed class SamlFlow(TargetConfig config, Wire wire) : IFlow
{
    private const string ProtocolNs = "urn:oasis:names:tc:SAML:2.0:protocol";
    private const string AssertionNs = "urn:oasis:names:tc:SAML:2.0:assertion";
    private const string SignatureNs = "http://www.w3.org/2000/09/xmldsig#";
    private readonly Uri _sso = new(config.SsoUrl ?? throw new InvalidOperationException("'ssoUrl' is missing in the config"));
    private readonly List<X509Certificate2> _certificates = [];

    public IReadOnlyList<string> Steps { get; } = config.HopUrl is null ? ["sso"] : ["hop", "sso"];

    public string Signature { get; private set; } = "unchecked";

    public async Task PrepareAsync()
    {
        if (config.CertificateUrl is not null)
        {
            var reply = await wire.GetAsync(new Uri(config.CertificateUrl)).ConfigureAwait(false);
            _certificates.Add(X509Certificate2.CreateFromPem(reply.Text));
        }
        if (config.MetadataUrl is not null)
        {
            var reply = await wire.GetAsync(new Uri(config.MetadataUrl)).ConfigureAwait(false);
            var metadata = Parse(reply.Body);
            foreach (XmlElement element in metadata.GetElementsByTagName("X509Certificate", SignatureNs))
            {
                _certificates.Add(X509CertificateLoader.LoadCertificate(Convert.FromBase64String(element.InnerText)));
            }
        }
        if (_certificates.Count == 0)
        {
            throw new InvalidOperationException("no certificate: set 'certificateUrl' or 'metadataUrl'");
        }
    }

    public async Task SignInAsync(VirtualUser user)
    {
        var (uri, _) = NewRequest();
        await Browser.VisitAsync(wire, user, uri, null, r => r.Status == 200 && r.Text.Contains("SAMLResponse", StringComparison.Ordinal), config.LoginFields).ConfigureAwait(false);
    }

    public async Task<Action?> RunAsync(VirtualUser user, bool verify, Action<int> mark)
    {
        var step = 0;
        string? ticket = null;
        if (config.HopUrl is not null)
        {
            ticket = await HopTicket.FetchAsync(wire, user, config.HopUrl, "hop").ConfigureAwait(false);
            mark(step++);
        }
        var (uri, requestId) = NewRequest(ticket);
        var reply = await wire.GetAsync(uri, user.Jar).ConfigureAwait(false);
        if (reply.Status != 200)
        {
            throw new FlowException($"sso answered {reply.Status}: {reply.Brief}");
        }
        mark(step);
        var page = reply.Body;
        var action = Value(page, "<form "u8, " action=\""u8);
        var encoded = Value(page, " name=\"SAMLResponse\""u8, " value=\""u8);
        if (encoded.Contains((byte)'&'))
        {
            encoded = Encoding.UTF8.GetBytes(System.Net.WebUtility.HtmlDecode(Encoding.UTF8.GetString(encoded)));
        }
        if (encoded.IsEmpty)
        {
            throw new FlowException("no SAMLResponse form: " + reply.Brief);
        }
        if (config.AcsUrl is not null && System.Net.WebUtility.HtmlDecode(Encoding.UTF8.GetString(action)) != config.AcsUrl)
        {
            throw new FlowException("form goes elsewhere: " + Encoding.UTF8.GetString(action));
        }
        // In place: the page is nobody's any more.
        if (Base64.DecodeFromUtf8InPlace(encoded, out var length) != OperationStatus.Done)
        {
            throw new FlowException("SAMLResponse is not Base64");
        }
        var xml = encoded[..length];
        if (xml.IndexOf("urn:oasis:names:tc:SAML:2.0:status:Success"u8) < 0)
        {
            throw new FlowException("status is not Success");
        }
        if (requestId is not null && xml.IndexOf(Encoding.ASCII.GetBytes(requestId)) < 0)
        {
            throw new FlowException("InResponseTo does not match");
        }
        if (!verify) return null;
        var kept = xml.ToArray();
        return () => Verify(kept, requestId);
    }

    /// <summary>An attribute's value in the first tag that holds a mark, as its octets stand in the page; empty where there is none.</summary>
    private static Span<byte> Value(Span<byte> page, ReadOnlySpan<byte> mark, ReadOnlySpan<byte> attribute)
    {
        var at = page.IndexOf(mark);
        if (at < 0) return default;
        var tag = page[page[..(at + 1)].LastIndexOf((byte)'<')..];
        tag = tag[..(tag.IndexOf((byte)'>') + 1)];
        var start = tag.IndexOf(attribute);
        if (start < 0) return default;
        var value = tag[(start + attribute.Length)..];
        return value[..Math.Max(0, value.IndexOf((byte)'"'))];
    }

    private (Uri Uri, string? Id) NewRequest(string? ticket = null)
    {
        if (!config.SpInitiated)
        {
            return (_sso, null);
        }
        var id = "_" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        var extensions = ticket is null ? "" : $"<samlp:Extensions><HopTicket xmlns=\"urn:commerce:hop:1\">{ticket}</HopTicket></samlp:Extensions>";
        var xml = $"<samlp:AuthnRequest xmlns:samlp=\"{ProtocolNs}\" xmlns:saml=\"{AssertionNs}\" ID=\"{id}\" Version=\"2.0\" IssueInstant=\"{DateTime.UtcNow:yyyy-MM-ddTHH:mm:ssZ}\" Destination=\"{_sso}\" AssertionConsumerServiceURL=\"{config.AcsUrl}\" ProtocolBinding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\"><saml:Issuer>{config.SpEntityId}</saml:Issuer>{extensions}</samlp:AuthnRequest>";
        var buffer = new MemoryStream();
        using (var deflate = new DeflateStream(buffer, CompressionLevel.Fastest, leaveOpen: true))
        {
            deflate.Write(Encoding.UTF8.GetBytes(xml));
        }
        var value = Uri.EscapeDataString(Convert.ToBase64String(buffer.GetBuffer(), 0, (int)buffer.Length));
        var separator = _sso.Query.Length == 0 ? "?" : "&";
        return (new Uri(_sso.AbsoluteUri + separator + "SAMLRequest=" + value + "&RelayState=" + id[1..9]), id);
    }

    private static XmlDocument Parse(byte[] xml)
    {
        var document = new XmlDocument { PreserveWhitespace = true, XmlResolver = null };
        using var reader = XmlReader.Create(new MemoryStream(xml), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null });
        document.Load(reader);
        return document;
    }

    /// <summary>Checks what a service provider must: the signature and what it covers, status, recipient, audience and times.</summary>
    private void Verify(byte[] xml, string? requestId)
    {
        var document = Parse(xml);
        var response = document.DocumentElement!;
        if (response.LocalName != "Response" || response.NamespaceURI != ProtocolNs)
        {
            throw new FlowException("not a SAML Response");
        }
        var assertions = response.ChildNodes.OfType<XmlElement>().Where(e => e.LocalName == "Assertion" && e.NamespaceURI == AssertionNs).ToList();
        if (assertions.Count != 1)
        {
            throw new FlowException($"{assertions.Count} plain assertions in the response");
        }
        var assertion = assertions[0];
        var responseSigned = Signed(response);
        var assertionSigned = Signed(assertion);
        if (!responseSigned && !assertionSigned)
        {
            throw new FlowException("neither response nor assertion is signed");
        }
        Signature = (responseSigned, assertionSigned) switch { (true, true) => "response+assertion", (true, false) => "response", _ => "assertion" };

        if (requestId is not null && response.GetAttribute("InResponseTo") != requestId)
        {
            throw new FlowException("response has another InResponseTo");
        }
        if (config.AcsUrl is not null && response.GetAttribute("Destination") is { Length: > 0 } destination && destination != config.AcsUrl)
        {
            throw new FlowException("response has another Destination");
        }
        if (config.SpEntityId is not null && First(assertion, "Audience")?.InnerText != config.SpEntityId)
        {
            throw new FlowException("assertion has another Audience");
        }
        var confirmation = First(assertion, "SubjectConfirmationData") ?? throw new FlowException("no SubjectConfirmationData");
        if (XmlConvert.ToDateTime(confirmation.GetAttribute("NotOnOrAfter"), XmlDateTimeSerializationMode.Utc) < DateTime.UtcNow)
        {
            throw new FlowException("assertion has expired");
        }
        if (string.IsNullOrEmpty(First(assertion, "NameID")?.InnerText))
        {
            throw new FlowException("no NameID");
        }
    }

    private static XmlElement? First(XmlElement within, string name) =>
        within.GetElementsByTagName(name, AssertionNs).OfType<XmlElement>().FirstOrDefault();

    /// <summary>True when the element carries a good signature over itself; throws on a bad one.</summary>
    private bool Signed(XmlElement element)
    {
        var signature = element.ChildNodes.OfType<XmlElement>().FirstOrDefault(e => e.LocalName == "Signature" && e.NamespaceURI == SignatureNs);
        if (signature is null)
        {
            return false;
        }
        var signed = new SignedXml(element);
        signed.LoadXml(signature);
        if (signed.SignedInfo!.References.Count != 1 || ((Reference)signed.SignedInfo.References[0]!).Uri != "#" + element.GetAttribute("ID"))
        {
            throw new FlowException("signature does not cover its parent");
        }
        if (signed.SignatureMethod is not (SignedXml.XmlDsigRSASHA256Url or SignedXml.XmlDsigRSASHA512Url or "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"))
        {
            throw new FlowException("weak signature method " + signed.SignatureMethod);
        }
        foreach (var certificate in _certificates)
        {
            using AsymmetricAlgorithm? key = certificate.GetRSAPublicKey() as AsymmetricAlgorithm ?? certificate.GetECDsaPublicKey();
            if (key is not null && signed.CheckSignature(key))
            {
                return true;
            }
        }
        throw new FlowException("XML signature is wrong");
    }
}
