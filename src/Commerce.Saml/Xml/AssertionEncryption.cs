using System.Security.Cryptography;
using System.Xml;

namespace Commerce.Saml;

/// <summary>EncryptedAssertion with AES-GCM and RSA-OAEP. Nothing else is read: CBC and RSA 1.5 tell an attacker the plaintext by their errors (X21).</summary>
/// <remarks>SAML Core 2.3.4, XML Encryption 1.1 §5.2.4 and §5.5.2. RSA-OAEP in its first form (MGF1 with SHA-1) is what all libraries read;
/// its security does not rest on SHA-1's collision resistance.</remarks>
internal static class AssertionEncryption
{
    private const string Xenc = SamlNamespaces.XmlEncryption;
    private const string Ds = SamlNamespaces.XmlSignature;
    private const string Sha1 = "http://www.w3.org/2000/09/xmldsig#sha1";
    private const int NonceSize = 12;
    private const int TagSize = 16;

    /// <summary>What <see cref="Read"/> takes, for metadata.</summary>
    public static readonly IReadOnlyList<string> Readable = [EncryptionPlan.Aes256Gcm, EncryptionPlan.Aes128Gcm, EncryptionPlan.OaepSha1, EncryptionPlan.Oaep];

    // One answer for every way it can fail.
    private static readonly SamlFault Failed = new(FaultCodes.DecryptionFailed, "The assertion cannot be decrypted.");

    /// <summary>Writes the EncryptedAssertion element in canonical form.</summary>
    /// <param name="assertion">The whole Assertion element, UTF-8.</param>
    /// <param name="plan">To whom and how.</param>
    public static void Write(Utf8XmlWriter to, ReadOnlySpan<byte> assertion, EncryptionPlan plan)
    {
        Span<byte> contentKey = stackalloc byte[plan.KeySize];
        RandomNumberGenerator.Fill(contentKey);
        var sealedContent = plan.IsCbc ? SealCbc(contentKey, assertion) : SealGcm(contentKey, assertion);
        var wrapped = plan.Key.Rsa!.Encrypt(contentKey, plan.Transport == EncryptionPlan.Oaep ? RSAEncryptionPadding.OaepSHA256 : RSAEncryptionPadding.OaepSHA1);
        CryptographicOperations.ZeroMemory(contentKey);
        to.Raw("<saml:EncryptedAssertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"><xenc:EncryptedData xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\" Type=\"http://www.w3.org/2001/04/xmlenc#Element\"><xenc:EncryptionMethod Algorithm=\""u8)
            .Raw(plan.Content).Raw("\"></xenc:EncryptionMethod><ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><xenc:EncryptedKey><xenc:EncryptionMethod Algorithm=\""u8)
            .Raw(plan.Transport);
        if (plan.Transport == EncryptionPlan.Oaep)
            to.Raw("\"><ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"></ds:DigestMethod><xenc11:MGF xmlns:xenc11=\"http://www.w3.org/2009/xmlenc11#\" Algorithm=\"http://www.w3.org/2009/xmlenc11#mgf1sha256\"></xenc11:MGF>"u8);
        else
            to.Raw("\"><ds:DigestMethod Algorithm=\"http://www.w3.org/2000/09/xmldsig#sha1\"></ds:DigestMethod>"u8);
        to.Raw("</xenc:EncryptionMethod><xenc:CipherData><xenc:CipherValue>"u8)
            .Base64(wrapped).Raw("</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo><xenc:CipherData><xenc:CipherValue>"u8)
            .Base64(sealedContent).Raw("</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData></saml:EncryptedAssertion>"u8);
    }

    private static byte[] SealGcm(ReadOnlySpan<byte> key, ReadOnlySpan<byte> plain)
    {
        var content = new byte[NonceSize + plain.Length + TagSize];
        var nonce = content.AsSpan(0, NonceSize);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(key, TagSize);
        aes.Encrypt(nonce, plain, content.AsSpan(NonceSize, plain.Length), content.AsSpan(NonceSize + plain.Length));
        return content;
    }

    /// <summary>XML Encryption 1.1 §5.2.1: the initialisation vector, then the blocks; the last octet of the padding says its length.</summary>
    private static byte[] SealCbc(ReadOnlySpan<byte> key, ReadOnlySpan<byte> plain)
    {
        var vector = RandomNumberGenerator.GetBytes(16);
        using var aes = Aes.Create();
        aes.SetKey(key);
        return [.. vector, .. aes.EncryptCbc(plain, vector, PaddingMode.PKCS7)];
    }

    /// <summary>Decrypts and parses, through the same gate as everything else.</summary>
    /// <param name="encrypted">The EncryptedAssertion element.</param>
    /// <param name="keys">Each is tried: the current one and, in a roll-over, the next.</param>
    public static SamlResult<XmlElement> Read(XmlElement encrypted, IReadOnlyList<DecryptionKey> keys) =>
        Decrypt(encrypted, keys).Then<XmlElement>(plain => ParsedMessage.ReadAssertion(plain));

