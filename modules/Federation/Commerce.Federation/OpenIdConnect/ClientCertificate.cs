using System.Formats.Asn1;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>Clients' certificates (RFC 8705). The chain was verified where TLS ends: by Kestrel or by the listed proxy.</summary>
internal static class ClientCertificate
{
    private static readonly Asn1Tag Email = new(TagClass.ContextSpecific, 1), Dns = new(TagClass.ContextSpecific, 2), UriName = new(TagClass.ContextSpecific, 6),
        Ip = new(TagClass.ContextSpecific, 7);

    /// <summary>RFC 8705 §3.1: SHA-256 of the DER, base64url.</summary>
    public static string ThumbprintOf(X509Certificate2 certificate) => System.Buffers.Text.Base64Url.EncodeToString(SHA256.HashData(certificate.RawData));

    /// <summary>Whether the certificate carries the one name that the client registered (RFC 8705 §2.1.2), and is in its time.</summary>
    public static bool Fits(OidcClient client, X509Certificate2 certificate, DateTimeOffset now)
    {
        if (now < certificate.NotBefore.ToUniversalTime() || now > certificate.NotAfter.ToUniversalTime()) return false;
        if (client.TlsClientAuthSubjectDn is { } subject) return SameName(new X500DistinguishedName(subject), certificate.SubjectName);
        var names = AlternativeNames(certificate);
        if (client.TlsClientAuthSanDns is { } dns) return names.Any(n => n.Tag == Dns && string.Equals(n.Value, dns, StringComparison.OrdinalIgnoreCase));
        if (client.TlsClientAuthSanUri is { } uri) return names.Contains((UriName, uri));
        if (client.TlsClientAuthSanEmail is { } email) return names.Contains((Email, email));
        return client.TlsClientAuthSanIp is { } ip && names.Contains((Ip, IPAddress.Parse(ip).ToString()));
    }

    /// <summary>The same attributes with the same values in the same order; a name of several attributes in one step is never the same.</summary>
    private static bool SameName(X500DistinguishedName one, X500DistinguishedName other)
    {
        return Parts(one) is { Count: > 0 } first && Parts(other) is { } second && first.SequenceEqual(second);

        static List<(string? Type, string? Value)>? Parts(X500DistinguishedName name)
        {
            var parts = new List<(string?, string?)>();
            foreach (var part in name.EnumerateRelativeDistinguishedNames())
            {
                if (part.HasMultipleElements) return null;
                parts.Add((part.GetSingleElementType().Value, part.GetSingleElementValue()));
            }
            return parts;
        }
    }

    private static List<(Asn1Tag Tag, string Value)> AlternativeNames(X509Certificate2 certificate)
    {
        var names = new List<(Asn1Tag, string)>();
        if (certificate.Extensions["2.5.29.17"] is not { } extension) return names;
        try
        {
            var list = new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadSequence();
            while (list.HasData)
            {
                var tag = list.PeekTag();
                if (tag == Email || tag == Dns || tag == UriName) names.Add((tag, list.ReadCharacterString(UniversalTagNumber.IA5String, tag)));
                else if (tag == Ip && list.ReadOctetString(tag) is { Length: 4 or 16 } address) names.Add((tag, new IPAddress(address).ToString()));
                else if (tag != Ip) list.ReadEncodedValue();
            }
        }
        catch (Exception error) when (error is AsnContentException or DecoderFallbackException)
        {
            return [];
        }
        return names;
    }
}
