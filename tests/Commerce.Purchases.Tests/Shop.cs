using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Commerce.Identity.Contracts;
using Commerce.Kernel;
using Commerce.Kernel.Outbox;
using Commerce.Profiles.Contracts;
using Commerce.Purchases.Contracts;
using Commerce.Purchases.Data;
using Commerce.Testing;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Purchases.Tests;

/// <summary>The Purchases module alone, with stand-ins for what it asks: accounts, offers and hops.</summary>
internal sealed class Shop : IAsyncDisposable
{
    public const string Client = "northern-tires-shop";
    public const string Email = "aino.virtanen@example.com";

    private Shop(TestHub hub, Accounts accounts, Offers offers, Hops hops, Told told) =>
        (Hub, Accounts, Offers, Hops, Told) = (hub, accounts, offers, hops, told);

    public TestHub Hub { get; }
    public Accounts Accounts { get; }
    public Offers Offers { get; }
    public Hops Hops { get; }
    public Told Told { get; }

    public static async Task<Shop> OpenAsync(string engine = "sqlite")
    {
        var (accounts, offers, hops, told) = (new Accounts(), new Offers(), new Hops(), new Told());
        var hub = await TestHub.StartAsync([new PurchasesModule()], postgres: await PostgresServer.DatabaseForAsync(engine, reason => Xunit.Assert.Skip(reason)), configure: services =>
        {
            services.AddTestSchemes().AddSingleton(told);
            services.AddSingleton<IRequestHandler<CustomerWithEmail, Guid?>>(accounts).AddSingleton<IRequestHandler<AccountOf, Account?>>(accounts)
                .AddSingleton<IRequestHandler<CustomersWithEmail, IReadOnlyDictionary<string, Guid>>>(accounts)
                .AddSingleton<IRequestHandler<MatchOffers, IReadOnlyList<MatchedOffer>>>(offers)
                .AddSingleton<IRequestHandler<HopForBooking, Result<BookableHop>>>(hops);
            services.AddEventHandler<TimelineFact, Told.OfFact, PurchasesDb>().AddEventHandler<TimelineFacts, Told.OfFacts, PurchasesDb>()
                .AddEventHandler<BookingMade, Told.OfBooking, PurchasesDb>();
        });
        accounts.Hub = hub;
        hub.Http.AsApiClient(Client, ApiScopes.WriteOrders);
        return new Shop(hub, accounts, offers, hops, told);
    }

    public static JsonObject Order(string number = "NT-2026-000123") => JsonNode.Parse($$"""
        {
          "order_number": "{{number}}", "banner": "northern-tires", "customer": { "email": "{{Email}}" },
          "placed_at": "2026-10-05T14:12:33+03:00", "currency": "EUR",
          "lines": [
            { "line": 1, "gtin": "6410001122337", "sku": "NT-WT-2055516", "description": "Winter tire 205/55 R16 94T", "category": "tires/winter",
              "quantity": 4, "unit_price": "129.90", "properties": { "width_mm": 205, "season": "winter", "studded": false } },
            { "line": 2, "gtin": "6410004455661", "sku": "NT-MAT-07", "description": "Rubber floor mats, set of 4", "category": "accessories/interior",
              "quantity": 1, "unit_price": "39.00", "properties": {} }
          ],
          "vehicle": { "registration": "ABC-123", "country": "FI", "make": "Volvo", "model": "V60", "year": 2019, "tire_size": "205/55R16" },
          "fulfilment": { "method": "home_delivery", "address": { "street_address": "Esimerkkikatu 1 A 2", "postal_code": "00100", "locality": "Helsinki", "country": "FI" } }
        }
        """)!.AsObject();

    public Task<(HttpStatusCode Status, string Body)> PostAsync(JsonNode order, string? key = "k-1", string? language = null) =>
        PostAsync("/api/orders", order.ToJsonString(), key, language);

    public async Task<(HttpStatusCode Status, string Body)> PostAsync(string path, string json, string? key, string? language = null, HttpClient? http = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(json, Encoding.UTF8, "application/json") };
        if (key is not null) request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        if (language is not null) request.Headers.AcceptLanguage.Add(new StringWithQualityHeaderValue(language));
        using var response = await (http ?? Hub.Http).SendAsync(request);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    /// <summary>A client of the same hub under another name.</summary>
    public HttpClient As(string client, string scope, string? partner = null) =>
        new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = new Uri(Hub.Origin) }.AsApiClient(client, scope, partner);

    public Task<int> OrdersAsync() => Hub.WithDbAsync<PurchasesDb, int>(db => db.Orders.CountAsync());

    public static string? Code(string problem) => JsonNode.Parse(problem)?["code"]?.GetValue<string>();

    public static IReadOnlyList<string> Fields(string problem) =>
        [.. JsonNode.Parse(problem)!["errors"]?.AsArray().Select(e => e!["field"]!.GetValue<string>()) ?? []];

    public ValueTask DisposeAsync() => Hub.DisposeAsync();
}

