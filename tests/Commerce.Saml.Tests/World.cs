using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;

namespace Commerce.Saml.Tests;

/// <summary>A clock that stands still until it is told to move.</summary>
internal sealed class FixedClock : TimeProvider
{
    public DateTimeOffset Now { get; set; } = new(2026, 3, 2, 9, 30, 0, TimeSpan.Zero);

    public override DateTimeOffset GetUtcNow() => Now;
}

/// <summary>One identity provider and one service provider that know each other's keys, as in production.</summary>
internal sealed class World
{
    public const string IdpId = "https://id.retailer.example/saml/metadata";
    public const string SsoUrl = "https://id.retailer.example/saml/sso";
    public const string SpId = "https://fitter.example/saml/metadata";
    public const string AcsUrl = "https://fitter.example/saml/acs";

    public World(SigningKey? idpKey = null, SigningKey? spKey = null, Func<IdentityProviderSettings, IdentityProviderSettings>? idp = null,
        Func<ServiceProvider, ServiceProvider>? sp = null)
    {
        IdpKey = idpKey ?? Keys.Idp;
        SpKey = spKey ?? Keys.Sp;
        var settings = new IdentityProviderSettings
        {
            EntityId = IdpId,
            SsoRedirectUrl = SsoUrl,
            SsoPostUrl = SsoUrl,
            SigningKey = IdpKey,
            ContextClasses = [AuthnContextClasses.PasswordProtectedTransport, AuthnContextClasses.RefedsMfa],
        };
        Idp = new IdentityProvider(idp?.Invoke(settings) ?? settings, Clock);
        SpSide = new ServiceProviderSide(new ServiceProviderSettings { EntityId = SpId, AssertionConsumerServiceUrl = AcsUrl, SigningKey = SpKey }, Clock);
        var record = new ServiceProvider
        {
            EntityId = SpId,
            AssertionConsumerServices =
            [
                new(0, SamlBindings.HttpPost, AcsUrl, true), new(1, SamlBindings.HttpPost, "https://fitter.example/saml/acs2"),
                new(2, SamlBindings.HttpArtifact, "https://fitter.example/saml/artifact"),
            ],
            SigningKeys = [TrustedKey.Of(SpKey)],
            AuthnRequestsSigned = true,
        };
        Sp = sp?.Invoke(record) ?? record;
        RemoteIdp = new RemoteIdentityProvider
        {
            EntityId = IdpId,
            SingleSignOnServices = [new(SamlBindings.HttpRedirect, SsoUrl), new(SamlBindings.HttpPost, SsoUrl)],
            SigningKeys = [TrustedKey.Of(IdpKey)],
        };
    }

    public FixedClock Clock { get; } = new();

    public SigningKey IdpKey { get; }

    public SigningKey SpKey { get; }

    public IdentityProvider Idp { get; }

    public ServiceProvider Sp { get; }

    public ServiceProviderSide SpSide { get; }

    public RemoteIdentityProvider RemoteIdp { get; set; }

    public HashSet<string> UsedIds { get; } = [];

    public static AssertionContent Content(params SamlAttribute[] attributes) => new(
        NameId.Persistent("p-4b1d9c", IdpId, SpId), new DateTimeOffset(2026, 3, 2, 9, 12, 0, TimeSpan.Zero),
        AuthnContextClasses.PasswordProtectedTransport, "s-1", attributes.Length > 0 ? attributes : Winter);

    public static readonly SamlAttribute[] Winter =
    [
        ClaimNames.ToAttribute("given_name", JsonSerializer.SerializeToElement("Aino")),
        ClaimNames.ToAttribute("email", JsonSerializer.SerializeToElement("aino@example.fi")),
        ClaimNames.ToAttribute("email_verified", JsonSerializer.SerializeToElement(true)),
        ClaimNames.ToAttribute("vehicle", JsonSerializer.SerializeToElement(new { registration = "ABC-123", tire_size = "205/55R16 \"winter\" <4>" })),
    ];

    /// <summary>A validated request, made by the service provider side and taken by the identity provider.</summary>
    public ValidatedAuthnRequest Request(AuthnRequestOptions? options = null)
    {
        var outgoing = SpSide.CreateAuthnRequest(RemoteIdp, options ?? new AuthnRequestOptions { RelayState = "rs-1" }).Value;
        return Redirect(outgoing.Url[(outgoing.Url.IndexOf('?', StringComparison.Ordinal) + 1)..]).Value;
    }

    public SamlResult<ValidatedAuthnRequest> Redirect(string rawQuery) => RedirectBinding.Read(rawQuery).Then(Validate);

    public SamlResult<ValidatedAuthnRequest> Post(string xml, string? relayState = null) =>
        PostBinding.Read(Convert.ToBase64String(Encoding.UTF8.GetBytes(xml)), isRequest: true, relayState).Then(Validate);

    public SamlResult<ValidatedAuthnRequest> Validate(ReceivedMessage message) =>
        Idp.Read(message).Then(read => Idp.Validate(read, Sp));

    public string RespondXml(ValidatedAuthnRequest request, params SamlAttribute[] attributes) =>
        Encoding.UTF8.GetString(Idp.Respond(request, Content(attributes)).Value.Xml.Span);

    /// <summary>What the service provider makes of a response; ids are remembered in <see cref="UsedIds"/>.</summary>
    public SamlResult<ValidatedAssertion> Consume(string xml, string? requestId, bool allowUnsolicited = false, string? relayState = null) =>
        PostBinding.Read(Convert.ToBase64String(Encoding.UTF8.GetBytes(xml)), isRequest: false, relayState).Then(message => Consume(message, requestId, allowUnsolicited));

    public SamlResult<ValidatedAssertion> Consume(ReceivedMessage message, string? requestId, bool allowUnsolicited = false) =>
        SpSide.ValidateAsync(message, new ResponseExpectation(RemoteIdp, requestId, allowUnsolicited), (id, _, _) => ValueTask.FromResult(UsedIds.Add(id)))
            .GetAwaiter().GetResult();
}

/// <summary>Keys are costly to make, so the tests share them.</summary>
internal static class Keys
{
    public static readonly SigningKey Idp = Rsa(2048);
    public static readonly SigningKey Sp = Rsa(2048);
    public static readonly SigningKey Stranger = Rsa(2048);

    public static SigningKey Rsa(int bits, SignatureAlgorithm algorithm = SignatureAlgorithm.RsaSha256)
    {
        var rsa = RSA.Create(bits);
        return new SigningKey(rsa, Certificate(rsa), algorithm);
    }

    public static SigningKey Ecdsa(ECCurve curve, SignatureAlgorithm algorithm = SignatureAlgorithm.EcdsaSha256)
    {
        var ecdsa = ECDsa.Create(curve);
        return new SigningKey(ecdsa, Certificate(ecdsa), algorithm);
    }

    public static X509Certificate2 Certificate(AsymmetricAlgorithm key, int fromYear = 2026) => SigningKey.SelfSigned(
        key, "id.retailer.example", new DateTimeOffset(fromYear, 1, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(fromYear + 3, 1, 1, 0, 0, 0, TimeSpan.Zero));
}
