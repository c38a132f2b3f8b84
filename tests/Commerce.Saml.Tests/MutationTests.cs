using System.Diagnostics;
using System.Text;
using System.Xml;

namespace Commerce.Saml.Tests;

/// <summary>Thousands of changed messages, seeded, so that a failure can be repeated: none is accepted unless it means exactly what was signed.</summary>
public sealed class MutationTests
{
    private const int Rounds = 1500;

    public static TheoryData<string> Everything => Attack.Everything;

    [Theory, MemberData(nameof(Everything))]
    public void No_mutation_of_a_signed_message_is_accepted_with_another_meaning(string kind)
    {
        var random = new Random(20260302);
        var attack = Attack.On(kind);
        var watch = new Stopwatch();
        var slowest = TimeSpan.Zero;
        var accepted = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var mutant = random.Next(3) == 0 ? Mutate.Text(attack.Xml, random) : Mutate.Structure(attack.Xml, random);
            watch.Restart();
            attack.World.UsedIds.Clear();
            var fault = attack.Send(mutant);
            slowest = slowest > watch.Elapsed ? slowest : watch.Elapsed;
            if (fault is not null)
            {
                Assert.NotEqual(FaultCodes.Internal, fault.Code);
                continue;
            }
            accepted++;
            Assert.Equal(Meaning(attack.Xml, kind), Meaning(mutant, kind));
        }
        Assert.True(accepted < Rounds / 4, $"{accepted} mutants changed nothing that counts: the engine is too tame.");
        Assert.True(slowest < TimeSpan.FromSeconds(5), $"{slowest}");
    }

    [Fact]
    public void No_mutation_of_a_signed_query_is_accepted_with_another_meaning()
    {
        var random = new Random(20260303);
        var world = new World();
        var query = world.SpSide.CreateAuthnRequest(world.RemoteIdp, new AuthnRequestOptions { RelayState = "state/1 ä", HopTicket = "t1" }).Value.Url.Split('?')[1];
        var original = world.Redirect(query).Value;
        var accepted = 0;
        for (var round = 0; round < 2 * Rounds; round++)
        {
            var mutant = random.Next(2) == 0 ? Mutate.Text(query, random) : Mutate.Query(query, random);
            var result = world.Redirect(mutant);
            if (!result.IsSuccess) continue;
            accepted++;

            // Only what is not under the signature and not read may differ.
            Assert.Equal((original.Id, original.RelayState, original.HopTicket, original.AssertionConsumerService), (result.Value.Id, result.Value.RelayState, result.Value.HopTicket, result.Value.AssertionConsumerService));
            Assert.Equal(Known(query), Known(mutant));
        }
        Assert.True(accepted < Rounds / 2, $"{accepted}");

        static IEnumerable<string> Known(string q) => q.TrimStart('?').Split('&').Where(p => p.StartsWith("SAMLRequest=", StringComparison.Ordinal)
            || p.StartsWith("RelayState=", StringComparison.Ordinal) || p.StartsWith("SigAlg=", StringComparison.Ordinal)).Order(StringComparer.Ordinal);
    }

    [Fact]
    public void No_mutation_of_an_unsigned_request_escapes_the_checks_or_throws()
    {
        var random = new Random(20260304);
        var world = new World(sp: record => record with { AuthnRequestsSigned = false });
        using var writer = new Utf8XmlWriter();
        AuthnRequestWriter.Write(writer, world.SpSide.Settings, new AuthnRequestOptions { HopTicket = "t1", ContextClasses = [AuthnContextClasses.RefedsMfa] }, "_r1", World.SsoUrl, world.Clock.Now);
        var xml = Encoding.UTF8.GetString(writer.Written);
        for (var round = 0; round < 2 * Rounds; round++)
        {
            var result = world.Post(random.Next(2) == 0 ? Mutate.Text(xml, random) : Mutate.Structure(xml, random));
            if (!result.IsSuccess) continue;
            Assert.Contains(result.Value.AssertionConsumerService, world.Sp.AssertionConsumerServices);
            Assert.True(XmlRead.IsId(result.Value.Id));
        }
    }

    [Fact]
    public void No_mutation_of_metadata_throws()
    {
        var random = new Random(20260305);
        var world = new World();
        var sp = Encoding.UTF8.GetString(world.SpSide.WriteMetadata());
        var idp = Encoding.UTF8.GetString(world.Idp.WriteMetadata(new IdentityProviderDescription { DisplayNames = new Dictionary<string, string> { ["en"] = "Retailer" } }));
        for (var round = 0; round < Rounds; round++)
        {
            var mutant = random.Next(2) == 0 ? Mutate.Text(sp, random) : Mutate.Structure(sp, random);
            foreach (var entry in SpMetadataReader.Read(new MemoryStream(Encoding.UTF8.GetBytes(mutant)), new SpMetadataOptions(), world.Clock))
                if (entry.IsSuccess && entry.Value.ServiceProvider is { } record) Assert.All(record.AssertionConsumerServices, acs => Assert.StartsWith("https://", acs.Location, StringComparison.Ordinal));
            mutant = random.Next(2) == 0 ? Mutate.Text(idp, random) : Mutate.Structure(idp, random);
            var read = IdpMetadataReader.Read(new MemoryStream(Encoding.UTF8.GetBytes(mutant)), null, requireHttps: true, world.Clock);
            if (read.IsSuccess) Assert.NotEmpty(read.Value.SigningKeys);
        }
    }

    /// <summary>What the receiver reads: the canonical form of everything under a signature or used beside it, without KeyInfo.</summary>
    private static string Meaning(string xml, string kind)
    {
        var root = XmlGate.ParseMessage(Encoding.UTF8.GetBytes(xml)).Value.DocumentElement!;
        var read = root;
        if (kind == "signed assertion")
        {
            // Of an unsigned response only what is compared with fixed values counts.
            Assert.Equal(World.AcsUrl, root.GetAttribute("Destination"));
            read = Attack.Descendants(root, "Assertion").Single();
        }
        Attack.Unsign(read);
        using var canonical = new Utf8XmlWriter();
        foreach (var info in Attack.Descendants(read, "KeyInfo")) info.ParentNode!.RemoveChild(info);
        ExclusiveCanonicalizer.Write(read, canonical);
        return Encoding.UTF8.GetString(canonical.Written);
    }
}

