using System.Text.RegularExpressions;
using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Commerce.EndToEnd.Tests;

public enum Screen
{
    Desktop,
    Phone,
}

internal static class Screens
{
    public static ViewportSize Size(this Screen screen) =>
        screen == Screen.Phone ? new ViewportSize { Width = 390, Height = 844 } : new ViewportSize { Width = 1280, Height = 800 };
}

/// <summary>One person with one browser profile. Every page that is looked at is checked by axe and kept as a picture.</summary>
internal sealed class Visitor : IAsyncDisposable
{
    public const string Password = "a long enough passphrase";
    private readonly DemoProcess demo;
    private readonly IBrowserContext context;
    private readonly string folder;
    private readonly Screen screen;
    private readonly bool hasScripts;
    private int pictures;

    private Visitor(DemoProcess demo, IBrowserContext context, IPage page, string folder, Screen screen, bool hasScripts) =>
        (this.demo, this.context, Page, this.folder, this.screen, this.hasScripts) = (demo, context, page, folder, screen, hasScripts);

    public IPage Page { get; }

    public string Email { get; private set; } = "";

    private string password = Password;

    public static async Task<Visitor> ArriveAsync(DemoProcess demo, Screen screen = Screen.Desktop, string locale = "en-GB", bool scripts = true)
    {
        Assert.SkipWhen(demo.Missing is not null, demo.Missing ?? "");
        var context = await demo.Browser.NewContextAsync(new BrowserNewContextOptions
        {
            ViewportSize = screen.Size(),
            Locale = locale, JavaScriptEnabled = scripts, TimezoneId = "Europe/Helsinki",
        });
        context.SetDefaultTimeout(60_000);
        context.SetDefaultNavigationTimeout(60_000);
        var name = TestContext.Current.TestMethod!.MethodName;
        var folder = Path.Combine(DemoProcess.Repository, "artifacts", "screenshots", name);
        return new Visitor(demo, context, await context.NewPageAsync(), folder, screen, scripts);
    }

    /// <summary>Registers, opens the mailed link, and is signed in at the hub.</summary>
    public async Task RegisterAsync(bool look = false)
    {
        Email = $"eeva-{Guid.NewGuid().ToString("N")[..10]}@example.com";
        await Page.GotoAsync(demo.Ready.Hub + "/register");
        if (look) await LookAsync("register");
        await Page.FillAsync("[name=given_name]", "Eeva");
        await Page.FillAsync("[name=family_name]", "Mäkinen");
        await Page.FillAsync("[name=email]", Email);
        await Page.FillAsync("[name=password]", Password);
        await Page.ClickAsync("main button[type=submit]");
        if (look) await LookAsync("mail sent");
        await Page.GotoAsync($"{demo.Ready.Mailbox}?to={Uri.EscapeDataString(Email)}");
        if (look) await LookAsync("mailbox");
        await Page.ClickAsync("article a[href*='/confirm']");
        if (look) await LookAsync("confirm");
        await Page.ClickAsync("main button[type=submit]");
        await Expect(Page).ToHaveURLAsync(new Regex("/account"));
        if (look) await LookAsync("account");
    }

    public void Be(DemoAccount account) => (Email, password) = (account.Email, account.Password);

    /// <summary>Fills in the hub's sign-in page, on which the browser is.</summary>
    public async Task SignInAsync()
    {
        await Page.FillAsync("[name=email]", Email);
        await Page.FillAsync("[name=password]", password);
        await Page.ClickAsync("main button[type=submit]");
    }

    /// <summary>Signs in at the shop through the hub; asks for no password where the hub knows the browser.</summary>
    public async Task SignInAtShopAsync()
    {
        await Page.GotoAsync(demo.Ready.Shop);
        await Page.ClickAsync("header.top >> text=Sign in with");
        if (Page.Url.StartsWith(demo.Ready.Hub, StringComparison.Ordinal)) await SignInAsync();
        await Expect(Page.Locator("header.top")).ToContainTextAsync("Signed in as");
    }

