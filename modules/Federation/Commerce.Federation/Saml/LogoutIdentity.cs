using System.Security.Cryptography;
using Commerce.Kernel.Secrets;
using Commerce.Saml;

namespace Commerce.Federation.Saml;

/// <summary>The hub's side of single logout: addresses, the key that signs, the keys that open an EncryptedID.</summary>
internal sealed class LogoutIdentity(SamlIdentity identity, SigningKeys keys, TimeProvider clock)
{
    public const string Path = "/saml/slo", SoapPath = "/saml/slo/soap";

    public const string DecryptionPurposeName = "saml-enc";

    /// <summary>Only for what is encrypted to the hub: a key that signs is never used for it.</summary>
    public static readonly KeyPurpose DecryptionPurpose = new(DecryptionPurposeName, "RS256", WithCertificate: true);

    /// <summary>With the keys of this moment. Logouts are rare, so it is made anew each time.</summary>
    public SingleLogout Current => new(new SingleLogoutSettings
    {
        EntityId = identity.EntityId,
        Addresses = Addresses(identity.Origin),
        SigningKey = identity.Provider.Settings.SigningKey,
        OtherSigningKeys = identity.Provider.Settings.OtherSigningKeys,
        DecryptionKeys = [.. keys.PublishedOf(DecryptionPurposeName).Select(key => new DecryptionKey((RSA)key.Key, key.Certificate!))],
    }, clock);

    public static Dictionary<string, string> Addresses(string origin) => new(StringComparer.Ordinal)
    {
        [SamlBindings.HttpRedirect] = origin + Path,
        [SamlBindings.HttpPost] = origin + Path,
        [SamlBindings.Soap] = origin + SoapPath,
    };
}
