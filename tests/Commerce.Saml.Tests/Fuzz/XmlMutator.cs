using System.Globalization;
using System.Text;

namespace Commerce.Saml.Tests.Fuzz;

/// <summary>Changes a message by its structure, one to three times: what an attacker does to signed XML, and what nobody meant to do.</summary>
/// <param name="donors">Elements of other messages that may be spliced in: signed for somebody else, by somebody else, or long ago.</param>
internal sealed class XmlMutator(FuzzNode[] donors)
{
    private static readonly string[] Ids = ["ID", "Id", "id", "iD", "xml:id", "AssertionID", "wsu:Id"];
    private static readonly string[] Names =
        ["saml:Assertion", "saml:EncryptedAssertion", "samlp:Response", "samlp:Extensions", "samlp:AuthnRequest", "ds:Object", "ds:Signature", "ds:SignedInfo", "saml:Advice", "saml:NameID", "x", "samlp:Status", "saml:Subject"];
    private static readonly string[] AttributeNames =
        ["Version", "Format", "NotBefore", "NotOnOrAfter", "Destination", "Recipient", "InResponseTo", "IssueInstant", "URI", "Algorithm", "PrefixList", "SPNameQualifier", "AssertionConsumerServiceURL",
            "AssertionConsumerServiceIndex", "ForceAuthn", "IsPassive", "Value", "Method", "entityID", "validUntil", "cacheDuration", "use", "Location", "Binding", "x", "xml:lang", "xml:base"];
    private static readonly string[] Values =
        ["", "true", "1", "0", "-1", "65536", "_x", "#", "#_x", "#xpointer(/)", "2.0", "1.1", "2026-03-02T09:30:00Z", "2026-03-02T09:30:00.99999999999Z", "9999-12-31T23:59:59Z", "2026-02-30T09:30:00Z",
            "2026-03-02T09:30:00+00:00", "PT1H", "P99999999999Y", "urn:x", "https://evil.example/", "https://fitter.example/saml/acs ", "https://fitter.example/saml/acs2", "javascript:alert(1)", "p-victim", "&#x41;", "&amp;",
            "urn:oasis:names:tc:SAML:2.0:bearer", "urn:oasis:names:tc:SAML:2.0:cm:bearer", "urn:oasis:names:tc:SAML:2.0:status:Success", "#default", "saml samlp ds", "\u0130", "é", "\uD83D\uDE97", "\u202E"];
    private static readonly string[] Algorithms =
        ["http://www.w3.org/2000/09/xmldsig#rsa-sha1", "http://www.w3.org/2000/09/xmldsig#hmac-sha1", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
            "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1", "http://www.w3.org/2000/09/xmldsig#sha1", "http://www.w3.org/2001/04/xmlenc#sha512",
            "http://www.w3.org/2001/10/xml-exc-c14n#WithComments", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315", "http://www.w3.org/TR/1999/REC-xslt-19991116", "http://www.w3.org/TR/1999/REC-xpath-19991116",
            "http://www.w3.org/2000/09/xmldsig#base64", "http://www.w3.org/2001/04/xmlenc#aes256-cbc", "http://www.w3.org/2001/04/xmlenc#rsa-1_5", "http://www.w3.org/2009/xmlenc11#aes128-gcm", "none"];
    private static readonly string[] Namespaces =
        ["", "urn:x", "x", "urn:oasis:names:tc:SAML:2.0:assertion", "urn:oasis:names:tc:SAML:2.0:protocol", "urn:oasis:names:tc:SAML:1.0:assertion", "http://www.w3.org/2000/09/xmldsig#", "http://www.w3.org/2000/xmlns/",
            "http://www.w3.org/XML/1998/namespace", "urn:oasis:names:tc:SAML:2.0:Assertion"];
    private static readonly string[] Markup =
        ["<!---->", "<!--x-->", "<![CDATA[]]>", "<![CDATA[x]]>", "<?x?>", "<?xml version=\"1.0\"?>", "&amp;", "&#x41;", "&#65;", "&#0;", "&#xD;", "&x;", "&lt;", "]]>", "<x/>", "</x>", "\0", "\r", "\n", "\t", " ", "\u00A0", "\u2028", "\uFEFF", "x"];
    private static readonly string[] Before =
        ["<?xml version=\"1.0\"?>", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "<?xml version=\"1.0\" encoding=\"UTF-16\"?>", "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>", "<?xml version=\"1.1\"?>", "<?xml version=\"1.0\" standalone=\"yes\"?>",
            "<!DOCTYPE x>", "<!DOCTYPE x [<!ENTITY x \"y\">]>", "<!DOCTYPE x [<!ATTLIST saml:Assertion ID ID #IMPLIED x CDATA \"y\">]>", "<!DOCTYPE x SYSTEM \"http://evil.example/\">",
            "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;\">]>", "<!--x-->", "<?x y?>", " ", "\n", "\uFEFF", "x"];

