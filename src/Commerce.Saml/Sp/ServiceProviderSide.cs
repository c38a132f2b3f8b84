namespace Commerce.Saml;

/// <summary>What a service provider that uses this library is called and where it listens.</summary>
public sealed record ServiceProviderSettings
{
    public required string EntityId { get; init; }

    /// <summary>HTTP-POST endpoint for responses; Destination and Recipient must equal it byte for byte.</summary>
    public required string AssertionConsumerServiceUrl { get; init; }

    /// <summary>Signs requests and metadata says so; null sends them unsigned.</summary>
    public SigningKey? SigningKey { get; init; }

    /// <summary>Published for encryption, the first one first; each is tried on what arrives. Empty: assertions come signed and not encrypted.</summary>
    public IReadOnlyList<DecryptionKey> DecryptionKeys { get; init; } = [];

    /// <summary>Where the hub sends customers so that we start the sign-in; published in metadata.</summary>
    public string? RequestInitiatorUrl { get; init; }

    /// <summary>Single logout by HTTP-Redirect and HTTP-POST; null: not offered.</summary>
    public string? SingleLogoutUrl { get; init; }

    /// <summary>Single logout by SOAP; null: not offered.</summary>
    public string? SingleLogoutSoapUrl { get; init; }

    /// <summary>Name by language tag.</summary>
    public IReadOnlyDictionary<string, string> DisplayNames { get; init; } = new Dictionary<string, string>();

    /// <summary>Attributes asked for in metadata.</summary>
    public IReadOnlyList<RequestedAttribute> RequestedAttributes { get; init; } = [];

