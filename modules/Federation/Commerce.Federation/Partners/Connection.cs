using System.Security.Cryptography;
using Commerce.Federation.OpenIdConnect;
using Commerce.Federation.OpenIdConnect.ApiAccess;
using Commerce.Kernel.Secrets;
using Commerce.Saml;

namespace Commerce.Federation.Partners;

/// <summary>A registered connection together with its partner and the data contract in force, read once and used as it is.</summary>
/// <param name="Id">Client id or SAML entity id.</param>
/// <param name="IsActive">Connection and partner are both switched on.</param>
/// <param name="Oidc">Set for OIDC.</param>
/// <param name="Saml">Set for SAML.</param>
/// <param name="Contract">Null: the partner receives <c>sub</c> and nothing else.</param>
/// <param name="LandingHost">Host at which the customer arrives; null for clients of the API alone.</param>
internal sealed record Connection(
    string Id, string Partner, string PartnerName, Protocol Protocol, string Name, bool IsActive, OidcClient? Oidc, ServiceProvider? Saml,
    DataContract? Contract, string? LandingHost, byte[]? SecretHash, byte[]? NextSecretHash = null)
{
    /// <summary>The operator's policy, which <see cref="Oidc"/> counts in already; null where there is none.</summary>
    public ClientPolicy? Policy { get; init; }

    /// <summary>Life of the client's access tokens.</summary>
    public TimeSpan AccessLifetime => Policy?.AccessTokenSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : Tokens.AccessLifetime;

    /// <summary>Customers can be sent to it. Clients of the API alone cannot.</summary>
    public bool TakesCustomers => Saml is not null || (Oidc is { RedirectUris.Count: > 0 } client && client.MayUse("authorization_code"));

    /// <summary>Under which name space the partner knows its customers: see <see cref="PairwiseSubject"/>.</summary>
    public string Sector => Oidc?.Sector ?? Id;

    /// <summary>Compares with the live secrets, of which there may be two, in constant time.</summary>
    public bool SecretIs(LookupHash hash, string secret)
    {
        var given = ClientSecret.Hash(hash, secret);
        return (SecretHash is not null && CryptographicOperations.FixedTimeEquals(SecretHash, given))
            || (NextSecretHash is not null && CryptographicOperations.FixedTimeEquals(NextSecretHash, given));
    }
}

/// <summary>Client secrets are stored as keyed hashes: a copy of the database is no help in guessing one.</summary>
internal static class ClientSecret
{
    public static byte[] Hash(LookupHash hash, string secret) => hash.Of("client-secret", secret);
}
