using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.Xml;
using System.Text;
using System.Xml;
using Commerce.Saml;
using Commerce.Testing;

namespace Commerce.Federation.Tests.Saml;

/// <summary>A service provider of a partner: one that keeps the rules (<see cref="Side"/>), and one that writes whatever XML a test wants.</summary>
internal sealed class TestServiceProvider
{
    private static readonly RSA SharedKey = RSA.Create(2048);
    private static readonly RSA StrangersKey = RSA.Create(2048);
    private static readonly RSA DecryptionRsa = RSA.Create(2048);
    private static int number;
    private readonly TimeProvider clock;
    private readonly string? soap;
    private readonly HashSet<string> usedAssertions = [];

    public TestServiceProvider(TimeProvider clock, bool signs = true, string? requestInitiator = null, bool decrypts = false, IReadOnlyList<RequestedAttribute>? requested = null,
        bool slo = false, string? soap = null)
    {
        this.clock = clock;
        Number = Interlocked.Increment(ref number);
        EntityId = $"https://fitter{Number}.example/saml/metadata";
        Acs = $"https://fitter{Number}.example/saml/acs";
        SloUrl = $"https://fitter{Number}.example/saml/slo";
        this.soap = soap;
        SigningKey = Make(SharedKey);
        Side = new ServiceProviderSide(new ServiceProviderSettings
        {
            EntityId = EntityId,
            AssertionConsumerServiceUrl = Acs,
            SigningKey = signs ? SigningKey : null,
            RequestInitiatorUrl = requestInitiator,
            SingleLogoutUrl = slo ? SloUrl : null,
            SingleLogoutSoapUrl = soap,
            DecryptionKeys = decrypts ? [new DecryptionKey(DecryptionRsa, SigningKey.SelfSigned(DecryptionRsa, "fitter.example", Year(2026), Year(2029)))] : [],
            RequestedAttributes = requested ?? [],
            DisplayNames = new Dictionary<string, string> { ["en"] = $"Fitter {Number}" },
        }, clock);
    }

    public int Number { get; }
    public string EntityId { get; }
    public string Acs { get; }
    public string SloUrl { get; }

    /// <summary>Its side of single logout.</summary>
    public SingleLogout Slo => new(new SingleLogoutSettings
    {
        EntityId = EntityId, SigningKey = SigningKey,
        Addresses = new Dictionary<string, string> { [SamlBindings.HttpRedirect] = SloUrl, [SamlBindings.HttpPost] = SloUrl, [SamlBindings.Soap] = soap ?? "" },
    }, clock);

    /// <summary>What the hub says to its logout request.</summary>
    public ValidatedLogoutResponse LoggedOut(TestPage page, string requestId)
    {
        var received = page.Headers.TryGetValue("Location", out var to) ? RedirectBinding.Read(new Uri(to).Query)
            : PostBinding.Read(page.Forms().Single().Hidden.Single(f => f.Key == "SAMLResponse").Value, isRequest: false, page.Forms().Single().Hidden.SingleOrDefault(f => f.Key == "RelayState").Value);
        if (to is not null) Assert.StartsWith(SloUrl + "?", to, StringComparison.Ordinal);
        return received.Then(SingleLogout.Read).Then(m => Slo.ValidateResponse(m, LogoutPeer.Of(Hub), requestId)).Value;
    }

    public string Partner => $"fitter-{Number}";
    public SigningKey SigningKey { get; }
    public ServiceProviderSide Side { get; }
    public RemoteIdentityProvider Hub { get; set; } = null!;

    public static SigningKey Stranger => Make(StrangersKey);

    /// <summary>Our metadata, with further elements or other endpoints where a test wants them.</summary>
    public string Metadata(Func<string, string>? edit = null)
    {
        var xml = Encoding.UTF8.GetString(Side.WriteMetadata());
        return edit is null ? xml : edit(xml);
    }

    /// <summary>The URL of a request by HTTP-Redirect.</summary>
    public OutgoingAuthnRequest Request(AuthnRequestOptions? options = null) => Side.CreateAuthnRequest(Hub, options ?? new AuthnRequestOptions()).Value;

