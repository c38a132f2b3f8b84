using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Xml;
using Commerce.Consent.Contracts;
using Commerce.Federation.Contracts;
using Commerce.Federation.Data;
using Commerce.Federation.Hops;
using Commerce.Federation.Partners;
using Commerce.Federation.Releases;
using Commerce.Federation.Saml;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Commerce.Purchases.Contracts;
using Commerce.Saml;
using Commerce.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Commerce.Federation.Tests.Saml;

/// <summary>The module alone on a real database, with neighbours from memory. One for each test class: every test brings service providers of its own.</summary>
public class SamlHub : IAsyncLifetime
{
    internal TestHub Hub { get; private set; } = null!;
    internal Neighbours Neighbours { get; private set; } = null!;
    internal LogLines Log { get; } = new();
    internal RemoteIdentityProvider Idp { get; private set; } = null!;
    internal FakeClock Clock => Hub.Clock;
    protected virtual IReadOnlyDictionary<string, string?>? Configuration => null;

    public async ValueTask InitializeAsync()
    {
        var clock = FakeClock.AtNoon();
        Neighbours = new Neighbours(clock);
        Hub = await TestHub.StartAsync([new FederationModule()], Configuration, configure: services =>
        {
            Neighbours.Register(services);
            services.AddSingleton<ILoggerProvider>(Log);
        }, clock: clock);
        Idp = await ReadIdpAsync();
        Neighbours.OnEnded = over => Hub.WithDbAsync<FederationDb, int>(async db =>
        {
            db.Publish(new Identity.Contracts.SessionEnded(over.Id, over.Customer, "signed_out", Clock.GetUtcNow()));
            return await db.SaveChangesAsync();
        }).GetAwaiter().GetResult();
    }

    internal async Task<RemoteIdentityProvider> ReadIdpAsync()
    {
        await using var metadata = await Hub.Http.GetStreamAsync("/saml/metadata");
        using var copy = new MemoryStream();
        await metadata.CopyToAsync(copy);
        copy.Position = 0;
        return IdpMetadataReader.Read(copy, null, requireHttps: false, Clock).Value;
    }

