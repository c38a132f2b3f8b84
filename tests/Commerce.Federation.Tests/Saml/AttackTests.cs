using System.IO.Compression;
using System.Net;
using System.Text;
using System.Xml;
using Commerce.Federation.Data;
using Commerce.Federation.Hops;
using Commerce.Federation.Saml;
using Commerce.Kernel;
using Commerce.Saml;
using Commerce.Testing;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.Tests.Saml;

/// <summary>Messages made to deceive, sent to the running hub. X rows of docs/security.md.</summary>
public sealed class AttackTests(SamlHub saml) : IClassFixture<SamlHub>
{
    private async Task NothingHappenedAsync(TestServiceProvider sp)
    {
        Assert.Empty(await saml.RequestsAsync(sp));
        Assert.Equal(0, await saml.ReleasesAsync(sp));
    }

    public static TheoryData<string> Wraps => ["extensions", "object", "sibling", "same-id", "scoping", "carrier"];

    [Theory]
    [MemberData(nameof(Wraps))]
    public async Task X05_a_signature_over_something_else_in_the_document_proves_nothing(string how)
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        var signed = new XmlDocument { PreserveWhitespace = true };
        signed.LoadXml(how == "carrier"
            ? TestServiceProvider.Sign($"<saml:Assertion xmlns:saml=\"{SamlNamespaces.Assertion}\" ID=\"_old\" Version=\"2.0\" IssueInstant=\"2026-10-05T12:00:00Z\"><saml:Issuer>{sp.EntityId}</saml:Issuer></saml:Assertion>")
            : TestServiceProvider.Sign(sp.RequestXml(id: "_old")));
        var signature = (XmlElement)signed.GetElementsByTagName("Signature", SamlNamespaces.XmlSignature)[0]!;
        var withoutSignature = (XmlElement)signed.DocumentElement!.CloneNode(true);
        withoutSignature.RemoveChild(withoutSignature.GetElementsByTagName("Signature", SamlNamespaces.XmlSignature)[0]!);

        var evil = new XmlDocument { PreserveWhitespace = true };
        evil.LoadXml(sp.RequestXml(id: how == "same-id" ? "_old" : "_evil", attributes: "IsPassive=\"false\""));
        var root = evil.DocumentElement!;
        XmlNode Import(XmlNode node) => evil.ImportNode(node, true);
        XmlElement Add(XmlNode parent, string prefix, string name, string ns) => (XmlElement)parent.AppendChild(evil.CreateElement(prefix, name, ns))!;
        switch (how)
        {
            case "object":
                var moved = root.InsertAfter(Import(signature), root.FirstChild)!;
                Add(moved, "ds", "Object", SamlNamespaces.XmlSignature).AppendChild(Import(withoutSignature));
                break;
            case "sibling":
                root.InsertAfter(Import(signature), root.FirstChild);
                root.AppendChild(Import(withoutSignature));
                break;
            case "scoping":
                root.InsertAfter(Import(signature), root.FirstChild);
                Add(root, "samlp", "Scoping", SamlNamespaces.Protocol).AppendChild(Import(withoutSignature));
                break;
            case "extensions":
                Add(root, "samlp", "Extensions", SamlNamespaces.Protocol).AppendChild(Import(signed.DocumentElement));
                break;
            default:
                root.InsertAfter(Import(signature), root.FirstChild);
                Add(root, "samlp", "Extensions", SamlNamespaces.Protocol).AppendChild(Import(withoutSignature));
                break;
        }

