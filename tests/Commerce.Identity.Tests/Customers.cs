using System.Net;
using System.Text.RegularExpressions;
using Commerce.Kernel;
using Commerce.Testing;
using Xunit;

namespace Commerce.Identity.Tests;

/// <summary>What a customer does in a browser, step by step.</summary>
internal static partial class Customers
{
    public const string GoodPassword = "vihreä lokki soutaa yöllä";

    public static Task<TestHub> StartAsync(bool development = true, IReadOnlyDictionary<string, string?>? configuration = null) =>
        TestHub.StartAsync([new IdentityModule()], configuration, development: development);

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

    /// <summary>Links in the mails to this address, newest first.</summary>
    public static async Task<IReadOnlyList<string>> LinksToAsync(this TestBrowser browser, string email)
    {
        var mailbox = await browser.GetAsync($"/mailbox?to={Uri.EscapeDataString(email)}");
        return [.. Links().Matches(mailbox.Body).Select(m => WebUtility.HtmlDecode(m.Groups[1].Value))];
    }

    /// <summary>True where the hub knows this browser: the sign-in page sends it straight on.</summary>
    public static async Task<bool> IsSignedInAsync(this TestBrowser browser) =>
        (await browser.GetAsync("/signin")).RedirectsTo?.AbsolutePath == "/account";

    public static IEnumerable<KeyValuePair<string, string>> Fields(params (string Name, string Value)[] fields) =>
        fields.Select(f => KeyValuePair.Create(f.Name, f.Value));

    public static string? SessionCookie(this TestBrowser browser, TestHub hub) =>
        browser.Cookies.GetCookies(new Uri(hub.Origin))["hub_session"]?.Value;

    [GeneratedRegex("<p><a href=\"([^\"]+)\">")] private static partial Regex Links();
}
