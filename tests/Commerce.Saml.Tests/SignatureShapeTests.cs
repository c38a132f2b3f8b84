using System.Security.Cryptography;
using System.Xml;

namespace Commerce.Saml.Tests;

/// <summary>Signatures that a general XML library would call valid, made with the real key or around a real signature.</summary>
public sealed class SignatureShapeTests
{
    private static readonly RSA IdpRsa = RSA.Create(2048);
    private static readonly RSA SpRsa = RSA.Create(2048);
    private static readonly SigningKey IdpKey = new(IdpRsa, Keys.Certificate(IdpRsa));
    private static readonly SigningKey SpKey = new(SpRsa, Keys.Certificate(SpRsa));

    public static TheoryData<string> Everything => Attack.Everything;

    private static Attack On(string kind) => Attack.On(kind, IdpKey, SpKey);

    private static RSA Signer(string kind) => kind == "signed request" ? SpRsa : IdpRsa;

    private static Attack Resigned(string kind, Func<Attack, string, string> signedInfo, HashAlgorithmName? hash = null)
    {
        var attack = On(kind);
        return attack.Resign(digest => signedInfo(attack, digest), hash ?? HashAlgorithmName.SHA256, Signer(kind));
    }

    [Theory, MemberData(nameof(Everything))]
    public void The_builder_makes_signatures_that_are_accepted(string kind) => Assert.Null(Resigned(kind, (attack, digest) => attack.SignedInfo(digest)).Send());

    [Theory, MemberData(nameof(Everything))]
    public void M01_a_signed_info_without_a_reference_is_refused(string kind) =>
        Resigned(kind, (attack, digest) => attack.SignedInfo(digest).Replace(attack.Reference(digest), "", StringComparison.Ordinal)).Refused(FaultCodes.SignatureShape);

    [Theory, MemberData(nameof(Everything))]
    public void M02_a_reference_by_anything_but_the_elements_id_is_refused(string kind)
    {
        foreach (var uri in new[] { "", "#xpointer(/)", "#xpointer(id('x'))", "#", "#other", "http://evil.example/#x", " #x" })
            Resigned(kind, (attack, digest) => attack.SignedInfo(digest, uri: uri.Replace("x'", attack.Signed.GetAttribute("ID") + "'", StringComparison.Ordinal)))
                .Refused(FaultCodes.SignatureShape);
    }

    [Theory, MemberData(nameof(Everything))]
    public void M03_another_element_with_the_same_identifier_under_any_spelling_is_refused(string kind)
    {
        foreach (var (prefix, name, ns) in new[] { ("", "Id", ""), ("", "id", ""), ("", "iD", ""), ("xml", "id", "http://www.w3.org/XML/1998/namespace"), ("wsu", "Id", "urn:wsu") })
        {
            var attack = On(kind);
            attack.Root.SetAttribute("ID", attack.Root.GetAttribute("ID"));
            var decoy = Attack.Descendants(attack.Root, "Issuer").Last();
            var attribute = attack.Document.CreateAttribute(prefix, name, ns);
            attribute.Value = attack.Signed.GetAttribute("ID");
            decoy.SetAttributeNode(attribute);
            attack.Refused(FaultCodes.DuplicateId);
        }
    }

    [Theory, MemberData(nameof(Everything))]
    public void M03_two_spellings_on_one_element_are_refused(string kind)
    {
        var attack = On(kind);
        attack.Signed.SetAttribute("Id", attack.Signed.GetAttribute("ID"));
        attack.Refused(FaultCodes.DuplicateId);
    }

    [Theory, MemberData(nameof(Everything))]
    public void M05_X12_a_key_in_the_message_is_not_used(string kind)
    {
        // Signed by a stranger, whose certificate is in KeyInfo.
        var attack = On(kind);
        var id = attack.Signed.GetAttribute("ID");
        Attack.Change(attack.Signed);
        Attack.Unsign(attack.Signed);
        XmlSignature.Sign(attack.Signed, attack.Signed.FirstChild!.NextSibling, Keys.Stranger);
        Assert.Equal(id, attack.Signed.GetAttribute("ID"));
        attack.Refused(FaultCodes.SignatureInvalid);
    }

