using System.Collections.Concurrent;
using System.Security.Claims;
using System.Text.Encodings.Web;
using System.Text.Json;
using Commerce.Consent.Contracts;
using Commerce.Identity.Contracts;
using Commerce.Kernel;
using Commerce.Kernel.Outbox;
using Commerce.Profiles.Contracts;
using Commerce.Purchases.Contracts;
using Commerce.Testing;
using MediatR;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Commerce.Federation.Tests;

/// <summary>
/// What Federation asks its neighbours, answered from memory, so that the module is booted alone: sessions and accounts (Identity), values
/// (Profiles), orders (Purchases), consents (Consent).
/// </summary>
internal sealed class Neighbours(TimeProvider clock)
{
    public const string Cookie = "test_session";

    public ConcurrentDictionary<Guid, Session> Sessions { get; } = new();
    public ConcurrentDictionary<Guid, Account> Accounts { get; } = new();
    public ConcurrentDictionary<Guid, Dictionary<string, JsonElement>> Profiles { get; } = new();
    public ConcurrentDictionary<(Guid Customer, string Order), Purchase> Purchases { get; } = new();
    public ConcurrentDictionary<string, ConsentRecord> Consents { get; } = new();

    /// <summary>Tells what Identity tells when a session was ended; null leaves it to the test.</summary>
    public Action<Session>? OnEnded { get; set; }

    /// <summary>What the consent ledger was told, once each.</summary>
    public ConcurrentQueue<ClaimsReleased> Released { get; } = new();

    /// <summary>A customer with a full profile.</summary>
    public Guid NewCustomer(string name = "Aino Virtanen", string email = "aino.virtanen@example.com")
    {
        var customer = Guid.CreateVersion7(clock.GetUtcNow());
        Accounts[customer] = new Account(customer, email, true, "fi-FI", "northern-tires", false, clock.GetUtcNow());
        var parts = name.Split(' ');
        Profiles[customer] = new Dictionary<string, JsonElement>
        {
            ["name"] = Json(name),
            ["given_name"] = Json(parts[0]),
            ["family_name"] = Json(parts[^1]),
            ["email"] = Json(email),
            ["email_verified"] = Json(true),
            ["phone_number"] = Json("+358401234567"),
            ["phone_number_verified"] = Json(false),
            ["locale"] = Json("fi-FI"),
            ["address"] = Json(new { street_address = "Esimerkkikatu 1 A 2", postal_code = "00100", locality = "Helsinki", country = "FI" }),
            ["vehicle"] = Json(new { registration = "ABC-123", country = "FI", make = "Volvo", model = "V60", year = 2019, tire_size = "205/55R16" }),
        };
        return customer;
    }

    /// <summary>Starts a session and gives the browser its cookie. A session of the same browser and customer is renewed, as after a second proof.</summary>
    public Guid SignIn(TestBrowser browser, Guid customer)
    {
        var cookies = browser.Cookies.GetCookies(browser.Http.BaseAddress!);
        var held = cookies[Cookie] is { } cookie && Sessions.TryGetValue(Guid.Parse(cookie.Value), out var old) && old.Customer == customer ? old.Id : (Guid?)null;
        var session = new Session(held ?? Guid.CreateVersion7(clock.GetUtcNow()), customer, clock.GetUtcNow(), ["pwd"], "urn:commerce:acr:password");
        Sessions[session.Id] = session;
        browser.Cookies.Add(browser.Http.BaseAddress!, new System.Net.Cookie(Cookie, session.Id.ToString("D")));
        return session.Id;
    }

