using System.Security.Cryptography;

namespace Commerce.Saml;

/// <summary>The signature algorithms that are accepted and produced, RFC 6931 and XML Signature 1.1. Nothing else is, SHA-1 least of all.</summary>
public enum SignatureAlgorithm
{
    RsaSha256,
    RsaSha384,
    RsaSha512,
    EcdsaSha256,
    EcdsaSha384,
    EcdsaSha512,
    RsaPssSha256,
}

internal static class Algorithms
{
    public const string ExclusiveC14n = "http://www.w3.org/2001/10/xml-exc-c14n#";
    public const string EnvelopedSignature = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
    public const string Sha256 = "http://www.w3.org/2001/04/xmlenc#sha256";

    /// <summary>The algorithm of a SignatureMethod or SigAlg URI; null where it is not on the list.</summary>
    public static SignatureAlgorithm? Signature(string uri) => uri switch
    {
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256" => SignatureAlgorithm.RsaSha256,
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384" => SignatureAlgorithm.RsaSha384,
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512" => SignatureAlgorithm.RsaSha512,
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256" => SignatureAlgorithm.EcdsaSha256,
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384" => SignatureAlgorithm.EcdsaSha384,
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512" => SignatureAlgorithm.EcdsaSha512,
        "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1" => SignatureAlgorithm.RsaPssSha256,
        _ => null,
    };

    public static string Uri(this SignatureAlgorithm algorithm) => algorithm switch
    {
        SignatureAlgorithm.RsaSha256 => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
        SignatureAlgorithm.RsaSha384 => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
        SignatureAlgorithm.RsaSha512 => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
        SignatureAlgorithm.EcdsaSha256 => "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
        SignatureAlgorithm.EcdsaSha384 => "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
        SignatureAlgorithm.EcdsaSha512 => "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
        SignatureAlgorithm.RsaPssSha256 => "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
        _ => throw new ArgumentOutOfRangeException(nameof(algorithm)),
    };

    public static HashAlgorithmName Hash(this SignatureAlgorithm algorithm) => algorithm switch
    {
        SignatureAlgorithm.RsaSha384 or SignatureAlgorithm.EcdsaSha384 => HashAlgorithmName.SHA384,
        SignatureAlgorithm.RsaSha512 or SignatureAlgorithm.EcdsaSha512 => HashAlgorithmName.SHA512,
        _ => HashAlgorithmName.SHA256,
    };

    public static bool IsRsa(this SignatureAlgorithm algorithm) =>
        algorithm is SignatureAlgorithm.RsaSha256 or SignatureAlgorithm.RsaSha384 or SignatureAlgorithm.RsaSha512 or SignatureAlgorithm.RsaPssSha256;

    public static RSASignaturePadding Padding(this SignatureAlgorithm algorithm) =>
        algorithm == SignatureAlgorithm.RsaPssSha256 ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1;

    /// <summary>The digest of a DigestMethod URI; null where it is not on the list.</summary>
    public static HashAlgorithmName? Digest(string uri) => uri switch
    {
        Sha256 => HashAlgorithmName.SHA256,
        "http://www.w3.org/2001/04/xmldsig-more#sha384" => HashAlgorithmName.SHA384,
        "http://www.w3.org/2001/04/xmlenc#sha512" => HashAlgorithmName.SHA512,
        _ => null,
    };
}
