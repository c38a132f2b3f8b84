using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Xml;
using Commerce.Saml.Tests.Fuzz;

namespace Commerce.Saml.Tests;

/// <summary>Signatures over whole metadata documents, verified while they are read; and what changed between two of them.</summary>
public sealed class MetadataSignatureTests
{
    private static readonly TrustedKey[] Pinned = [TrustedKey.Of(Keys.Stranger), TrustedKey.Of(Keys.Idp)];

    private static string Aggregate(string content = "<md:EntityDescriptor entityID=\"urn:x\"><md:Organization/></md:EntityDescriptor>", SigningKey? key = null) =>
        FuzzedMetadata.Sign($"<md:EntitiesDescriptor xmlns:md=\"{SamlNamespaces.Metadata}\" xmlns:unused=\"urn:unused\" ID=\"_feed\" Name=\"feed\" validUntil=\"2026-04-01T00:00:00Z\" cacheDuration=\"PT6H\">\n {content}\n</md:EntitiesDescriptor>", key ?? Keys.Idp);

    private static SamlResult<TrustedKey> Verify(string xml, params TrustedKey[] keys) =>
        MetadataSignature.Verify(new MemoryStream(Encoding.UTF8.GetBytes(xml)), keys.Length > 0 ? keys : Pinned);

    [Fact]
    public void S33_a_document_signed_by_a_pinned_key_verifies_and_the_key_is_named() =>
        Assert.Equal(TrustedKey.Of(Keys.Idp), Verify("<?xml version=\"1.0\"?>\n" + Aggregate() + "\n").Value);

    [Fact]
    public void S33_another_key_a_change_or_no_signature_is_refused()
    {
        Assert.Equal(FaultCodes.SignatureInvalid, Verify(Aggregate(), TrustedKey.Of(Keys.Sp)).Fault?.Code);
        Assert.Equal(FaultCodes.SignatureInvalid, Verify(Aggregate().Replace("urn:x", "urn:y", StringComparison.Ordinal)).Fault?.Code);
        Assert.Equal(FaultCodes.SignatureInvalid, Verify(Aggregate().Replace("2026-04-01", "2036-04-01", StringComparison.Ordinal)).Fault?.Code);
        Assert.Equal(FaultCodes.SignatureMissing, Verify($"<md:EntitiesDescriptor xmlns:md=\"{SamlNamespaces.Metadata}\"><md:EntityDescriptor entityID=\"x\"/></md:EntitiesDescriptor>").Fault?.Code);
        Assert.Equal(FaultCodes.SignatureMissing, Verify($"<md:EntitiesDescriptor xmlns:md=\"{SamlNamespaces.Metadata}\"/>").Fault?.Code);
        Assert.Equal(FaultCodes.NoUsableKey, MetadataSignature.Verify(new MemoryStream(Encoding.UTF8.GetBytes(Aggregate())), []).Fault?.Code);
    }

    [Fact]
    public void X01_a_signed_entity_inside_an_unsigned_aggregate_does_not_vouch_for_the_aggregate()
    {
        var inner = FuzzedMetadata.Sign($"<md:EntityDescriptor xmlns:md=\"{SamlNamespaces.Metadata}\" ID=\"_one\" entityID=\"urn:x\"><md:Organization/></md:EntityDescriptor>", Keys.Idp);
        Assert.Equal(FaultCodes.SignatureMissing, Verify($"<md:EntitiesDescriptor xmlns:md=\"{SamlNamespaces.Metadata}\" ID=\"_feed\">{inner}<md:EntityDescriptor entityID=\"urn:evil\"/></md:EntitiesDescriptor>").Fault?.Code);
        var signature = inner[inner.IndexOf("<ds:Signature ", StringComparison.Ordinal)..(inner.IndexOf("</ds:Signature>", StringComparison.Ordinal) + 15)];
        Assert.False(Verify($"<md:EntitiesDescriptor xmlns:md=\"{SamlNamespaces.Metadata}\" ID=\"_one\">{signature}{inner}<md:EntityDescriptor entityID=\"urn:evil\"/></md:EntitiesDescriptor>").IsSuccess);
        Assert.Equal(FaultCodes.SignatureShape, Verify(Aggregate().Replace("</ds:Signature>", "</ds:Signature>" + signature, StringComparison.Ordinal)).Fault?.Code);
    }

    [Theory]
    [InlineData("<ds:X509Data>", "<ds:X509Data Id=\"_feed\">")]
    [InlineData("<ds:X509Data>", "<ds:X509Data xml:id=\"_feed\">")]
    public void M03_another_identifier_with_the_value_of_the_documents_is_refused_also_where_nothing_is_signed(string was, string now) =>
        Assert.Equal(FaultCodes.DuplicateId, Verify(Aggregate().Replace(was, now, StringComparison.Ordinal)).Fault?.Code);

    [Theory]
    [InlineData("<md:Organization")]
    [InlineData("<ds:DigestValue>")]
    [InlineData("</md:EntitiesDescriptor>")]
    public void M08_a_processing_instruction_in_a_signed_document_is_refused_as_xmlsec1_refuses_it(string before) =>
        Assert.False(Verify(Aggregate().Replace(before, "<?x?>" + before, StringComparison.Ordinal)).IsSuccess);

    [Fact]
    public void M08_nothing_but_space_follows_a_signed_document()
    {
        Assert.Null(Verify(Aggregate() + "\n \n").Fault);
        foreach (var after in new[] { "<?x?>", "\n<?x evil?>\n", "<x/>", "x", "<!DOCTYPE x>" })
            Assert.Equal(FaultCodes.XmlRefused, Verify(Aggregate() + after).Fault?.Code);
    }