    private readonly List<FuzzNode> elements = [];
    private readonly List<FuzzNode> texts = [];
    private readonly StringBuilder output = new();

    /// <returns>The changed message as text; not necessarily well-formed.</returns>
    public string Change(FuzzNode seed, Random random)
    {
        var root = seed.Copy();
        for (var changes = random.Next(1, 4); changes > 0; changes--)
        {
            elements.Clear();
            texts.Clear();
            root.Collect(elements, texts);
            if (elements.Count > 2_000) break;
            root = Once(root, random);
        }
        output.Clear();
        if (random.Next(24) == 0) output.Append(Pick(Before, random));
        root.Write(output);
        if (random.Next(48) == 0) output.Append(Pick(Before, random));
        return output.ToString();
    }

    private FuzzNode Once(FuzzNode root, Random random)
    {
        var one = Pick(elements, random);
        var other = Pick(elements, random);
        switch (random.Next(30))
        {
            case 0: one.Detach(); break;
            case 1: one.Parent?.Insert(random.Next(one.Parent.Children.Count + 1), one.Copy()); break;
            case 2: Into(other, one.Copy(), random); break;
            case 3 when one.Parent is not null && !other.IsInside(one): one.Detach(); Into(other, one, random); break;
            case 4: return Wrap(root, one, random);
            case 5 when one.Parent is { } parent:
                var at = one.Detach();
                foreach (var child in one.Children.ToArray()) { child.Detach(); parent.Insert(at++, child); }
                break;
            case 6 or 7 or 8: return WrapSignature(root, random);
            case 9 when one.Attributes.Count > 0: one.Attributes.RemoveAt(random.Next(one.Attributes.Count)); break;
            case 10 or 11 when one.Attributes.Count > 0:
                var changed = random.Next(one.Attributes.Count);
                one.Attributes[changed] = new(one.Attributes[changed].Key, AnyValue(random));
                break;
            case 12: one.Set(random.Next(2) == 0 ? Pick(Ids, random) : Pick(AttributeNames, random), AnyValue(random)); break;
            case 13 when one.Attributes.Count > 0: one.Attributes.Add(one.Attributes[random.Next(one.Attributes.Count)]); break;
            case 14 when texts.Count > 0: Pick(texts, random).Raw = AnyValue(random); break;
            case 15 or 16 when texts.Count > 0:
                var text = Pick(texts, random);
                text.Raw = text.Raw.Insert(random.Next(text.Raw.Length + 1), Pick(Markup, random));
                break;
            case 17: Respell(one, random); break;
            case 18: one.Set(random.Next(3) == 0 ? "xmlns" : "xmlns:" + Pick(["saml", "samlp", "ds", "xenc", "md", "x", "xml"], random), Pick(Namespaces, random)); break;
            case 19: Prefix(one, random); break;
            case 20: one.Insert(random.Next(one.Children.Count + 1), FuzzNode.Text(Pick(Markup, random))); break;
            case 21: one.Name = random.Next(2) == 0 ? other.Name : Pick(Names, random); break;
            case 22 when one.Parent is { } parent:
                one.Detach();
                parent.Insert(random.Next(parent.Children.Count + 1), one);
                break;
            case 23 or 24 when donors.Length > 0: return Splice(root, one, random);
            case 25 when elements.Exists(element => element.AttributeAt("Algorithm") >= 0):
                Pick(elements.FindAll(element => element.AttributeAt("Algorithm") >= 0), random).Set("Algorithm", Pick(Algorithms, random));
                break;
            case 26: Digits(one, random); break;
            case 27 when random.Next(20) == 0: Grow(one, random); break;
            case 28: one.Raw = "/"; break;
            default: one.Set(Pick(Ids, random), AnyValue(random)); break;
        }
        return root;
    }

