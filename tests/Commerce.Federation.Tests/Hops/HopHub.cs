using System.Text.Json;
using Commerce.Federation.Contracts;
using Commerce.Federation.Data;
using Commerce.Federation.Hops;
using Commerce.Federation.Releases;
using Commerce.Purchases.Contracts;
using Commerce.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Commerce.Federation.Tests.Hops;

/// <summary>The module alone on a real database, with neighbours from memory, one OIDC partner, one offer and one shop.</summary>
public sealed class HopHub : IAsyncLifetime
{
    internal const string Partner = "kolari-auto";
    internal const string Client = "kolari-client";
    internal const string Offer = "tire-fitting";
    internal const string Order = "NT-2026-000123";

    internal TestHub Hub { get; private set; } = null!;
    internal Neighbours Neighbours { get; private set; } = null!;
    internal Telling Telling { get; } = new();
    internal FakeClock Clock => Hub.Clock;

    public async ValueTask InitializeAsync()
    {
        var clock = FakeClock.AtNoon();
        Neighbours = new Neighbours(clock);
        Hub = await TestHub.StartAsync([new FederationModule()], configure: services =>
        {
            Neighbours.Register(services);
            services.AddSingleton<ILoggerProvider>(Telling);
        }, clock: clock);
        Assert.True((await Hub.AskAsync(new AddOidcPartner(Documents.Client(), Documents.Contract(), Client))).IsOk);
        Assert.True((await Hub.AskAsync(new AddOidcPartner(Documents.Shop(), null, "shop"))).IsOk);
        Assert.True((await Hub.AskAsync(new PutOffer(Documents.Offer()))).IsOk);
    }

    public ValueTask DisposeAsync() => Hub.DisposeAsync();

    /// <summary>A browser in which a customer is signed in who has bought tires and floor mats.</summary>
    internal (TestBrowser Browser, Guid Customer, Guid Session) Buyer(string? apiClient = "shop")
    {
        var browser = Hub.NewBrowser();
        var customer = Neighbours.NewCustomer();
        Neighbours.Purchases[(customer, Order)] = Purchase(apiClient);
        return (browser, customer, Neighbours.SignIn(browser, customer));
    }

    internal static Purchase Purchase(string? apiClient = "shop", string banner = "northern-tires", string country = "FI", params OrderLine[] lines) => new(
        Order, banner, new DateTimeOffset(2026, 10, 5, 11, 12, 33, TimeSpan.Zero), "EUR",
        lines.Length > 0 ? lines :
        [
            new OrderLine(1, "6410001122337", "NT-WT-2055516", "Winter tire 205/55 R16 94T", "tires/winter", 4, "129.90",
                Json(new { width_mm = 205, profile_pct = 55, rim_in = 16, season = "winter" })),
            new OrderLine(2, "6410004455661", "NT-MAT-07", "Rubber floor mats, set of 4", "accessories/interior", 1, "39.00", Json(new { })),
        ],
        new OrderVehicle("XYZ-789", "FI", "Skoda", "Octavia", 2021, "205/55R16"),
        new Fulfilment("home_delivery", new OrderAddress("Salakatu 9", "00100", "Helsinki", null, country)), apiClient);

    internal static string Path(string offer = Offer, string order = Order) => $"/hop/{offer}?order={order}";

    /// <summary>Opens the sheet and answers it.</summary>
    internal static async Task<TestPage> AnswerAsync(TestBrowser browser, string decision, params string[] claims) =>
        await browser.SubmitAsync(await browser.GetAsync(Path()), Fields(decision, claims));

    internal static IEnumerable<KeyValuePair<string, string>> Fields(string decision, params string[] claims) =>
        [new("decision", decision), .. claims.Select(c => KeyValuePair.Create("claims", c))];

    /// <summary>The ticket in the address of the partner's login page.</summary>
    internal static string TicketIn(TestPage page)
    {
        Assert.NotNull(page.RedirectsTo);
        Assert.Equal("fitter.example", page.RedirectsTo.Host);
        return Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(page.RedirectsTo.Query)["login_hint"].ToString();
    }

    internal async Task<Commerce.Kernel.Result<Release>> RedeemAsync(string ticket, string connection, Guid customer, Guid session)
    {
        await using var scope = Hub.Services.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<RedeemHop>().RedeemAsync(ticket, connection, customer, session, default);
    }

    internal async Task<IReadOnlyDictionary<string, JsonElement>> ClaimsAsync(Release release)
    {
        await using var scope = Hub.Services.CreateAsyncScope();
        return (await scope.ServiceProvider.GetRequiredService<ReleasedClaims>().ReadAsync(release, null, default))!;
    }

    internal Task<List<Hop>> HopsOfAsync(Guid customer) =>
        Hub.WithDbAsync<FederationDb, List<Hop>>(db => db.Hops.AsNoTracking().Where(h => h.Customer == customer).OrderBy(h => h.CreatedAt).ToListAsync());

    internal Task<int> ReleasesOfAsync(Guid customer) =>
        Hub.WithDbAsync<FederationDb, int>(db => db.Releases.CountAsync(r => r.Customer == customer));

    internal static JsonElement Json<T>(T value) => JsonSerializer.SerializeToElement(value);
}

/// <summary>Log lines of the hub under test.</summary>
internal sealed class Telling : ILoggerProvider, ILogger
{
    public System.Collections.Concurrent.ConcurrentQueue<string> Lines { get; } = new();

    public ILogger CreateLogger(string categoryName) => this;
    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;
    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Lines.Enqueue($"{formatter(state, exception)} {exception}");

    public void Dispose()
    {
    }
}
