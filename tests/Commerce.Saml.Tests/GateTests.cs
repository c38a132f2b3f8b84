using System.Diagnostics;
using System.Text;

namespace Commerce.Saml.Tests;

/// <summary>Documents that two parsers could read differently, or that cost the reader more than the sender.</summary>
public sealed class GateTests
{
    public static TheoryData<string> Everything => Attack.Everything;

    [Theory, MemberData(nameof(Everything))]
    public void M04_faults_that_libraries_throw_for_end_in_a_refusal(string kind)
    {
        var attack = Attack.On(kind);
        var deep = string.Concat(Enumerable.Repeat("<a>", 3000)) + string.Concat(Enumerable.Repeat("</a>", 3000));
        foreach (var xml in new[]
        {
            "", " ", "x", "<", "<a", "<a/>", "<a></b>", "<a xmlns='relative'/>", "\0", "<?xml version=\"1.0\"?>", "<?xml version=\"1.1\"?><a/>", "<a>&nope;</a>", "<a>&#x0;</a>",
            "<a b='1' b='2'/>", "<p:a/>", "<a/><a/>", deep, attack.Xml + "<!-- -->", attack.Xml + "x", "x" + attack.Xml, attack.Xml[..^3],
            attack.Xml.Replace("URI=\"#", "URI=\"#missing", StringComparison.Ordinal), attack.Xml.Replace("xmldsig-more#rsa-sha256", "unknown", StringComparison.Ordinal),
        })
            attack.RefusedAs(xml);
    }

    [Theory, MemberData(nameof(Everything))]
    public void M07_X08_a_comment_cdata_or_processing_instruction_is_refused_wherever_it_stands(string kind)
    {
        var attack = Attack.On(kind);
        var text = kind == "signed request" ? World.SpId : "p-4b1d9c";
        foreach (var split in new[] { "<!---->", "<!-- x -->", "<?pi x?>", "<?pi?>", "<![CDATA[]]>", "<![CDATA[x]]>" })
        {
            attack.RefusedAs(attack.Xml.Replace(text, text[..3] + split + text[3..], StringComparison.Ordinal), FaultCodes.XmlRefused);
            attack.RefusedAs(split + attack.Xml, FaultCodes.XmlRefused);
            attack.RefusedAs(attack.Xml + split, FaultCodes.XmlRefused);
        }
    }

    [Fact]
    public void X08_a_comment_cannot_split_a_name_id()
    {
        var attack = Attack.On("both signed");
        attack.RefusedAs(attack.Xml.Replace(">p-4b1d9c<", ">p-4b<!---->1d9c<", StringComparison.Ordinal), FaultCodes.XmlRefused);
    }

    [Theory, MemberData(nameof(Everything))]
    public void M08_X06_X14_a_document_type_is_refused(string kind)
    {
        var attack = Attack.On(kind);
        foreach (var type in new[]
        {
            "<!DOCTYPE a>", "<!DOCTYPE a [<!ENTITY e 'x'>]>", "<!DOCTYPE a SYSTEM 'http://127.0.0.1:1/x'>", "<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>",
            "<!DOCTYPE a [<!ATTLIST samlp:Response ID ID #IMPLIED>]>",
            "<!DOCTYPE a [<!ENTITY a0 'dos'><!ENTITY a1 '&a0;&a0;&a0;&a0;&a0;&a0;&a0;&a0;'><!ENTITY a2 '&a1;&a1;&a1;&a1;&a1;&a1;&a1;&a1;'>]>",
        })
            attack.RefusedAs(type + attack.Xml, FaultCodes.XmlRefused);
    }

    [Theory, MemberData(nameof(Everything))]
    public void X06_another_encoding_or_broken_utf8_is_refused(string kind)
    {
        var attack = Attack.On(kind);
        attack.RefusedAs("<?xml version=\"1.0\" encoding=\"UTF-7\"?>" + attack.Xml, FaultCodes.XmlRefused);
        attack.RefusedAs("<?xml version=\"1.0\" encoding=\"UTF-16\"?>" + attack.Xml, FaultCodes.XmlRefused);
        attack.RefusedAs("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>" + attack.Xml, FaultCodes.XmlRefused);
        Assert.Null(attack.Send("<?xml version=\"1.0\" encoding=\"utf-8\"?>" + attack.Xml));
        Assert.Equal(FaultCodes.XmlRefused, XmlGate.ParseMessage([0x3c, 0x61, 0x3e, 0xff, 0x3c, 0x2f, 0x61, 0x3e]).Fault?.Code);
        Assert.Equal(FaultCodes.XmlRefused, XmlGate.ParseMessage(Encoding.Unicode.GetBytes("<a/>")).Fault?.Code);
    }