    /// <summary>Buys four winter tires and stands on the order page.</summary>
    public async Task<string> BuyAsync(bool look = false, string registration = "ABC-123")
    {
        await Page.GotoAsync(demo.Ready.Shop);
        if (look) await LookAsync("shop");
        await Page.ClickAsync("text=Go to checkout");
        if (!await Page.Locator("#email").IsEditableAsync()) Assert.Equal(Email, await Page.InputValueAsync("#email"));
        else await Page.FillAsync("#email", Email);
        foreach (var (field, value) in new[] { ("registration", registration), ("make", "Volvo"), ("model", "V60"), ("year", "2019"), ("street", "Esimerkkikatu 1 A 2"), ("postal", "00100"), ("locality", "Helsinki") })
        {
            if (await Page.InputValueAsync("#" + field) == "") await Page.FillAsync("#" + field, value);
        }
        if (look) await LookAsync("checkout");
        await Page.ClickAsync("button:has-text('Pay')");
        await Expect(Page.Locator("main")).ToContainTextAsync("Paid.");
        await Expect(Page.Locator("[data-offer]")).ToHaveCountAsync(2);
        if (look) await LookAsync("order");
        return Page.Url.Split('?')[0];
    }

    public Task FollowAsync(string offer) => Page.ClickAsync($"[data-offer={offer}]");

    /// <summary>Answers the consent sheet, on which the browser is.</summary>
    /// <param name="also">Names of optional claims to agree to.</param>
    public async Task DecideAsync(bool allow, params string[] also)
    {
        foreach (var claim in also) await Page.CheckAsync($"[name=claims][value={claim}]");
        await Page.ClickAsync($"[name=decision][value={(allow ? "allow" : "deny")}]");
    }

    /// <summary>Holds the page against axe's WCAG rules, and keeps a picture of it.</summary>
    public async Task LookAsync(string step)
    {
        Directory.CreateDirectory(folder);
        var file = Path.Combine(folder, $"{screen.ToString().ToLowerInvariant()}-{++pictures:D2}-{step.Replace(' ', '-')}.png");
        await Page.ScreenshotAsync(new PageScreenshotOptions { Path = file, FullPage = true });
        var wide = await Page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
        Assert.True(wide <= 0, $"{step}: the page is {wide} pixels wider than the screen.");
        var axe = hasScripts ? await Page.RunAxe() : await RunAxeOnACopyAsync();
        Assert.True(axe.Violations.Length == 0, $"{step} ({Page.Url}): " + string.Join('\n',
            axe.Violations.Select(v => $"{v.Id}: {v.Help}: {string.Join("; ", v.Nodes.Take(3).Select(n => n.Html))}")));
    }

    /// <summary>axe is a script itself: without scripts it reads the page as this browser has it, in a browser that has them.</summary>
    private async Task<AxeResult> RunAxeOnACopyAsync()
    {
        var html = Regex.Replace(await Page.ContentAsync(), "<script.*?</script>|</?noscript>", "", RegexOptions.Singleline);
        await using var reader = await demo.Browser.NewContextAsync(new BrowserNewContextOptions { ViewportSize = screen.Size() });
        var copy = await reader.NewPageAsync();
        await copy.RouteAsync(Page.Url, route => route.FulfillAsync(new RouteFulfillOptions { Body = html, ContentType = "text/html; charset=utf-8" }));
        await copy.GotoAsync(Page.Url);
        return await copy.RunAxe();
    }

    /// <summary>What the browser did from now on.</summary>
    public Trail Watch() => new(Page);

    public async ValueTask DisposeAsync() => await context.CloseAsync();
}

/// <summary>The documents that the main frame went through.</summary>
internal sealed class Trail
{
    private readonly List<string> documents = [];

    public Trail(IPage page) => page.FrameNavigated += (_, frame) =>
    {
        if (frame == page.MainFrame) documents.Add(frame.Url);
    };

    public IReadOnlyList<string> Documents => documents;
}