    /// <summary>An AuthnRequest as XML, right in everything that the arguments leave alone. An argument of "" leaves the attribute out.</summary>
    public string RequestXml(
        string? id = null, string? version = null, string? instant = null, string? destination = null, string? acs = null, string? issuer = null,
        string? attributes = null, string? children = null, string? issuerFormat = null)
    {
        id ??= "_" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        instant ??= clock.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
        var xml = new StringBuilder("<samlp:AuthnRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"");
        Attribute("ID", id);
        Attribute("Version", version ?? "2.0");
        Attribute("IssueInstant", instant);
        Attribute("Destination", destination ?? Hub.SingleSignOnUrl(SamlBindings.HttpRedirect)!);
        Attribute("AssertionConsumerServiceURL", acs ?? Acs);
        return xml.Append(attributes is null ? "" : " " + attributes).Append('>').Append("<saml:Issuer").Append(issuerFormat is null ? "" : $" Format=\"{issuerFormat}\"").Append('>')
            .Append(System.Security.SecurityElement.Escape(issuer ?? EntityId)).Append("</saml:Issuer>").Append(children).Append("</samlp:AuthnRequest>").ToString();

        void Attribute(string name, string value)
        {
            if (value.Length > 0) xml.Append(' ').Append(name).Append("=\"").Append(System.Security.SecurityElement.Escape(value)).Append('"');
        }
    }

    public string Redirect(string xml, string? relayState = null, SigningKey? key = null) =>
        RedirectBinding.Write(Hub.SingleSignOnUrl(SamlBindings.HttpRedirect)!, isRequest: true, Encoding.UTF8.GetBytes(xml), relayState, key);

    public static KeyValuePair<string, string>[] Post(string xml, string? relayState = null)
    {
        var field = KeyValuePair.Create("SAMLRequest", Convert.ToBase64String(Encoding.UTF8.GetBytes(xml)));
        return relayState is null ? [field] : [field, KeyValuePair.Create("RelayState", relayState)];
    }

    /// <summary>The XML with an enveloped signature after its Issuer, as SAML Core 5.4 wants it.</summary>
    public static string Sign(string xml, bool withStrangersKey = false)
    {
        var document = new XmlDocument { PreserveWhitespace = true };
        document.LoadXml(xml);
        var signed = new SignedXml(document) { SigningKey = withStrangersKey ? StrangersKey : SharedKey };
        var reference = new Reference("#" + document.DocumentElement!.GetAttribute("ID")) { DigestMethod = SignedXml.XmlDsigSHA256Url };
        reference.AddTransform(new XmlDsigEnvelopedSignatureTransform());
        reference.AddTransform(new XmlDsigExcC14NTransform());
        signed.SignedInfo!.CanonicalizationMethod = SignedXml.XmlDsigExcC14NTransformUrl;
        signed.SignedInfo.SignatureMethod = SignedXml.XmlDsigRSASHA256Url;
        signed.AddReference(reference);
        signed.ComputeSignature();
        document.DocumentElement.InsertAfter(document.ImportNode(signed.GetXml(), true), document.DocumentElement.FirstChild);
        return document.OuterXml;
    }

    /// <summary>What the rule-keeping service provider makes of the page that the hub answered with.</summary>
    /// <param name="requestId">Null for an unsolicited response.</param>
    public Task<SamlResult<ValidatedAssertion>> ReceiveAsync(TestPage page, string? requestId)
    {
        var form = page.Forms().Single();
        Assert.Equal(Acs, form.Action);
        return ReceiveAsync(form.Hidden.Single(f => f.Key == "SAMLResponse").Value, form.Hidden.SingleOrDefault(f => f.Key == "RelayState").Value, requestId);
    }

    public async Task<SamlResult<ValidatedAssertion>> ReceiveAsync(string response, string? relayState, string? requestId)
    {
        var message = PostBinding.Read(response, isRequest: false, relayState);
        return !message.IsSuccess ? message.Fault! : await Side.ValidateAsync(message.Value, new ResponseExpectation(Hub, requestId, AllowUnsolicited: requestId is null),
            (id, _, _) => ValueTask.FromResult(usedAssertions.Add(id)), TestContext.Current.CancellationToken);
    }

    private static DateTimeOffset Year(int year) => new(year, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static SigningKey Make(RSA rsa)
    {
        var now = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        return new SigningKey(rsa, SigningKey.SelfSigned(rsa, "fitter.example", now, now.AddYears(3)));
    }
}