/// <summary>Identity as Purchases sees it.</summary>
internal sealed class Accounts : IRequestHandler<CustomerWithEmail, Guid?>, IRequestHandler<CustomersWithEmail, IReadOnlyDictionary<string, Guid>>,
    IRequestHandler<AccountOf, Account?>
{
    private readonly ConcurrentDictionary<Guid, Account> known = new();
    private readonly ConcurrentDictionary<string, Guid> byEmail = new(StringComparer.OrdinalIgnoreCase);

    public TestHub Hub { get; set; } = null!;

    /// <summary>Runs before a look-up is answered: stands for what happens elsewhere at that moment.</summary>
    public Func<Task>? Meanwhile { get; set; }

    public Guid Add(string email, bool verified, string locale = "fi-FI")
    {
        var customer = Guid.NewGuid();
        known[customer] = new Account(customer, email, verified, locale, "northern-tires", false, Hub.Clock.GetUtcNow());
        byEmail[email] = customer;
        return customer;
    }

    /// <summary>The customer follows the link in the mail: Identity changes the account and tells.</summary>
    public async Task ConfirmAsync(Guid customer)
    {
        known[customer] = known[customer] with { EmailVerified = true };
        await TellAsync(new EmailConfirmed(customer, known[customer].Email, Hub.Clock.GetUtcNow()));
    }

    public Task TellAsync(IIntegrationEvent message) => Hub.WithDbAsync<PurchasesDb, int>(db =>
    {
        db.Publish(message);
        return db.SaveChangesAsync();
    });

    public Task<Guid?> Handle(CustomerWithEmail request, CancellationToken cancellationToken) => Task.FromResult(Find(request.Email, request.VerifiedOnly));

    public async Task<IReadOnlyDictionary<string, Guid>> Handle(CustomersWithEmail request, CancellationToken cancellationToken)
    {
        if (Meanwhile is { } meanwhile) await meanwhile();
        return request.Emails.Select(e => (e, Find(e, request.VerifiedOnly))).Where(p => p.Item2 is not null).ToDictionary(p => p.e, p => p.Item2!.Value);
    }

    public Task<Account?> Handle(AccountOf request, CancellationToken cancellationToken) => Task.FromResult(known.GetValueOrDefault(request.Customer));

    private Guid? Find(string email, bool verifiedOnly) =>
        byEmail.TryGetValue(email, out var customer) && (known[customer].EmailVerified || !verifiedOnly) ? customer : null;
}

/// <summary>Federation's offers: one that fits tires.</summary>
internal sealed class Offers : IRequestHandler<MatchOffers, IReadOnlyList<MatchedOffer>>
{
    public ConcurrentQueue<MatchOffers> Asked { get; } = new();

    /// <summary>Runs before the answer: stands for what happens elsewhere at that moment.</summary>
    public Func<Task>? Meanwhile { get; set; }

    public async Task<IReadOnlyList<MatchedOffer>> Handle(MatchOffers request, CancellationToken cancellationToken)
    {
        Asked.Enqueue(request);
        if (Meanwhile is { } meanwhile) await meanwhile();
        // Changes with every question, so that an answer given twice is one that was kept.
        return request.Categories.Any(c => c.StartsWith("tires/", StringComparison.Ordinal))
            ? [new MatchedOffer("tire-fitting", "kolari-auto", "saml", $"Fitting {Asked.Count} {request.Language}", null, $"https://id.example/hop/tire-fitting?order={request.OrderNumber}")]
            : [];
    }
}

/// <summary>Federation's hops: those that have landed.</summary>
internal sealed class Hops : IRequestHandler<HopForBooking, Result<BookableHop>>
{
    public static readonly Refusal Unknown = new("federation.unknown_hop", 404, "There is no such hop.");
    private readonly ConcurrentDictionary<string, BookableHop> landed = new();

    public string Land(Guid customer, string order, string partner = "kolari-auto")
    {
        var hop = new BookableHop(Guid.NewGuid(), customer, order, partner, "Kolari Auto", "tire-fitting");
        landed[hop.Hop.ToString("N")] = hop;
        return hop.Hop.ToString("N");
    }

    public Task<Result<BookableHop>> Handle(HopForBooking request, CancellationToken cancellationToken) =>
        Task.FromResult<Result<BookableHop>>(landed.TryGetValue(request.Hop, out var hop) && hop.Partner == request.Partner ? hop : Unknown);
}

/// <summary>What Purchases told the other modules.</summary>
internal sealed class Told
{
    public ConcurrentQueue<TimelineFact> Facts { get; } = new();
    public ConcurrentQueue<BookingMade> Bookings { get; } = new();

    internal sealed class OfFact(Told told) : IHandleEvent<TimelineFact>
    {
        public Task Handle(TimelineFact message, Delivery delivery, CancellationToken stop)
        {
            told.Facts.Enqueue(message);
            return Task.CompletedTask;
        }
    }

    internal sealed class OfFacts(Told told) : IHandleEvent<TimelineFacts>
    {
        public Task Handle(TimelineFacts message, Delivery delivery, CancellationToken stop)
        {
            foreach (var fact in message.Facts) told.Facts.Enqueue(fact);
            return Task.CompletedTask;
        }
    }

    internal sealed class OfBooking(Told told) : IHandleEvent<BookingMade>
    {
        public Task Handle(BookingMade message, Delivery delivery, CancellationToken stop)
        {
            told.Bookings.Enqueue(message);
            return Task.CompletedTask;
        }
    }
}
