using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Serialization;

namespace Commerce.Saml;

/// <summary>A partner's public key, pinned from its metadata. Survives System.Text.Json.</summary>
/// <remarks>SAML Metadata 2.4.1.1. The certificate's dates and issuer are not looked at: the metadata is what makes the key trusted (S34).</remarks>
public sealed class TrustedKey : IEquatable<TrustedKey>
{
    public const int MinimumRsaBits = 2048;
    public const int MinimumEcBits = 256;

    private readonly Lazy<AsymmetricAlgorithm?> key;

    /// <param name="publicKey">SubjectPublicKeyInfo, DER in Base64.</param>
    /// <param name="certificate">The certificate it came in, DER in Base64; null where metadata gave the bare key.</param>
    [JsonConstructor]
    public TrustedKey(string publicKey, string? certificate = null)
    {
        PublicKey = publicKey;
        Certificate = certificate;
        key = new Lazy<AsymmetricAlgorithm?>(Import);
    }

    /// <summary>SubjectPublicKeyInfo, DER in Base64.</summary>
    public string PublicKey { get; }

    /// <summary>DER in Base64; null for a bare key.</summary>
    public string? Certificate { get; }

    /// <summary>SHA-256 of the public key, for people to compare: lower-case hexadecimal.</summary>
    [JsonIgnore]
    public string Fingerprint => Convert.ToHexStringLower(SHA256.HashData(Convert.FromBase64String(PublicKey)));

    internal RSA? Rsa => key.Value as RSA;

    internal ECDsa? Ecdsa => key.Value as ECDsa;

    public static TrustedKey Of(SigningKey key) => FromCertificate(key.Certificate).Value;

    /// <summary>Reads the key out of a certificate, in Base64 with or without white space.</summary>
    /// <returns>A fault with <see cref="FaultCodes.KeyRefused"/> when it cannot be read, is too short or of another kind.</returns>
    public static SamlResult<TrustedKey> FromCertificate(string base64)
    {
        try
        {
            using var certificate = X509CertificateLoader.LoadCertificate(Convert.FromBase64String(base64));
            return Checked(certificate.PublicKey.ExportSubjectPublicKeyInfo(), Convert.ToBase64String(certificate.RawData));
        }
        catch (Exception unreadable) when (unreadable is FormatException or CryptographicException)
        {
            return new SamlFault(FaultCodes.KeyRefused, "The certificate cannot be read.");
        }
    }

    internal static SamlResult<TrustedKey> FromRsa(byte[] modulus, byte[] exponent)
    {
        try
        {
            using var rsa = RSA.Create(new RSAParameters { Modulus = modulus, Exponent = exponent });
            return Checked(rsa.ExportSubjectPublicKeyInfo(), null);
        }
        catch (CryptographicException)
        {
            return new SamlFault(FaultCodes.KeyRefused, "The RSA key value cannot be read.");
        }
    }

    private static SamlResult<TrustedKey> Checked(byte[] subjectPublicKeyInfo, string? certificate)
    {
        var trusted = new TrustedKey(Convert.ToBase64String(subjectPublicKeyInfo), certificate);
        if (trusted.Rsa is { } rsa && rsa.KeySize < MinimumRsaBits)
            return new SamlFault(FaultCodes.KeyRefused, $"The RSA key has {rsa.KeySize} bits; {MinimumRsaBits} are needed.");
        if (trusted.Ecdsa is { } ecdsa && ecdsa.KeySize < MinimumEcBits)
            return new SamlFault(FaultCodes.KeyRefused, $"The curve has {ecdsa.KeySize} bits; {MinimumEcBits} are needed.");
        return trusted.key.Value is null ? new SamlFault(FaultCodes.KeyRefused, "The key is neither RSA nor on a known curve.") : trusted;
    }

    /// <summary>Verifies a signature value. Any failure, also of the platform, is a no.</summary>
    internal bool Verifies(SignatureAlgorithm algorithm, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        try
        {
            if (algorithm.IsRsa())
                return Rsa is { KeySize: >= MinimumRsaBits } rsa && rsa.VerifyData(data, signature, algorithm.Hash(), algorithm.Padding());
            return Ecdsa is { KeySize: >= MinimumEcBits } ecdsa
                && ecdsa.VerifyData(data, signature, algorithm.Hash(), DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    public bool Equals(TrustedKey? other) => other is not null && other.PublicKey == PublicKey;

    public override bool Equals(object? obj) => Equals(obj as TrustedKey);

    public override int GetHashCode() => PublicKey.GetHashCode(StringComparison.Ordinal);

    private AsymmetricAlgorithm? Import()
    {
        byte[] der;
        try
        {
            der = Convert.FromBase64String(PublicKey);
        }
        catch (FormatException)
        {
            return null;
        }
        var rsa = RSA.Create();
        try
        {
            rsa.ImportSubjectPublicKeyInfo(der, out _);
            return rsa;
        }
        catch (CryptographicException)
        {
            rsa.Dispose();
        }
        var ecdsa = ECDsa.Create();
        try
        {
            ecdsa.ImportSubjectPublicKeyInfo(der, out _);
            return ecdsa;
        }
        catch (CryptographicException)
        {
            ecdsa.Dispose();
            return null;
        }
    }
}
