using System.Diagnostics.CodeAnalysis;

namespace Commerce.Saml;

/// <summary>What our identity provider is called, where it listens and with what it signs.</summary>
public sealed record IdentityProviderSettings
{
    public required string EntityId { get; init; }

    /// <summary>Address for requests by HTTP-Redirect; the Destination of such a request is compared with it by ordinal equality.</summary>
    public required string SsoRedirectUrl { get; init; }

    /// <summary>Address for requests by HTTP-POST; may be the same.</summary>
    public required string SsoPostUrl { get; init; }

    public required SigningKey SigningKey { get; init; }

    /// <summary>Authentication context classes we can truthfully state, weakest first: the ladder that Comparison climbs.</summary>
    public IReadOnlyList<string> ContextClasses { get; init; } = [AuthnContextClasses.PasswordProtectedTransport];

    /// <summary>Name identifier formats we issue.</summary>
    public IReadOnlyList<string> NameIdFormats { get; init; } = [Saml.NameIdFormats.Persistent];

    /// <summary>Responses may go by HTTP-Artifact too: the caller keeps them and has an artifact resolution service.</summary>
    public bool OffersArtifacts { get; init; }

    /// <summary>Sign the assertion also where the service provider does not ask for it.</summary>
    public bool SignAssertions { get; init; } = true;

    public bool SignResponses { get; init; } = true;

    /// <summary>Keys beside <see cref="SigningKey"/>, such as an elliptic-curve one, for service providers whose metadata lists no algorithm of that key. Metadata publishes them too.</summary>
    public IReadOnlyList<SigningKey> OtherSigningKeys { get; init; } = [];

    /// <summary>Encrypt assertions to every service provider with an RSA encryption key, also where its metadata does not ask for it (S18).</summary>
    public bool EncryptAssertions { get; init; }