    /// <summary>Signature wrapping in all its variants: a copy of a signed element goes anywhere, the original or the copy says something else, ids are kept, changed or doubled.</summary>
    private FuzzNode WrapSignature(FuzzNode root, Random random)
    {
        var signed = elements.FindAll(element => element.Children.Exists(child => child.LocalName == "Signature"));
        if (signed.Count == 0) return root;
        var original = Pick(signed, random);
        var forged = original.Copy();
        if (random.Next(4) > 0) forged.Children.RemoveAll(child => child.LocalName == "Signature");
        if (random.Next(3) > 0) forged.Set(Pick(Ids, random), random.Next(2) == 0 ? "_forged" : AnyValue(random));
        var inner = new List<FuzzNode>();
        forged.Collect(inner, texts);
        foreach (var name in inner.Where(element => element.LocalName is "NameID" or "AttributeValue"))
        {
            name.Children.Clear();
            name.Add(FuzzNode.Text("p-victim"));
        }
        if (forged.LocalName is "AuthnRequest") forged.Set("AssertionConsumerServiceURL", "https://fitter.example/saml/acs2");
        if (random.Next(2) == 0 && !forged.IsInside(original)) (original, forged) = Swap(ref root, original, forged);
        var place = random.Next(3) == 0 ? new FuzzNode { Name = Pick(Names, random) } : null;
        place?.Add(forged);
        var into = Pick(elements, random);
        if (into.IsInside(forged)) into = root;
        if (random.Next(6) == 0)
        {
            var around = forged.Copy();
            around.Insert(random.Next(around.Children.Count + 1), root);
            return around;
        }
        Into(into, place ?? forged, random);
        return root;
    }

    /// <summary>The forged element takes the original's place, and the original becomes what is hidden somewhere.</summary>
    private static (FuzzNode Original, FuzzNode Hidden) Swap(ref FuzzNode root, FuzzNode original, FuzzNode forged)
    {
        if (original == root) root = forged;
        else original.ReplaceBy(forged);
        return (forged, original);
    }

    private FuzzNode Splice(FuzzNode root, FuzzNode one, Random random)
    {
        var pool = new List<FuzzNode>();
        Pick(donors, random).Collect(pool, texts);
        var same = pool.FindAll(element => element.LocalName == one.LocalName);
        var foreign = (same.Count > 0 && random.Next(4) > 0 ? Pick(same, random) : Pick(pool, random)).Copy();
        if (random.Next(3) == 0) Into(one, foreign, random);
        else if (one == root) return foreign;
        else one.ReplaceBy(foreign);
        return root;
    }

    private static FuzzNode Wrap(FuzzNode root, FuzzNode one, Random random)
    {
        var around = new FuzzNode { Name = random.Next(3) == 0 && one.Name is not null ? one.Name : Pick(Names, random) };
        if (random.Next(2) == 0) around.Attributes.AddRange(one.Attributes);
        if (one == root)
        {
            around.Add(root);
            return around;
        }
        var at = one.Parent!.Children.IndexOf(one);
        var parent = one.Parent;
        one.Detach();
        parent.Insert(at, around.Add(one));
        return root;
    }