    [Theory]
    [InlineData("<!DOCTYPE x>")]
    [InlineData("<x/>")]
    [InlineData("")]
    public void M08_what_is_no_such_document_is_refused_without_a_crash(string before) => Assert.False(Verify(before + (before.Length == 0 ? "" : Aggregate())).IsSuccess);

    [Fact]
    public void Comments_and_cdata_of_a_document_are_read_as_canonicalisation_reads_them()
    {
        var xml = Aggregate().Replace("<md:Organization>", "<md:Organization><!-- by hand -->", StringComparison.Ordinal).Replace("<md:Organization />", "<md:Organization><!-- by hand --></md:Organization>", StringComparison.Ordinal);
        Assert.Contains("by hand", xml, StringComparison.Ordinal);
        Assert.True(Verify(xml).IsSuccess);
    }

    [Fact]
    public void The_canonical_form_while_reading_equals_that_of_the_tree_on_random_documents()
    {
        var random = new Random(11);
        for (var round = 0; round < 400; round++)
        {
            var document = RandomXml.Document(random);
            var at = document.IndexOf('>', StringComparison.Ordinal) + 1;
            var xml = document[..at] + "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:x/></ds:Signature>" + document[at..];
            if (document[at - 2] == '/') continue;
            string[] prefixes = random.Next(2) == 0 ? [] : [.. new[] { "a", "b", "none", "ds" }.Take(random.Next(1, 5))];
            var tree = XmlGate.ParseMessage(Encoding.UTF8.GetBytes(xml)).Value.DocumentElement!;
            if (tree.FirstChild is not XmlElement signature) continue;    // text stands before it
            using var expected = new Utf8XmlWriter();
            ExclusiveCanonicalizer.Write(tree, expected, signature, prefixes);
            using var reader = XmlGate.OpenMetadata(new MemoryStream(Encoding.UTF8.GetBytes(xml)), 1_000_000);
            var streamed = new StreamingCanonicalizer(reader).Run((found, _) =>
                new SignatureParts(found, [], SignatureAlgorithm.RsaSha256, [], prefixes, HashAlgorithmName.SHA256, []));
            Assert.True(streamed.Value.Digest.AsSpan().SequenceEqual(SHA256.HashData(expected.Written)), $"{string.Join(' ', prefixes)}: {xml}\n{Encoding.UTF8.GetString(expected.Written)}");
        }
    }

    [Fact]
    public void Xmlsec1_verifies_what_we_verify_also_as_an_aggregate()
    {
        var xml = Aggregate();
        Assert.True(Verify(xml).IsSuccess);
        XmlSec1Tests.Verify(xml, Keys.Idp, "EntitiesDescriptor");
    }

    [Fact]
    public void A_document_says_how_long_it_may_be_used_and_kept()
    {
        Assert.Equal(new MetadataHeader(null, "feed", new DateTimeOffset(2026, 4, 1, 0, 0, 0, TimeSpan.Zero), TimeSpan.FromHours(6)), Header(Aggregate()).Value);
        Assert.Equal(FaultCodes.MetadataInvalid, Header(Aggregate().Replace("PT6H", "six hours", StringComparison.Ordinal)).Fault?.Code);
        Assert.Equal(FaultCodes.MetadataInvalid, Header(Aggregate().Replace("PT6H", "-PT6H", StringComparison.Ordinal)).Fault?.Code);
        Assert.Equal(FaultCodes.MetadataInvalid, Header(Aggregate().Replace("PT6H", "P99999999999Y", StringComparison.Ordinal)).Fault?.Code);
        Assert.Equal(FaultCodes.MetadataInvalid, Header(Aggregate().Replace("2026-04-01T", "soon", StringComparison.Ordinal)).Fault?.Code);
        Assert.Equal(FaultCodes.MetadataInvalid, Header("<x/>").Fault?.Code);
        Assert.Equal(FaultCodes.MetadataInvalid, Header("").Fault?.Code);

        static SamlResult<MetadataHeader> Header(string xml) => MetadataHeader.Read(new MemoryStream(Encoding.UTF8.GetBytes(xml)));
    }

    [Fact]
    public void Changes_of_endpoints_and_keys_are_sensitive_and_changes_of_words_are_not()
    {
        var was = new World().Sp with { DisplayNames = new Dictionary<string, string> { ["en"] = "Fitter" } };
        Assert.Empty(MetadataChange.Between(was, JsonSerializer.Deserialize<ServiceProvider>(JsonSerializer.Serialize(was))!));
        var named = Assert.Single(MetadataChange.Between(was, was with { DisplayNames = new Dictionary<string, string> { ["en"] = "Fitter", ["fi"] = "Asentaja" } }));
        Assert.Equal(new MetadataChange(false, "Name added: Asentaja [fi]."), named);

        Assert.All(MetadataChange.Between(was, was with { AssertionConsumerServices = [new(0, SamlBindings.HttpPost, "https://evil.example/acs", true)] }), change => Assert.True(change.IsSensitive));
        Assert.Equal(2, MetadataChange.Between(was, was with { SigningKeys = [TrustedKey.Of(Keys.Stranger)] }).Count(change => change.IsSensitive));
        Assert.True(Assert.Single(MetadataChange.Between(was, was with { EncryptionKeys = [TrustedKey.Of(Keys.Stranger)] })).IsSensitive);
        Assert.True(Assert.Single(MetadataChange.Between(was, was with { AuthnRequestsSigned = false })).IsSensitive);
        Assert.True(Assert.Single(MetadataChange.Between(was, was with { RequestInitiatorUrl = "https://x.example/" })).IsSensitive);
    }
}
