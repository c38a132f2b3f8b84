namespace Commerce.Saml;

/// <summary>What a service provider that uses this library is called and where it listens.</summary>
public sealed record ServiceProviderSettings
{
    public required string EntityId { get; init; }

    /// <summary>HTTP-POST endpoint for responses; Destination and Recipient must equal it byte for byte.</summary>
    public required string AssertionConsumerServiceUrl { get; init; }

    /// <summary>Signs requests and metadata says so; null sends them unsigned.</summary>
    public SigningKey? SigningKey { get; init; }

    /// <summary>Where the hub sends customers so that we start the sign-in; published in metadata.</summary>
    public string? RequestInitiatorUrl { get; init; }

    /// <summary>Name by language tag.</summary>
    public IReadOnlyDictionary<string, string> DisplayNames { get; init; } = new Dictionary<string, string>();

    /// <summary>Attributes asked for in metadata.</summary>
    public IReadOnlyList<RequestedAttribute> RequestedAttributes { get; init; } = [];

    public TimeSpan ClockSkew { get; init; } = TimeSpan.FromMinutes(3);
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
public sealed class ServiceProviderSide(ServiceProviderSettings settings, TimeProvider clock)
{
    public ServiceProviderSettings Settings { get; } = settings;

    internal TimeProvider Clock { get; } = clock;

    /// <summary>A request by HTTP-Redirect, signed where there is a key.</summary>
    /// <returns>A fault where the identity provider offers no HTTP-Redirect or a value cannot be carried.</returns>
    public SamlResult<OutgoingAuthnRequest> CreateAuthnRequest(RemoteIdentityProvider identityProvider, AuthnRequestOptions options) => throw new NotSupportedException();

    /// <summary>Checks a response, SAML Profiles 4.1.4.3, and consumes the assertion's id.</summary>
    /// <param name="message">From <see cref="PostBinding"/>.</param>
    /// <param name="expected">What it must match.</param>
    /// <param name="consume">Called last, once.</param>
    /// <param name="stop">Cancellation.</param>
    public Task<SamlResult<ValidatedAssertion>> ValidateAsync(
        ReceivedMessage message, ResponseExpectation expected, ConsumeAssertionId consume, CancellationToken stop = default) => throw new NotSupportedException();

    /// <summary>Our metadata, SAML Metadata 2.4.4.</summary>
    public byte[] WriteMetadata() => throw new NotSupportedException();
}

/// <summary>Reads an identity provider's metadata: a document with one EntityDescriptor, or an aggregate and the entity id to take.</summary>
public static class IdpMetadataReader
{
    /// <param name="document">UTF-8 XML. Its signature is not verified here: fetch it over a channel you trust.</param>
    /// <param name="entityId">Which entity; null where the document holds one.</param>
    /// <param name="requireHttps">Refuse single sign-on addresses on plain http; off only in development.</param>
    /// <param name="clock">The time.</param>
    public static SamlResult<RemoteIdentityProvider> Read(Stream document, string? entityId, bool requireHttps, TimeProvider clock) => throw new NotSupportedException();
}