    /// <summary>The same characters written otherwise, in text and attributes: what means the same, and what only looks it.</summary>
    private static void Respell(FuzzNode one, Random random)
    {
        string Other(string value)
        {
            if (value.Length == 0) return value;
            var at = random.Next(value.Length);
            var c = value[at];
            if (c is '&' or ';' || char.IsSurrogate(c)) return value;
            var written = random.Next(4) switch
            {
                0 => $"&#{(int)c};",
                1 => $"&#x{(int)c:X};",
                2 => char.IsUpper(c) ? char.ToLowerInvariant(c).ToString() : char.ToUpperInvariant(c).ToString(),
                _ => ((char)(c + 0xFEE0)).ToString(),    // full-width
            };
            return string.Concat(value.AsSpan(0, at), written, value.AsSpan(at + 1));
        }
        if (one.Children is [{ Name: null } text]) text.Raw = Other(text.Raw);
        else if (one.Attributes.Count > 0 && random.Next(one.Attributes.Count) is var i) one.Attributes[i] = new(one.Attributes[i].Key, Other(one.Attributes[i].Value));
    }

    /// <summary>Another prefix for the same namespace, with or without its declaration.</summary>
    private static void Prefix(FuzzNode one, Random random)
    {
        var prefix = Pick(["", "q", "saml", "samlp", "ds"], random);
        one.Name = prefix.Length == 0 ? one.LocalName : prefix + ":" + one.LocalName;
        if (random.Next(2) == 0) one.Set(prefix.Length == 0 ? "xmlns" : "xmlns:" + prefix, Pick(Namespaces, random));
    }

    private static void Digits(FuzzNode one, Random random)
    {
        for (var i = 0; i < one.Attributes.Count; i++)
        {
            var value = one.Attributes[i].Value.ToCharArray();
            var at = Array.FindIndex(value, char.IsAsciiDigit);
            if (at < 0) continue;
            value[random.Next(at, value.Length)] = (char)('0' + random.Next(10));
            one.Attributes[i] = new(one.Attributes[i].Key, new string(value));
        }
    }

    /// <summary>Deep, wide, long: against every cap of the gate.</summary>
    private static void Grow(FuzzNode one, Random random)
    {
        switch (random.Next(5))
        {
            case 0:
                var inner = one;
                for (var i = random.Next(20, 200); i > 0; i--)
                {
                    var next = new FuzzNode { Name = "x" };
                    inner.Add(next);
                    inner = next;
                }
                break;
            case 1:
                for (var i = random.Next(20, 500); i > 0; i--) one.Attributes.Add(new("a" + i.ToString(CultureInfo.InvariantCulture), "x"));
                break;
            case 2: one.Set("x", new string('x', random.Next(4_000, 60_000))); break;
            case 3:
                for (var i = random.Next(100, 25_000); i > 0; i--) one.Add(new FuzzNode { Name = "x", Raw = "/" });
                break;
            default: one.Add(FuzzNode.Text(new string('x', random.Next(10_000, 300_000)))); break;
        }
    }

    private static void Into(FuzzNode parent, FuzzNode child, Random random) => parent.Insert(random.Next(parent.Children.Count + 1), child);

    private string AnyValue(Random random)
    {
        switch (random.Next(4))
        {
            case 0 when elements.Count > 0 && Pick(elements, random) is { Attributes.Count: > 0 } element: return element.Attributes[random.Next(element.Attributes.Count)].Value;
            case 1 when texts.Count > 0: return Pick(texts, random).Raw;
            case 2 when random.Next(8) == 0: return Pick(Algorithms, random);
            default: return Pick(Values, random);
        }
    }

    private static T Pick<T>(IReadOnlyList<T> from, Random random) => from[random.Next(from.Count)];
}
