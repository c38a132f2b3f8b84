using System.Globalization;
using System.Xml;

namespace Commerce.Saml;

/// <summary>Reading out of a DOM that passed the gate. Elements are matched by namespace and local name, never by prefix.</summary>
internal static class XmlRead
{
    public static bool Is(this XmlElement element, string ns, string localName) => element.LocalName == localName && element.NamespaceURI == ns;

    /// <summary>The child elements; a fault where text stands between them.</summary>
    public static SamlResult<List<XmlElement>> ElementsOnly(this XmlElement parent)
    {
        var elements = new List<XmlElement>(8);
        for (var child = parent.FirstChild; child is not null; child = child.NextSibling)
        {
            if (child is XmlElement element) elements.Add(element);
            else if (!child.Value.AsSpan().Trim(" \t\r\n").IsEmpty) return Structure($"Text between the children of {parent.LocalName}.");
        }
        return elements;
    }

    /// <summary>All text of an element that has no child elements.</summary>
    public static SamlResult<string> TextOnly(this XmlElement element)
    {
        string? text = null;
        for (var child = element.FirstChild; child is not null; child = child.NextSibling)
        {
            if (child is not XmlCharacterData data) return Structure($"{element.LocalName} holds elements where text belongs.");
            text = text is null ? data.Data : text + data.Data;
        }
        return text ?? "";
    }

    public static IEnumerable<XmlElement> Children(this XmlElement parent, string ns, string localName)
    {
        for (var child = parent.FirstChild; child is not null; child = child.NextSibling)
            if (child is XmlElement element && element.Is(ns, localName)) yield return element;
    }

    public static XmlElement? Child(this XmlElement parent, string ns, string localName) => parent.Children(ns, localName).FirstOrDefault();

    /// <summary>An attribute without a namespace; null where it is absent, which is not the same as empty.</summary>
    public static string? Attr(this XmlElement element, string name) => element.GetAttributeNode(name, "")?.Value;

    /// <summary>xs:boolean.</summary>
    public static SamlResult<bool?> Flag(this XmlElement element, string name) => element.Attr(name) switch
    {
        null => (bool?)null,
        "true" or "1" => true,
        "false" or "0" => false,
        _ => Structure($"{element.LocalName}/@{name} is no Boolean."),
    };

    /// <summary>xs:dateTime in UTC with the Z that SAML Core 1.3.3 demands. Fractions finer than 100 ns are cut.</summary>
    public static DateTimeOffset? Instant(string? text)
    {
        if (text is null || text.Length is < 20 or > 40 || text[^1] != 'Z') return null;
        var point = text.IndexOf('.', StringComparison.Ordinal);
        if (point >= 0)
        {
            var fraction = text.AsSpan(point + 1, text.Length - point - 2);
            if (fraction.IsEmpty || fraction.ContainsAnyExceptInRange('0', '9')) return null;
            if (fraction.Length > 7) text = string.Concat(text.AsSpan(0, point + 8), "Z");
        }
        return DateTimeOffset.TryParseExact(text, ["yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'"],
            CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var instant)
            ? instant : null;
    }

    /// <summary>xs:ID of at most 256 characters.</summary>
    public static bool IsId(string? text)
    {
        if (text is null || text.Length is 0 or > 256) return false;
        try
        {
            XmlConvert.VerifyNCName(text);
            return true;
        }
        catch (XmlException)
        {
            return false;
        }
    }

    /// <summary>Base64 with white space as XML Schema allows it inside elements, and nothing else loose; null where it is not.</summary>
    public static byte[]? Base64(string text) => StrictBase64.Decode(text.AsSpan(), allowWhiteSpace: true);

    public static SamlFault Structure(string detail) => new(FaultCodes.StructureInvalid, detail);
}

internal static class StrictBase64
{
    /// <summary>Decodes the one canonical encoding of some bytes: right padding, no stray bits. Null for everything else.</summary>
    public static byte[]? Decode(ReadOnlySpan<char> text, bool allowWhiteSpace)
    {
        if (text.ContainsAny(" \t\r\n"))
        {
            if (!allowWhiteSpace) return null;
            var packed = new char[text.Length];
            var count = 0;
            foreach (var c in text)
                if (c is not (' ' or '\t' or '\r' or '\n')) packed[count++] = c;
            text = packed.AsSpan(0, count);
        }
        if (text.IsEmpty || text.Length % 4 != 0) return null;
        var bytes = new byte[text.Length / 4 * 3];
        if (!Convert.TryFromBase64Chars(text, bytes, out var length)) return null;
        Array.Resize(ref bytes, length);

        // Only the last group can have been written in more than one way.
        var tail = length % 3 == 0 ? 3 : length % 3;
        return length > 0 && text[^4..].SequenceEqual(Convert.ToBase64String(bytes, length - tail, tail)) ? bytes : null;
    }
}