    /// <summary>Stands in for Identity, Profiles, Purchases and Consent.</summary>
    public void Register(IServiceCollection services)
    {
        services.AddSingleton(this);
        services.AddAuthentication(HubSchemes.Session).AddScheme<AuthenticationSchemeOptions, SessionCookieHandler>(HubSchemes.Session, null);
        Answer<SessionOf, Session?>(services, ask => Sessions.TryGetValue(ask.Session, out var session) && !Accounts[session.Customer].IsLocked ? session : null);
        Answer<EndSession, bool>(services, ask =>
        {
            if (!Sessions.TryRemove(ask.Session, out var over)) return false;
            OnEnded?.Invoke(over);
            return true;
        });
        Answer<AccountOf, Account?>(services, ask => Accounts.GetValueOrDefault(ask.Customer));
        Answer<AllBanners, IReadOnlyList<Banner>>(services, _ => [new Banner("northern-tires", "Northern Tires", ["tires.example"], ["en", "fi"], new BannerLook("#0a5", null), "info@tires.example")]);
        Answer<BannerOf, Banner?>(services, ask => ask.Id == "northern-tires" ? new Banner("northern-tires", "Northern Tires", ["tires.example"], ["en", "fi"], new BannerLook("#0a5", null), "info@tires.example") : null);
        Answer<ProfileValues, IReadOnlyDictionary<string, JsonElement>>(services, ask =>
            Profiles[ask.Customer].Where(v => ask.Names.Contains(v.Key)).ToDictionary(v => v.Key, v => v.Value));
        Answer<PurchaseOf, Result<Purchase>>(services, ask => Purchases.TryGetValue((ask.Customer, ask.OrderNumber), out var purchase)
            ? purchase : new Refusal("purchases.unknown_order", 404, "There is no such order."));
        Answer<CurrentConsent, ConsentRecord?>(services, ask =>
            Consents.Values.SingleOrDefault(c => c.Customer == ask.Customer && c.Partner == ask.Partner && c.Purpose == ask.Purpose));
        Answer<ConsentUnderReceipt, ConsentRecord?>(services, ask => Consents.GetValueOrDefault(ask.Receipt));
        Answer<GiveConsent, Result<ConsentRecord>>(services, ask => Give(ask));
        services.AddEventHandler<ClaimsReleased, Ledger, Data.FederationDb>();
    }

    private sealed class Ledger(Neighbours neighbours) : IHandleEvent<ClaimsReleased>
    {
        public Task Handle(ClaimsReleased message, Delivery delivery, CancellationToken stop)
        {
            neighbours.Released.Enqueue(message);
            return Task.CompletedTask;
        }
    }

    public ConsentRecord Give(GiveConsent ask)
    {
        foreach (var old in Consents.Values.Where(c => c.Customer == ask.Customer && c.Partner == ask.Partner && c.Purpose == ask.Purpose)) Consents.TryRemove(old.Receipt, out _);
        var consent = new ConsentRecord(Guid.CreateVersion7(clock.GetUtcNow()), "r-" + Token.New(), ask.Customer, ask.Partner, ask.Purpose, ask.ContractVersion,
            [.. ask.Granted.Select(c => c.Name)], [.. ask.Declined.Select(c => c.Name)], clock.GetUtcNow());
        return Consents[consent.Receipt] = consent;
    }

    private static void Answer<TAsk, TAnswer>(IServiceCollection services, Func<TAsk, TAnswer> answer) where TAsk : IRequest<TAnswer> =>
        services.AddSingleton<IRequestHandler<TAsk, TAnswer>>(new Answering<TAsk, TAnswer>(answer));

    private static JsonElement Json<T>(T value) => JsonSerializer.SerializeToElement(value);

    private sealed class Answering<TAsk, TAnswer>(Func<TAsk, TAnswer> answer) : IRequestHandler<TAsk, TAnswer> where TAsk : IRequest<TAnswer>
    {
        public Task<TAnswer> Handle(TAsk request, CancellationToken cancellationToken) => Task.FromResult(answer(request));
    }

    private sealed class SessionCookieHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, Neighbours neighbours)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            if (!Guid.TryParse(Request.Cookies[Cookie], out var id) || !neighbours.Sessions.TryGetValue(id, out var session)) return Task.FromResult(AuthenticateResult.NoResult());
            var identity = new ClaimsIdentity(
            [
                new(HubClaims.Customer, session.Customer.ToString("D")), new(HubClaims.Session, session.Id.ToString("D")),
                new(HubClaims.AuthenticatedAt, session.AuthenticatedAt.ToUnixTimeSeconds().ToString(System.Globalization.CultureInfo.InvariantCulture)),
                new(HubClaims.Acr, session.Acr), .. session.Amr.Select(amr => new Claim(HubClaims.Amr, amr)),
            ], HubSchemes.Session);
            return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), HubSchemes.Session)));
        }

        protected override Task HandleChallengeAsync(AuthenticationProperties properties)
        {
            Response.Redirect(Context.RequestServices.GetRequiredService<Kernel.Secrets.SealedState>()
                .SignInPath(new SignInRequest(Request.PathBase + Request.Path + Request.QueryString)));
            return Task.CompletedTask;
        }
    }
}
