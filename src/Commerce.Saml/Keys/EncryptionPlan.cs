namespace Commerce.Saml;

/// <summary>Whether the assertion of one response is encrypted. What the operator agreed with the partner goes before what metadata says.</summary>
public enum AssertionEncryptionWish
{
    /// <summary>Where the service provider's metadata asks for it: see <see cref="ServiceProvider.WantsEncryption"/>.</summary>
    AsMetadataSays,

    /// <summary>Never, whatever metadata says.</summary>
    Never,

    /// <summary>Always, with AES-GCM. Nothing is sent to a service provider that cannot read it.</summary>
    Always,

    /// <summary>Always; AES-CBC where metadata lists that and no AES-GCM. Its ciphertext can be changed unnoticed, so only the signature around it protects it.</summary>
    AlwaysEvenLegacy,
}

/// <summary>The key and the algorithms of one encryption.</summary>
/// <remarks>SAML Metadata 2.4.1 (EncryptionMethod), XML Encryption 1.1 §5.1. RSA 1.5 is not among them, not even as a legacy.</remarks>
internal sealed record EncryptionPlan(TrustedKey Key, string Content, string Transport)
{
    public const string Aes256Gcm = SamlNamespaces.XmlEncryption11 + "aes256-gcm";
    public const string Aes128Gcm = SamlNamespaces.XmlEncryption11 + "aes128-gcm";
    public const string Aes256Cbc = SamlNamespaces.XmlEncryption + "aes256-cbc";
    public const string Aes128Cbc = SamlNamespaces.XmlEncryption + "aes128-cbc";

    /// <summary>MGF1 with SHA-1: what all libraries read.</summary>
    public const string OaepSha1 = SamlNamespaces.XmlEncryption + "rsa-oaep-mgf1p";

    /// <summary>With SHA-256 for digest and mask here.</summary>
    public const string Oaep = SamlNamespaces.XmlEncryption11 + "rsa-oaep";

    private static readonly string[] Gcm = [Aes256Gcm, Aes128Gcm];
    private static readonly string[] Cbc = [Aes256Cbc, Aes128Cbc];

    /// <summary>Bytes of the content key.</summary>
    public int KeySize => Content is Aes128Gcm or Aes128Cbc ? 16 : 32;

    public bool IsCbc => Content is Aes256Cbc or Aes128Cbc;

    /// <returns>Null: the assertion goes as it is. A fault where encryption is demanded and not to be had: nothing may go then.</returns>
    public static SamlResult<EncryptionPlan?> For(ServiceProvider to, AssertionEncryptionWish wish, bool evenUnasked)
    {
        var isDemanded = wish is AssertionEncryptionWish.Always or AssertionEncryptionWish.AlwaysEvenLegacy;
        if (wish == AssertionEncryptionWish.Never || !(isDemanded || evenUnasked || to.WantsEncryption)) return (EncryptionPlan?)null;
        if (to.EncryptionKeys.FirstOrDefault(key => key.Rsa is not null) is not { } key)
            return isDemanded ? Impossible("has no RSA key to encrypt to") : (EncryptionPlan?)null;

        // An empty list says nothing about content or transport: then it is what SAML2Int expects of everybody.
        var listed = to.EncryptionMethods;
        var content = Array.Find(Gcm, algorithm => listed.Contains(algorithm, StringComparer.Ordinal));
        var cbc = Array.Find(Cbc, algorithm => listed.Contains(algorithm, StringComparer.Ordinal));
        if (content is null && cbc is null) content = Aes256Gcm;
        if (content is null && wish == AssertionEncryptionWish.AlwaysEvenLegacy) content = cbc;
        if (content is null) return isDemanded ? Impossible("reads no AES-GCM") : (EncryptionPlan?)null;
        var transport = listed.Contains(Oaep, StringComparer.Ordinal) && !listed.Contains(OaepSha1, StringComparer.Ordinal) ? Oaep : OaepSha1;
        return new EncryptionPlan(key, content, transport);
    }

    private static SamlFault Impossible(string why) => new(FaultCodes.NoUsableKey, $"Assertions for this service provider have to be encrypted, and it {why}.");
}
