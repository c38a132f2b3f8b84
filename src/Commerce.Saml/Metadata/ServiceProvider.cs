namespace Commerce.Saml;

/// <summary>A service provider as its metadata describes it. Plain data: it survives System.Text.Json and can be stored as such.</summary>
/// <remarks>SAML Metadata 2.3.2 and 2.4.4.</remarks>
public sealed record ServiceProvider
{
    public required string EntityId { get; init; }

    /// <summary>At least one with HTTP-POST. Order as in the metadata.</summary>
    public required IReadOnlyList<AssertionConsumerService> AssertionConsumerServices { get; init; }

    /// <summary>Each is tried. Weak or unreadable ones were left out, with a line in <see cref="Warnings"/>.</summary>
    public IReadOnlyList<TrustedKey> SigningKeys { get; init; } = [];

    /// <summary>Those for encryption alone come first.</summary>
    public IReadOnlyList<TrustedKey> EncryptionKeys { get; init; } = [];

    /// <summary>It publishes a key for encryption alone, or says which AES-GCM it reads. A key without use may be there for signatures only.</summary>
    public bool WantsEncryption { get; init; }

    /// <summary>Algorithms of its encryption keys' EncryptionMethod elements, as URIs; empty where it lists none.</summary>
    public IReadOnlyList<string> EncryptionMethods { get; init; } = [];

    /// <summary>Signature algorithms it verifies, as URIs (SAML Metadata Extension for Algorithm Support 1.0); empty where it lists none.</summary>
    public IReadOnlyList<string> SigningMethods { get; init; } = [];

    /// <summary>Its requests must be signed: an unsigned one is refused (S02).</summary>
    public bool AuthnRequestsSigned { get; init; }

    public bool WantAssertionsSigned { get; init; }

    public IReadOnlyList<string> NameIdFormats { get; init; } = [];

    public IReadOnlyList<AttributeConsumingService> AttributeConsumingServices { get; init; } = [];

    /// <summary>Single logout endpoints.</summary>
    public IReadOnlyList<SamlEndpoint> SingleLogoutServices { get; init; } = [];

    /// <summary>Where a customer is sent so that the service provider starts the sign-in itself (Service Provider Request Initiation Protocol 1.0); null if unknown.</summary>
    public string? RequestInitiatorUrl { get; init; }

    /// <summary>Name by language tag ("en", "fi", …): mdui:DisplayName, else the attribute consuming service's or organisation's.</summary>
    public IReadOnlyDictionary<string, string> DisplayNames { get; init; } = new Dictionary<string, string>();

    public IReadOnlyDictionary<string, string> Descriptions { get; init; } = new Dictionary<string, string>();

    public IReadOnlyDictionary<string, string> PrivacyStatementUrls { get; init; } = new Dictionary<string, string>();

    public string? LogoUrl { get; init; }

    /// <summary>Entity attributes (categories, subject-id:req …): values by attribute name.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> EntityAttributes { get; init; } = new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>The earliest validUntil of the document, the entity and the role; after it the record must not be used.</summary>
    public DateTimeOffset? ValidUntil { get; init; }

    /// <summary>What an operator should know: keys left out and why, oddities tolerated. English sentences.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>The endpoint used when a request names none: the one marked default, else the first not marked otherwise, else the first (SAML Metadata 2.2.3).</summary>
    public AssertionConsumerService? DefaultAssertionConsumerService()
    {
        var post = AssertionConsumerServices.Where(acs => acs.Binding == SamlBindings.HttpPost).ToList();
        return post.Find(acs => acs.IsDefault == true) ?? post.Find(acs => acs.IsDefault is null) ?? post.FirstOrDefault();
    }

    public bool Equals(ServiceProvider? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => EntityId.GetHashCode(StringComparison.Ordinal);
}

/// <param name="Index">Unique within the role.</param>
/// <param name="Binding">One of <see cref="SamlBindings"/>; only HTTP-POST is answered.</param>
/// <param name="Location">Compared by ordinal equality, never as a Uri.</param>
/// <param name="IsDefault">As written; null where the metadata says nothing.</param>
public sealed record AssertionConsumerService(int Index, string Binding, string Location, bool? IsDefault = null);

/// <param name="ResponseLocation">Where responses go if elsewhere.</param>
public sealed record SamlEndpoint(string Binding, string Location, string? ResponseLocation = null);

public sealed record AttributeConsumingService(
    int Index, bool? IsDefault, IReadOnlyDictionary<string, string> ServiceNames, IReadOnlyList<RequestedAttribute> RequestedAttributes);

public sealed record RequestedAttribute(string Name, string? FriendlyName, bool IsRequired);
