using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Commerce.Federation.Contracts;
using Commerce.Purchases.Contracts;
using Commerce.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Commerce.Interop.Tests;

/// <summary>The whole hub, and beside it a service provider made of <c>pysaml2</c> (Debian package python3-pysaml2), run by Debian's Python.</summary>
public sealed partial class PySaml2Site : IAsyncLifetime
{
    internal const string EntityId = "https://pysaml2.example/saml/metadata", Acs = "https://pysaml2.example/saml/acs", Offer = "tire-fitting", Order = "NT-2026-000123";
    private const string Python = "/usr/bin/python3";
    private const string Email = "aino.virtanen@example.com", Password = "vihreä lokki soutaa yöllä";

    private readonly TempFolder folder = new();
    private Process? python;
    private Task<string> errors = Task.FromResult("");

    internal TestHub Hub { get; private set; } = null!;

    /// <summary>What has to be installed; null where the site runs.</summary>
    internal string? Missing { get; private set; }

    public async ValueTask InitializeAsync()
    {
        if (!File.Exists("/usr/lib/python3/dist-packages/saml2/__init__.py") || !File.Exists(Python)) Missing = "pysaml2 is not installed (Debian package python3-pysaml2).";
        else if (!File.Exists("/usr/bin/xmlsec1")) Missing = "xmlsec1 is not installed (Debian package xmlsec1).";
        if (Missing is not null) return;

        // The library holds responses against the real clock.
        Hub = await TestHub.StartAsync(configure: services => services.Replace(ServiceDescriptor.Singleton(TimeProvider.System)));
        python = Process.Start(new ProcessStartInfo(Python, [Path.Combine(Path.GetDirectoryName(Here())!, "pysaml2", "sp.py")])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, StandardInputEncoding = new UTF8Encoding(false),
        })!;
        errors = python.StandardError.ReadToEndAsync();