    [Theory, MemberData(nameof(Everything))]
    public void X07_elements_are_matched_by_namespace_and_name(string kind)
    {
        var attack = Attack.On(kind);
        attack.RefusedAs(attack.Xml.Replace("urn:oasis:names:tc:SAML:2.0:protocol\"", "urn:evil\"", StringComparison.Ordinal), FaultCodes.StructureInvalid);
        attack.RefusedAs(attack.Xml.Replace("xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"", "xmlns:saml=\"urn:evil\"", StringComparison.Ordinal));
        attack.RefusedAs(attack.Xml.Replace("xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"", "xmlns:ds=\"urn:evil\"", StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(Everything))]
    public void X07_attributes_of_another_namespace_do_not_count(string kind)
    {
        // Pollution: x:ID, x:Destination … must not be read in place of the plain ones.
        var attack = Attack.On(kind);
        attack.RefusedAs(attack.Xml.Replace(" Destination=", " xmlns:x=\"urn:x\" x:Destination=", StringComparison.Ordinal));
        attack.RefusedAs(attack.Xml.Replace(" ID=", " xmlns:x=\"urn:x\" x:ID=", StringComparison.Ordinal), FaultCodes.IdInvalid);
    }

    [Theory, MemberData(nameof(Everything))]
    public void X07_a_relative_namespace_name_that_voids_canonicalisation_is_refused(string kind)
    {
        var attack = Attack.On(kind);
        foreach (var relative in new[] { "1", "a/b", "../x", "x y" })
            attack.RefusedAs(attack.Xml.Replace(" Version=\"2.0\"", $" xmlns:v=\"{relative}\" Version=\"2.0\"", StringComparison.Ordinal), FaultCodes.XmlRefused);
    }

    [Theory, MemberData(nameof(Everything))]
    public void X14_messages_over_a_cap_are_refused_quickly(string kind)
    {
        var attack = Attack.On(kind);
        var watch = Stopwatch.StartNew();
        var cost = new[]
        {
            attack.Xml.Replace(" Version=\"2.0\"", $" Version=\"2.0\" x=\"{new string('a', 300_000)}\"", StringComparison.Ordinal),
            attack.Xml.Replace(" Version=\"2.0\"", $" Version=\"2.0\" x=\"{new string('a', 9_000)}\"", StringComparison.Ordinal),
            attack.Xml.Replace(" Version=\"2.0\"", " Version=\"2.0\" " + string.Concat(Enumerable.Range(0, 33).Select(i => $" a{i}=\"\"")), StringComparison.Ordinal),
            attack.Xml.Replace("</saml:Issuer>", string.Concat(Enumerable.Repeat("<a>", 40)) + string.Concat(Enumerable.Repeat("</a>", 40)) + "</saml:Issuer>", StringComparison.Ordinal),
            attack.Xml.Replace("</saml:Issuer>", string.Concat(Enumerable.Repeat("<a/>", 21_000)) + "</saml:Issuer>", StringComparison.Ordinal),
            attack.Xml.Replace(" Version=\"2.0\"", " Version=\"2.0\" " + string.Concat(Enumerable.Range(0, 10_000).Select(i => $" a{i}=\"\"")), StringComparison.Ordinal),
            new string('<', 200_000),
        };
        foreach (var xml in cost) attack.RefusedAs(xml, FaultCodes.XmlRefused, FaultCodes.StructureInvalid, FaultCodes.BindingInvalid);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(10), $"{watch.Elapsed}");
    }

    [Theory, MemberData(nameof(Everything))]
    public void X14_a_message_of_256_kilobytes_is_read_and_one_byte_more_is_refused(string kind)
    {
        // The space stands behind the root element: nothing signed is longer.
        var attack = Attack.On(kind);
        attack.RefusedAs(attack.Xml.PadRight(XmlGate.MaxMessageBytes + 1), FaultCodes.XmlRefused);
        Assert.Null(attack.Send(attack.Xml.PadRight(XmlGate.MaxMessageBytes)));
    }

    [Fact]
    public void Base64_is_taken_only_in_its_one_encoding()
    {
        Assert.Equal([1, 2, 3], StrictBase64.Decode("AQID", false));
        Assert.Equal([1], StrictBase64.Decode("AQ==", false));
        foreach (var loose in new[] { "", "A", "AQ", "AQ=", "AR==", "AQIDBB==", "AQ==AQ==", "A_-D", "AQ ID", "AQID\n", "=", "====", "AQID====" })
            Assert.Null(StrictBase64.Decode(loose, false));
        Assert.Equal([1, 2, 3], StrictBase64.Decode("AQ\r\nID\n", true));
    }
}
