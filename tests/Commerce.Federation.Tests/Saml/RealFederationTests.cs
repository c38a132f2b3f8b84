using System.Net;
using System.Text;
using System.Text.Json;
using Commerce.Consent.Contracts;
using Commerce.Federation.Contracts;
using Commerce.Saml;
using Commerce.Testing;

namespace Commerce.Federation.Tests.Saml;

/// <summary>A real federation's service providers: each is registered, hopped to, and answered with a response that xmlsec1 verifies.</summary>
public sealed class RealFederationTests(SamlHub saml) : IClassFixture<SamlHub>
{
    private static readonly string[] Claims = ["name", "email", "vehicle", "purchase"];

    [Fact]
    public async Task A_hop_to_each_service_provider_of_the_real_federation_produces_a_response_that_xmlsec1_verifies()
    {
        var file = RealFile();
        XmlSec1.Program();
        var contract = JsonSerializer.Serialize(new
        {
            partner = "replaced",
            version = 1,
            purposes = new[]
            {
                new
                {
                    id = "book-fitting", retention_days = 90, legal_basis = "consent", texts = new { en = "Book a fitting" },
                    claims = Claims.Select(c => new { name = c, required = true, reason = "to book" }),
                },
            },
        });
        var added = (await saml.Hub.AskAsync(new AddSamlFederation(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken), contract))).Value;
        Assert.Equal(108, added.Added.Count);
        Assert.Equal(29, added.Skipped.Count);
        Assert.All(added.Skipped, skipped => Assert.NotEmpty(skipped.Reason));

        var key = saml.Idp.SigningKeys[0];
        var (browser, customer, _) = saml.SignedIn();
        saml.Neighbours.Purchases[(customer, SamlHub.Order.OrderNumber)] = SamlHub.Order;
        using var folder = new TempFolder();
        var failures = new List<string>();
        var (unsolicited, started, encrypted) = (0, 0, 0);
        foreach (var (partner, number) in added.Added.Select((partner, number) => (partner, number)))
        {
            var offer = $"fitting-{number}";
            Assert.True((await saml.Hub.AskAsync(new PutOffer(Offer(offer, partner.Partner)))).IsOk);
            saml.Neighbours.Give(new GiveConsent(customer, partner.Partner, "Partner", "book-fitting", 1, "Book a fitting", "en", "consent", 90, null,
                [.. Claims.Select(c => new ConsentedClaim(c, true, "to book"))], []));

            var onward = await browser.GetAsync($"/hop/{offer}?order={SamlHub.Order.OrderNumber}");
            Assert.Equal(HttpStatusCode.SeeOther, onward.Status);
            TestPage page;
            if (onward.RedirectsTo!.Authority == new Uri(saml.Hub.Origin).Authority)
            {
                unsolicited++;
                page = await browser.FollowAsync(onward);
            }
            else
            {
                started++;
                page = await browser.GetAsync(RequestOf(partner.Connection));    // what the service provider does at that address
            }
            if (page.Status != HttpStatusCode.OK)
            {
                failures.Add($"{partner.Connection}: {page.Text}");
                continue;
            }
            var xml = Encoding.UTF8.GetString(Convert.FromBase64String(page.Forms().Single().Hidden.Single(f => f.Key == "SAMLResponse").Value));
            if (XmlSec1.Refuses(xml, key, folder.Path) is { } refused) failures.Add($"{partner.Connection}: {refused}");
            var response = SamlHub.ResponseOf(page);
            if (response.GetElementsByTagName("EncryptedAssertion", SamlNamespaces.Assertion).Count == 1)
            {
                encrypted++;
                continue;
            }
            Assert.Equal(partner.Connection, response.GetElementsByTagName("Audience", SamlNamespaces.Assertion)[0]!.InnerText);
            Assert.Contains(response.GetElementsByTagName("Attribute", SamlNamespaces.Assertion).Cast<System.Xml.XmlElement>(), a => a.GetAttribute("FriendlyName") == "purchase");
        }
        Assert.Empty(failures);
        Assert.Equal((100, 8), (unsolicited, started));
        Assert.InRange(encrypted, 1, 107);
        TestContext.Current.TestOutputHelper?.WriteLine($"{unsolicited} unsolicited responses and {started} answers verified by xmlsec1; {encrypted} of them encrypted.");
    }

    [Fact]
    public async Task X13_xmlsec1_refuses_a_response_of_the_hub_that_was_changed()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        var page = await browser.GetAsync(sp.Request().Url);
        var xml = Encoding.UTF8.GetString(Convert.FromBase64String(page.Forms().Single().Hidden.Single(f => f.Key == "SAMLResponse").Value));
        using var folder = new TempFolder();
        Assert.Null(XmlSec1.Refuses(xml, saml.Idp.SigningKeys[0], folder.Path));
        Assert.NotNull(XmlSec1.Refuses(xml.Replace("Aino", "Eino", StringComparison.Ordinal), saml.Idp.SigningKeys[0], folder.Path));
    }

    private string RequestOf(string entity)
    {
        var xml = $"<samlp:AuthnRequest xmlns:samlp=\"{SamlNamespaces.Protocol}\" xmlns:saml=\"{SamlNamespaces.Assertion}\" ID=\"_{Guid.CreateVersion7():N}\" Version=\"2.0\" "
            + $"IssueInstant=\"{saml.Clock.GetUtcNow():yyyy-MM-ddTHH:mm:ssZ}\"><saml:Issuer>{System.Security.SecurityElement.Escape(entity)}</saml:Issuer></samlp:AuthnRequest>";
        return RedirectBinding.Write(saml.Idp.SingleSignOnUrl(SamlBindings.HttpRedirect)!, isRequest: true, Encoding.UTF8.GetBytes(xml), null, null);
    }

    private static string Offer(string id, string partner) => JsonSerializer.Serialize(new
    {
        id,
        partner,
        when = new { category = "tires/*", banners = new[] { "*" }, countries = new[] { "FI" } },
        target_url = "https://partner.example/book",
        purpose = "book-fitting",
        texts = new { en = new { title = "Fitting", body = "Book now" } },
    });

    private static string RealFile()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Commerce.sln"))) folder = folder.Parent;
        for (folder = folder?.Parent; folder is not null; folder = folder.Parent)
        {
            var file = Path.Combine(folder.FullName, "shared", "data", "saml-metadata", "swamid-1.0.xml");
            if (File.Exists(file)) return file;
        }
        Assert.Skip("../shared/data/saml-metadata/swamid-1.0.xml is not beside the repository.");
        return "";
    }
}
