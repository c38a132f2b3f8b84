using System.Buffers;
using System.Security.Cryptography;
using System.Xml;

namespace Commerce.Saml;

/// <summary>An element under a verified signature. Only <see cref="XmlSignature.Verify"/> makes one.</summary>
internal sealed class VerifiedElement
{
    internal VerifiedElement(XmlElement element) => Element = element;

    public XmlElement Element { get; }
}

/// <summary>XML Signature as SAML Core 5.4 profiles it: enveloped, exclusive canonicalisation, one reference to the parent element.</summary>
internal static class XmlSignature
{
    private const string Ds = SamlNamespaces.XmlSignature;

    /// <summary>The signature that is a direct child of an element; null where there is none.</summary>
    public static SamlResult<XmlElement?> Find(XmlElement signed)
    {
        using var signatures = signed.Children(Ds, "Signature").GetEnumerator();
        if (!signatures.MoveNext()) return (XmlElement?)null;
        var signature = signatures.Current;
        return signatures.MoveNext() ? Shape("More than one Signature.") : signature;
    }

    /// <summary>Verifies the enveloped signature of <paramref name="signed"/> with keys pinned for its sender. KeyInfo is never looked at.</summary>
    public static SamlResult<VerifiedElement> Verify(XmlElement signed, IReadOnlyList<TrustedKey> keys)
    {
        try
        {
            if (!Find(signed).TryGet(out var signature, out var fault)) return fault;
            if (signature is null) return new SamlFault(FaultCodes.SignatureMissing, "There is no Signature.");
            if (!ReferenceEquals(signature.ParentNode, signed)) return Shape("The Signature is not a child of what it signs.");
            if (!SignatureParts.Read(signature, signed.Attr("ID")).TryGet(out var parts, out fault)) return fault;

            using var canonical = new Utf8XmlWriter();
            ExclusiveCanonicalizer.Write(signed, canonical, without: signature, parts.ReferencePrefixes);
            if (canonical.SawIllegal || canonical.Length == 0) return Shape("The canonical form is empty or broken.");
            if (!CryptographicOperations.FixedTimeEquals(CryptographicOperations.HashData(parts.Digest, canonical.Written), parts.DigestValue))
                return new SamlFault(FaultCodes.SignatureInvalid, "The digest is another one.");

            return Signer(parts, keys).Then<VerifiedElement>(_ => new VerifiedElement(signed));
        }
        catch (Exception platform) when (platform is CryptographicException or XmlException or InvalidOperationException or ArgumentException)
        {
            return new SamlFault(FaultCodes.SignatureInvalid, $"Verification failed: {platform.GetType().Name}.");
        }
    }

    /// <summary>The pinned key that made a signature value. Whether what is signed has the digest is for the caller to see.</summary>
    public static SamlResult<TrustedKey> Signer(SignatureParts parts, IReadOnlyList<TrustedKey> keys)
    {
        using var canonical = new Utf8XmlWriter();
        ExclusiveCanonicalizer.Write(parts.SignedInfo, canonical, without: null, parts.SignedInfoPrefixes);
        if (keys.Count == 0) return new SamlFault(FaultCodes.NoUsableKey, "The sender has no usable signing key.");
        foreach (var key in keys)
            if (key.Verifies(parts.Algorithm, canonical.Written, parts.SignatureValue)) return key;
        return new SamlFault(FaultCodes.SignatureInvalid, $"None of {keys.Count} pinned keys verifies the signature.");
    }

    /// <summary>Writes a Signature element in canonical form for content given in canonical form.</summary>
    /// <param name="output">Receives the element; it declares its own namespace.</param>
    /// <param name="content">The exclusive canonical form of the element to be signed, without the signature.</param>
    /// <param name="id">Its ID.</param>
    /// <param name="key">Signs.</param>
    public static void Write(Utf8XmlWriter output, ReadOnlySpan<byte> content, string id, SigningKey key)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(content, digest);
        using var signedInfo = new Utf8XmlWriter(1024);

        // The same octets twice: alone, SignedInfo declares the namespace that inside the document it inherits from Signature.
        signedInfo.Raw("<ds:SignedInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">"u8);
        var start = signedInfo.Length;
        signedInfo.Raw("<ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm=\""u8)
            .Raw(key.Algorithm.Uri()).Raw("\"></ds:SignatureMethod><ds:Reference URI=\"#"u8).Attribute(id)
            .Raw("\"><ds:Transforms><ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"></ds:Transform><ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:Transform></ds:Transforms><ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"></ds:DigestMethod><ds:DigestValue>"u8)
            .Base64(digest).Raw("</ds:DigestValue></ds:Reference></ds:SignedInfo>"u8);
        output.Raw("<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:SignedInfo>"u8).Raw(signedInfo.Written[start..])
            .Raw("<ds:SignatureValue>"u8).Base64(key.Sign(signedInfo.Written))
            .Raw("</ds:SignatureValue><ds:KeyInfo><ds:X509Data><ds:X509Certificate>"u8).Raw(key.Certificate)
            .Raw("</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>"u8);
    }

    /// <summary>Signs an element of a DOM, such as metadata.</summary>
    /// <param name="element">Has an ID attribute.</param>
    /// <param name="before">The child in front of which the Signature goes.</param>
    /// <param name="key">Signs.</param>
    public static void Sign(XmlElement element, XmlNode? before, SigningKey key)
    {
        using var canonical = new Utf8XmlWriter();
        ExclusiveCanonicalizer.Write(element, canonical);
        using var signature = new Utf8XmlWriter(4096);
        Write(signature, canonical.Written, element.GetAttribute("ID"), key);
        var parsed = XmlGate.ParseMessage(signature.Written).Value;
        element.InsertBefore(element.OwnerDocument.ImportNode(parsed.DocumentElement!, deep: true), before);
    }

    private static SamlFault Shape(string detail) => new(FaultCodes.SignatureShape, detail);
}