        var idp = folder.File("idp.xml");
        await File.WriteAllTextAsync(idp, await Hub.Http.GetStringAsync("/saml/metadata"));
        var (key, certificate) = WriteKey();
        var configured = await TellAsync(new { @do = "configure", entity_id = EntityId, acs = Acs, idp_metadata = idp, key_file = key, cert_file = certificate, xmlsec1 = "/usr/bin/xmlsec1" });
        var added = await Hub.AskAsync(new AddSamlPartner(configured.GetProperty("metadata").GetString()!, null, Contract()));
        Assert.True(added.IsOk, string.Join("; ", added.Refusal?.Errors?.Select(e => e.Message) ?? [added.Refusal?.Code ?? ""]));
        Assert.True((await Hub.AskAsync(new PutOffer(OfferJson()))).IsOk);
        using var browser = Hub.NewBrowser();
        await JoinAsync(browser);
        var order = Assert.Single(await Hub.AskAsync(new ImportOrders([new ImportedOrder(1, OrderJson())])));
        Assert.True(order.Reason is null, order.Reason);
    }

    public async ValueTask DisposeAsync()
    {
        if (python is not null)
        {
            if (!python.HasExited) python.StandardInput.Close();
            if (!python.WaitForExit(TimeSpan.FromSeconds(10))) python.Kill();
            python.Dispose();
        }
        if (Hub is not null) await Hub.DisposeAsync();
        folder.Dispose();
    }

    internal async Task<JsonElement> TellAsync(object command)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        if (python!.HasExited) throw new InvalidOperationException(await errors);
        await python.StandardInput.WriteLineAsync(JsonSerializer.Serialize(command));
        await python.StandardInput.FlushAsync(patience.Token);
        var line = await python.StandardOutput.ReadLineAsync(patience.Token);
        return JsonDocument.Parse(line ?? throw new InvalidOperationException(await errors)).RootElement.Clone();
    }

    /// <summary>Takes the page that posts a response to the site, and gives the response to pysaml2.</summary>
    internal async Task<JsonElement> ReceiveAsync(TestPage page, string? requestId)
    {
        var form = page.Forms().Single();
        Assert.Equal(Acs, form.Action);
        return await TellAsync(new { @do = "response", saml_response = form.Hidden.Single(f => f.Key == "SAMLResponse").Value, outstanding = requestId is null ? [] : new[] { requestId } });
    }

    /// <summary>Fills in the hub's sign-in page.</summary>
    internal static async Task<TestPage> SignInAsync(TestBrowser browser, TestPage page)
    {
        Assert.Equal("/signin", page.Address.AbsolutePath);
        return await browser.FollowAsync(await browser.SubmitAsync(page, [new("email", Email), new("password", Password)]));
    }

    /// <summary>Says yes wherever the hub asks.</summary>
    internal static async Task<TestPage> AllowAsync(TestBrowser browser, TestPage page) =>
        page.Body.Contains("name=\"decision\"", StringComparison.Ordinal) ? await browser.FollowAsync(await browser.SubmitAsync(page, [new("decision", "allow")])) : page;

    /// <summary>Registers a customer and confirms the address by the mailed link.</summary>
    private static async Task JoinAsync(TestBrowser browser)
    {
        await browser.SubmitAsync(await browser.GetAsync("/register"), [new("given_name", "Aino"), new("family_name", "Virtanen"), new("email", Email), new("password", Password)]);
        var mailbox = await browser.GetAsync($"/mailbox?to={Uri.EscapeDataString(Email)}");
        await browser.SubmitAsync(await browser.GetAsync(WebUtility.HtmlDecode(MailedLink().Match(mailbox.Body).Groups[1].Value)));
    }

    private (string Key, string Certificate) WriteKey()
    {
        using var rsa = RSA.Create(2048);
        var request = new CertificateRequest("CN=pysaml2.example", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddYears(1));
        var (keyFile, certificateFile) = (folder.File("key.pem"), folder.File("cert.pem"));
        File.WriteAllText(keyFile, rsa.ExportRSAPrivateKeyPem());
        File.WriteAllText(certificateFile, certificate.ExportCertificatePem());
        return (keyFile, certificateFile);
    }

    private static string Contract() => JsonSerializer.Serialize(new
    {
        partner = "pysaml2-site", version = 1,
        purposes = new[]
        {
            new
            {
                id = "book-fitting", retention_days = 90, legal_basis = "consent", texts = new { en = "Book a fitting" },
                claims = new[] { "name", "email", "purchase" }.Select(c => new { name = c, required = true, reason = "to book" }),
            },
        },
    });

    private static string OfferJson() => JsonSerializer.Serialize(new
    {
        id = Offer, partner = "pysaml2-site", when = new { category = "tires/*", banners = new[] { "*" }, countries = new[] { "*" } },
        target_url = "https://pysaml2.example/book", purpose = "book-fitting", texts = new { en = new { title = "Tire fitting", body = "Book now" } },
    });

    private static string OrderJson() => JsonSerializer.Serialize(new
    {
        order_number = Order, banner = "northern-tires", customer = new { email = Email },
        placed_at = TimeProvider.System.GetUtcNow().AddHours(-1).ToString("yyyy-MM-ddTHH:mm:sszzz", CultureInfo.InvariantCulture), currency = "EUR",
        lines = new[]
        {
            new { line = 1, gtin = "6410001122337", sku = "NT-WT-2055516", description = "Winter tire 205/55 R16 94T", category = "tires/winter", quantity = 4, unit_price = "129.90", properties = new { season = "winter" } },
        },
        vehicle = new { registration = "ABC-123", country = "FI", make = "Volvo", model = "V60", year = 2019, tire_size = "205/55R16" },
        fulfilment = new { method = "home_delivery", address = new { street_address = "Esimerkkikatu 1 A 2", postal_code = "00100", locality = "Helsinki", country = "FI" } },
    });

    private static string Here([CallerFilePath] string path = "") => path;

    [GeneratedRegex("<p><a href=\"([^\"]+)\">")] private static partial Regex MailedLink();
}

