using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Commerce.Saml;

/// <summary>A private key for what is encrypted to us. Another key than the one that signs.</summary>
/// <remarks>Safe for concurrent use. It does not own the key: whoever made it disposes it.</remarks>
public sealed class DecryptionKey
{
    private readonly RSA rsa;

    /// <exception cref="ArgumentException">The key is too short, or the certificate is of another key.</exception>
    public DecryptionKey(RSA rsa, X509Certificate2 certificate)
    {
        if (rsa.KeySize < TrustedKey.MinimumRsaBits) throw new ArgumentException($"RSA keys have at least {TrustedKey.MinimumRsaBits} bits.", nameof(rsa));
        if (!certificate.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(rsa.ExportSubjectPublicKeyInfo()))
            throw new ArgumentException("The certificate is of another key.", nameof(certificate));
        this.rsa = rsa;
        Certificate = Convert.ToBase64String(certificate.RawData);
    }

    /// <summary>DER in Base64, as metadata carries it.</summary>
    public string Certificate { get; }

    /// <summary>The content key; null where this key does not fit.</summary>
    internal byte[]? Unwrap(byte[] wrapped, RSAEncryptionPadding padding)
    {
        try
        {
            return rsa.Decrypt(wrapped, padding);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
