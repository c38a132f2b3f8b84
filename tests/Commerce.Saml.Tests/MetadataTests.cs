using System.Security.Cryptography;
using System.Text;

namespace Commerce.Saml.Tests;

/// <summary>Metadata out and in: rows S32 to S34, S36 and X17.</summary>
public sealed class MetadataTests
{
    private readonly FixedClock clock = new();

    private static string Certificate(AsymmetricAlgorithm key, int fromYear = 2026) => Convert.ToBase64String(Keys.Certificate(key, fromYear).RawData);

    private static string Key(string certificate, string use = "") =>
        $"<md:KeyDescriptor{(use.Length == 0 ? "" : $" use=\"{use}\"")}><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>";

    private static string Acs(string location = "https://sp.example/acs", string binding = SamlBindings.HttpPost, string rest = "index=\"0\"") =>
        $"<md:AssertionConsumerService Binding=\"{binding}\" Location=\"{location}\" {rest}/>";

    private static string Sp(string inner, string roleAttributes = "", string entityAttributes = "", string protocols = SamlNamespaces.Protocol, string entityId = "https://sp.example/md", string after = "") => $"""
        <md:EntityDescriptor xmlns:md="{SamlNamespaces.Metadata}" xmlns:ds="{SamlNamespaces.XmlSignature}" entityID="{entityId}" {entityAttributes}>
          <md:SPSSODescriptor protocolSupportEnumeration="{protocols}" {roleAttributes}>{inner}</md:SPSSODescriptor>{after}
        </md:EntityDescriptor>
        """;

    private SamlResult<ServiceProvider> Read(string xml, bool requireHttps = true) =>
        SpMetadataReader.ReadSingle(new MemoryStream(Encoding.UTF8.GetBytes(xml)), new SpMetadataOptions { RequireHttps = requireHttps }, clock);

    private string Reason(string xml) => Read(xml).Fault?.Detail ?? "";

    [Fact]
    public void Our_service_provider_metadata_reads_back()
    {
        var side = new ServiceProviderSide(new ServiceProviderSettings
        {
            EntityId = World.SpId,
            AssertionConsumerServiceUrl = World.AcsUrl,
            SigningKey = Keys.Sp,
            RequestInitiatorUrl = "https://fitter.example/login?from=hub",
            DisplayNames = new Dictionary<string, string> { ["en"] = "Fitter <& Co>", ["ko"] = "타이어" },
            RequestedAttributes = [new("urn:oid:2.5.4.42", "givenName", true)],
        }, clock);
        var read = Read(Encoding.UTF8.GetString(side.WriteMetadata())).Value;
        Assert.Equal(World.SpId, read.EntityId);
        Assert.Equal(new AssertionConsumerService(0, SamlBindings.HttpPost, World.AcsUrl, true), Assert.Single(read.AssertionConsumerServices));
        Assert.Equal(TrustedKey.Of(Keys.Sp), Assert.Single(read.SigningKeys));
        Assert.True(read.AuthnRequestsSigned);
        Assert.True(read.WantAssertionsSigned);
        Assert.Equal("https://fitter.example/login?from=hub", read.RequestInitiatorUrl);
        Assert.Equal("Fitter <& Co>", read.DisplayNames["en"]);
        Assert.Equal("타이어", read.DisplayNames["ko"]);
        Assert.True(Assert.Single(Assert.Single(read.AttributeConsumingServices).RequestedAttributes).IsRequired);
        Assert.Empty(read.Warnings);
    }

    [Fact]
    public void S32_our_identity_provider_metadata_reads_back_with_the_next_key()
    {
        var world = new World();
        var description = Description with { NextCertificates = [Keys.Stranger.Certificate], MetadataSigningKey = Keys.Idp, ValidFor = TimeSpan.FromDays(14), CacheDuration = TimeSpan.FromHours(6) };
        var read = IdpMetadataReader.Read(new MemoryStream(world.Idp.WriteMetadata(description)), World.IdpId, requireHttps: true, clock).Value;
        Assert.Equal(World.IdpId, read.EntityId);
        Assert.Equal([TrustedKey.Of(Keys.Idp), TrustedKey.Of(Keys.Stranger)], read.SigningKeys);
        Assert.Equal(World.SsoUrl, read.SingleSignOnUrl(SamlBindings.HttpRedirect));
        Assert.Equal(World.SsoUrl, read.SingleSignOnUrl(SamlBindings.HttpPost));
        Assert.Equal("Vähittäiskauppa", read.DisplayNames["fi"]);
        Assert.Equal(clock.Now.AddDays(14), read.ValidUntil);
        Assert.Null(read.SingleSignOnUrl(SamlBindings.Soap));
        clock.Now = clock.Now.AddDays(15);
        Assert.False(IdpMetadataReader.Read(new MemoryStream(world.Idp.WriteMetadata(description)), "https://other", requireHttps: true, clock).IsSuccess);
    }

    private static string Sso => $"<md:SingleSignOnService Binding=\"{SamlBindings.HttpRedirect}\" Location=\"https://idp.example/sso\"/>";

    private static string Idp(string inner, string roleAttributes = "", string entityAttributes = "", string entityId = "https://idp.example") => $"""
        <md:EntityDescriptor xmlns:md="{SamlNamespaces.Metadata}" xmlns:ds="{SamlNamespaces.XmlSignature}" entityID="{entityId}" {entityAttributes}><md:IDPSSODescriptor protocolSupportEnumeration="{SamlNamespaces.Protocol}" {roleAttributes}>{inner}</md:IDPSSODescriptor></md:EntityDescriptor>
        """;

    private SamlResult<RemoteIdentityProvider> ReadIdps(string xml, string? entityId = null) =>
        IdpMetadataReader.Read(new MemoryStream(Encoding.UTF8.GetBytes(xml)), entityId, requireHttps: true, clock);

    [Fact]
    public void S33_an_identity_provider_is_one_with_a_name_whose_metadata_stands()
    {
        var good = Key(Keys.Idp.Certificate) + Sso;
        Assert.Null(ReadIdps(Idp(good, "validUntil=\"2026-03-02T09:30:01Z\"")).Fault);
        foreach (var until in new[] { "validUntil=\"2026-03-02T09:30:00Z\"", "validUntil=\"someday\"" })
        {
            Assert.Equal(FaultCodes.MetadataInvalid, ReadIdps(Idp(good, roleAttributes: until)).Fault?.Code);
            Assert.Equal(FaultCodes.MetadataInvalid, ReadIdps(Idp(good, entityAttributes: until)).Fault?.Code);
        }
        Assert.Equal(1024, ReadIdps(Idp(good, entityId: new string('x', 1024))).Value.EntityId.Length);
        Assert.Equal(FaultCodes.MetadataInvalid, ReadIdps(Idp(good, entityId: new string('x', 1025))).Fault?.Code);
        Assert.Equal(FaultCodes.MetadataInvalid, ReadIdps(Idp(good, entityId: "")).Fault?.Code);

        var two = $"<md:EntitiesDescriptor xmlns:md=\"{SamlNamespaces.Metadata}\">{Idp(good)}{Idp(good, entityId: "https://two.example")}</md:EntitiesDescriptor>";
        Assert.Contains("more than one", ReadIdps(two).Fault?.Detail ?? "", StringComparison.Ordinal);
        Assert.Equal("https://two.example", ReadIdps(two, "https://two.example").Value.EntityId);
    }

    [Fact]
    public void X10_an_identity_provider_without_a_usable_key_or_address_is_refused()
    {
        SamlFault? ReadIdp(string inner) => ReadIdps(Idp(inner)).Fault;
        var sso = Sso;
        using var small = RSA.Create(1024);
        Assert.Null(ReadIdp(Key(Keys.Idp.Certificate) + sso));
        Assert.Equal(FaultCodes.NoUsableKey, ReadIdp(sso)?.Code);
        Assert.Equal(FaultCodes.NoUsableKey, ReadIdp(Key(Keys.Idp.Certificate, "encryption") + sso)?.Code);
        Assert.Equal(FaultCodes.NoUsableKey, ReadIdp(Key(Certificate(small)) + sso)?.Code);
        Assert.Equal(FaultCodes.MetadataInvalid, ReadIdp(Key(Keys.Idp.Certificate) + sso.Replace("https:", "http:", StringComparison.Ordinal))?.Code);
        Assert.Equal(FaultCodes.MetadataInvalid, ReadIdp(Key(Keys.Idp.Certificate))?.Code);
    }

    [Fact]
    public void S34_a_key_without_use_counts_for_both_and_dates_do_not_matter()
    {
        using var rsa = RSA.Create(2048);
        var old = Certificate(rsa, fromYear: 2010);
        var both = Read(Sp(Key(old) + Acs())).Value;
        Assert.Equal(both.SigningKeys, both.EncryptionKeys);
        Assert.Single(both.SigningKeys);
        Assert.Empty(both.Warnings);
        var parted = Read(Sp(Key(old, "signing") + Key(Keys.Sp.Certificate, "signing") + Key(Keys.Stranger.Certificate, "encryption") + Acs())).Value;
        Assert.Equal(2, parted.SigningKeys.Count);
        Assert.Equal(TrustedKey.Of(Keys.Stranger), Assert.Single(parted.EncryptionKeys));
    }

    [Fact]
    public void S36_weak_and_broken_keys_are_left_out_with_a_warning_and_the_rest_is_used()
    {
        using var small = RSA.Create(1024);
        var read = Read(Sp(Key(Certificate(small)) + Key("AAAA") + Key("!") + Key(Keys.Sp.Certificate) + "<md:KeyDescriptor><ds:KeyInfo><ds:KeyName>x</ds:KeyName></ds:KeyInfo></md:KeyDescriptor>" + Acs())).Value;
        Assert.Equal(TrustedKey.Of(Keys.Sp), Assert.Single(read.SigningKeys));
        Assert.Contains(read.Warnings, w => w.Contains("1024 bits", StringComparison.Ordinal));
        Assert.Contains(read.Warnings, w => w.Contains("cannot be read", StringComparison.Ordinal));

        var onlyWeak = Read(Sp(Key(Certificate(small)) + Acs(), "AuthnRequestsSigned=\"true\"")).Value;
        Assert.Contains(onlyWeak.Warnings, w => w.Contains("every request of it will be refused", StringComparison.Ordinal));
    }

    [Fact]
    public void A_bare_rsa_key_value_is_read()
    {
        using var rsa = RSA.Create(2048);
        var parameters = rsa.ExportParameters(false);
        var key = $"<md:KeyDescriptor><ds:KeyInfo><ds:KeyValue><ds:RSAKeyValue><ds:Modulus>{Convert.ToBase64String(parameters.Modulus!)}</ds:Modulus><ds:Exponent>{Convert.ToBase64String(parameters.Exponent!)}</ds:Exponent></ds:RSAKeyValue></ds:KeyValue></ds:KeyInfo></md:KeyDescriptor>";
        Assert.Equal(Convert.ToBase64String(rsa.ExportSubjectPublicKeyInfo()), Assert.Single(Read(Sp(key + Acs())).Value.SigningKeys).PublicKey);
    }

    [Fact]
    public void S33_expired_metadata_is_refused_wherever_the_date_stands()
    {
        Assert.True(Read(Sp(Acs(), entityAttributes: "validUntil=\"2026-03-02T09:31:00Z\"")).IsSuccess);
        Assert.Contains("expired", Reason(Sp(Acs(), entityAttributes: "validUntil=\"2026-03-02T09:30:00Z\"")), StringComparison.Ordinal);
        Assert.Contains("expired", Reason(Sp(Acs(), "validUntil=\"2020-01-01T00:00:00Z\"")), StringComparison.Ordinal);
        Assert.Contains("expired", Reason(Sp(Acs(), entityAttributes: "validUntil=\"someday\"")), StringComparison.Ordinal);
        Assert.Contains("no instant", Reason(Sp(Acs(), "validUntil=\"someday\"")), StringComparison.Ordinal);
        Assert.Contains("expired", Reason($"<md:EntitiesDescriptor xmlns:md=\"{SamlNamespaces.Metadata}\" validUntil=\"2020-01-01T00:00:00Z\"><md:EntitiesDescriptor>{Sp(Acs())}</md:EntitiesDescriptor></md:EntitiesDescriptor>"), StringComparison.Ordinal);
        var earliest = Read($"<md:EntitiesDescriptor xmlns:md=\"{SamlNamespaces.Metadata}\" validUntil=\"2026-04-01T00:00:00Z\">{Sp(Acs(), "validUntil=\"2026-06-01T00:00:00Z\"", "validUntil=\"2026-05-01T00:00:00Z\"")}</md:EntitiesDescriptor>").Value;
        Assert.Equal(new DateTimeOffset(2026, 4, 1, 0, 0, 0, TimeSpan.Zero), earliest.ValidUntil);
    }

    [Fact]
    public void X14_groups_stand_eight_deep_at_most()
    {
        string Nested(int depth) => $"<md:EntitiesDescriptor xmlns:md=\"{SamlNamespaces.Metadata}\">{(depth > 1 ? Nested(depth - 1) : Sp(Acs()))}</md:EntitiesDescriptor>";
        Assert.Null(Read(Nested(8)).Fault);
        Assert.Contains("nested too deep", Reason(Nested(9)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("true", true)]
    [InlineData("0", false)]
    [InlineData("maybe", true)]
    [InlineData("", true)]
    public void S02_a_word_that_is_no_boolean_counts_as_a_yes_to_signing(string word, bool signs)
    {
        var read = Read(Sp(Key(Keys.Sp.Certificate) + Acs(), $"AuthnRequestsSigned=\"{word}\" WantAssertionsSigned=\"{word}\"")).Value;
        Assert.Equal((signs, signs), (read.AuthnRequestsSigned, read.WantAssertionsSigned));
        Assert.Equal(word is "true" or "0" ? 0 : 2, read.Warnings.Count(warning => warning.Contains("no Boolean", StringComparison.Ordinal)));
    }

    [Fact]
    public void S33_M08_X14_a_document_type_is_refused_and_comments_are_passed_over()
    {
        Assert.False(Read("<!DOCTYPE md:EntityDescriptor [<!ENTITY e 'x'>]>" + Sp(Acs())).IsSuccess);
        Assert.False(Read("<!DOCTYPE x SYSTEM 'http://127.0.0.1:1/'>" + Sp(Acs())).IsSuccess);
        var commented = Read("<!-- a --><?pi?>" + Sp("<!-- b -->" + Acs()).Replace("https://sp.example/md\"", "https://sp.example/md\" ", StringComparison.Ordinal) + "<!-- c -->");
        Assert.True(commented.IsSuccess, commented.Fault?.ToString());
    }

    [Fact]
    public void X08_a_comment_in_metadata_cannot_shorten_a_value()
    {
        var read = Read(Sp($"<md:NameIDFormat>urn:a<!-- x -->b<![CDATA[c]]></md:NameIDFormat>" + Acs())).Value;
        Assert.Equal("urn:abc", Assert.Single(read.NameIdFormats));
    }

    [Theory]
    [InlineData("http://sp.example/acs")]
    [InlineData("javascript:alert(1)")]
    [InlineData("JAVASCRIPT:alert(1)")]
    [InlineData("data:text/html,x")]
    [InlineData("HTTPS://sp.example/acs")]
    [InlineData("https://u:p@sp.example/acs")]
    [InlineData("https://sp.example/acs#f")]
    [InlineData("https://sp.example/acs?SAMLResponse=x")]
    [InlineData("https://sp.example/acs?x=1&amp;%53AMLResponse=x")]
    [InlineData("https://sp.example/acs?x=1;RelayState=x")]
    [InlineData("https://sp.example/a cs")]
    [InlineData("https://sp.exämple/acs")]
    [InlineData("https:///acs")]
    [InlineData("/acs")]
    [InlineData("")]
    public void X17_an_endpoint_that_is_no_plain_https_address_is_left_out(string location)
    {
        Assert.False(Read(Sp(Acs(location))).IsSuccess);
        var other = Read(Sp(Acs(location) + Acs("https://sp.example/good", rest: "index=\"1\""))).Value;
        Assert.Equal("https://sp.example/good", Assert.Single(other.AssertionConsumerServices).Location);
        Assert.Single(other.Warnings);
    }

    [Fact]
    public void Plain_http_is_taken_in_development_only() => Assert.True(Read(Sp(Acs("http://127.0.0.1:5000/acs")), requireHttps: false).IsSuccess);

    [Fact]
    public void Each_skip_has_its_reason()
    {
        Assert.Contains("does not support SAML 2.0", Reason(Sp(Acs(), protocols: "urn:oasis:names:tc:SAML:1.1:protocol")), StringComparison.Ordinal);
        Assert.Contains("not a service provider", Reason($"<md:EntityDescriptor xmlns:md=\"{SamlNamespaces.Metadata}\" entityID=\"x\"/>"), StringComparison.Ordinal);
        Assert.Contains("only: " + SamlBindings.HttpArtifact, Reason(Sp(Acs(binding: SamlBindings.HttpArtifact))), StringComparison.Ordinal);
        Assert.Contains("index is no number", Reason(Sp(Acs(rest: "index=\"a\""))), StringComparison.Ordinal);
        Assert.Contains("entityID is missing", Reason(Sp(Acs(), entityId: "")), StringComparison.Ordinal);
        Assert.Contains("more than one", Reason($"<md:EntitiesDescriptor xmlns:md=\"{SamlNamespaces.Metadata}\">{Sp(Acs())}{Sp(Acs(), entityId: "https://two")}</md:EntitiesDescriptor>"), StringComparison.Ordinal);
        Assert.Contains("neither", Reason("<x/>"), StringComparison.Ordinal);
        Assert.Contains("Not well-formed", Reason("<x"), StringComparison.Ordinal);
        Assert.Contains("Not well-formed", Reason(""), StringComparison.Ordinal);
    }

    // The reader of .NET looks at the first octets when it is made: a faulty one threw past the place where faults are caught.
    [Theory]
    [InlineData("EFBBBFED203C78")]      // UTF-8 by its mark, and then half a character
    [InlineData("EFBBBFFF3C782F3E")]
    [InlineData("FF")]
    [InlineData("FFFE00")]
    [InlineData("FEFF00D8")]
    [InlineData("0000FEFF")]
    [InlineData("4C6FA794")]            // EBCDIC
    public void Octets_that_are_no_text_are_a_fault_and_no_exception(string octets)
    {
        Stream Document() => new MemoryStream(Convert.FromHexString(octets));
        Assert.Equal(FaultCodes.MetadataInvalid, Assert.Single(SpMetadataReader.Read(Document(), new SpMetadataOptions(), clock)).Fault?.Code);
        Assert.Equal(FaultCodes.MetadataInvalid, SpMetadataReader.ReadSingle(Document(), new SpMetadataOptions(), clock).Fault?.Code);
        Assert.Equal(FaultCodes.MetadataInvalid, IdpMetadataReader.Read(Document(), null, requireHttps: true, clock).Fault?.Code);
        Assert.Equal(FaultCodes.MetadataInvalid, MetadataHeader.Read(Document()).Fault?.Code);
    }

    [Fact]
    public void An_aggregate_that_breaks_off_gives_what_was_whole_and_then_a_fault()
    {
        var xml = $"<md:EntitiesDescriptor xmlns:md=\"{SamlNamespaces.Metadata}\"><md:Extensions><x xmlns=\"urn:x\"/></md:Extensions>{Sp(Acs())}{Sp(Acs(), entityId: "https://two")[..80]}";
        var items = SpMetadataReader.Read(new MemoryStream(Encoding.UTF8.GetBytes(xml)), new SpMetadataOptions(), clock).ToList();
        Assert.Equal(2, items.Count);
        Assert.Equal("https://sp.example/md", items[0].Value.ServiceProvider?.EntityId);
        Assert.Equal(FaultCodes.MetadataInvalid, items[1].Fault?.Code);
    }

    [Fact]
    public void The_default_endpoint_is_chosen_as_the_standard_says()
    {
        static int? Default(string endpoints, MetadataTests test) => test.Read(Sp(endpoints)).Value.DefaultAssertionConsumerService()?.Index;
        var (zero, one) = (Acs(), Acs("https://sp.example/acs1", rest: "index=\"1\" isDefault=\"true\""));
        Assert.Equal(1, Default(zero + one, this));
        Assert.Equal(0, Default(zero, this));
        Assert.Equal(1, Default(Acs(rest: "index=\"0\" isDefault=\"false\"") + Acs("https://sp.example/acs1", rest: "index=\"1\""), this));
        Assert.Equal(0, Default(Acs(rest: "index=\"0\" isDefault=\"false\"") + Acs("https://sp.example/acs1", rest: "index=\"1\" isDefault=\"0\""), this));
        Assert.Equal(3, Default(Acs(binding: SamlBindings.HttpArtifact, rest: "index=\"2\" isDefault=\"true\"") + Acs(rest: "index=\"3\""), this));
    }

    [Fact]
    public void An_aggregate_of_thousands_is_read_in_little_memory()
    {
        var entity = Sp(Key(Keys.Sp.Certificate) + Acs());
        var document = new StringBuilder($"<md:EntitiesDescriptor xmlns:md=\"{SamlNamespaces.Metadata}\">");
        for (var i = 0; i < 3000; i++) document.Append(entity.Replace("https://sp.example/md", $"https://sp{i}.example/md", StringComparison.Ordinal));
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(document.Append("</md:EntitiesDescriptor>").ToString()));
        document.Clear();
        var (count, most) = (0, 0L);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        foreach (var entry in SpMetadataReader.Read(stream, new SpMetadataOptions(), clock))
        {
            Assert.NotNull(entry.Value.ServiceProvider);
            if (++count % 1000 == 0) most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: true) - before);
        }
        Assert.Equal(3000, count);
        Assert.True(most < 10_000_000, $"{most} bytes");
    }

    internal static readonly IdentityProviderDescription Description = new()
    {
        DisplayNames = new Dictionary<string, string> { ["en"] = "Retailer", ["fi"] = "Vähittäiskauppa", ["sv"] = "Detaljhandel", ["ko"] = "소매점" },
        Descriptions = new Dictionary<string, string> { ["en"] = "One account for all stores" },
        InformationUrls = new Dictionary<string, string> { ["en"] = "https://retailer.example/about" },
        PrivacyStatementUrls = new Dictionary<string, string> { ["en"] = "https://retailer.example/privacy" },
        OrganizationNames = new Dictionary<string, string> { ["en"] = "Retailer Ltd" },
        OrganizationUrl = "https://retailer.example",
        TechnicalContact = "identity@retailer.example",
        SupportContact = "help@retailer.example",
        EntityAttributes = new Dictionary<string, IReadOnlyList<string>> { ["http://macedir.org/entity-category-support"] = ["https://refeds.org/category/personalized"] },
        ErrorUrl = "https://id.retailer.example/help",
    };
}