/// <summary>Small changes that know what they change.</summary>
internal static class Mutate
{
    private static readonly string[] Snippets =
    [
        "<!---->", "<![CDATA[x]]>", "<?x?>", "&amp;", "&#x41;", "&#0;", "]]>", "<x/>", "</x>", "\0", "\r", "\n", " ", "'", "\"", "=", "xmlns=\"\"", "xmlns:saml=\"urn:x\"", "ID=\"_x\"",
        "é", "\uFEFF", "\u202E", "%00", "+", "&", "#", "/", ":", "0", "1", "true", "2.0", "https://evil.example/",
    ];

    /// <summary>Changes at the level of characters.</summary>
    public static string Text(string original, Random random)
    {
        var text = new StringBuilder(original);
        for (var changes = random.Next(1, 4); changes > 0 && text.Length > 4; changes--)
        {
            var at = random.Next(text.Length - 1);
            var length = Math.Min(random.Next(1, 12), text.Length - at);
            switch (random.Next(6))
            {
                case 0: text[at] = (char)(text[at] ^ (1 << random.Next(7))); break;
                case 1: text.Remove(at, length); break;
                case 2: text.Insert(at, text.ToString(at, length)); break;
                case 3: text.Insert(at, Snippets[random.Next(Snippets.Length)]); break;
                case 4: text.Insert(random.Next(text.Length), text.ToString(at, length)); break;
                default: (text[at], text[at + 1]) = (text[at + 1], text[at]); break;
            }
        }
        return text.ToString();
    }

