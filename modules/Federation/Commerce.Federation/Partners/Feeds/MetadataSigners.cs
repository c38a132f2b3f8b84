using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Commerce.Kernel;
using Commerce.Saml;

namespace Commerce.Federation.Partners;

/// <summary>The certificates an operator pins for a feed.</summary>
internal static class MetadataSigners
{
    /// <param name="pem">One or more certificates.</param>
    public static Result<IReadOnlyList<TrustedKey>> Read(string pem)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(pem);
            var keys = new List<TrustedKey>();
            foreach (var certificate in certificates)
            {
                if (!TrustedKey.FromCertificate(Convert.ToBase64String(certificate.RawData)).TryGet(out var key, out var fault)) return No(fault.Detail);
                keys.Add(key);
            }
            return keys.Count > 0 ? keys : No("There is no certificate in PEM form in it.");
        }
        catch (CryptographicException)
        {
            return No("The certificate cannot be read.");
        }
        finally
        {
            foreach (var certificate in certificates) certificate.Dispose();
        }
    }

    /// <summary>What is wrong with a document's signature, where one is asked for. The stream is at its beginning afterwards.</summary>
    public static Refusal? Fault(Stream document, string? pem)
    {
        if (pem is null) return null;
        if (!Read(pem).TryGet(out var keys, out var no)) return no;
        return Fault(document, keys) is { } sentence ? Refusals.PartnerInvalid.With(new FieldError("metadata", sentence)) : null;
    }

    public static string? Fault(Stream document, IReadOnlyList<TrustedKey> keys)
    {
        var verified = MetadataSignature.Verify(document, keys);
        document.Position = 0;
        return verified.Fault is { } fault ? $"The document's signature does not hold: {fault.Detail}" : null;
    }

    private static Refusal No(string sentence) => Refusals.PartnerInvalid.With(new FieldError("signed_by", sentence));
}
