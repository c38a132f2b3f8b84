namespace Commerce.Saml;

/// <summary>An AuthnRequest that the gate let through. Nothing in it is checked yet: it only says who claims to ask, so that the record can be looked up.</summary>
/// <remarks>SAML Core 3.4.1. <see cref="IdentityProvider.Validate"/> makes the checked type of it.</remarks>
public sealed class AuthnRequest
{
    internal AuthnRequest(ReceivedMessage message, ParsedMessage parsed, string issuer)
    {
        Message = message;
        Parsed = parsed;
        Issuer = issuer;
    }

    /// <summary>Entity id of the service provider that claims to have sent it. Unproven.</summary>
    public string Issuer { get; }

    internal ReceivedMessage Message { get; }

    internal ParsedMessage Parsed { get; }
}

/// <summary>An AuthnRequest whose sender, signature, times and addresses were checked against the service provider's record.</summary>
public sealed record ValidatedAuthnRequest
{
    internal ValidatedAuthnRequest()
    {
    }

    /// <summary>The request's ID, to be answered once at most (S10); unique per service provider.</summary>
    public required string Id { get; init; }

    public required ServiceProvider ServiceProvider { get; init; }

    /// <summary>Where the answer goes: one of the service provider's registered endpoints, with HTTP-POST or (where that is offered) HTTP-Artifact.</summary>
    public required AssertionConsumerService AssertionConsumerService { get; init; }

    public required DateTimeOffset IssueInstant { get; init; }

    /// <summary>After this moment the request would be refused by its age; an id need not be remembered longer.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>A signature was there and is right. An invalid one never gets this far.</summary>
    public required bool IsSigned { get; init; }

    public bool ForceAuthn { get; init; }

    public bool IsPassive { get; init; }

    /// <summary>The name identifier format asked for; null or unspecified leaves the choice to us.</summary>
    public string? NameIdFormat { get; init; }

    /// <summary>False: no new pair of customer and service provider may be made for this request (S14).</summary>
    public bool AllowCreate { get; init; }

    /// <summary>Authentication context classes that would do, strongest wish first, already matched with what we can do. Empty: any.</summary>
    public IReadOnlyList<string> AcceptableContexts { get; init; } = [];

    /// <summary>The customer the service provider insists on (saml:Subject); null for any.</summary>
    public NameId? Subject { get; init; }

    /// <summary>Attributes of the attribute consuming service asked for or default; empty where metadata names none.</summary>
    public IReadOnlyList<RequestedAttribute> RequestedAttributes { get; init; } = [];

    /// <summary>A readable name the sender gives itself. For display, escaped; at most 256 characters.</summary>
    public string? ProviderName { get; init; }

    public string? RelayState { get; init; }

    /// <summary>The ticket of a hop that the hub itself began, from Extensions; 1 to 128 characters of the URL-safe Base64 alphabet.</summary>
    public string? HopTicket { get; init; }

    /// <summary>Set where the request is in order but cannot be granted by anyone (unknown NameID format, unattainable context):
    /// answer with this status and show nothing.</summary>
    public SamlStatus? MustAnswer { get; init; }

    /// <summary>What to do next, given who is signed in. Rows S11 to S15.</summary>
    public SignInStep Next(SignInState? session)
    {
        if (MustAnswer is { } status) return SignInStep.Answer(status);
        var challenge = IsPassive ? SignInStep.Answer(SamlStatus.NoPassive) : SignInStep.Challenge;
        if (session is null) return challenge;
        if (ForceAuthn && !session.AuthenticatedForThisRequest) return challenge;
        if (AcceptableContexts.Count > 0 && !AcceptableContexts.Contains(session.ContextClass, StringComparer.Ordinal))
            return session.AuthenticatedForThisRequest ? SignInStep.Answer(SamlStatus.NoAuthnContext) : challenge;
        if (Subject is { } wanted && (session.NameAtServiceProvider is not { } known || !Same(wanted, known)))
            return SignInStep.Answer(SamlStatus.UnknownPrincipal);
        return !AllowCreate && session.NameAtServiceProvider is null ? SignInStep.Answer(SamlStatus.InvalidNameIdPolicy) : SignInStep.Proceed;
    }

    private static bool Same(NameId wanted, NameId known) =>
        wanted.Value == known.Value
        && (wanted.Format is NameIdFormats.Unspecified || wanted.Format == known.Format)
        && (wanted.NameQualifier ?? known.NameQualifier) == known.NameQualifier
        && (wanted.SpNameQualifier ?? known.SpNameQualifier) == known.SpNameQualifier;
}

/// <summary>The customer's session as far as an AuthnRequest cares.</summary>
/// <param name="ContextClass">How the customer signed in; one of the classes given to <see cref="IdentityProviderSettings.ContextClasses"/>.</param>
/// <param name="AuthenticatedForThisRequest">The credential was given after this request arrived: what ForceAuthn asks for (S11).</param>
/// <param name="NameAtServiceProvider">
/// The name under which the service provider already knows this customer; null for a new pair. Looked at only where the request names a subject
/// or does not allow a new pair.
/// </param>
public sealed record SignInState(string ContextClass, bool AuthenticatedForThisRequest, NameId? NameAtServiceProvider);

/// <summary>Exactly one of: go on, ask for a credential, answer with a status.</summary>
public sealed record SignInStep
{
    public static readonly SignInStep Proceed = new();
    public static readonly SignInStep Challenge = new() { NeedsChallenge = true };

    private SignInStep()
    {
    }

    public bool NeedsChallenge { get; private init; }

    public SamlStatus? Status { get; private init; }

    public static SignInStep Answer(SamlStatus status) => new() { Status = status };
}
