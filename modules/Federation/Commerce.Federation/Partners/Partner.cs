namespace Commerce.Federation.Partners;

/// <summary>A business that receives signed-in customers.</summary>
internal sealed class Partner
{
    /// <summary>Lower case letters, digits and dashes; the data contract's <c>partner</c>.</summary>
    public required string Id { get; init; }
    public required string Name { get; set; }

    /// <summary>A partner that is switched off gets nothing: no sign-in, no hop, no userinfo, no booking.</summary>
    public bool IsActive { get; set; } = true;
    public DateTimeOffset AddedAt { get; init; }
}

/// <summary>One version of a partner's data contract, as it was given. Versions are kept: consents refer to them.</summary>
internal sealed class DataContractRow
{
    public required string Partner { get; init; }
    public required int Version { get; init; }
    public required string Json { get; init; }
    public DateTimeOffset AddedAt { get; init; }
}

internal enum Protocol
{
    Oidc = 0,
    Saml = 1,
}

/// <summary>A partner's technical registration as it is stored: one OIDC client or one SAML service provider. See <see cref="Connection"/>.</summary>
internal sealed class ConnectionRow
{
    /// <summary>Client id or SAML entity id.</summary>
    public required string Id { get; init; }
    public required string Partner { get; init; }
    public required Protocol Protocol { get; init; }
    public required string Name { get; set; }

    /// <summary>JSON: an <see cref="OidcClient"/> or a <see cref="Commerce.Saml.ServiceProvider"/>.</summary>
    public required string Metadata { get; set; }

    /// <summary>Keyed hash of the client secret; null where the client proves itself with a key, and for SAML.</summary>
    public byte[]? SecretHash { get; set; }

    /// <summary>Keyed hash of a second secret while the partner changes over from the first; else null.</summary>
    public byte[]? NextSecretHash { get; set; }
    public bool IsActive { get; set; } = true;

    /// <summary>JSON: a <see cref="OpenIdConnect.ApiAccess.ClientPolicy"/>; null where the operator set none.</summary>
    public string? Policy { get; set; }

    /// <summary>Host at which the customer arrives; null for clients of the API alone.</summary>
    public string? LandingHost { get; set; }
    public DateTimeOffset AddedAt { get; init; }
}