public sealed class PySaml2Tests(PySaml2Site site) : IClassFixture<PySaml2Site>
{
    [Theory]
    [InlineData("redirect")]
    [InlineData("post")]
    public async Task Pysaml2_signs_a_customer_in_and_verifies_signatures_audience_and_attributes(string binding)
    {
        if (site.Missing is { } missing) Assert.Skip(missing);
        using var browser = site.Hub.NewBrowser();
        var request = await site.TellAsync(new { @do = "request", binding, relay_state = "/book?a=b&c=ä" });
        var id = request.GetProperty("id").GetString()!;
        var asked = binding == "redirect" ? await browser.GetAsync(request.GetProperty("url").GetString()!)
            : await browser.PostAsync("/saml/sso", request.GetProperty("fields").EnumerateObject().Select(f => KeyValuePair.Create(f.Name, f.Value.GetString()!)));

        var page = await PySaml2Site.AllowAsync(browser, await PySaml2Site.SignInAsync(browser, await browser.FollowAsync(asked)));

        Assert.Equal("/book?a=b&c=ä", page.Forms().Single().Hidden.Single(f => f.Key == "RelayState").Value);
        var received = await site.ReceiveAsync(page, id);
        Assert.True(received.GetProperty("ok").GetBoolean(), received.ToString());
        Assert.Equal(id, received.GetProperty("in_response_to").GetString());
        Assert.Equal(site.Hub.Origin + "/saml/metadata", received.GetProperty("issuer").GetString());
        Assert.Equal([PySaml2Site.EntityId], received.GetProperty("audience").EnumerateArray().Select(a => a.GetString()));
        Assert.Equal("urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", received.GetProperty("format").GetString());
        Assert.Equal("urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport", received.GetProperty("context").GetString());
        var identity = received.GetProperty("identity");
        Assert.Equal("aino.virtanen@example.com", Assert.Single(identity.GetProperty("mail").EnumerateArray()).GetString());
        Assert.Equal("Aino Virtanen", Assert.Single(identity.GetProperty("displayName").EnumerateArray()).GetString());
        Assert.NotEmpty(received.GetProperty("attributes").GetProperty("urn:commerce:claim:consent_receipt").EnumerateArray());
    }

    [Fact]
    public async Task Pysaml2_takes_the_unsolicited_response_of_a_hop_with_the_order_in_it()
    {
        if (site.Missing is { } missing) Assert.Skip(missing);
        using var browser = site.Hub.NewBrowser();
        var signIn = await browser.FollowAsync(await browser.GetAsync($"/hop/{PySaml2Site.Offer}?order={PySaml2Site.Order}"));
        var page = await PySaml2Site.AllowAsync(browser, await PySaml2Site.SignInAsync(browser, signIn));

        var received = await site.ReceiveAsync(page, null);
        Assert.True(received.GetProperty("ok").GetBoolean(), received.ToString());
        Assert.Equal("", received.GetProperty("in_response_to").GetString());
        using var purchase = JsonDocument.Parse(received.GetProperty("attributes").GetProperty("urn:commerce:claim:purchase")[0].GetString()!);
        Assert.Equal(PySaml2Site.Order, purchase.RootElement.GetProperty("order_number").GetString());
        Assert.Equal("https://pysaml2.example/book", page.Forms().Single().Hidden.Single(f => f.Key == "RelayState").Value);
    }

    [Fact]
    public async Task Pysaml2_understands_a_NoPassive_answer()
    {
        if (site.Missing is { } missing) Assert.Skip(missing);
        using var browser = site.Hub.NewBrowser();
        var request = await site.TellAsync(new { @do = "request", binding = "redirect", is_passive = true });
        var received = await site.ReceiveAsync(await browser.GetAsync(request.GetProperty("url").GetString()!), request.GetProperty("id").GetString());
        Assert.False(received.GetProperty("ok").GetBoolean());
        Assert.StartsWith("StatusNoPassive", received.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pysaml2_refuses_a_response_that_was_changed_on_the_way()
    {
        if (site.Missing is { } missing) Assert.Skip(missing);
        using var browser = site.Hub.NewBrowser();
        var request = await site.TellAsync(new { @do = "request", binding = "redirect" });
        var page = await PySaml2Site.AllowAsync(browser, await PySaml2Site.SignInAsync(browser, await browser.FollowAsync(await browser.GetAsync(request.GetProperty("url").GetString()!))));
        var xml = Encoding.UTF8.GetString(Convert.FromBase64String(page.Forms().Single().Hidden.Single(f => f.Key == "SAMLResponse").Value));
        var changed = Convert.ToBase64String(Encoding.UTF8.GetBytes(xml.Replace("aino.virtanen@", "eino.virtanen@", StringComparison.Ordinal)));
        var received = await site.TellAsync(new { @do = "response", saml_response = changed, outstanding = new[] { request.GetProperty("id").GetString() } });
        Assert.False(received.GetProperty("ok").GetBoolean(), received.ToString());
    }
}