    /// <summary>From issuing to NotOnOrAfter, more than zero and at most 5 minutes (S20).</summary>
    public TimeSpan AssertionLifetime { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How far the other side's clock may be off, either way (S35).</summary>
    public TimeSpan ClockSkew { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>How old a request may be beyond the skew: time the browser may take between the service provider and us.</summary>
    public TimeSpan RequestLifetime { get; init; } = TimeSpan.Zero;
}

/// <summary>What a success response says about the customer.</summary>
/// <param name="Name">Who.</param>
/// <param name="AuthnInstant">When the credential was given.</param>
/// <param name="ContextClass">How; truthful.</param>
/// <param name="SessionIndex">Opaque; ties a later logout to this sign-in.</param>
/// <param name="Attributes">What is released; empty writes no AttributeStatement.</param>
/// <param name="SessionNotOnOrAfter">When the service provider should end its own session; null leaves it out.</param>
public sealed record AssertionContent(
    NameId Name, DateTimeOffset AuthnInstant, string ContextClass, string SessionIndex,
    IReadOnlyList<SamlAttribute> Attributes, DateTimeOffset? SessionNotOnOrAfter = null)
{
    public AssertionEncryptionWish Encryption { get; init; }

    /// <summary>The assertion is to have a signature of its own, whatever settings and metadata say.</summary>
    public bool IsSigned { get; init; }
}

/// <summary>A finished response.</summary>
/// <param name="Id">ID of the Response.</param>
/// <param name="AssertionId">ID of the Assertion; null in an error response.</param>
/// <param name="Xml">UTF-8, as it is posted.</param>
/// <param name="Target">The endpoint it is posted to, proven to be the service provider's.</param>
/// <param name="RelayState">Byte for byte as it came; null where none did.</param>
public sealed record SamlResponse(string Id, string? AssertionId, ReadOnlyMemory<byte> Xml, string Target, string? RelayState)
{
    /// <summary>What the browser posts, made at each call.</summary>
    public PostForm Form => PostBinding.Write(Target, isRequest: false, Xml.Span, RelayState);
}

/// <summary>The identity provider's side of the Web Browser SSO Profile, SAML Profiles 4.1. Safe for concurrent use.</summary>
public sealed class IdentityProvider
{
    private static readonly SamlFault NoWebAddress = new(FaultCodes.AcsInvalid, "The endpoint is no web address.");
    private readonly TimeProvider clock;
    private readonly SignerChoice signers;

    /// <param name="settings">Fixed for the lifetime of this instance; make another on key roll-over.</param>
    /// <param name="clock">The time.</param>
    /// <exception cref="ArgumentException">Assertions would live longer than 5 minutes or not at all.</exception>
    public IdentityProvider(IdentityProviderSettings settings, TimeProvider clock)
    {
        if (settings.AssertionLifetime <= TimeSpan.Zero || settings.AssertionLifetime > TimeSpan.FromMinutes(5))
            throw new ArgumentException("Assertions live more than 0 and at most 5 minutes.", nameof(settings));
        Settings = settings;
        this.clock = clock;
        signers = new SignerChoice(settings.SigningKey, settings.OtherSigningKeys);
    }

    public IdentityProviderSettings Settings { get; }

    /// <summary>Parses a request through the gate. Look the service provider up by <see cref="AuthnRequest.Issuer"/> and go on with <see cref="Validate"/>.</summary>
    [SuppressMessage("Performance", "CA1822", Justification = "Reading a request is this identity provider's doing, even if it needs no setting today.")]
    public SamlResult<AuthnRequest> Read(ReceivedMessage message)
    {
        if (!message.IsRequest) return XmlRead.Structure("A response where a request belongs.");
        if (!ParsedMessage.Read(message.Xml, "AuthnRequest").TryGet(out var parsed, out var fault)) return fault;
        if (parsed.Children.Count == 0) return new SamlFault(FaultCodes.IssuerInvalid, "There is no Issuer.");
        return MessageHeader.Issuer(parsed.Children[0]).TryGet(out var issuer, out fault) ? new AuthnRequest(message, parsed, issuer) : fault;
    }

    /// <summary>Checks everything a request can be checked for against its sender's record. A fault is answered with one generic error page
    /// and never sent anywhere (S04, S25).</summary>
    /// <param name="request">From <see cref="Read"/>.</param>
    /// <param name="serviceProvider">The enabled record whose entity id is the request's Issuer.</param>
    public SamlResult<ValidatedAuthnRequest> Validate(AuthnRequest request, ServiceProvider serviceProvider)
    {
        var now = clock.GetUtcNow();
        if (serviceProvider.EntityId != request.Issuer) return new SamlFault(FaultCodes.IssuerInvalid, "The record is another service provider's.");
        if (serviceProvider.ValidUntil <= now) return new SamlFault(FaultCodes.MetadataInvalid, "The service provider's metadata is no longer valid.");
        return new AuthnRequestValidation(Settings, serviceProvider, request.Parsed, request.Message).Run(now);
    }

    /// <summary>The success response to a request.</summary>
    /// <returns>A fault with <see cref="FaultCodes.ValueInvalid"/> when a value cannot be carried by XML.</returns>
    public SamlResult<SamlResponse> Respond(ValidatedAuthnRequest request, AssertionContent content) => Prepare(request, content).Then(Signed);

    /// <summary>The same up to the signature, for a caller that has something else to do meanwhile.</summary>
    /// <returns>A fault for everything that <see cref="Respond"/> refuses: what is prepared is only to be signed.</returns>
    public SamlResult<PreparedResponse> Prepare(ValidatedAuthnRequest request, AssertionContent content) =>
        request.MustAnswer is { } status
            ? new SamlFault(FaultCodes.ValueInvalid, $"This request can only be answered with {status.SubCode}.")
            : Prepare(request.ServiceProvider, request.AssertionConsumerService, request.Id, request.RelayState, content);

    /// <summary>A success response nobody asked for, SAML Profiles 4.1.5: no InResponseTo. Only for a hop whose one-time ticket the caller consumed.</summary>
    public SamlResult<SamlResponse> RespondUnsolicited(
        ServiceProvider serviceProvider, AssertionConsumerService assertionConsumerService, string? relayState, AssertionContent content) =>
        serviceProvider.ValidUntil <= clock.GetUtcNow() ? new SamlFault(FaultCodes.MetadataInvalid, "The service provider's metadata is no longer valid.")
        : serviceProvider.AssertionConsumerServices.Contains(assertionConsumerService) && assertionConsumerService.Binding == SamlBindings.HttpPost
            ? Prepare(serviceProvider, assertionConsumerService, inResponseTo: null, relayState, content).Then(Signed)
            : new SamlFault(FaultCodes.AcsInvalid, "The endpoint is not one of the service provider's with HTTP-POST.");

    /// <summary>A response without an assertion: the request was in order but is not granted.</summary>
    public SamlResult<SamlResponse> RespondError(ValidatedAuthnRequest request, SamlStatus status)
    {
        var writer = Writer(request.ServiceProvider, request.AssertionConsumerService, request.Id);
        var acs = request.AssertionConsumerService;
        if (!EndpointAddress.IsWeb(acs.Location, requireHttps: false)) return NoWebAddress;
        return writer.Error(status).Then<SamlResponse>(xml => new SamlResponse(writer.ResponseId, null, xml, acs.Location, request.RelayState));
    }

    /// <summary>The URI of the algorithm with which this service provider's responses are signed (RFC 6931).</summary>
    public string SignsWith(ServiceProvider serviceProvider) => signers.For(serviceProvider.SigningMethods).Algorithm.Uri();

    /// <summary>Our metadata, SAML Metadata 2.4.3.</summary>
    /// <returns>UTF-8 XML; media type application/samlmetadata+xml.</returns>
    public byte[] WriteMetadata(IdentityProviderDescription description) => IdpMetadataWriter.Write(Settings, description, clock.GetUtcNow(), NewId());

    /// <summary>Where identifiers come from; a golden-file test fixes it.</summary>
    internal Func<string> NewId { get; init; } = SamlId.New;

    private SamlResult<PreparedResponse> Prepare(ServiceProvider to, AssertionConsumerService acs, string? inResponseTo, string? relayState, AssertionContent content) =>
        EndpointAddress.IsWeb(acs.Location, requireHttps: false) ? Writer(to, acs, inResponseTo).Prepare(content, relayState)
        : NoWebAddress;

    private static SamlResult<SamlResponse> Signed(PreparedResponse prepared)
    {
        using (prepared) return prepared.Sign();
    }

    private ResponseWriter Writer(ServiceProvider to, AssertionConsumerService acs, string? inResponseTo) =>
        new(Settings, to, acs, inResponseTo, clock.GetUtcNow()) { Signer = signers.For(to.SigningMethods), ResponseId = NewId(), AssertionId = NewId() };
}
