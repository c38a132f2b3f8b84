using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Commerce.Identity.Contracts;
using Commerce.Identity.Data;
using Commerce.Kernel;
using Commerce.Kernel.Outbox;
using Commerce.Kernel.Secrets;
using Commerce.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Commerce.Identity.Tests;

/// <summary>What a customer does in a browser, step by step.</summary>
internal static partial class Customers
{
    public const string GoodPassword = "vihreä lokki soutaa yöllä";

    public static Task<TestHub> StartAsync(bool development = true, IReadOnlyDictionary<string, string?>? configuration = null, string? postgres = null) =>
        TestHub.StartAsync([new IdentityModule()], configuration, development: development, postgres: postgres, configure: services => services
            .AddSingleton<Heard>()
            .AddEventHandler<CustomerRegistered, HearRegistered, IdentityDb>()
            .AddEventHandler<EmailConfirmed, HearConfirmed, IdentityDb>()
            .AddEventHandler<SessionEnded, HearEnded, IdentityDb>());

    public static async Task<TestPage> RegisterAsync(this TestBrowser browser, string email, string password = GoodPassword, string path = "/register")
    {
        var page = await browser.GetAsync(path);
        return await browser.SubmitAsync(page, Fields(("given_name", "Aino"), ("family_name", "Virtanen"), ("email", email), ("password", password)));
    }

    public static async Task<TestPage> SignInAsync(this TestBrowser browser, string email, string password = GoodPassword, string path = "/signin")
    {
        var page = await browser.GetAsync(path);
        return await browser.SubmitAsync(page, Fields(("email", email), ("password", password)));
    }

    /// <summary>Registers, opens the mailed link in the same browser and confirms.</summary>
    public static async Task<TestPage> JoinAsync(this TestBrowser browser, string email, string password = GoodPassword, string path = "/register")
    {
        var sent = await browser.RegisterAsync(email, password, path);
        Assert.Equal(HttpStatusCode.SeeOther, sent.Status);
        return await browser.SubmitAsync(await browser.GetAsync((await browser.LinksToAsync(email))[0]));
    }

    /// <summary>A browser in which a new customer is signed in.</summary>
    public static async Task<TestBrowser> JoinedAsync(this TestHub hub, string email)
    {
        var browser = hub.NewBrowser();
        Assert.Equal(HttpStatusCode.SeeOther, (await browser.JoinAsync(email)).Status);
        return browser;
    }

    /// <summary>Links in the mails to this address that lead to this page. The clock stands still, so their order means nothing.</summary>
    public static async Task<IReadOnlyList<string>> LinksToAsync(this TestBrowser browser, string email, string page = "/")
    {
        var mailbox = await browser.GetAsync($"/mailbox?to={Uri.EscapeDataString(email)}");
        return [.. Links().Matches(mailbox.Body).Select(m => WebUtility.HtmlDecode(m.Groups[1].Value)).Where(l => new Uri(l).AbsolutePath.StartsWith(page, StringComparison.Ordinal))];
    }

    /// <summary>True where the hub knows this browser: the sign-in page sends it straight on.</summary>
    public static async Task<bool> IsSignedInAsync(this TestBrowser browser) =>
        (await browser.GetAsync("/signin")).RedirectsTo?.AbsolutePath == "/account";

    public static async Task<Guid> CustomerAsync(this TestHub hub, string email) =>
        await hub.AskAsync(new CustomerWithEmail(email)) ?? throw new InvalidOperationException("No such customer.");

    public static string SignInPath(this TestHub hub, SignInRequest request) => hub.Services.GetRequiredService<SealedState>().SignInPath(request);

    public static IEnumerable<KeyValuePair<string, string>> Fields(params (string Name, string Value)[] fields) =>
        fields.Select(f => KeyValuePair.Create(f.Name, f.Value));

    public static string? SessionCookie(this TestBrowser browser, TestHub hub) =>
        browser.Cookies.GetCookies(new Uri(hub.Origin))["hub_session"]?.Value;

    public static void PlantSession(this TestBrowser browser, TestHub hub, string value) =>
        browser.Cookies.Add(new Uri(hub.Origin), new Cookie("hub_session", value, "/"));

    /// <summary>One imported account, verified, without a password unless a hash is given.</summary>
    public static ImportedAccount Imported(string externalId, string email, ImportedPasswordHash? hash = null, bool verified = true, long line = 1) =>
        new(line, externalId, "northern-tires", email, verified, "fi-FI", new DateTimeOffset(2017, 3, 2, 7, 0, 0, TimeSpan.Zero), hash);

    public static ImportedPasswordHash Pbkdf2(string password, int rounds = 1000)
    {
        var salt = RandomNumberGenerator.GetBytes(16);
        var key = Rfc2898DeriveBytes.Pbkdf2(password, salt, rounds, HashAlgorithmName.SHA256, 32);
        return new ImportedPasswordHash("pbkdf2-sha256", $"$pbkdf2-sha256${rounds}${Adapted(salt)}${Adapted(key)}");

        static string Adapted(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '.');
    }

    [GeneratedRegex("<p><a href=\"([^\"]+)\">")] private static partial Regex Links();
}

/// <summary>What the other modules would have heard.</summary>
internal sealed class Heard
{
    public ConcurrentQueue<IIntegrationEvent> Events { get; } = new();

    public async Task<T> WaitForAsync<T>(int count = 1) where T : class, IIntegrationEvent
    {
        await Wait.UntilAsync(() => Events.OfType<T>().Count() >= count, $"{count} × {typeof(T).Name} arrived");
        return Events.OfType<T>().Last();
    }
}

internal sealed class HearRegistered(Heard heard) : IHandleEvent<CustomerRegistered>
{
    public Task Handle(CustomerRegistered message, Delivery delivery, CancellationToken stop) => Task.Run(() => heard.Events.Enqueue(message), stop);
}

internal sealed class HearConfirmed(Heard heard) : IHandleEvent<EmailConfirmed>
{
    public Task Handle(EmailConfirmed message, Delivery delivery, CancellationToken stop) => Task.Run(() => heard.Events.Enqueue(message), stop);
}

internal sealed class HearEnded(Heard heard) : IHandleEvent<SessionEnded>
{
    public Task Handle(SessionEnded message, Delivery delivery, CancellationToken stop) => Task.Run(() => heard.Events.Enqueue(message), stop);
}
