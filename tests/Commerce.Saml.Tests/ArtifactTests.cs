using System.Text;

namespace Commerce.Saml.Tests;

/// <summary>ArtifactResolve at the identity provider: whose, when, where to, and one artifact. SAML Core 3.5, Bindings 3.6.</summary>
public sealed class ArtifactTests
{
    private const string Here = "https://id.retailer.example/saml/artifact";

    private readonly World world = new();

    private ArtifactResolution Resolution => new(world.Idp.Settings, Here, world.Clock);

    private string Xml(string? destination = Here, string artifact = "<samlp:Artifact>AAQAAA==</samlp:Artifact>") =>
        $"<samlp:ArtifactResolve xmlns:samlp=\"{SamlNamespaces.Protocol}\" xmlns:saml=\"{SamlNamespaces.Assertion}\" ID=\"{SamlId.New()}\" Version=\"2.0\" IssueInstant=\"{world.Clock.Now:yyyy-MM-ddTHH:mm:ssZ}\""
        + (destination is null ? "" : $" Destination=\"{destination}\"") + $"><saml:Issuer>{World.SpId}</saml:Issuer>{artifact}</samlp:ArtifactResolve>";

    private static string Signed(string xml)
    {
        var root = Attack.Load(xml).DocumentElement!;
        XmlSignature.Sign(root, root.ChildNodes[1], Keys.Sp);
        return root.OuterXml;
    }

    private SamlResult<ValidatedArtifactResolve> Soap(string message, ServiceProvider? sender = null) =>
        SoapBinding.Read(SoapBinding.Write(Encoding.UTF8.GetBytes(message)), isRequest: true).Then(ArtifactResolution.Read).Then(read => Resolution.Validate(read, sender ?? world.Sp));

    [Fact]
    public void S01_a_signed_request_is_taken_with_its_destination_and_without()
    {
        Assert.Equal("AAQAAA==", Soap(Signed(Xml())).Value.Artifact);
        Assert.Equal(World.SpId, Soap(Signed(Xml(destination: null))).Value.Issuer);
        Assert.True(Soap(Signed(Xml(artifact: "<samlp:Extensions><x xmlns=\"urn:x\"/></samlp:Extensions><samlp:Artifact>AAQAAA==</samlp:Artifact>"))).IsSuccess);
    }

    [Fact]
    public void X10_X12_a_request_without_a_signature_or_with_anothers_is_refused()
    {
        Assert.Equal(FaultCodes.SignatureMissing, Soap(Xml()).Fault?.Code);
        Assert.Equal(FaultCodes.SignatureInvalid, Soap(Signed(Xml()).Replace("AAQAAA==", "AAQAAB==", StringComparison.Ordinal)).Fault?.Code);
        Assert.Equal(FaultCodes.SignatureInvalid, Soap(Signed(Xml()), world.Sp with { SigningKeys = [TrustedKey.Of(Keys.Stranger)] }).Fault?.Code);
        Assert.Equal(FaultCodes.IssuerInvalid, Soap(Signed(Xml()), world.Sp with { EntityId = "https://other.example/sp" }).Fault?.Code);
        Assert.Equal(FaultCodes.MetadataInvalid, Soap(Signed(Xml()), world.Sp with { ValidUntil = world.Clock.Now }).Fault?.Code);
    }

    [Fact]
    public void S07_S35_it_is_for_this_address_and_of_now()
    {
        Assert.Equal(FaultCodes.DestinationInvalid, Soap(Signed(Xml(destination: Here + "/"))).Fault?.Code);
        var sent = Signed(Xml());
        world.Clock.Now += TimeSpan.FromMinutes(4);
        Assert.Equal(FaultCodes.Expired, Soap(sent).Fault?.Code);
        world.Clock.Now -= TimeSpan.FromMinutes(8);
        Assert.Equal(FaultCodes.InstantInvalid, Soap(sent).Fault?.Code);
    }

    [Theory]
    [InlineData("")]
    [InlineData("<samlp:Artifact>AAQAAA==</samlp:Artifact><samlp:Artifact>AAQAAA==</samlp:Artifact>")]
    [InlineData("<samlp:Artifact>AAQAAA==</samlp:Artifact><samlp:Extensions/>")]
    [InlineData("<samlp:Artifact><x/></samlp:Artifact>")]
    public void X02_it_holds_one_artifact_and_nothing_else(string inside) => Assert.Equal(FaultCodes.StructureInvalid, Soap(Signed(Xml(artifact: inside))).Fault?.Code);

    [Fact]
    public void X02_it_comes_by_soap_alone()
    {
        var posted = PostBinding.Read(Convert.ToBase64String(Encoding.UTF8.GetBytes(Signed(Xml()))), isRequest: true, null).Then(ArtifactResolution.Read);
        Assert.Equal(FaultCodes.StructureInvalid, posted.Fault?.Code);
        Assert.Equal(FaultCodes.StructureInvalid, SoapBinding.Read(Encoding.UTF8.GetBytes($"<Envelope><s:Body xmlns:s=\"{SamlNamespaces.Soap}\">{Signed(Xml())}</s:Body></Envelope>"), isRequest: true).Then(ArtifactResolution.Read).Fault?.Code);
    }

    [Fact]
    public void X18_an_artifact_is_ours_by_its_type_and_source_in_one_spelling()
    {
        var artifact = Artifact.New(World.IdpId, 0);
        Assert.True(Artifact.IsOf(artifact, World.IdpId));
        Assert.False(Artifact.IsOf(artifact, World.SpId));
        var bytes = Convert.FromBase64String(artifact);
        bytes[1] = 3;
        Assert.False(Artifact.IsOf(Convert.ToBase64String(bytes), World.IdpId));
        Assert.False(Artifact.IsOf(artifact + " ", World.IdpId));
        Assert.False(Artifact.IsOf(artifact[..^4], World.IdpId));
    }
}
