using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Commerce.Consent.Contracts;
using Commerce.Federation.Data;
using Commerce.Federation.Hops;
using Commerce.Federation.OpenIdConnect;
using Commerce.Federation.Partners;
using Commerce.Federation.Releases;
using Commerce.Identity.Contracts;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Commerce.Purchases.Contracts;
using Commerce.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Commerce.Federation.Tests.OpenIdConnect;

/// <summary>The module alone on a real database, with neighbours from memory. One for each test class: every test brings clients of its own.</summary>
public class OidcHub : IAsyncLifetime
{
    /// <summary>Settings by configuration key.</summary>
    protected virtual IReadOnlyDictionary<string, string?>? Configuration => null;

    internal TestHub Hub { get; private set; } = null!;
    internal Neighbours Neighbours { get; private set; } = null!;
    internal FakeClock Clock => Hub.Clock;
    internal ConcurrentQueue<string> Errors { get; } = new();
    internal string Issuer => Hub.Origin;

    public async ValueTask InitializeAsync()
    {
        var clock = FakeClock.AtNoon();
        Neighbours = new Neighbours(clock);
        Hub = await TestHub.StartAsync([new FederationModule(), new ProbeModule()], Configuration, configure: services =>
        {
            Neighbours.Register(services);
            services.AddSingleton<ILoggerProvider>(new ErrorLog(Errors));
        }, clock: clock);
    }

    public async ValueTask DisposeAsync()
    {
        await Hub.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>Registers a client of a new partner.</summary>
    /// <param name="claims">Claims of its one purpose; empty for a partner without a contract.</param>
    internal async Task<TestClient> AddClientAsync(
        Func<OidcClient, OidcClient>? edit = null, bool needsConsent = false, string[]? claims = null, string? redirectUri = null, bool withKey = false, string? host = null)
    {
        var client = new TestClient(Hub, redirectUri ?? $"https://{host ?? $"rp-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}.example"}/callback", withKey);
        var metadata = new OidcClient
        {
            ClientName = "Partner " + client.Id,
            RedirectUris = [client.RedirectUri],
            GrantTypes = ["authorization_code", "refresh_token"],
            TokenEndpointAuthMethod = withKey ? "private_key_jwt" : "client_secret_basic",
            Jwks = withKey ? client.PublicKeys() : null,
            Scopes = ["openid", "profile", "email", "phone", "address", "vehicle", "purchase", "offline_access"],
            PostLogoutRedirectUris = [client.PostLogoutUri],
            IdTokenSignedResponseAlg = "ES256",
        };
        metadata = edit?.Invoke(metadata) ?? metadata;
        claims ??= ["name", "email", "phone_number", "address", "locale", "vehicle", "purchase"];
        await using var scope = Hub.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<FederationDb>();
        var now = Clock.GetUtcNow();
        db.Add(new Partner { Id = client.Partner, Name = "Kolari Auto", AddedAt = now });
        db.Add(new ConnectionRow
        {
            Id = client.Id, Partner = client.Partner, Protocol = Protocol.Oidc, Name = metadata.ClientName, AddedAt = now,
            Metadata = JsonSerializer.Serialize(metadata, HubJson.Options), LandingHost = new Uri(client.RedirectUri).Host,
            SecretHash = withKey ? null : ClientSecret.Hash(scope.ServiceProvider.GetRequiredService<LookupHash>(), client.Secret),
        });
        if (claims.Length > 0)
        {
            db.Add(new DataContractRow
            {
                Partner = client.Partner, Version = 1, AddedAt = now, Json = JsonSerializer.Serialize(new
                {
                    partner = client.Partner, version = 1,
                    purposes = new[]
                    {
                        new
                        {
                            id = "book-fitting", retention_days = 90, legal_basis = needsConsent ? "consent" : "contract",
                            texts = new { en = "Book a fitting" }, claims = claims.Select(c => new { name = c, required = true, reason = "to book" }),
                        },
                    },
                }),
            });
        }
        await db.SaveChangesAsync();
        client.Metadata = metadata;
        return client;
    }

    internal (TestBrowser Browser, Guid Customer, Guid Session) SignedIn(string name = "Aino Virtanen")
    {
        var browser = Hub.NewBrowser();
        var customer = Neighbours.NewCustomer(name);
        return (browser, customer, Neighbours.SignIn(browser, customer));
    }

    internal ConsentRecord GiveConsent(TestClient client, Guid customer, params string[] claims) =>
        Neighbours.Give(new GiveConsent(customer, client.Partner, "Kolari Auto", "book-fitting", 1, "Book a fitting", "en", "consent", 90, null,
            [.. claims.Select(c => new ConsentedClaim(c, true, "to book"))], []));

    /// <summary>Where the sign-in page leads afterwards, as that page itself would read it.</summary>
    internal SignInRequest SignInRequestOf(TestPage redirect)
    {
        Assert.Equal("/signin", redirect.RedirectsTo?.AbsolutePath);
        var query = Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(redirect.RedirectsTo!.Query);
        Assert.True(Hub.Services.GetRequiredService<SealedState>().TryOpen<SignInRequest>(SignInUrl.Use, query["return"].ToString(), out var request));
        return request;
    }

    /// <summary>Proves the customer at the sign-in page, which is Identity's, and goes where that page leads.</summary>
    internal async Task<TestPage> SignInAtAsync(TestBrowser browser, TestPage redirect, Guid customer)
    {
        var request = SignInRequestOf(redirect);
        Neighbours.SignIn(browser, customer);
        return await browser.GetAsync(request.ReturnPath);
    }

