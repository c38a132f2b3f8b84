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

/// <summary>The whole hub, and beside it a SAML service provider of somebody else's making, in a process of its own that takes commands as lines of JSON.</summary>
public abstract partial class SamlSite : IAsyncLifetime
{
    internal const string Offer = "tire-fitting", Order = "NT-2026-000123";
    private const string Email = "aino.virtanen@example.com", Password = "vihreä lokki soutaa yöllä";

    private readonly TempFolder folder = new();
    private (string Key, string Certificate) own;
    private Process? site;
    private Task<string> errors = Task.FromResult("");

    internal TestHub Hub { get; private set; } = null!;

    /// <summary>What has to be installed; null where the site runs.</summary>
    internal string? Missing { get; private set; }

    internal abstract string EntityId { get; }

    /// <summary>The folder of this project's sources.</summary>
    protected static string Folder => Path.GetDirectoryName(Here())!;

    internal virtual string Acs => EntityId.Replace("metadata", "acs", StringComparison.Ordinal);

    internal virtual string Slo => EntityId.Replace("metadata", "slo", StringComparison.Ordinal);

    /// <summary>The response inside the page that posts it.</summary>
    internal static string Xml(TestPage page) =>
        Encoding.UTF8.GetString(Convert.FromBase64String(page.Forms().Single().Hidden.Single(f => f.Key == "SAMLResponse").Value));

    /// <summary>What is not there that the site needs; null where all is.</summary>
    protected abstract string? WhatIsMissing();

    protected abstract ProcessStartInfo Program(string folder);

    /// <summary>The first command: who the site is, and what it knows of the hub.</summary>
    protected abstract object Configuration(string idpMetadata, string keyFile, string certificateFile, TempFolder folder);

    public async ValueTask InitializeAsync()
    {
        Missing = WhatIsMissing();
        if (Missing is not null) return;

        // The library holds responses against the real clock.
        Hub = await TestHub.StartAsync(configure: services => services.Replace(ServiceDescriptor.Singleton(TimeProvider.System)));
        var start = Program(Folder);
        (start.RedirectStandardInput, start.RedirectStandardOutput, start.RedirectStandardError) = (true, true, true);
        start.StandardInputEncoding = new UTF8Encoding(false);
        site = Process.Start(start)!;
        errors = site.StandardError.ReadToEndAsync();

        own = WriteKey();
        var configured = await TellAsync(Configuration(await Hub.Http.GetStringAsync("/saml/metadata"), own.Key, own.Certificate, folder));
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
        if (site is not null)
        {
            if (!site.HasExited) site.StandardInput.Close();
            if (!site.WaitForExit(TimeSpan.FromSeconds(10))) site.Kill();
            site.Dispose();
        }
        if (Hub is not null) await Hub.DisposeAsync();
        folder.Dispose();
    }

    /// <summary>The site takes the hub's metadata as it is now.</summary>
    internal virtual async Task ReadHubAgainAsync() =>
        await TellAsync(Configuration(await Hub.Http.GetStringAsync("/saml/metadata"), own.Key, own.Certificate, folder));

    internal async Task<JsonElement> TellAsync(object command)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        if (site!.HasExited) throw new InvalidOperationException(await errors);
        await site.StandardInput.WriteLineAsync(JsonSerializer.Serialize(command));
        await site.StandardInput.FlushAsync(patience.Token);
        var line = await site.StandardOutput.ReadLineAsync(patience.Token);
        return JsonDocument.Parse(line ?? throw new InvalidOperationException(await errors)).RootElement.Clone();
    }

    /// <summary>A request of the site's own making, sent as a browser does, with the customer signing in and saying yes where the hub asks.</summary>
    internal async Task<(string Id, TestPage Page)> SignInAsync(TestBrowser browser, string binding, string relayState = "")
    {
        var request = await TellAsync(new { @do = "request", binding, relay_state = relayState });
        var asked = binding == "redirect" ? await browser.GetAsync(request.GetProperty("url").GetString()!)
            : await browser.PostAsync("/saml/sso", request.GetProperty("fields").EnumerateObject().Select(f => KeyValuePair.Create(f.Name, f.Value.GetString()!)));
        return (request.GetProperty("id").GetString()!, await AllowAsync(browser, await SignInAsync(browser, await browser.FollowAsync(asked))));
    }

    /// <summary>Takes the page that posts a response to the site, and gives the response to it.</summary>
    internal Task<JsonElement> ReceiveAsync(TestPage page, string? requestId)
    {
        var form = page.Forms().Single();
        Assert.Equal(Acs, form.Action);
        return ReceiveAsync(form.Hidden.Single(f => f.Key == "SAMLResponse").Value, requestId);
    }

    internal Task<JsonElement> ReceiveAsync(string response, string? requestId) =>
        TellAsync(new { @do = "response", saml_response = response, outstanding = requestId is null ? [] : new[] { requestId } });

    /// <summary>A hop from the order to the site, with sign-in and consent sheet on the way.</summary>
    internal async Task<(JsonElement Received, string? RelayState)> HopAsync()
    {
        using var browser = Hub.NewBrowser();
        var page = await AllowAsync(browser, await SignInAsync(browser, await browser.FollowAsync(await browser.GetAsync($"/hop/{Offer}?order={Order}"))));
        return (await ReceiveAsync(page, null), page.Forms().Single().Hidden.SingleOrDefault(f => f.Key == "RelayState").Value);
    }

    /// <summary>The response of the page with one letter of a value changed, or of the ciphertext where it is encrypted.</summary>
    internal static string Changed(TestPage page)
    {
        var xml = Xml(page);
        var cipher = xml.LastIndexOf("<xenc:CipherValue>", StringComparison.Ordinal) + "<xenc:CipherValue>".Length + 40;
        if (xml.Contains("EncryptedAssertion", StringComparison.Ordinal))
            return Convert.ToBase64String(Encoding.UTF8.GetBytes($"{xml[..cipher]}{(xml[cipher] == 'A' ? 'B' : 'A')}{xml[(cipher + 1)..]}"));
        return Convert.ToBase64String(Encoding.UTF8.GetBytes(xml.Replace("aino.virtanen@", "eino.virtanen@", StringComparison.Ordinal)));
    }

    /// <summary>Fills in the hub's sign-in page.</summary>
    private static async Task<TestPage> SignInAsync(TestBrowser browser, TestPage page)
    {
        Assert.Equal("/signin", page.Address.AbsolutePath);
        return await browser.FollowAsync(await browser.SubmitAsync(page, [new("email", Email), new("password", Password)]));
    }

    /// <summary>Says yes wherever the hub asks.</summary>
    private static async Task<TestPage> AllowAsync(TestBrowser browser, TestPage page) =>
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
        var request = new CertificateRequest("CN=site.example", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddYears(1));
        var (keyFile, certificateFile) = (folder.File("key.pem"), folder.File("cert.pem"));
        File.WriteAllText(keyFile, rsa.ExportRSAPrivateKeyPem());
        File.WriteAllText(certificateFile, certificate.ExportCertificatePem());
        return (keyFile, certificateFile);
    }

    private static string Contract() => JsonSerializer.Serialize(new
    {
        partner = "third-party-site", version = 1,
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
        id = Offer, partner = "third-party-site", when = new { category = "tires/*", banners = new[] { "*" }, countries = new[] { "*" } },
        target_url = "https://site.example/book", purpose = "book-fitting", texts = new { en = new { title = "Tire fitting", body = "Book now" } },
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