    /// <summary>An EncryptedID, SAML Core 2.2.4: inside is a NameID.</summary>
    public static SamlResult<NameId> ReadNameId(XmlElement encrypted, IReadOnlyList<DecryptionKey> keys)
    {
        if (!Decrypt(encrypted, keys).TryGet(out var plain, out var fault)) return fault;
        if (!XmlGate.ParseMessage(plain).TryGet(out var document, out _)) return Failed;
        return document.DocumentElement!.Is(SamlNamespaces.Assertion, "NameID") ? NameIdElement.Read(document.DocumentElement!) : Failed;
    }

    private static SamlResult<byte[]> Decrypt(XmlElement encrypted, IReadOnlyList<DecryptionKey> keys)
    {
        if (Algorithm(encrypted) is { } refused) return refused;
        if (Find(encrypted) is not var (keySize, padding, wrapped, content)) return Failed;
        foreach (var key in keys)
        {
            if (key.Unwrap(wrapped, padding) is not { } contentKey || contentKey.Length != keySize) continue;
            if (Open(contentKey, content) is { } plain) return plain;
        }
        return Failed;
    }

    private static byte[]? Open(byte[] contentKey, byte[] content)
    {
        if (content.Length <= NonceSize + TagSize) return null;
        var plain = new byte[content.Length - NonceSize - TagSize];
        try
        {
            using var aes = new AesGcm(contentKey, TagSize);
            aes.Decrypt(content.AsSpan(0, NonceSize), content.AsSpan(NonceSize, plain.Length), content.AsSpan(NonceSize + plain.Length), plain);
            return plain;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    /// <summary>An algorithm outside the list is named before any key is touched; it says nothing about plaintext.</summary>
    private static SamlFault? Algorithm(XmlElement encrypted)
    {
        var methods = encrypted.GetElementsByTagName("EncryptionMethod", Xenc).OfType<XmlElement>().Select(method => method.Attr("Algorithm")).ToList();
        return methods is [SamlNamespaces.XmlEncryption11 + "aes256-gcm" or SamlNamespaces.XmlEncryption11 + "aes128-gcm", Xenc + "rsa-oaep-mgf1p" or SamlNamespaces.XmlEncryption11 + "rsa-oaep"]
            ? null
            : new SamlFault(FaultCodes.AlgorithmRefused, $"The assertion is encrypted with {string.Join(" and ", methods)}.");
    }

    /// <summary>The one accepted shape: EncryptedData with its EncryptedKey in KeyInfo, or beside it.</summary>
    private static (int KeySize, RSAEncryptionPadding Padding, byte[] Wrapped, byte[] Content)? Find(XmlElement encrypted)
    {
        if (!encrypted.ElementsOnly().TryGet(out var children, out _) || children.Count is < 1 or > 2 || !children[0].Is(Xenc, "EncryptedData")) return null;
        var data = children[0];
        var wrappedKey = children.Count == 2 ? children[1] : data.Child(Ds, "KeyInfo")?.Child(Xenc, "EncryptedKey");
        if (wrappedKey is null || !wrappedKey.Is(Xenc, "EncryptedKey")) return null;
        if (data.Attr("Type") is not (null or Xenc + "Element")) return null;
        if (data.Child(Xenc, "EncryptionMethod") is not { } dataMethod || wrappedKey.Child(Xenc, "EncryptionMethod") is not { } keyMethod) return null;
        var digest = keyMethod.Child(Ds, "DigestMethod")?.Attr("Algorithm");
        var mask = keyMethod.Child(SamlNamespaces.XmlEncryption11, "MGF")?.Attr("Algorithm");
        var padding = (digest, mask) switch
        {
            (null or Sha1, null or SamlNamespaces.XmlEncryption11 + "mgf1sha1") => RSAEncryptionPadding.OaepSHA1,
            (Algorithms.Sha256, SamlNamespaces.XmlEncryption11 + "mgf1sha256") => RSAEncryptionPadding.OaepSHA256,
            _ => null,
        };
        return padding is not null && Cipher(wrappedKey) is { } wrapped && Cipher(data) is { } content
            ? (dataMethod.Attr("Algorithm") == SamlNamespaces.XmlEncryption11 + "aes128-gcm" ? 16 : 32, padding, wrapped, content)
            : null;
    }

    private static byte[]? Cipher(XmlElement parent) =>
        parent.Child(Xenc, "CipherData")?.Child(Xenc, "CipherValue") is { } value && value.TextOnly().TryGet(out var text, out _) ? XmlRead.Base64(text) : null;
}
