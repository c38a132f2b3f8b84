using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Commerce.Saml;

/// <summary>A private key with the certificate under which metadata publishes it. Used for one protocol and one purpose only.</summary>
/// <remarks>Safe for concurrent use. It does not own the key: whoever made it disposes it.</remarks>
public sealed class SigningKey
{
    private readonly RSA? rsa;
    private readonly ECDsa? ecdsa;

    /// <param name="rsa">At least 2048 bits.</param>
    /// <param name="certificate">Of the same key.</param>
    /// <param name="algorithm">One of the RSA algorithms.</param>
    /// <exception cref="ArgumentException">The key is too short, the algorithm is not an RSA one, or the certificate is of another key.</exception>
    public SigningKey(RSA rsa, X509Certificate2 certificate, SignatureAlgorithm algorithm = SignatureAlgorithm.RsaSha256)
        : this(certificate, algorithm, rsa.ExportSubjectPublicKeyInfo())
    {
        if (!algorithm.IsRsa()) throw new ArgumentException("An RSA key signs with an RSA algorithm.", nameof(algorithm));
        if (rsa.KeySize < TrustedKey.MinimumRsaBits) throw new ArgumentException($"RSA keys have at least {TrustedKey.MinimumRsaBits} bits.", nameof(rsa));
        this.rsa = rsa;
    }

    /// <param name="ecdsa">On P-256 or a larger curve.</param>
    /// <param name="certificate">Of the same key.</param>
    /// <param name="algorithm">One of the ECDSA algorithms.</param>
    /// <exception cref="ArgumentException">The curve is too small, the algorithm is not an ECDSA one, or the certificate is of another key.</exception>
    public SigningKey(ECDsa ecdsa, X509Certificate2 certificate, SignatureAlgorithm algorithm = SignatureAlgorithm.EcdsaSha256)
        : this(certificate, algorithm, ecdsa.ExportSubjectPublicKeyInfo())
    {
        if (algorithm.IsRsa()) throw new ArgumentException("An elliptic-curve key signs with an ECDSA algorithm.", nameof(algorithm));
        if (ecdsa.KeySize < TrustedKey.MinimumEcBits) throw new ArgumentException("Curves have at least 256 bits.", nameof(ecdsa));
        this.ecdsa = ecdsa;
    }

    private SigningKey(X509Certificate2 certificate, SignatureAlgorithm algorithm, byte[] publicKey)
    {
        if (!certificate.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(publicKey))
            throw new ArgumentException("The certificate is of another key.", nameof(certificate));
        Algorithm = algorithm;
        Certificate = Convert.ToBase64String(certificate.RawData);
    }

    public SignatureAlgorithm Algorithm { get; }

    /// <summary>DER in Base64, as metadata carries it.</summary>
    public string Certificate { get; }

    /// <summary>The same key with another algorithm.</summary>
    /// <exception cref="ArgumentException">The algorithm is of another kind of key.</exception>
    public SigningKey With(SignatureAlgorithm algorithm)
    {
        using var certificate = X509CertificateLoader.LoadCertificate(Convert.FromBase64String(Certificate));
        return rsa is not null ? new SigningKey(rsa, certificate, algorithm) : new SigningKey(ecdsa!, certificate, algorithm);
    }

    /// <summary>The same key with each algorithm that fits it; its own first.</summary>
    internal IReadOnlyList<SigningKey> Variants() =>
        [this, .. Enum.GetValues<SignatureAlgorithm>().Where(a => a != Algorithm && a.IsRsa() == (rsa is not null)).Select(With)];

    /// <summary>From a certificate that comes with its private key, such as a PKCS #12 file.</summary>
    public static SigningKey From(X509Certificate2 certificate) =>
        certificate.GetRSAPrivateKey() is { } rsa ? new SigningKey(rsa, certificate)
        : certificate.GetECDsaPrivateKey() is { } ecdsa ? new SigningKey(ecdsa, certificate)
        : throw new ArgumentException("The certificate has no RSA or elliptic-curve private key.", nameof(certificate));

    /// <summary>A self-signed certificate for a key. SAML uses certificates as envelopes of keys: nobody checks who signed them.</summary>
    /// <param name="key">RSA or ECDsa with its private part.</param>
    /// <param name="commonName">Usually the host name of the entity.</param>
    /// <param name="notBefore">Start; the dates are informative, see S34.</param>
    /// <param name="notAfter">End.</param>
    public static X509Certificate2 SelfSigned(AsymmetricAlgorithm key, string commonName, DateTimeOffset notBefore, DateTimeOffset notAfter)
    {
        var subject = new X500DistinguishedNameBuilder();
        subject.AddCommonName(commonName.Length <= 64 ? commonName : commonName[..64]);
        var request = key switch
        {
            RSA rsa => new CertificateRequest(subject.Build(), rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
            ECDsa ecdsa => new CertificateRequest(subject.Build(), ecdsa, HashAlgorithmName.SHA256),
            _ => throw new ArgumentException("An RSA or elliptic-curve key is needed.", nameof(key)),
        };
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        using var withKey = request.CreateSelfSigned(notBefore, notAfter);
        return X509CertificateLoader.LoadCertificate(withKey.RawData);
    }

    /// <summary>The signature value: for ECDSA r and s side by side, as XML Signature wants it.</summary>
    internal byte[] Sign(ReadOnlySpan<byte> data) => rsa is not null
        ? rsa.SignData(data, Algorithm.Hash(), Algorithm.Padding())
        : ecdsa!.SignData(data, Algorithm.Hash(), DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
}