    public async ValueTask DisposeAsync()
    {
        await Hub.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>Registers a new service provider of a new partner.</summary>
    /// <param name="claims">Claims of the one purpose that its data contract has; null for a partner without a contract.</param>
    internal async Task<TestServiceProvider> AddPartnerAsync(
        bool signs = true, bool needsConsent = false, string? requestInitiator = null, Func<string, string>? editMetadata = null, bool decrypts = false,
        IReadOnlyList<RequestedAttribute>? requested = null, object? terms = null, bool slo = false, string? soap = null, params string[] claims)
    {
        var sp = new TestServiceProvider(Clock, signs, requestInitiator, decrypts, requested, slo, soap) { Hub = Idp };
        var contract = JsonSerializer.Serialize(new
        {
            partner = sp.Partner,
            version = 1,
            purposes = new[]
            {
                new
                {
                    id = "book-fitting", retention_days = 90, legal_basis = needsConsent ? "consent" : "contract",
                    texts = new { en = "Book a fitting" }, claims = claims.Select(c => new { name = c, required = true, reason = "to book" }),
                },
            },
            saml = terms ?? new { },
        });
        var added = await Hub.AskAsync(new AddSamlPartner(sp.Metadata(editMetadata), null, claims.Length == 0 ? null : contract));
        Assert.True(added.IsOk, added.Refusal?.Errors?.FirstOrDefault()?.Message ?? added.Refusal?.Code);
        return sp;
    }

    /// <summary>A browser in which a customer is signed in.</summary>
    internal (TestBrowser Browser, Guid Customer, Guid Session) SignedIn(string name = "Aino Virtanen")
    {
        var browser = Hub.NewBrowser();
        var customer = Neighbours.NewCustomer(name);
        return (browser, customer, Neighbours.SignIn(browser, customer));
    }

    /// <summary>Sends the request and follows the hub's own redirects.</summary>
    internal static async Task<TestPage> SendAsync(TestBrowser browser, string url) => await browser.FollowAsync(await browser.GetAsync(url));

    internal async Task<TestPage> PostAsync(TestBrowser browser, IEnumerable<KeyValuePair<string, string>> fields) =>
        await browser.FollowAsync(await browser.PostAsync("/saml/sso", fields));

    /// <summary>The sign-in page is Identity's: proves the customer once more and goes where that page would lead.</summary>
    internal async Task<TestPage> SignInAtAsync(TestBrowser browser, TestPage redirect, Guid customer)
    {
        Neighbours.SignIn(browser, customer);
        return await browser.FollowAsync(await browser.GetAsync(ReturnPathOf(redirect)));
    }

    /// <summary>Where the sign-in page leads afterwards.</summary>
    internal string ReturnPathOf(TestPage redirect)
    {
        var to = redirect.RedirectsTo ?? redirect.Address;
        Assert.Equal("/signin", to.AbsolutePath);
        Assert.True(Hub.Services.GetRequiredService<SealedState>().TryOpen<SignInRequest>(SignInUrl.Use, to.Query["?return=".Length..], out var request));
        Assert.True(request.Again);
        return request.ReturnPath;
    }

    /// <summary>A hop as the consent sheet leaves it: agreed, fixed, with its ticket on the way.</summary>
    internal async Task<(string Ticket, Guid Hop)> StartHopAsync(TestServiceProvider sp, Guid customer, Guid session, params string[] claims)
    {
        var consent = Agree(sp, customer, claims);
        await using var scope = Hub.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<FederationDb>();
        var connection = await scope.ServiceProvider.GetRequiredService<Connections>().FindAsync(sp.EntityId);
        var values = scope.ServiceProvider.GetRequiredService<ReleaseValues>();
        var ticket = Token.New();
        var now = Clock.GetUtcNow();
        var hop = new Hop
        {
            Id = Guid.CreateVersion7(now), Offer = "tire-fitting", Partner = sp.Partner, Connection = sp.EntityId, Customer = customer, Session = session,
            OrderNumber = Order.OrderNumber, TicketHash = Token.Hash(ticket), State = HopState.Sent, CreatedAt = now, ExpiresAt = now + Hop.TicketLifetime,
        };
        var names = claims.SelectMany(ClaimCatalogue.With).Distinct().ToList();
        var gathered = await values.GatherAsync(customer, names, Order, [1], default);
        var release = await values.FixAsync(connection!, customer, session, connection!.Contract!.Purposes[0], consent.Receipt, hop, gathered, default);
        hop.Release = release.Id;
        db.AddRange(release, hop);
        await db.SaveChangesAsync();
        return (ticket, hop.Id);
    }

    /// <summary>The customer's consent for hops to the partner: the next one needs no sheet.</summary>
    internal ConsentRecord Agree(TestServiceProvider sp, Guid customer, params string[] claims) => Neighbours.Give(new GiveConsent(
        customer, sp.Partner, "Fitter", "book-fitting", 1, "Book a fitting", "en", "consent", 90, null, [.. claims.Select(c => new ConsentedClaim(c, true, "to book"))], []));

    internal static readonly Purchase Order = new("NT-2026-000123", "northern-tires", new DateTimeOffset(2026, 10, 5, 11, 12, 33, TimeSpan.Zero), "EUR",
        [
            new OrderLine(1, "6410001122337", "NT-WT-2055516", "Winter tire 205/55 R16 94T", "tires/winter", 4, "129.90", JsonSerializer.SerializeToElement(new { season = "winter" })),
            new OrderLine(2, "6410004455661", "NT-MAT-07", "Rubber floor mats, set of 4", "accessories/interior", 1, "39.00", JsonSerializer.SerializeToElement(new { })),
        ],
        new OrderVehicle("ABC-123", "FI", "Volvo", "V60", 2019, "205/55R16"), new Fulfilment("home_delivery", null), "shop");

    internal Task<List<SamlRequest>> RequestsAsync(TestServiceProvider sp) =>
        Hub.WithDbAsync<FederationDb, List<SamlRequest>>(db => db.Set<SamlRequest>().AsNoTracking().Where(r => r.Connection == sp.EntityId).ToListAsync());

    internal Task<int> ReleasesAsync(TestServiceProvider sp) =>
        Hub.WithDbAsync<FederationDb, int>(db => db.Releases.CountAsync(r => r.Connection == sp.EntityId));

    /// <summary>The generic page, nothing that could be posted anywhere, and a record under its reference that names the rule.</summary>
    internal void AssertRefused(TestPage page, string code)
    {
        Assert.Equal(HttpStatusCode.BadRequest, page.Status);
        Assert.Equal(RefusedMessages.Refused.Code, page.RefusalCode);
        Assert.Empty(page.Forms());
        Assert.DoesNotContain("name=\"SAMLResponse\"", page.Body, StringComparison.Ordinal);
        var reference = ReferenceOf(page);
        var entry = Assert.Single(Log.Lines, line => line.Contains($"reference {reference}.", StringComparison.Ordinal));
        Assert.Contains(code, entry, StringComparison.Ordinal);
    }

    internal static string ReferenceOf(TestPage page) => page.Body.Split("<code>")[1].Split("</code>")[0];

    /// <summary>The response inside the page that posts it.</summary>
    internal static XmlDocument ResponseOf(TestPage page)
    {
        Assert.Equal(HttpStatusCode.OK, page.Status);
        var document = new XmlDocument { PreserveWhitespace = true };
        document.LoadXml(Encoding.UTF8.GetString(Convert.FromBase64String(page.Forms().Single().Hidden.Single(f => f.Key == "SAMLResponse").Value)));
        return document;
    }

    /// <summary>An error response to the proven endpoint: the nested status code, and no assertion.</summary>
    internal static void AssertStatus(TestPage page, TestServiceProvider sp, string subCode)
    {
        Assert.Equal(sp.Acs, page.Forms().Single().Action);
        var response = ResponseOf(page);
        var status = response.GetElementsByTagName("StatusCode", SamlNamespaces.Protocol);
        Assert.Equal(2, status.Count);
        Assert.NotEqual(Commerce.Saml.StatusCodes.Success, ((XmlElement)status[0]!).GetAttribute("Value"));
        Assert.Equal(subCode, ((XmlElement)status[1]!).GetAttribute("Value"));
        Assert.Same(status[0], status[1]!.ParentNode);
        Assert.Empty(response.GetElementsByTagName("Assertion", SamlNamespaces.Assertion).Cast<XmlNode>());
    }
}

/// <summary>What the hub logs, line by line.</summary>
internal sealed class LogLines : ILoggerProvider, ILogger
{
    public ConcurrentQueue<string> Lines { get; } = new();

    public ILogger CreateLogger(string categoryName) => this;
    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;
    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Lines.Enqueue(formatter(state, exception) + exception);

    public void Dispose()
    {
    }
}