    /// <summary>A whole flow up to the code.</summary>
    internal async Task<string> CodeAsync(TestClient client, TestBrowser browser, params (string Name, string? Value)[] changes)
    {
        var page = await browser.GetAsync(client.AuthorizeUrl(changes));
        return client.CodeOf(page);
    }

    /// <summary>A whole flow up to the tokens.</summary>
    internal async Task<TestTokens> TokensAsync(TestClient client, TestBrowser browser, params (string Name, string? Value)[] changes) =>
        TestTokens.Of(await client.RedeemAsync(await CodeAsync(client, browser, changes)));

    /// <summary>A hop as the consent sheet leaves it: agreed, fixed, with its ticket on the way.</summary>
    internal async Task<(string Ticket, Guid Hop)> StartHopAsync(TestClient client, Guid customer, Guid session, params string[] claims)
    {
        var consent = GiveConsent(client, customer, claims);
        await using var scope = Hub.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<FederationDb>();
        var connection = await scope.ServiceProvider.GetRequiredService<Connections>().FindAsync(client.Id);
        var values = scope.ServiceProvider.GetRequiredService<ReleaseValues>();
        var ticket = Token.New();
        var now = Clock.GetUtcNow();
        var hop = new Hop
        {
            Id = Guid.CreateVersion7(now), Offer = "tire-fitting", Partner = client.Partner, Connection = client.Id, Customer = customer, Session = session,
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

    internal static readonly Purchase Order = new("NT-2026-000123", "northern-tires", new DateTimeOffset(2026, 10, 5, 11, 12, 33, TimeSpan.Zero), "EUR",
        [
            new OrderLine(1, "6410001122337", "NT-WT-2055516", "Winter tire 205/55 R16 94T", "tires/winter", 4, "129.90", JsonSerializer.SerializeToElement(new { season = "winter" })),
            new OrderLine(2, "6410004455661", "NT-MAT-07", "Rubber floor mats, set of 4", "accessories/interior", 1, "39.00", JsonSerializer.SerializeToElement(new { })),
        ],
        new OrderVehicle("ABC-123", "FI", "Volvo", "V60", 2019, "205/55R16"), new Fulfilment("home_delivery", null), "shop");

    /// <summary>Sends path and query octet by octet as written: no escape is mended on the way.</summary>
    internal static Task<TestPage> GetRawAsync(TestBrowser browser, string pathAndQuery) => browser.SendAsync(new HttpRequestMessage(HttpMethod.Get,
        new Uri(browser.Http.BaseAddress!.GetLeftPart(UriPartial.Authority) + pathAndQuery, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true })));

    internal Task<List<Grant>> GrantsOfAsync(TestClient client) => Hub.WithDbAsync<FederationDb, List<Grant>>(db =>
        db.Set<Grant>().AsNoTracking().Where(g => g.Connection == client.Id).OrderBy(g => g.Id).ToListAsync());

    internal async Task SwitchPartnerAsync(TestClient client, bool active)
    {
        await Hub.WithDbAsync<FederationDb, int>(db => db.Partners.Where(p => p.Id == client.Partner).ExecuteUpdateAsync(row => row.SetProperty(p => p.IsActive, active)));
        Hub.Services.GetRequiredService<Connections>().Forget();
    }

    /// <summary>What Identity tells when a session ends.</summary>
    internal async Task TellSessionEndedAsync(Guid session, Guid customer, string reason = "signed_out")
    {
        Neighbours.Sessions.TryRemove(session, out _);
        await Hub.WithDbAsync<FederationDb, int>(async db =>
        {
            db.Publish(new SessionEnded(session, customer, reason, Clock.GetUtcNow()));
            return await db.SaveChangesAsync();
        });
    }

    /// <summary>What Identity tells when an account is locked or its password changes.</summary>
    internal Task TellAccountSecuredAsync(Guid customer, string reason) => Hub.WithDbAsync<FederationDb, int>(async db =>
    {
        db.Publish(new AccountSecured(customer, reason, Clock.GetUtcNow()));
        return await db.SaveChangesAsync();
    });

    internal Task<HttpResponseMessage> UserInfoAsync(string accessToken, HttpMethod? method = null) =>
        Hub.Http.SendAsync(new HttpRequestMessage(method ?? HttpMethod.Get, "/connect/userinfo") { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", accessToken) } });

    internal async Task<JsonElement> UserInfoJsonAsync(string accessToken)
    {
        using var answer = await UserInfoAsync(accessToken);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.True(answer.Headers.CacheControl?.NoStore);
        return JsonElement.Parse(await answer.Content.ReadAsStringAsync());
    }

    /// <summary>An endpoint of the hub's API, behind the same door as all of them.</summary>
    private sealed class ProbeModule : IModule
    {
        public string Name => "probe";

        public void Register(IServiceCollection services)
        {
        }

        public void Map(IEndpointRouteBuilder routes) => routes.MapGet("/api/probe", (HttpContext context) => Results.Json(new
        {
            client = context.User.ApiClientId(), partner = context.User.PartnerId(), customer = context.User.CustomerId(),
            scopes = context.User.FindAll(HubClaims.Scope).Select(c => c.Value),
        })).RequireApiScope(ApiScopes.WriteBookings);
    }

    private sealed class ErrorLog(ConcurrentQueue<string> errors) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;
        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            errors.Enqueue($"{logLevel}: {formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }
}