    /// <summary>Changes to the tree: elements moved, copied, renamed, removed; attributes and texts replaced by others of the same message.</summary>
    public static string Structure(string xml, Random random)
    {
        var document = Attack.Load(xml);
        for (var changes = random.Next(1, 4); changes > 0; changes--)
        {
            var elements = document.GetElementsByTagName("*").OfType<XmlElement>().ToList();
            var one = elements[random.Next(elements.Count)];
            var other = elements[random.Next(elements.Count)];
            var attributes = one.Attributes.OfType<XmlAttribute>().Where(a => a.Prefix != "xmlns" && a.Name != "xmlns").ToList();
            switch (random.Next(12))
            {
                case 0 when one.ParentNode is XmlElement parent: parent.RemoveChild(one); break;
                case 1 when one.ParentNode is XmlElement parent: parent.InsertAfter(one.CloneNode(deep: true), one); break;
                case 2: other.AppendChild(one.CloneNode(deep: true)); break;
                case 3: other.PrependChild(one.CloneNode(deep: true)); break;
                case 4 when one.ParentNode is XmlElement && !IsInside(other, one): other.AppendChild(one); break;
                case 5 when attributes.Count > 0: one.RemoveAttributeNode(attributes[random.Next(attributes.Count)]); break;
                case 6 when attributes.Count > 0: attributes[random.Next(attributes.Count)].Value = Values(elements, random); break;
                case 7: one.SetAttribute(new[] { "ID", "Id", "id", "Version", "Format", "NotBefore", "Destination", "x" }[random.Next(8)], Values(elements, random)); break;
                case 8: one.InnerText = Values(elements, random); break;
                case 9: one.AppendChild(document.CreateTextNode(random.Next(2) == 0 ? " " : "x")); break;
                case 10: one.PrependChild(random.Next(2) == 0 ? document.CreateComment("c") : document.CreateCDataSection("c")); break;
                case 11 when one.ParentNode is XmlElement parent:
                    var renamed = document.CreateElement(one.Prefix, other.LocalName, random.Next(2) == 0 ? one.NamespaceURI : other.NamespaceURI);
                    while (one.FirstChild is { } child) renamed.AppendChild(child);
                    parent.ReplaceChild(renamed, one);
                    break;
            }
        }
        return document.OuterXml;
    }

    /// <summary>Changes to the parameters of a query.</summary>
    public static string Query(string query, Random random)
    {
        var pairs = query.Split('&').ToList();
        var at = random.Next(pairs.Count);
        switch (random.Next(7))
        {
            case 0: pairs.RemoveAt(at); break;
            case 1: pairs.Insert(random.Next(pairs.Count), pairs[at]); break;
            case 2: (pairs[at], pairs[0]) = (pairs[0], pairs[at]); break;
            case 3: pairs[at] = pairs[at].Split('=')[0] + "=" + pairs[random.Next(pairs.Count)].Split('=')[1]; break;
            case 4: pairs[at] = pairs[random.Next(pairs.Count)].Split('=')[0] + "=" + pairs[at].Split('=')[1]; break;
            case 5: pairs.Insert(at, $"RelayState={random.Next(9)}"); break;
            default: pairs[at] = Text(pairs[at], random); break;
        }
        return string.Join('&', pairs);
    }

    private static bool IsInside(XmlNode node, XmlNode of)
    {
        for (XmlNode? at = node; at is not null; at = at.ParentNode)
            if (at == of) return true;
        return false;
    }

    private static string Values(List<XmlElement> elements, Random random)
    {
        var element = elements[random.Next(elements.Count)];
        return random.Next(4) switch
        {
            0 when element.Attributes.Count > 0 => element.Attributes[random.Next(element.Attributes.Count)]!.Value,
            1 => element.InnerText,
            2 => "",
            _ => new[] { "true", "_x", "2.0", "2026-03-02T09:30:00Z", "urn:x", "0", "https://evil.example/" }[random.Next(7)],
        };
    }
}
