using System.Security.Cryptography;
using System.Xml;

namespace Commerce.Saml;

/// <summary>What a signature of the one accepted shape says.</summary>
internal sealed record SignatureParts(
    XmlElement SignedInfo, string[] SignedInfoPrefixes, SignatureAlgorithm Algorithm, byte[] SignatureValue,
    string[] ReferencePrefixes, HashAlgorithmName Digest, byte[] DigestValue)
{
    private const string Ds = SamlNamespaces.XmlSignature;
    private const int MaxPrefixes = 16;

    /// <param name="signature">The Signature element.</param>
    /// <param name="id">The ID of the element it has to sign.</param>
    public static SamlResult<SignatureParts> Read(XmlElement signature, string? id)
    {
        if (Named(signature, ["SignedInfo", "SignatureValue"], "KeyInfo") is not [var signedInfo, var signatureValue, ..])
            return Shape("Signature is not SignedInfo, SignatureValue and at most one KeyInfo.");
        if (Named(signedInfo, ["CanonicalizationMethod", "SignatureMethod", "Reference"]) is not [var c14n, var method, var reference])
            return Shape("SignedInfo is not one CanonicalizationMethod, one SignatureMethod and one Reference.");
        if (Named(reference, ["Transforms", "DigestMethod", "DigestValue"]) is not [var transforms, var digestMethod, var digestValue])
            return Shape("Reference is not Transforms, DigestMethod and DigestValue.");
        if (Named(transforms, ["Transform", "Transform"]) is not [var enveloped, var exclusive]) return Shape("There are not exactly two Transforms.");

        // The reference names the very element we will read, and nothing else can carry that identifier: the gate saw to it.
        if (!XmlRead.IsId(id) || reference.Attr("URI") != "#" + id) return Shape("The Reference does not name the signed element.");

        if (c14n.Attr("Algorithm") != Algorithms.ExclusiveC14n) return Refuse($"Canonicalisation {c14n.Attr("Algorithm")}.");
        if (enveloped.Attr("Algorithm") != Algorithms.EnvelopedSignature || enveloped.HasChildNodes)
            return Refuse($"First transform {enveloped.Attr("Algorithm")}.");
        if (exclusive.Attr("Algorithm") != Algorithms.ExclusiveC14n) return Refuse($"Second transform {exclusive.Attr("Algorithm")}.");
        if (Algorithms.Signature(method.Attr("Algorithm") ?? "") is not { } algorithm || method.HasChildNodes)
            return Refuse($"Signature method {method.Attr("Algorithm")}.");
        if (Algorithms.Digest(digestMethod.Attr("Algorithm") ?? "") is not { } digest || digestMethod.HasChildNodes)
            return Refuse($"Digest method {digestMethod.Attr("Algorithm")}.");
        if (Prefixes(c14n) is not { } signedInfoPrefixes || Prefixes(exclusive) is not { } referencePrefixes)
            return Shape("Canonicalisation has parameters other than one InclusiveNamespaces.");

        return Bytes(signatureValue) is { } value && Bytes(digestValue) is { } expected
            ? new SignatureParts(signedInfo, signedInfoPrefixes, algorithm, value, referencePrefixes, digest, expected)
            : Shape("DigestValue or SignatureValue is not plain Base64.");
    }

    /// <summary>The children where they are exactly these, in this order; null where not.</summary>
    private static List<XmlElement>? Named(XmlElement parent, string[] names, string? optional = null)
    {
        if (!parent.ElementsOnly().TryGet(out var children, out _)) return null;
        if (children.Count != names.Length && !(optional is not null && children.Count == names.Length + 1 && children[^1].Is(Ds, optional))) return null;
        for (var i = 0; i < names.Length; i++)
            if (!children[i].Is(Ds, names[i])) return null;
        return children;
    }

    private static byte[]? Bytes(XmlElement element) => element.TextOnly().TryGet(out var text, out _) ? XmlRead.Base64(text) : null;

    private static string[]? Prefixes(XmlElement method)
    {
        if (!method.ElementsOnly().TryGet(out var parameters, out _)) return null;
        if (parameters.Count == 0) return [];
        if (parameters is not [var only] || !only.Is(Algorithms.ExclusiveC14n, "InclusiveNamespaces") || only.HasChildNodes) return null;
        return only.Attr("PrefixList")?.Split(' ', StringSplitOptions.RemoveEmptyEntries) is { Length: <= MaxPrefixes } prefixes ? prefixes : null;
    }

    private static SamlFault Shape(string detail) => new(FaultCodes.SignatureShape, detail);

    private static SamlFault Refuse(string detail) => new(FaultCodes.AlgorithmRefused, detail);
}
