using System.Globalization;
using System.Text;
using System.Xml;

namespace Commerce.Saml;

/// <summary>A message as an operator may see and keep it: its structure, addresses, algorithms and times. Who it is about, what it says of them, and
/// whatever could be used again (tickets, signatures, ciphertext) stands there only as a number of characters.</summary>
public static class MaskedMessage
{
    private const int Longest = 4_000;
    private const int LongestValue = 200;

    // What names no customer and opens nothing.
    private static readonly HashSet<string> PlainText = new(StringComparer.Ordinal) { "Issuer", "Audience", "AuthnContextClassRef", "AuthnContextDeclRef", "faultcode" };
    private static readonly HashSet<string> PlainAttributes = new(StringComparer.Ordinal)
    {
        "ID", "Version", "IssueInstant", "Destination", "AssertionConsumerServiceURL", "AssertionConsumerServiceIndex", "AttributeConsumingServiceIndex", "ProtocolBinding",
        "InResponseTo", "ForceAuthn", "IsPassive", "AllowCreate", "Format", "Comparison", "NotBefore", "NotOnOrAfter", "Algorithm", "URI", "Value", "Method", "Recipient",
        "Name", "NameFormat", "Type", "PrefixList", "SPNameQualifier", "NameQualifier",
    };

    /// <returns>At most 4,000 characters. Where the gate refuses the document, its size alone.</returns>
    public static string Of(ReceivedMessage message)
    {
        if (!XmlGate.ParseMessage(message.Xml).TryGet(out var document, out _)) return string.Create(CultureInfo.InvariantCulture, $"[{message.Xml.Length} bytes that are no acceptable XML]");
        var text = new StringBuilder(1024);
        Write(document.DocumentElement!, text, 0);
        return text.Length <= Longest ? text.ToString() : text.ToString(0, Longest);
    }

    private static void Write(XmlElement element, StringBuilder to, int depth)
    {
        if (to.Length > Longest) return;
        to.Append(' ', depth * 2).Append('<').Append(element.Name);
        foreach (XmlAttribute attribute in element.Attributes)
        {
            var isPlain = attribute.NamespaceURI is "http://www.w3.org/2000/xmlns/" || (attribute.NamespaceURI.Length == 0 && PlainAttributes.Contains(attribute.LocalName));
            to.Append(' ').Append(attribute.Name).Append("=\"").Append(isPlain ? Printable(attribute.Value) : Length(attribute.Value)).Append('"');
        }
        to.Append('>');
        var children = element.ChildNodes.OfType<XmlElement>().ToList();
        if (children.Count == 0 && element.InnerText.Length > 0) to.Append(PlainText.Contains(element.LocalName) ? Printable(element.InnerText) : Length(element.InnerText));
        to.Append('\n');
        foreach (var child in children) Write(child, to, depth + 1);
    }

    private static string Length(string value) => string.Create(CultureInfo.InvariantCulture, $"[{value.Length} characters]");

    /// <summary>One line of ASCII: it is shown in terminals.</summary>
    private static string Printable(string value) =>
        string.Concat(value.Take(LongestValue).Select(c => c is >= ' ' and <= '~' ? c : '?')) + (value.Length > LongestValue ? "…" : "");
}
