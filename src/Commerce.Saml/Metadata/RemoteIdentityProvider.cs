namespace Commerce.Saml;

/// <summary>An identity provider as its metadata describes it, for the service provider side. Survives System.Text.Json.</summary>
public sealed record RemoteIdentityProvider
{
    public required string EntityId { get; init; }

    public required IReadOnlyList<SamlEndpoint> SingleSignOnServices { get; init; }

    /// <summary>At least one: an identity provider that signs nothing cannot be used (X10).</summary>
    public required IReadOnlyList<TrustedKey> SigningKeys { get; init; }

    public IReadOnlyList<SamlEndpoint> SingleLogoutServices { get; init; } = [];

    public bool WantAuthnRequestsSigned { get; init; }

    public IReadOnlyDictionary<string, string> DisplayNames { get; init; } = new Dictionary<string, string>();

    public DateTimeOffset? ValidUntil { get; init; }

    /// <summary>The address of one binding; null where it is not offered.</summary>
    public string? SingleSignOnUrl(string binding) => SingleSignOnServices.FirstOrDefault(sso => sso.Binding == binding)?.Location;
}