        saml.AssertRefused(await saml.PostAsync(browser, TestServiceProvider.Post(evil.OuterXml)), "saml.");
        await NothingHappenedAsync(sp);
    }

    [Fact]
    public async Task X05_a_response_where_a_request_belongs_is_refused()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        var xml = TestServiceProvider.Sign(sp.RequestXml());
        saml.AssertRefused(await saml.PostAsync(browser, [KeyValuePair.Create("SAMLResponse", Convert.ToBase64String(Encoding.UTF8.GetBytes(xml)))]), FaultCodes.StructureInvalid);
        saml.AssertRefused(await saml.PostAsync(browser, TestServiceProvider.Post(
            $"<samlp:Response xmlns:samlp=\"{SamlNamespaces.Protocol}\" ID=\"_r\" Version=\"2.0\" IssueInstant=\"2026-10-05T12:00:00Z\"/>")), "saml.");
        await NothingHappenedAsync(sp);
    }

    [Fact]
    public async Task X10_a_removed_signature_is_a_missing_signature()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        var url = sp.Request().Url;
        saml.AssertRefused(await browser.GetAsync(url[..url.IndexOf("&SigAlg", StringComparison.Ordinal)]), FaultCodes.SignatureMissing);
        saml.AssertRefused(await browser.GetAsync(url[..url.IndexOf("&Signature", StringComparison.Ordinal)]), "saml.");
        await NothingHappenedAsync(sp);
    }

    [Fact]
    public async Task X10_a_signature_of_a_partner_without_a_key_proves_nothing()
    {
        var sp = await saml.AddPartnerAsync(signs: false, claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        saml.AssertRefused(await browser.GetAsync(sp.Redirect(sp.RequestXml(), key: sp.SigningKey)), FaultCodes.NoUsableKey);
        saml.AssertRefused(await saml.PostAsync(browser, TestServiceProvider.Post(TestServiceProvider.Sign(sp.RequestXml()))), FaultCodes.NoUsableKey);
        await NothingHappenedAsync(sp);
    }

    [Fact]
    public async Task X12_a_signature_by_another_partners_key_proves_nothing()
    {
        var sp = await saml.AddPartnerAsync(signs: false, claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        saml.AssertRefused(await browser.GetAsync(sp.Redirect(sp.RequestXml(), key: TestServiceProvider.Stranger)), "saml.");
    }

    [Theory]
    [InlineData("<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>")]
    [InlineData("<!DOCTYPE a [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]>")]
    [InlineData("<?xml-stylesheet href=\"x\"?>")]
    [InlineData("<!-- a comment -->")]
    public async Task X06_X14_no_document_type_comment_or_instruction_gets_in(string prolog)
    {
        var sp = await saml.AddPartnerAsync(signs: false, claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        saml.AssertRefused(await saml.PostAsync(browser, TestServiceProvider.Post(prolog + sp.RequestXml())), FaultCodes.XmlRefused);
    }

    [Fact]
    public async Task X08_a_comment_inside_the_issuer_makes_no_other_issuer()
    {
        var sp = await saml.AddPartnerAsync(signs: false, claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        var xml = sp.RequestXml().Replace(".example/saml/metadata</saml:Issuer>", ".example<!---->/saml/metadata</saml:Issuer>", StringComparison.Ordinal);
        saml.AssertRefused(await saml.PostAsync(browser, TestServiceProvider.Post(xml)), FaultCodes.XmlRefused);
    }

    [Fact]
    public async Task X14_a_document_nested_without_end_is_refused()
    {
        var sp = await saml.AddPartnerAsync(signs: false, claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        var deep = string.Concat(Enumerable.Repeat("<a>", 3000)) + string.Concat(Enumerable.Repeat("</a>", 3000));
        saml.AssertRefused(await saml.PostAsync(browser, TestServiceProvider.Post(sp.RequestXml(children: $"<samlp:Extensions>{deep}</samlp:Extensions>"))), FaultCodes.XmlRefused);
    }

    [Fact]
    public async Task X15_a_deflate_bomb_is_cut_off_while_it_inflates()
    {
        using var packed = new MemoryStream();
        using (var deflate = new DeflateStream(packed, CompressionLevel.SmallestSize, leaveOpen: true)) deflate.Write(new byte[5_000_000]);
        var bomb = Uri.EscapeDataString(Convert.ToBase64String(packed.ToArray()));
        Assert.True(bomb.Length < 8000, "It fits into a request line.");
        using var browser = saml.Hub.NewBrowser();
        saml.AssertRefused(await browser.GetAsync("/saml/sso?SAMLRequest=" + bomb), FaultCodes.BindingInvalid);
    }

    [Theory]
    [InlineData("{q}&SAMLRequest=x")]
    [InlineData("{q}&SAMLResponse=x")]
    [InlineData("{q}&RelayState=added")]
    [InlineData("RelayState=first&{q}")]
    [InlineData("{q}&SigAlg=http%3A%2F%2Fwww.w3.org%2F2000%2F09%2Fxmldsig%23rsa-sha1")]
    [InlineData("{q}&Signature=AAAA")]
    [InlineData("%53AMLRequest=x&{q}")]
    public async Task X16_parameters_repeated_or_added_to_a_signed_query_are_refused(string query)
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        var url = sp.Request().Url;
        var at = url.IndexOf('?', StringComparison.Ordinal) + 1;
        saml.AssertRefused(await browser.GetAsync("/saml/sso?" + query.Replace("{q}", url[at..], StringComparison.Ordinal)), "saml.");
        await NothingHappenedAsync(sp);
    }

    [Theory]
    [InlineData("http://www.w3.org/2000/09/xmldsig#rsa-sha1")]
    [InlineData("http://www.w3.org/2001/04/xmldsig-more#rsa-sha512")]
    [InlineData("http://www.w3.org/2001/04/xmldsig-more#hmac-sha256")]
    [InlineData("none")]
    public async Task X16_a_changed_algorithm_is_refused(string algorithm)
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        var url = sp.Request().Url.Replace(Uri.EscapeDataString("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"), Uri.EscapeDataString(algorithm), StringComparison.Ordinal);
        Assert.Contains(Uri.EscapeDataString(algorithm), url, StringComparison.Ordinal);
        saml.AssertRefused(await browser.GetAsync(url), "saml.");
    }

    [Fact]
    public async Task X16_a_message_in_the_address_of_a_post_and_a_form_with_two_are_refused()
    {
        var sp = await saml.AddPartnerAsync(signs: false, claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        var fields = TestServiceProvider.Post(sp.RequestXml());
        saml.AssertRefused(await browser.PostAsync("/saml/sso?SAMLRequest=x", fields), FaultCodes.BindingInvalid);
        saml.AssertRefused(await browser.PostAsync("/saml/sso", [.. fields, .. fields]), FaultCodes.BindingInvalid);
        saml.AssertRefused(await browser.PostAsync("/saml/sso", [.. fields, KeyValuePair.Create("SAMLResponse", "x")]), FaultCodes.BindingInvalid);
        saml.AssertRefused(await browser.PostAsync("/saml/sso", []), FaultCodes.BindingInvalid);
        using var json = new HttpRequestMessage(HttpMethod.Post, "/saml/sso") { Content = new StringContent("{}", Encoding.UTF8, "application/json") };
        saml.AssertRefused(await browser.SendAsync(json), FaultCodes.BindingInvalid);
        using var broken = new HttpRequestMessage(HttpMethod.Post, "/saml/sso") { Content = new StringContent("--x\r\nnonsense", Encoding.UTF8) };
        broken.Content.Headers.ContentType = System.Net.Http.Headers.MediaTypeHeaderValue.Parse("multipart/form-data; boundary=y");
        saml.AssertRefused(await browser.SendAsync(broken), FaultCodes.BindingInvalid);
        using var many = new HttpRequestMessage(HttpMethod.Post, "/saml/sso") { Content = new StringContent(string.Join('&', Enumerable.Range(0, 3000).Select(i => $"k{i}=v"))) };
        many.Content.Headers.ContentType = System.Net.Http.Headers.MediaTypeHeaderValue.Parse("application/x-www-form-urlencoded");
        saml.AssertRefused(await browser.SendAsync(many), FaultCodes.BindingInvalid);
        await NothingHappenedAsync(sp);
    }

    [Fact]
    public async Task X17_an_endpoint_that_carries_a_message_of_its_own_is_not_registered()
    {
        foreach (var acs in new[] { "{acs}?SAMLResponse=x", "javascript:alert(1)", "JAVASCRIPT:alert(1)", "data:text/html,x" })
        {
            var sp = new TestServiceProvider(saml.Clock) { Hub = saml.Idp };
            var metadata = sp.Metadata(xml => xml.Replace(sp.Acs, acs.Replace("{acs}", sp.Acs, StringComparison.Ordinal), StringComparison.Ordinal));
            Assert.False((await saml.Hub.AskAsync(new Contracts.AddSamlPartner(metadata, null, null))).IsOk, acs);
        }
    }

    [Fact]
    public async Task K06_what_a_message_says_cannot_forge_a_line_of_the_log()
    {
        using var browser = saml.Hub.NewBrowser();
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var page = await browser.GetAsync(sp.Redirect(sp.RequestXml(issuer: "https://x.example/\u2028FORGED reference 1."), key: sp.SigningKey));
        Assert.Equal(RefusedMessages.Refused.Code, page.RefusalCode);
        Assert.DoesNotContain(saml.Log.Lines, line => line.Contains('\u2028') || line.Contains('\n'));
    }

    [Fact]
    public async Task A_thousand_mutations_of_a_request_by_redirect_are_refused_and_leave_nothing()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        var url = sp.Redirect(sp.RequestXml(id: "_mutated", children: "<samlp:NameIDPolicy AllowCreate=\"true\"/>"), "relay", sp.SigningKey);
        var query = url[(url.IndexOf('?', StringComparison.Ordinal) + 1)..];
        var random = new Random(1);
        var meant = Meant(query);
        for (var sent = 0; sent < 1000;)
        {
            var mutated = Mutation.Of(query, random, "%&=+/ABCabc012_-.~");
            if (Meant(mutated) == meant || !Uri.TryCreate($"{saml.Hub.Origin}/saml/sso?{mutated}", UriKind.Absolute, out var address) || address.Query != "?" + mutated) continue;
            sent++;
            await RefusedAsync(browser, await browser.GetAsync(address.AbsoluteUri), mutated);
        }
        await NothingHappenedAsync(sp);
        Assert.Single((await browser.GetAsync(url)).Forms());    // the one nobody touched is still good

        // Escapes of the same character in two spellings mean the same.
        static string Meant(string query) => string.Join('&', query.Split('&').Select(Uri.UnescapeDataString));
    }

    [Fact]
    public async Task A_thousand_mutations_of_a_request_by_post_are_refused_and_leave_nothing()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        var xml = TestServiceProvider.Sign(sp.RequestXml(id: "_mutated", children: "<samlp:NameIDPolicy AllowCreate=\"true\"/>"));
        var random = new Random(2);
        var meant = Meant(xml);
        for (var sent = 0; sent < 1000;)
        {
            var mutated = Mutation.Of(xml, random, "<>/\"'=&; abcID0_:#");
            if (Meant(mutated) == meant) continue;
            sent++;
            await RefusedAsync(browser, await browser.PostAsync("/saml/sso", TestServiceProvider.Post(mutated)), mutated);
        }
        await NothingHappenedAsync(sp);
        Assert.Equal(HttpStatusCode.SeeOther, (await browser.PostAsync("/saml/sso", TestServiceProvider.Post(xml))).Status);

        // White space between attributes and in Base64, and the kind of quotation marks, are not part of what is said (canonical form).
        static string? Meant(string xml)
        {
            var document = new XmlDocument { PreserveWhitespace = true };
            try
            {
                document.LoadXml(xml);
            }
            catch (XmlException)
            {
                return null;
            }
            foreach (var name in new[] { "SignatureValue", "DigestValue" })
                foreach (XmlNode node in document.GetElementsByTagName(name)) node.InnerText = string.Concat(node.InnerText.Where(c => !char.IsWhiteSpace(c)));
            var canonical = new System.Security.Cryptography.Xml.XmlDsigExcC14NTransform();
            canonical.LoadInput(document);
            using var reader = new StreamReader((Stream)canonical.GetOutput(typeof(Stream)));
            return reader.ReadToEnd();
        }
    }

    [Fact]
    public async Task A_thousand_mutations_of_a_hop_ticket_are_denied_and_the_ticket_stays_good()
    {
        var sp = await saml.AddPartnerAsync(needsConsent: true, claims: ["name", "purchase"]);
        var (browser, customer, session) = saml.SignedIn();
        var (ticket, hop) = await saml.StartHopAsync(sp, customer, session, "name", "purchase");
        var random = new Random(3);
        for (var sent = 0; sent < 1000;)
        {
            var mutated = Mutation.Of(ticket, random, "abcXYZ019-_");
            if (mutated == ticket || mutated.Length is 0 or > 128) continue;
            sent++;
            if (sent % 2 == 0)
            {
                var page = await browser.GetAsync("/saml/hop?ticket=" + Uri.EscapeDataString(mutated));
                Assert.Equal(HttpStatusCode.BadRequest, page.Status);
            }
            else
            {
                SamlHub.AssertStatus(await browser.GetAsync(sp.Request(new AuthnRequestOptions { HopTicket = mutated }).Url), sp, StatusCodes.RequestDenied);
            }
        }
        var state = await saml.Hub.WithDbAsync<FederationDb, HopState>(db => db.Hops.Where(h => h.Id == hop).Select(h => h.State).SingleAsync());
        Assert.Equal(HopState.Sent, state);
        var request = sp.Request(new AuthnRequestOptions { HopTicket = ticket });
        Assert.True((await sp.ReceiveAsync(await browser.GetAsync(request.Url), request.Id)).IsSuccess);
    }

    private static async Task RefusedAsync(TestBrowser browser, TestPage page, string sent)
    {
        if (page.RedirectsTo is not null) page = await browser.FollowAsync(page);
        Assert.True(page.Status == HttpStatusCode.BadRequest && page.Forms().Count == 0, $"{(int)page.Status} for {sent}");
    }

    private static class Mutation
    {
        public static string Of(string text, Random random, string letters)
        {
            var chars = text.ToList();
            for (var times = random.Next(1, 4); times > 0; times--)
            {
                var at = random.Next(chars.Count);
                switch (random.Next(6))
                {
                    case 0: chars[at] = letters[random.Next(letters.Length)]; break;
                    case 1: chars.RemoveAt(at); break;
                    case 2: chars.Insert(at, letters[random.Next(letters.Length)]); break;
                    case 3: chars.RemoveRange(at, Math.Min(random.Next(1, 12), chars.Count - at)); break;
                    case 4:
                        var length = Math.Min(random.Next(1, 40), chars.Count - at);
                        chars.InsertRange(random.Next(chars.Count), chars.GetRange(at, length));
                        break;
                    default: chars[at] = char.IsUpper(chars[at]) ? char.ToLowerInvariant(chars[at]) : char.ToUpperInvariant(chars[at]); break;
                }
                if (chars.Count == 0) break;
            }
            return new string([.. chars]);
        }
    }
}
