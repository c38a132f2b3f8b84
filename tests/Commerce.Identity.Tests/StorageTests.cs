using Commerce.Identity.Contracts;
using Commerce.Identity.Data;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Commerce.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Commerce.Identity.Tests;

public sealed class StorageTests
{
    [Fact]
    public async Task Rows_hold_no_plain_personal_data_and_no_secret()
    {
        await using var hub = await Customers.StartAsync();
        using var browser = await hub.JoinedAsync("aino.virtanen@example.com");
        await browser.RegisterAsync("aino.virtanen@example.com");       // a mail to the owner
        using var other = hub.NewBrowser();
        await other.RegisterAsync("waiting@example.com");
        await other.SignInAsync("guessed@example.com", "a wrong password here");
        await hub.AskAsync(new AddOperator("boss@example.com"));
        await hub.AskAsync(new ImportCustomers([Customers.Imported("EXTERNAL-77", "imported@example.com", new ImportedPasswordHash("ssha512", "{SSHA512}" + Convert.ToBase64String(new byte[72])))]));
        var codes = (await other.LinksToAsync("waiting@example.com")).Select(l => l.Split("code=")[1]);

        string[] secrets =
        [
            "aino", "Aino", "Virtanen", "waiting@", "guessed@", "boss@", "imported@", "EXTERNAL-77", "SSHA512", "127.0.0.1",
            Customers.GoodPassword, browser.SessionCookie(hub)!.Split('.')[1], .. codes,
        ];
        foreach (var file in Directory.GetFiles(hub.Settings.DataDirectory, "*.db*"))
        {
            await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var bytes = new byte[stream.Length];
            await stream.ReadExactlyAsync(bytes);
            foreach (var secret in secrets)
            {
                Assert.True(bytes.AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(secret)) < 0, $"'{secret}' stands in {Path.GetFileName(file)}.");
            }
        }
    }

    [Fact]
    public async Task An_erased_customer_has_no_account_any_more()
    {
        await using var hub = await Customers.StartAsync();
        using var browser = await hub.JoinedAsync("aino@example.com");
        var customer = await hub.CustomerAsync("aino@example.com");

        await hub.Services.GetRequiredService<PersonalData>().EraseAsync(customer);

        Assert.Null(await hub.AskAsync(new AccountOf(customer)));
    }

    [Fact]
    public async Task Housekeeping_takes_away_what_has_had_its_day()
    {
        await using var hub = await Customers.StartAsync();
        using var browser = await hub.JoinedAsync("aino@example.com");
        await browser.RegisterAsync("waiting@example.com");
        await SweepAsync(hub);
        Assert.Equal((2, 2, 1), await CountsAsync(hub));
        hub.Clock.Advance(TimeSpan.FromHours(49));
        await SweepAsync(hub);
        Assert.Equal((0, 0, 1), await CountsAsync(hub));
        hub.Clock.Advance(TimeSpan.FromDays(30));
        await SweepAsync(hub);
        Assert.Equal((0, 0, 0), await CountsAsync(hub));
        Assert.Equal(0, await hub.WithDbAsync<IdentityDb, int>(db => db.Attempts.CountAsync()));
    }

    private static Task SweepAsync(TestHub hub) => Housekeeping.SweepAsync(hub.Services.GetRequiredService<HotStore<IdentityDb>>(), hub.Clock.GetUtcNow(), default);

    [Fact]
    public async Task A_banner_is_put_found_replaced_and_shown()
    {
        await using var hub = await Customers.StartAsync();
        var banner = new Banner("northern-tires", "Northern Tires", ["northern-tires.example"], ["fi", "sv"], new BannerLook("#0b5d3b", "northern-tires.svg"), "Northern Tires <hello@northern-tires.example>");
        Assert.True((await hub.AskAsync(new PutBanner(banner))).IsOk);
        Assert.True((await hub.AskAsync(new PutBanner(banner with { Name = "Northern" }))).IsOk);

        var kept = Assert.Single(await hub.AskAsync(new AllBanners()));
        Assert.Equal(("Northern", "fi", "northern-tires.svg"), (kept.Name, kept.Languages[0], kept.Look.Logo));
        Assert.Null(await hub.AskAsync(new BannerOf("other")));

        using var browser = hub.NewBrowser();
        var path = hub.SignInPath(new Commerce.Kernel.SignInRequest("/account") { Banner = "northern-tires" });
        var page = await browser.GetAsync(path);
        Assert.Contains("Northern", page.Text, StringComparison.Ordinal);
        Assert.Contains("--accent: #0b5d3b", page.Body, StringComparison.Ordinal);
        await browser.RegisterAsync("aino@example.com", path: path.Replace("/signin", "/register", StringComparison.Ordinal));
        Assert.Contains("Welcome to Northern.", (await browser.GetAsync("/mailbox")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_banner_is_refused_by_its_members()
    {
        await using var hub = await Customers.StartAsync();

        var refused = await hub.AskAsync(new PutBanner(new Banner("No Slug", "", ["not a host"], [], new BannerLook("red", "../x.svg"), "nobody")));

        Assert.Equal("identity.banner_not_valid", refused.Refusal!.Code);
        Assert.Equal(["domains", "id", "languages", "look.accent", "look.logo", "name", "sender"], refused.Refusal.Errors!.Select(e => e.Field).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task An_operator_is_added_once_and_a_locale_is_checked()
    {
        await using var hub = await Customers.StartAsync();
        Assert.True((await hub.AskAsync(new AddOperator("boss@example.com"))).Value);
        Assert.False((await hub.AskAsync(new AddOperator("BOSS@example.com"))).Value);
        Assert.Equal("identity.not_an_address", (await hub.AskAsync(new AddOperator("boss"))).Refusal!.Code);
        Assert.Equal("identity.not_a_locale", (await hub.AskAsync(new ChangeLocale(Guid.CreateVersion7(), "klingon!"))).Refusal!.Code);
        Assert.False((await hub.AskAsync(new ChangeLocale(Guid.CreateVersion7(), "fi-FI"))).Value);
    }

    private static Task<(int Links, int Mails, int Sessions)> CountsAsync(TestHub hub) =>
        hub.WithDbAsync<IdentityDb, (int, int, int)>(async db => (await db.Links.CountAsync(), await db.Mails.CountAsync(), await db.Sessions.CountAsync()));
}
