using System.Xml;

namespace Commerce.Saml;

/// <summary>Values that both roles' metadata have.</summary>
internal static class MetadataValues
{
    private const string XmlNamespace = "http://www.w3.org/XML/1998/namespace";
    private const int MaxText = 4096;

    /// <summary>xs:dateTime as metadata in the wild writes it; without a zone it is UTC.</summary>
    public static SamlResult<DateTimeOffset?> Instant(string? text)
    {
        if (text is null) return (DateTimeOffset?)null;
        try
        {
            return new DateTimeOffset(XmlConvert.ToDateTime(text.Trim(), XmlDateTimeSerializationMode.Utc));
        }
        catch (Exception malformed) when (malformed is FormatException or ArgumentException)
        {
            return new SamlFault(FaultCodes.MetadataInvalid, "validUntil is no instant.");
        }
    }

    /// <summary>Trimmed text, cut where absurdly long.</summary>
    public static string Text(XmlElement element)
    {
        var text = element.InnerText.Trim();
        return text.Length <= MaxText ? text : text[..MaxText];
    }

    /// <summary>Texts by language; the first of a language counts.</summary>
    public static Dictionary<string, string> Localized(IEnumerable<XmlElement> elements)
    {
        var texts = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var element in elements)
            if (element.GetAttributeNode("lang", XmlNamespace)?.Value is { Length: > 0 and <= 35 } language && Text(element) is { Length: > 0 } text)
                texts.TryAdd(language, text);
        return texts;
    }

    public static List<SamlEndpoint> Endpoints(XmlElement role, string name, bool requireHttps) =>
        [.. role.Children(SamlNamespaces.Metadata, name)
            .Select(service => new SamlEndpoint(service.Attr("Binding") ?? "", service.Attr("Location") ?? "", service.Attr("ResponseLocation")))
            .Where(service => EndpointAddress.IsWeb(service.Location, requireHttps) && (service.ResponseLocation is null || EndpointAddress.IsWeb(service.ResponseLocation, requireHttps)))];

    /// <summary>The keys of a role for one use. A KeyDescriptor without use counts for both (S34); what cannot be used is left out and said.</summary>
    public static List<TrustedKey> Keys(XmlElement role, string use, List<string> warnings)
    {
        var keys = new List<TrustedKey>();
        foreach (var descriptor in role.Children(SamlNamespaces.Metadata, "KeyDescriptor").Where(key => key.Attr("use") is not { } only || only == use)
            .OrderBy(key => key.Attr("use") is null))
        {
            var info = descriptor.Child(SamlNamespaces.XmlSignature, "KeyInfo");
            var found = info is null ? [] : Certificates(info).Concat(KeyValues(info)).ToList();
            if (found.Count == 0) warnings.Add($"A key for {use} is left out: it has neither certificate nor RSA key value.");
            foreach (var candidate in found)
            {
                if (!candidate.TryGet(out var key, out var fault)) warnings.Add($"A key for {use} is left out: {fault.Detail}");
                else if (!keys.Contains(key)) keys.Add(key);
            }
        }
        return keys;
    }

    private static IEnumerable<SamlResult<TrustedKey>> Certificates(XmlElement info) =>
        info.Children(SamlNamespaces.XmlSignature, "X509Data").SelectMany(data => data.Children(SamlNamespaces.XmlSignature, "X509Certificate"))
            .Select(certificate => TrustedKey.FromCertificate(certificate.InnerText));

    private static IEnumerable<SamlResult<TrustedKey>> KeyValues(XmlElement info)
    {
        if (info.Child(SamlNamespaces.XmlSignature, "X509Data") is not null) yield break;    // the certificate says the same
        foreach (var rsa in info.Children(SamlNamespaces.XmlSignature, "KeyValue").SelectMany(value => value.Children(SamlNamespaces.XmlSignature, "RSAKeyValue")))
        {
            var modulus = XmlRead.Base64(rsa.Child(SamlNamespaces.XmlSignature, "Modulus")?.InnerText ?? "");
            var exponent = XmlRead.Base64(rsa.Child(SamlNamespaces.XmlSignature, "Exponent")?.InnerText ?? "");
            yield return modulus is null || exponent is null
                ? new SamlFault(FaultCodes.KeyRefused, "The RSA key value cannot be read.")
                : TrustedKey.FromRsa(modulus, exponent);
        }
    }
}
