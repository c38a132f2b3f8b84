namespace Commerce.Saml;

/// <summary>What our metadata says beside endpoints and keys.</summary>
public sealed record IdentityProviderDescription
{
    /// <summary>Name by language tag, for mdui:DisplayName.</summary>
    public IReadOnlyDictionary<string, string> DisplayNames { get; init; } = new Dictionary<string, string>();

    public IReadOnlyDictionary<string, string> Descriptions { get; init; } = new Dictionary<string, string>();

    public IReadOnlyDictionary<string, string> InformationUrls { get; init; } = new Dictionary<string, string>();

    public IReadOnlyDictionary<string, string> PrivacyStatementUrls { get; init; } = new Dictionary<string, string>();

    /// <summary>Certificates that will sign later, published ahead so that service providers know them in time; DER in Base64.</summary>
    public IReadOnlyList<string> NextCertificates { get; init; } = [];

    /// <summary>Keys to which a service provider may encrypt a name, DER in Base64.</summary>
    public IReadOnlyList<string> EncryptionCertificates { get; init; } = [];

    /// <summary>Organisation name by language; empty leaves the element out.</summary>
    public IReadOnlyDictionary<string, string> OrganizationNames { get; init; } = new Dictionary<string, string>();

    public string? OrganizationUrl { get; init; }

    /// <summary>Entity attributes such as supported entity categories: values by attribute name (Metadata Extension for Entity Attributes 1.0).</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> EntityAttributes { get; init; } = new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>Support contact, an e-mail address without mailto; null leaves it out.</summary>
    public string? SupportContact { get; init; }

    /// <summary>Technical contact, an e-mail address without mailto; null leaves it out.</summary>
    public string? TechnicalContact { get; init; }

    /// <summary>Where a service provider may send a customer in trouble.</summary>
    public string? ErrorUrl { get; init; }

    public IReadOnlyList<SamlEndpoint> SingleLogoutServices { get; init; } = [];

    public IReadOnlyList<SamlEndpoint> ArtifactResolutionServices { get; init; } = [];

    /// <summary>Domains that stand behind the at sign of the identifiers we give (shibmd:Scope); empty leaves the element out.</summary>
    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>How long from now the document stands; null leaves validUntil out.</summary>
    public TimeSpan? ValidFor { get; init; }

    /// <summary>How long a reader may keep its copy before it looks again.</summary>
    public TimeSpan? CacheDuration { get; init; }

    /// <summary>Signs the document; null leaves it unsigned.</summary>
    public SigningKey? MetadataSigningKey { get; init; }
}
