using System.Diagnostics;
using System.Text;
using System.Xml;

namespace Commerce.Saml.Tests;

/// <summary>What we rely on in the platform, and what we do not: rows M09 and M14.</summary>
public sealed class PlatformTests
{
    [Fact]
    public void M09_the_platforms_signed_xml_is_not_used_so_no_switch_of_it_can_loosen_anything()
    {
        Assert.DoesNotContain(typeof(XmlSignature).Assembly.GetReferencedAssemblies(), reference => reference.Name == "System.Security.Cryptography.Xml");
        foreach (var name in new[] { "System.Security.Cryptography.Xml.UseInsecureHashAlgorithms", "System.Security.Cryptography.Xml.DangerousMaxRecursionDepth" })
            Assert.False(AppContext.TryGetSwitch(name, out var on) && on);
    }

    [Theory]
    [InlineData("http://www.w3.org/2000/09/xmldsig#base64")]
    [InlineData("http://www.w3.org/2002/07/decrypt#XML")]
    [InlineData("http://www.w3.org/TR/1999/REC-xslt-19991116")]
    [InlineData("urn:mpeg:mpeg21:2003:01-REL-R-NS:licenseTransform")]
    public void M09_a_transform_that_the_platform_takes_for_safe_is_refused(string transform)
    {
        var world = new World();
        var request = world.Request();
        var document = Attack.Load(world.RespondXml(request));
        foreach (var last in Attack.Descendants(document.DocumentElement!, "Transforms").Select(t => (XmlElement)t.LastChild!)) last.SetAttribute("Algorithm", transform);
        Assert.Equal(FaultCodes.AlgorithmRefused, world.Consume(document.OuterXml, request.Id).Fault?.Code);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(20)]
    public void M09_more_than_two_transforms_are_refused(int transforms)
    {
        var world = new World();
        var request = world.Request();
        var document = Attack.Load(world.RespondXml(request));
        var list = Attack.Descendants(document.DocumentElement!, "Transforms").First();
        while (list.ChildNodes.Count < transforms) list.AppendChild(list.LastChild!.CloneNode(deep: true));
        Assert.Equal(FaultCodes.SignatureShape, world.Consume(document.OuterXml, request.Id).Fault?.Code);
    }

    [Fact]
    public void M09_the_depth_allowed_is_half_of_the_platforms()
    {
        static SamlResult<XmlDocument> Nested(int depth) => XmlGate.ParseMessage(Encoding.UTF8.GetBytes(
            string.Concat(Enumerable.Repeat("<a>", depth)) + string.Concat(Enumerable.Repeat("</a>", depth))));
        Assert.True(Nested(30).IsSuccess);
        Assert.Equal(FaultCodes.XmlRefused, Nested(40).Fault?.Code);
    }

    [Fact]
    public void M14_the_platform_is_above_the_floor_of_its_known_faults()
    {
        // XML signatures of the platform are only used by tests; data protection keeps cookies and sealed state (CVE-2026-40372: 10.0.7).
        Assert.True(Environment.Version >= new Version(10, 0, 10), $"The runtime is {Environment.Version}.");
        var protection = FileVersionInfo.GetVersionInfo(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "System.Private.CoreLib.dll"));
        Assert.True(protection.FileMajorPart >= 10);
    }
}
