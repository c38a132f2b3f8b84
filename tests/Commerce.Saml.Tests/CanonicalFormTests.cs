using System.Text;
using System.Xml;
using FsCheck;
using FsCheck.Fluent;

namespace Commerce.Saml.Tests;

/// <summary>Our canonicaliser against the platform's, and our writer against both, on documents nobody thought of.</summary>
public sealed class CanonicalFormTests
{
    [Fact]
    public void The_canonical_form_equals_the_platforms_on_random_documents()
    {
        var random = new Random(7);
        for (var round = 0; round < 600; round++)
        {
            var xml = RandomXml.Document(random);
            var document = XmlGate.ParseMessage(Encoding.UTF8.GetBytes(xml)).Value;
            using var ours = new Utf8XmlWriter();
            ExclusiveCanonicalizer.Write(document.DocumentElement!, ours);
            Assert.Equal(Platform(Attack.Load(xml)), Encoding.UTF8.GetString(ours.Written));
        }
    }

    [Fact]
    public void The_canonical_form_of_an_inner_element_equals_the_platforms_also_with_a_prefix_list()
    {
        var random = new Random(8);
        for (var round = 0; round < 400; round++)
        {
            var document = XmlGate.ParseMessage(Encoding.UTF8.GetBytes(RandomXml.Document(random))).Value;
            var elements = document.GetElementsByTagName("*").OfType<XmlElement>().ToList();
            var apex = elements[random.Next(elements.Count)];
            var prefixes = random.Next(2) == 0 ? [] : new[] { "a", "b", "none" }.Take(random.Next(1, 4)).ToArray();
            using var ours = new Utf8XmlWriter();
            ExclusiveCanonicalizer.Write(apex, ours, without: null, prefixes);
            Assert.Equal(Platform(Alone(apex), prefixes), Encoding.UTF8.GetString(ours.Written));
        }
    }

    [Fact]
    public void The_default_namespace_in_a_prefix_list_is_declared_where_the_list_takes_effect()
    {
        // By Exclusive XML Canonicalization §3, worked out by hand: the platform writes a broken declaration here.
        var document = XmlGate.ParseMessage("<d xmlns=\"urn:d\" xmlns:a=\"urn:a\"><a:x><y xmlns=\"\"/></a:x></d>"u8).Value;
        using var ours = new Utf8XmlWriter();
        ExclusiveCanonicalizer.Write((XmlElement)document.DocumentElement!.FirstChild!, ours, without: null, ["#default"]);
        Assert.Equal("<a:x xmlns=\"urn:d\" xmlns:a=\"urn:a\"><y xmlns=\"\"></y></a:x>", Encoding.UTF8.GetString(ours.Written));
    }

    [Fact]
    public void Whatever_is_written_is_already_canonical_and_comes_back_unchanged() => Prop.ForAll<NonNull<string>[]>(IsCanonicalAndComesBack).QuickCheckThrowOnFailure();

    [Fact]
    public void A_request_carries_any_relay_state() => Prop.ForAll<NonNull<string>>(CarriesRelayState).QuickCheckThrowOnFailure();

    private static bool IsCanonicalAndComesBack(NonNull<string>[] values)
    {
        var world = new World(idpKey: Keys.Idp);
        var request = world.Request();
        var attributes = values.Select((value, index) => new SamlAttribute($"urn:x:{index}", [value.Get], value.Get)).ToArray();
        var content = World.Content() with { Attributes = attributes };
        var written = world.Idp.Respond(request, content);
        if (!values.All(value => IsXml(value.Get))) return !written.IsSuccess;
        var xml = written.Value.Xml.Span;
        var document = XmlGate.ParseMessage(xml).Value;
        using var canonical = new Utf8XmlWriter();
        ExclusiveCanonicalizer.Write(document.DocumentElement!, canonical);
        var back = world.Consume(Encoding.UTF8.GetString(xml), request.Id).Value;
        return canonical.Written.SequenceEqual(xml)
            && Encoding.UTF8.GetString(Attack.Canonical(document.DocumentElement!)) == Encoding.UTF8.GetString(xml)
            && back.Attributes.Select(a => (a.Values[0], a.FriendlyName)).SequenceEqual(values.Select(v => (v.Get, (string?)v.Get)));
    }

    private static bool CarriesRelayState(NonNull<string> state)
    {
        if (!IsXml(state.Get)) return true;
        var world = new World();
        return world.Request(new AuthnRequestOptions { RelayState = state.Get }).RelayState == state.Get;
    }