    /// <summary>How far the identity provider's clock may be off, either way (S35).</summary>
    public TimeSpan ClockSkew { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>How old a response may be beyond the skew.</summary>
    public TimeSpan MaxResponseAge { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How far ahead a subject confirmation may end: ids have to be remembered that long (X18).</summary>
    public TimeSpan MaxConfirmationLifetime { get; init; } = TimeSpan.FromMinutes(15);
}

public sealed record AuthnRequestOptions
{
    public bool ForceAuthn { get; init; }

    public bool IsPassive { get; init; }

    public string? RelayState { get; init; }

    /// <summary>The hub's one-time ticket, carried in Extensions.</summary>
    public string? HopTicket { get; init; }

    /// <summary>Exact authentication context classes; empty asks for none.</summary>
    public IReadOnlyList<string> ContextClasses { get; init; } = [];

    public string? NameIdFormat { get; init; } = NameIdFormats.Persistent;

    public bool AllowCreate { get; init; } = true;
}

/// <summary>A request ready to go. Remember the id in the browser's session: the response must name it.</summary>
/// <param name="Id">ID of the AuthnRequest.</param>
/// <param name="Url">For HTTP-Redirect: the whole address.</param>
public sealed record OutgoingAuthnRequest(string Id, string Url);

/// <summary>What one response must match.</summary>
/// <param name="IdentityProvider">Whose keys are pinned and whose entity id must be the Issuer.</param>
/// <param name="RequestId">The id of the request this browser sent; null if it sent none.</param>
/// <param name="AllowUnsolicited">Accept a response without InResponseTo when <paramref name="RequestId"/> is null.</param>
public sealed record ResponseExpectation(RemoteIdentityProvider IdentityProvider, string? RequestId, bool AllowUnsolicited = false);

/// <summary>An assertion that passed every check. Only values under a verified signature are in it.</summary>
public sealed record ValidatedAssertion
{
    internal ValidatedAssertion()
    {
    }

    public required string Id { get; init; }

    public required string Issuer { get; init; }

    public required NameId Name { get; init; }

    public required DateTimeOffset AuthnInstant { get; init; }

    public required string ContextClass { get; init; }

    public string? SessionIndex { get; init; }

    public DateTimeOffset? SessionNotOnOrAfter { get; init; }

    /// <summary>Of the subject confirmation: after it (and the skew) the assertion is dead.</summary>
    public required DateTimeOffset NotOnOrAfter { get; init; }

    /// <summary>Null: unsolicited.</summary>
    public string? InResponseTo { get; init; }

    /// <summary>In document order; a name occurs once.</summary>
    public required IReadOnlyList<SamlAttribute> Attributes { get; init; }

    public string? RelayState { get; init; }

    /// <summary>The values of an attribute; empty where it was not sent.</summary>
    public IReadOnlyList<string> Values(string attributeName) => Attributes.FirstOrDefault(a => a.Name == attributeName)?.Values ?? [];
}

/// <summary>Remembers an assertion id. Called last, after every other check passed.</summary>
/// <param name="assertionId">To be remembered until <paramref name="until"/>.</param>
/// <param name="until">After it the assertion would be refused by its age.</param>
/// <param name="stop">Cancellation.</param>
/// <returns>True exactly once per id, also when asked at the same time.</returns>
public delegate ValueTask<bool> ConsumeAssertionId(string assertionId, DateTimeOffset until, CancellationToken stop);

/// <summary>The service provider's side of the Web Browser SSO Profile, SAML Profiles 4.1. Safe for concurrent use.</summary>
/// <param name="settings">Fixed for the lifetime of this instance.</param>
/// <param name="clock">The time.</param>
public sealed class ServiceProviderSide(ServiceProviderSettings settings, TimeProvider clock)
{
    public ServiceProviderSettings Settings { get; } = settings;

    /// <summary>Where identifiers come from; a test can fix it.</summary>
    internal Func<string> NewId { get; init; } = SamlId.New;

    /// <summary>A request by HTTP-Redirect, signed where there is a key.</summary>
    /// <returns>A fault where the identity provider offers no HTTP-Redirect or a value cannot be carried.</returns>
    public SamlResult<OutgoingAuthnRequest> CreateAuthnRequest(RemoteIdentityProvider identityProvider, AuthnRequestOptions options)
    {
        if (identityProvider.SingleSignOnUrl(SamlBindings.HttpRedirect) is not { } url)
            return new SamlFault(FaultCodes.MetadataInvalid, "The identity provider offers no single sign-on by HTTP-Redirect.");
        if (options.HopTicket is { } ticket && !HopTicket.IsWellFormed(ticket))
            return new SamlFault(FaultCodes.ValueInvalid, "The hop ticket is not 1 to 128 URL-safe characters.");
        var id = NewId();
        using var xml = new Utf8XmlWriter(2048);
        AuthnRequestWriter.Write(xml, Settings, options, id, url, clock.GetUtcNow());
        return xml.SawIllegal
            ? new SamlFault(FaultCodes.ValueInvalid, "A value holds a character that XML cannot carry.")
            : new OutgoingAuthnRequest(id, RedirectBinding.Write(url, isRequest: true, xml.Written, options.RelayState, Settings.SigningKey));
    }

    /// <summary>Checks a response, SAML Profiles 4.1.4.3, and consumes the assertion's id.</summary>
    /// <param name="message">From <see cref="PostBinding"/>.</param>
    /// <param name="expected">What it must match.</param>
    /// <param name="consume">Called last, once; what it throws is the caller's to handle.</param>
    /// <param name="stop">Cancellation.</param>
    public async Task<SamlResult<ValidatedAssertion>> ValidateAsync(
        ReceivedMessage message, ResponseExpectation expected, ConsumeAssertionId consume, CancellationToken stop = default)
    {
        if (!new ResponseValidation(Settings, expected, message, clock.GetUtcNow()).Run().TryGet(out var assertion, out var fault)) return fault;
        return await consume(assertion.Id, assertion.NotOnOrAfter + Settings.ClockSkew, stop)
            ? assertion
            : new SamlFault(FaultCodes.Replayed, $"Assertion {assertion.Id} was used before.");
    }

    /// <summary>Our metadata, SAML Metadata 2.4.4.</summary>
    /// <returns>UTF-8 XML; media type application/samlmetadata+xml.</returns>
    public byte[] WriteMetadata() => SpMetadataWriter.Write(Settings);
}