    [Theory, MemberData(nameof(Everything))]
    public void X12_a_wrong_certificate_in_the_message_does_no_harm(string kind)
    {
        var attack = On(kind);
        Attack.Descendants(attack.Signature, "X509Certificate").First().InnerText = Keys.Stranger.Certificate;
        if (kind == "both signed") Assert.Equal("Response", attack.Signed.LocalName);
        Assert.Null(attack.Send());    // KeyInfo is not under the signature and not looked at
    }

    [Theory, MemberData(nameof(Everything))]
    public void M06_S36_X13_algorithms_outside_the_list_are_refused(string kind)
    {
        const string C14n = "http://www.w3.org/2001/10/xml-exc-c14n#WithComments";
        Resigned(kind, (a, d) => a.SignedInfo(d, method: "http://www.w3.org/2000/09/xmldsig#rsa-sha1"), HashAlgorithmName.SHA1).Refused(FaultCodes.AlgorithmRefused);
        Resigned(kind, (a, d) => a.SignedInfo(d, c14n: C14n)).Refused(FaultCodes.AlgorithmRefused);
        Resigned(kind, (a, d) => a.SignedInfo(d, c14n: "http://www.w3.org/TR/2001/REC-xml-c14n-20010315")).Refused(FaultCodes.AlgorithmRefused);
        Resigned(kind, (a, d) => a.SignedInfo(d, digestMethod: "http://www.w3.org/2000/09/xmldsig#sha1")).Refused(FaultCodes.AlgorithmRefused);
        Resigned(kind, (a, d) => a.SignedInfo(d, digestMethod: "http://www.w3.org/2001/04/xmldsig-more#md5")).Refused(FaultCodes.AlgorithmRefused);
        foreach (var method in new[] { "http://www.w3.org/2000/09/xmldsig#hmac-sha1", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256", "http://www.w3.org/2001/04/xmldsig-more#rsa-md5", "http://www.w3.org/2000/09/xmldsig#dsa-sha1", "" })
            Resigned(kind, (a, d) => a.SignedInfo(d, method: method)).Refused(FaultCodes.AlgorithmRefused);
    }

    [Theory, MemberData(nameof(Everything))]
    public void X13_transforms_outside_the_two_are_refused(string kind)
    {
        const string Enveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
        const string Exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#";
        foreach (var transforms in new[]
        {
            "", Attack.Transform(Enveloped), Attack.Transform(Exclusive), Attack.Transform(Exclusive) + Attack.Transform(Enveloped),
            Attack.Transform(Enveloped) + Attack.Transform(Exclusive) + Attack.Transform(Exclusive),
            Attack.Transform(Enveloped) + Attack.Transform("http://www.w3.org/2000/09/xmldsig#base64"),
            Attack.Transform(Enveloped) + Attack.Transform("http://www.w3.org/TR/1999/REC-xslt-19991116"),
            Attack.Transform("http://www.w3.org/TR/1999/REC-xpath-19991116") + Attack.Transform(Exclusive),
            Attack.Transform("http://www.w3.org/2002/07/decrypt#XML") + Attack.Transform(Exclusive),
            Attack.Transform("urn:mpeg:mpeg21:2003:01-REL-R-NS:licenseTransform") + Attack.Transform(Exclusive),
        })
            Resigned(kind, (a, d) => a.SignedInfo(d, transforms: transforms)).Refused(FaultCodes.SignatureShape, FaultCodes.AlgorithmRefused);
    }

    [Theory, MemberData(nameof(Everything))]
    public void X13_parameters_of_methods_are_refused(string kind)
    {
        Resigned(kind, (a, d) => a.SignedInfo(d).Replace("rsa-sha256\"/>", "rsa-sha256\"><ds:HMACOutputLength>8</ds:HMACOutputLength></ds:SignatureMethod>", StringComparison.Ordinal))
            .Refused(FaultCodes.AlgorithmRefused);
        Resigned(kind, (a, d) => a.SignedInfo(d).Replace("enveloped-signature\"/>", "enveloped-signature\"><ds:XPath>1</ds:XPath></ds:Transform>", StringComparison.Ordinal))
            .Refused(FaultCodes.AlgorithmRefused);
        Resigned(kind, (a, d) => a.SignedInfo(d).Replace("xmlenc#sha256\"/>", "xmlenc#sha256\"><ds:Length>8</ds:Length></ds:DigestMethod>", StringComparison.Ordinal))
            .Refused(FaultCodes.AlgorithmRefused);
    }

    [Theory, MemberData(nameof(Everything))]
    public void X13_canonicalisation_takes_one_prefix_list_and_nothing_else(string kind)
    {
        const string List = "<ec:InclusiveNamespaces xmlns:ec=\"http://www.w3.org/2001/10/xml-exc-c14n#\" PrefixList=\"\"/>";
        foreach (var parameters in new[] { "<ds:XPath>1</ds:XPath>", List + List, List.Replace("/>", "><x xmlns=\"\"/></ec:InclusiveNamespaces>", StringComparison.Ordinal), List.Replace("xml-exc-c14n#", "other", StringComparison.Ordinal) })
            Resigned(kind, (a, d) => Canonicalised(a.SignedInfo(d), parameters)).Refused(FaultCodes.SignatureShape);
        Assert.Null(Resigned(kind, (a, d) => Canonicalised(a.SignedInfo(d), List)).Send());
    }

    private static string Canonicalised(string signedInfo, string parameters) => signedInfo.Replace("<ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>",
        $"<ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\">{parameters}</ds:CanonicalizationMethod>", StringComparison.Ordinal);

    [Theory, MemberData(nameof(Everything))]
    public void An_inclusive_prefix_list_is_honoured_and_limited(string kind)
    {
        static string With(Attack attack, string digest, string prefixes) => attack.SignedInfo(digest).Replace("<ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>",
            $"<ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"><ec:InclusiveNamespaces xmlns:ec=\"http://www.w3.org/2001/10/xml-exc-c14n#\" PrefixList=\"{prefixes}\"/></ds:CanonicalizationMethod>", StringComparison.Ordinal);
        Assert.Null(Resigned(kind, (a, d) => With(a, d, "ec unknown")).Send());
        Resigned(kind, (a, d) => With(a, d, string.Join(' ', Enumerable.Range(0, 17).Select(i => $"p{i}")))).Refused(FaultCodes.SignatureShape);
    }

    [Theory, MemberData(nameof(Everything))]
    public void X09_two_signed_infos_are_refused(string kind)
    {
        var attack = On(kind);
        attack.Signature.InsertAfter(attack.Signature.FirstChild!.CloneNode(deep: true), attack.Signature.FirstChild);
        attack.Refused(FaultCodes.SignatureShape);
        attack = On(kind);
        attack.Signature.AppendChild(attack.Signature.FirstChild!.CloneNode(deep: true));
        attack.Refused(FaultCodes.SignatureShape);
    }

    [Theory, MemberData(nameof(Everything))]
    public void X09_several_references_are_refused(string kind) => Resigned(kind, (a, d) => a.SignedInfo(d) + a.Reference(d)).Refused(FaultCodes.SignatureShape);

    [Theory, MemberData(nameof(Everything))]
    public void X09_a_comment_or_an_element_in_the_digest_value_is_refused(string kind)
    {
        var attack = On(kind);
        var digest = Attack.Descendants(attack.Signature, "DigestValue").First();
        digest.InsertBefore(attack.Document.CreateComment("AAAA"), digest.FirstChild);
        attack.Refused(FaultCodes.XmlRefused);
        Resigned(kind, (a, d) => a.SignedInfo(d).Replace(d, $"<x xmlns=\"\">AAAA</x>{d}", StringComparison.Ordinal)).Refused(FaultCodes.SignatureShape);
    }

    [Theory, MemberData(nameof(Everything))]
    public void X09_a_second_signature_is_refused(string kind)
    {
        var attack = On(kind);
        attack.Signed.InsertAfter(attack.Signature.CloneNode(deep: true), attack.Signature);
        attack.Refused(FaultCodes.SignatureShape);
        attack = On(kind);
        attack.Signed.AppendChild(attack.Signature.CloneNode(deep: true));
        attack.Refused(FaultCodes.SignatureShape);
    }

    [Theory, MemberData(nameof(Everything))]
    public void X10_the_signature_removed_is_refused(string kind)
    {
        var attack = On(kind);
        foreach (var element in new[] { attack.Root }.Concat(Attack.Descendants(attack.Root, "Assertion"))) Attack.Unsign(element);
        attack.Refused(FaultCodes.SignatureMissing);
    }

    [Theory, MemberData(nameof(Everything))]
    public void X10_an_empty_signature_is_refused(string kind)
    {
        var attack = On(kind);
        attack.Signature.RemoveAll();
        attack.Refused(FaultCodes.SignatureShape);
    }

    [Fact]
    public void X10_a_sender_without_a_key_is_refused()
    {
        var world = new World(sp: record => record with { SigningKeys = [] });
        Assert.Equal(FaultCodes.NoUsableKey, world.Post(Attack.SignedRequest(world)).Fault?.Code);
        Assert.Equal(FaultCodes.NoUsableKey, world.Redirect(Query(world)).Fault?.Code);
        var request = new World().Request();
        world.RemoteIdp = world.RemoteIdp with { SigningKeys = [] };
        Assert.Equal(FaultCodes.NoUsableKey, world.Consume(world.RespondXml(request), request.Id).Fault?.Code);
    }

    [Fact]
    public void X10_where_both_are_signed_one_broken_signature_is_enough_to_refuse()
    {
        var attack = Attack.On("both signed");
        var assertion = Attack.Descendants(attack.Root, "Assertion").First();
        Attack.Descendants(attack.Signature, "SignatureValue").First().InnerText = Attack.Descendants(assertion, "SignatureValue").First().InnerText;
        attack.Refused(FaultCodes.SignatureInvalid);

        // The other way round: a good signature outside does not make up for a broken one inside.
        attack = Attack.On("both signed");
        assertion = Attack.Descendants(attack.Root, "Assertion").First();
        Attack.Descendants(assertion, "SignatureValue").First().InnerText = Attack.Descendants(attack.Signature, "SignatureValue").First().InnerText;
        Attack.Unsign(attack.Root);
        XmlSignature.Sign(attack.Root, attack.Root.FirstChild!.NextSibling, attack.World.IdpKey);
        attack.Refused(FaultCodes.SignatureInvalid);
    }

    [Theory, MemberData(nameof(Everything))]
    public void X11_a_signature_value_that_makes_the_platform_fail_is_a_no(string kind)
    {
        foreach (var value in new[] { "", "AA==", "AAAA", "!!!!", "AAA", new string('A', 344), new string('/', 344), new string('A', 4000) })
        {
            var attack = On(kind);
            attack.Signature.ChildNodes.OfType<XmlElement>().First(e => e.LocalName == "SignatureValue").InnerText = value;
            attack.Refused(FaultCodes.SignatureInvalid, FaultCodes.SignatureShape);
        }
    }

    [Fact]
    public void X11_a_result_that_nobody_filled_in_is_a_fault()
    {
        var nothing = default(SamlResult<string>);
        Assert.False(nothing.IsSuccess);
        Assert.Equal(FaultCodes.Internal, nothing.Fault?.Code);
        Assert.Throws<InvalidOperationException>(() => nothing.Value);
    }

    [Theory, MemberData(nameof(Everything))]
    public void X12_the_key_of_another_partner_is_refused(string kind)
    {
        // The service provider's key is known to us, yet not as a signer of this sender's messages.
        var attack = On(kind);
        Attack.Unsign(attack.Signed);
        XmlSignature.Sign(attack.Signed, attack.Signed.FirstChild!.NextSibling, kind == "signed request" ? IdpKey : SpKey);
        attack.Refused(FaultCodes.SignatureInvalid);
    }

    [Fact]
    public void S34_each_of_several_keys_is_tried()
    {
        var world = new World(sp: record => record with { SigningKeys = [TrustedKey.Of(Keys.Stranger), TrustedKey.Of(Keys.Ecdsa(ECCurve.NamedCurves.nistP256)), .. record.SigningKeys] });
        Assert.True(world.Post(Attack.SignedRequest(world)).IsSuccess);
        Assert.True(world.Redirect(Query(world)).IsSuccess);
    }

    [Fact]
    public void S36_keys_under_2048_bits_cannot_be_pinned_or_used()
    {
        using var small = RSA.Create(1024);
        using var certificate = Keys.Certificate(small);
        Assert.Equal(FaultCodes.KeyRefused, TrustedKey.FromCertificate(Convert.ToBase64String(certificate.RawData)).Fault?.Code);
        Assert.Throws<ArgumentException>(() => new SigningKey(small, certificate));

        // Not even when the record was stored by other means.
        var smuggled = new TrustedKey(Convert.ToBase64String(small.ExportSubjectPublicKeyInfo()));
        var attack = On("signed request").Resign(d => "", HashAlgorithmName.SHA256, SpRsa);
        attack = On("signed request");
        attack.Resign(digest => attack.SignedInfo(digest), HashAlgorithmName.SHA256, small);
        var world = new World(sp: record => record with { SigningKeys = [smuggled] });
        Assert.Equal(FaultCodes.SignatureInvalid, world.Post(attack.Document.OuterXml).Fault?.Code);
    }

    [Fact]
    public void S36_curves_under_256_bits_cannot_be_pinned_or_used()
    {
        using var small = ECDsa.Create(ECCurve.CreateFromValue("1.3.132.0.33"));    // P-224
        using var certificate = new System.Security.Cryptography.X509Certificates.CertificateRequest("CN=small", small, HashAlgorithmName.SHA256)
            .CreateSelfSigned(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(2027, 1, 1, 0, 0, 0, TimeSpan.Zero));
        Assert.Equal(FaultCodes.KeyRefused, TrustedKey.FromCertificate(Convert.ToBase64String(certificate.RawData)).Fault?.Code);

        // Not even when the record was stored by other means.
        var smuggled = new TrustedKey(Convert.ToBase64String(small.ExportSubjectPublicKeyInfo()));
        var signature = small.SignData("x"u8, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        Assert.False(smuggled.Verifies(SignatureAlgorithm.EcdsaSha256, "x"u8, signature));
    }

    [Theory]
    [InlineData(SignatureAlgorithm.RsaSha256)]
    [InlineData(SignatureAlgorithm.RsaSha384)]
    [InlineData(SignatureAlgorithm.RsaSha512)]
    [InlineData(SignatureAlgorithm.RsaPssSha256)]
    [InlineData(SignatureAlgorithm.EcdsaSha256)]
    [InlineData(SignatureAlgorithm.EcdsaSha384)]
    [InlineData(SignatureAlgorithm.EcdsaSha512)]
    public void Every_algorithm_on_the_list_signs_and_verifies(SignatureAlgorithm algorithm)
    {
        var key = algorithm.IsRsa() ? Keys.Rsa(2048, algorithm) : Keys.Ecdsa(ECCurve.NamedCurves.nistP256, algorithm);
        var world = new World(idpKey: key, spKey: key);
        var request = world.Request();
        Assert.True(request.IsSigned);
        Assert.True(world.Post(Attack.SignedRequest(world)).IsSuccess);
        Assert.True(world.Consume(world.RespondXml(request), request.Id).IsSuccess);
    }

    private static string Query(World world) => world.SpSide.CreateAuthnRequest(world.RemoteIdp, new AuthnRequestOptions()).Value.Url.Split('?')[1];
}