    private static bool IsXml(string value)
    {
        try
        {
            XmlConvert.VerifyXmlChars(value);
            return true;
        }
        catch (XmlException)
        {
            return false;
        }
    }

    private static string Platform(XmlDocument document, params string[] prefixes)
    {
        var transform = new System.Security.Cryptography.Xml.XmlDsigExcC14NTransform(false, prefixes.Length == 0 ? null! : string.Join(' ', prefixes));
        transform.LoadInput(document);
        using var reader = new StreamReader((Stream)transform.GetOutput(typeof(Stream)));
        return reader.ReadToEnd();
    }

    /// <summary>An element as a document of its own that declares every namespace in scope, as the platform's SignedXml prepares it.</summary>
    private static XmlDocument Alone(XmlElement apex)
    {
        const string Xmlns = "http://www.w3.org/2000/xmlns/";
        var alone = new XmlDocument { XmlResolver = null, PreserveWhitespace = true };
        var root = (XmlElement)alone.AppendChild(alone.ImportNode(apex, deep: true))!;
        for (var outer = apex.ParentNode; outer is XmlElement element; outer = element.ParentNode)
            foreach (XmlAttribute attribute in element.Attributes)
                if (attribute.NamespaceURI == Xmlns && !root.HasAttribute(attribute.LocalName, Xmlns) && !(attribute.LocalName == "xmlns" && attribute.Value.Length == 0))
                    root.SetAttributeNode((XmlAttribute)alone.ImportNode(attribute, deep: true));
        return alone;
    }
}

/// <summary>Random well-formed documents with awkward namespaces.</summary>
internal static class RandomXml
{
    private static readonly string[] Prefixes = ["", "a", "b", "c", "ab"];
    private static readonly string[] Namespaces = ["urn:1", "urn:2", "http://x/y?a&b\"<", "urn:ä"];
    private static readonly string[] Texts = ["", "x", "a & b", "<>\"'", "\t\n", "line\r\nend", "ä漢🚗", " ", "]]>"];

    public static string Document(Random random)
    {
        var xml = new StringBuilder();
        Element(xml, random, new Dictionary<string, string> { [""] = "" }, 0);
        return xml.ToString();
    }

    private static void Element(StringBuilder xml, Random random, Dictionary<string, string> outer, int depth)
    {
        var scope = new Dictionary<string, string>(outer);
        var declared = new Dictionary<string, string>();
        for (var i = random.Next(3); i > 0; i--)
        {
            var prefix = Prefixes[random.Next(Prefixes.Length)];
            declared[prefix] = prefix.Length == 0 && random.Next(3) == 0 ? "" : Namespaces[random.Next(Namespaces.Length)];
        }
        foreach (var (prefix, ns) in declared) scope[prefix] = ns;
        var usable = scope.Keys.ToList();
        var own = usable[random.Next(usable.Count)];
        var name = (own.Length == 0 ? "" : own + ":") + "e" + random.Next(3);
        xml.Append('<').Append(name);
        foreach (var (prefix, ns) in declared) xml.Append(prefix.Length == 0 ? " xmlns" : " xmlns:" + prefix).Append("=\"").Append(Escape(ns)).Append('"');
        var taken = new HashSet<(string, string)>();
        for (var i = random.Next(5); i > 0; i--)
        {
            var prefix = usable[random.Next(usable.Count)];
            var local = "z" + random.Next(6);
            if (taken.Add((prefix.Length == 0 ? "" : scope[prefix], local)))
                xml.Append(' ').Append(prefix.Length == 0 ? "" : prefix + ":").Append(local).Append("=\"").Append(Escape(Texts[random.Next(Texts.Length)])).Append('"');
        }
        if (random.Next(8) == 0) xml.Append(" xml:lang=\"fi\"");
        xml.Append('>');
        for (var i = depth > 5 ? 0 : random.Next(4); i > 0; i--)
        {
            if (random.Next(3) == 0) xml.Append(Escape(Texts[random.Next(Texts.Length)]));
            else Element(xml, random, scope, depth + 1);
        }
        xml.Append("</").Append(name).Append('>');
    }

    private static string Escape(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace(">", "&gt;", StringComparison.Ordinal).Replace("\"", "&quot;", StringComparison.Ordinal).Replace("\r", "&#13;", StringComparison.Ordinal)
        .Replace("\n", "&#10;", StringComparison.Ordinal).Replace("\t", "&#9;", StringComparison.Ordinal);
}
