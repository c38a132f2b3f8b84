using System.Security.Cryptography;
using System.Xml;

namespace Commerce.Saml;

/// <summary>Verifies the signature of a whole metadata document, one entity or a federation's aggregate, with keys pinned for its publisher.</summary>
/// <remarks>SAML Metadata 3.1. Read the entities afterwards from the very same octets.</remarks>
public static class MetadataSignature
{
    private const long MaxCharacters = 256L * 1024 * 1024;

    /// <param name="document">XML, from its beginning.</param>
    /// <param name="keys">Each is tried; what KeyInfo says is never looked at.</param>
    /// <returns>The key that verifies it. A fault where there is no signature over the whole document, or none of the keys verifies it.</returns>
    public static SamlResult<TrustedKey> Verify(Stream document, IReadOnlyList<TrustedKey> keys)
    {
        try
        {
            using var reader = XmlGate.OpenMetadata(document, MaxCharacters, keepInstructions: true);
            if (!new StreamingCanonicalizer(reader).Run(SignatureParts.Read).TryGet(out var signed, out var fault)) return fault;
            return CryptographicOperations.FixedTimeEquals(signed.Digest, signed.Parts.DigestValue)
                ? XmlSignature.Signer(signed.Parts, keys)
                : new SamlFault(FaultCodes.SignatureInvalid, "The digest is another one: the document was changed after it was signed.");
        }
        catch (Exception malformed) when (malformed is XmlException or ArgumentException or InvalidOperationException or IOException or CryptographicException)
        {
            return new SamlFault(FaultCodes.XmlRefused, $"Not well-formed: {malformed.GetType().Name}.");
        }
    }
}
