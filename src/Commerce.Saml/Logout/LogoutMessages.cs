namespace Commerce.Saml;

/// <summary>Our own side of single logout: identity provider or service provider, the protocol is the same.</summary>
public sealed record SingleLogoutSettings
{
    public required string EntityId { get; init; }

    /// <summary>Our address by binding (<see cref="SamlBindings"/>); the Destination of what arrives is compared with it by ordinal equality.</summary>
    public required IReadOnlyDictionary<string, string> Addresses { get; init; }

    public required SigningKey SigningKey { get; init; }

    /// <summary>Keys beside <see cref="SigningKey"/>, for peers whose metadata lists no algorithm of that key.</summary>
    public IReadOnlyList<SigningKey> OtherSigningKeys { get; init; } = [];

    /// <summary>For an EncryptedID; each is tried: the current one and, in a roll-over, its neighbours.</summary>
    public IReadOnlyList<DecryptionKey> DecryptionKeys { get; init; } = [];

    public TimeSpan ClockSkew { get; init; } = TimeSpan.FromMinutes(3);
}

/// <summary>The other side, as its metadata describes it.</summary>
/// <param name="SigningKeys">Pinned. Without one nothing that it sends is taken.</param>
/// <param name="Endpoints">Its SingleLogoutService endpoints.</param>
public sealed record LogoutPeer(string EntityId, IReadOnlyList<TrustedKey> SigningKeys, IReadOnlyList<SamlEndpoint> Endpoints, DateTimeOffset? ValidUntil)
{
    /// <summary>The signature algorithms that its metadata lists; empty where it lists none.</summary>
    public IReadOnlyList<string> SigningMethods { get; init; } = [];

    public static LogoutPeer Of(ServiceProvider sp) => new(sp.EntityId, sp.SigningKeys, sp.SingleLogoutServices, sp.ValidUntil) { SigningMethods = sp.SigningMethods };

    public static LogoutPeer Of(RemoteIdentityProvider idp) => new(idp.EntityId, idp.SigningKeys, idp.SingleLogoutServices, idp.ValidUntil);

    /// <summary>The endpoint of a binding; null where there is none.</summary>
    public SamlEndpoint? Endpoint(string binding) => Endpoints.FirstOrDefault(endpoint => endpoint.Binding == binding);
}

/// <summary>A LogoutRequest or LogoutResponse that the gate let through. Nothing in it is checked yet: it only says who claims to have sent it.</summary>
public sealed class LogoutMessage
{
    internal LogoutMessage(ReceivedMessage received, ParsedMessage parsed, string issuer) => (Received, Parsed, Issuer) = (received, parsed, issuer);

    /// <summary>Entity id of the claimed sender. Unproven.</summary>
    public string Issuer { get; }

    public bool IsRequest => Received.IsRequest;

    /// <summary>As it came; unproven.</summary>
    public string? RelayState => Received.RelayState;

    internal ReceivedMessage Received { get; }

    internal ParsedMessage Parsed { get; }
}

/// <summary>A LogoutRequest whose sender, signature, times and destination were checked. Whether it means a session is the caller's to find out.</summary>
public sealed record ValidatedLogoutRequest
{
    internal ValidatedLogoutRequest()
    {
    }

    /// <summary>To be used once; unique per sender.</summary>
    public required string Id { get; init; }

    /// <summary>After it the request would be refused by its age.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    public required string Issuer { get; init; }
    public required NameId Name { get; init; }

    /// <summary>At most 16; empty means every session of the customer with the sender (Core 3.7.3.2).</summary>
    public required IReadOnlyList<string> SessionIndexes { get; init; }
    public required string Binding { get; init; }
    public string? RelayState { get; init; }

    /// <summary>The sender wants no answer (Asynchronous Single Logout Profile Extension 1.0).</summary>
    public bool IsAsynchronous { get; init; }
}

/// <summary>A LogoutResponse to a request of ours.</summary>
/// <param name="Status">As the sender says it.</param>
public sealed record ValidatedLogoutResponse(string Issuer, SamlStatus Status, string? RelayState)
{
    /// <summary>The sender ended its session, and knows of nobody who did not.</summary>
    public bool IsComplete => Status is { Code: StatusCodes.Success, SubCode: null };
}

/// <summary>A logout message ready to go.</summary>
/// <param name="Binding">Which of the following is set.</param>
/// <param name="Url">HTTP-Redirect: the whole address.</param>
/// <param name="Form">HTTP-POST.</param>
/// <param name="Envelope">SOAP.</param>
/// <param name="Address">Where to.</param>
public sealed record OutgoingLogout(string Id, string Binding, string Address, string? Url, PostForm? Form, ReadOnlyMemory<byte> Envelope);
