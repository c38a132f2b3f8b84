using System.Text.RegularExpressions;
using Commerce.Testing;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Commerce.EndToEnd.Tests;

/// <summary>The journey from a paid order to a partner's page, in a real browser, with four applications on four hosts.</summary>
public sealed class JourneyTests(DemoProcess demo)
{
    private const string Fitting = "tire-fitting";
    private const string Fuel = "wash-and-fuel";

    [Theory]
    [InlineData(Screen.Desktop)]
    [InlineData(Screen.Phone)]
    public async Task A_customer_registers_buys_hops_over_saml_and_books_with_a_service_on_top(Screen screen)
    {
        await using var visitor = await Visitor.ArriveAsync(demo, screen);
        var page = visitor.Page;
        await visitor.RegisterAsync(look: true);
        await visitor.SignInAtShopAsync();
        var order = await visitor.BuyAsync(look: true);

        await visitor.FollowAsync(Fitting);
        await Expect(page.Locator("main")).ToContainTextAsync("Kolari Auto");
        await Expect(page.Locator("main")).ToContainTextAsync("127.0.0.2");
        await Expect(page.Locator("main")).ToContainTextAsync("ABC-123");
        await Expect(page.Locator("main")).ToContainTextAsync(visitor.Email);
        await Expect(page.Locator("main")).ToContainTextAsync("90");
        await Expect(page.Locator("main")).Not.ToContainTextAsync("floor mats");    // only the lines that match the offer
        await visitor.LookAsync("consent sheet");

        var trail = visitor.Watch();
        await visitor.DecideAsync(allow: true);
        await Expect(page).ToHaveURLAsync(demo.Ready.Tires + "/book");
        Assert.InRange(trail.Documents.Count, 1, 4);
        Assert.DoesNotContain(trail.Documents, url => url.Contains("/signin?", StringComparison.Ordinal));
        await Expect(page.Locator("h1")).ToHaveTextAsync("Welcome, Eeva");
        Assert.Equal("ABC-123", await page.InputValueAsync("#registration"));
        Assert.Equal("205/55R16", await page.InputValueAsync("#size"));
        Assert.Equal("Eeva Mäkinen", await page.InputValueAsync("#name"));
        await Expect(page.Locator("main")).ToContainTextAsync("4 × Winter tire 205/55 R16 94T");
        await Expect(page.Locator("main")).Not.ToContainTextAsync("floor mats");
        await visitor.LookAsync("tire fitter");

        await page.CheckAsync("[name=air]");
        await page.ClickAsync("main button:has-text('Book')");
        await Expect(page.Locator("main")).ToContainTextAsync("air-conditioning service");
        await Expect(page.Locator("main")).ToContainTextAsync("sends them to us");
        await visitor.LookAsync("booked");

        await page.GotoAsync(order);
        await Expect(page.Locator("main")).ToContainTextAsync("Ships to the fitter");
        await Expect(page.Locator("main")).ToContainTextAsync("Air-conditioning service");
        await visitor.LookAsync("order after booking");

        await visitor.TimelineShowsAsync(demo, "Kolari Auto", "Tire fitting", "Air-conditioning service");
        await visitor.LookAsync("timeline");
    }

    [Theory]
    [InlineData(Screen.Desktop)]
    [InlineData(Screen.Phone)]
    public async Task A_customer_hops_over_openid_connect_and_books(Screen screen)
    {
        await using var visitor = await Visitor.ArriveAsync(demo, screen);
        var page = visitor.Page;
        await visitor.RegisterAsync();
        await visitor.SignInAtShopAsync();
        var order = await visitor.BuyAsync();

        await visitor.FollowAsync(Fuel);
        await Expect(page.Locator("main")).ToContainTextAsync("Polar Fuel");
        await visitor.LookAsync("consent sheet");
        var trail = visitor.Watch();
        await visitor.DecideAsync(allow: true);
        await Expect(page).ToHaveURLAsync(demo.Ready.Fuel + "/offer");
        Assert.InRange(trail.Documents.Count, 1, 4);
        await Expect(page.Locator("h1")).ToHaveTextAsync("Hello, Eeva");
        await Expect(page.Locator("main")).ToContainTextAsync("10 cents off a litre");
        await Expect(page.Locator("main")).ToContainTextAsync("4 × Winter tire");
        Assert.Equal("ABC-123", await page.InputValueAsync("#registration"));
        await visitor.LookAsync("fuel site");

        await page.Locator("summary").ClickAsync();
        await Expect(page.Locator("details")).Not.ToContainTextAsync(visitor.Email);    // optional, and she did not tick it
        await page.ClickAsync("main button:has-text('Book')");
        await Expect(page.Locator("main")).ToContainTextAsync("Free with your new tires");
        await visitor.LookAsync("booked");

        await page.GotoAsync(demo.Ready.Fuel + "/my-data");
        await Expect(page.Locator("main")).ToContainTextAsync("Shared with your consent");
        await visitor.LookAsync("my data");
        await page.GotoAsync(order);
        await Expect(page.Locator("main")).ToContainTextAsync("Car wash");
        await Expect(page.Locator("main")).ToContainTextAsync("Home delivery");
    }

    [Theory]
    [InlineData(Fitting, "/book", Screen.Phone)]
    [InlineData(Fuel, "/offer", Screen.Desktop)]
    public async Task With_a_standing_consent_one_click_leads_straight_to_the_partner(string offer, string landing, Screen screen)
    {
        await using var visitor = await Visitor.ArriveAsync(demo, screen);
        await visitor.RegisterAsync();
        await visitor.SignInAtShopAsync();
        await visitor.BuyAsync();
        await visitor.FollowAsync(offer);
        await visitor.DecideAsync(allow: true);
        await Expect(visitor.Page).ToHaveURLAsync(new Regex(landing + "$"));

        await visitor.BuyAsync();
        var trail = visitor.Watch();
        await visitor.FollowAsync(offer);
        await Expect(visitor.Page).ToHaveURLAsync(new Regex(landing + "$"));
        Assert.InRange(trail.Documents.Count, 1, 4);
        Assert.DoesNotContain(trail.Documents, url => url.Contains("/signin?", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(Fitting, Screen.Desktop)]
    [InlineData(Fuel, Screen.Phone)]
    public async Task Denying_leads_back_to_the_shop_with_a_clear_word_and_the_partner_knows_nobody(string offer, Screen screen)
    {
        await using var visitor = await Visitor.ArriveAsync(demo, screen);
        await visitor.RegisterAsync();
        await visitor.SignInAtShopAsync();
        var order = await visitor.BuyAsync();
        await visitor.FollowAsync(offer);
        await visitor.DecideAsync(allow: false);
        await Expect(visitor.Page).ToHaveURLAsync(new Regex("^" + Regex.Escape(order)));
        await Expect(visitor.Page.Locator("main")).ToContainTextAsync("Nothing was shared");
        await visitor.LookAsync("denied");
        await visitor.Page.GotoAsync(offer == Fitting ? demo.Ready.Tires : demo.Ready.Fuel);
        await Expect(visitor.Page.Locator("header.top")).ToContainTextAsync("Sign in with");
    }

    [Theory]
    [InlineData(Fitting, "/book", Screen.Phone)]
    [InlineData(Fuel, "/offer", Screen.Desktop)]
    public async Task A_guest_signs_in_once_on_the_way_and_lands(string offer, string landing, Screen screen)
    {
        await using var visitor = await Visitor.ArriveAsync(demo, screen);
        visitor.Be(demo.Ready.Accounts.Single(a => a.Email.StartsWith("sanna", StringComparison.Ordinal)));
        await visitor.BuyAsync(registration: "SKO-789");
        await visitor.FollowAsync(offer);
        await visitor.LookAsync("sign in");
        await visitor.SignInAsync();
        await visitor.LookAsync("consent sheet");
        await visitor.DecideAsync(allow: true);
        await Expect(visitor.Page).ToHaveURLAsync(new Regex(landing + "$"));
        await Expect(visitor.Page.Locator("h1")).ToContainTextAsync("Sanna");
    }

    [Fact]
    public async Task The_fitter_recognises_a_regular_by_verified_email()
    {
        await using var visitor = await Visitor.ArriveAsync(demo);
        visitor.Be(demo.Ready.Accounts[0]);
        await visitor.SignInAtShopAsync();
        await visitor.LookAsync("shop for a known customer");
        await visitor.BuyAsync(look: true);
        await visitor.FollowAsync(Fitting);
        await visitor.LookAsync("consent sheet with everything");
        await visitor.DecideAsync(allow: true, "phone_number");
        await Expect(visitor.Page.Locator("h1")).ToHaveTextAsync("Welcome back, Aino");
        await Expect(visitor.Page.Locator("main")).ToContainTextAsync("shelf B-12");
        Assert.Equal("+358401234567", await visitor.Page.InputValueAsync("#phone"));
        await visitor.LookAsync("welcome back");
        await visitor.Page.CheckAsync("[name=air]");
        await visitor.Page.ClickAsync("main button:has-text('Book')");
        await visitor.TimelineShowsAsync(demo, "Kolari Auto", "Air-conditioning service");
        await visitor.LookAsync("timeline");
    }

    [Theory]
    [InlineData(Fitting, "/book")]
    [InlineData(Fuel, "/offer")]
    public async Task The_partner_starts_the_sign_in_and_needs_no_hop(string offer, string landing)
    {
        await using var visitor = await Visitor.ArriveAsync(demo);
        var partner = offer == Fitting ? demo.Ready.Tires : demo.Ready.Fuel;
        await visitor.RegisterAsync();
        await visitor.Page.GotoAsync(partner);
        await visitor.LookAsync("partner front page");
        await visitor.Page.ClickAsync("main >> text=Sign in with");
        await visitor.LookAsync("sign-in sheet");
        await visitor.DecideAsync(allow: true);
        await Expect(visitor.Page).ToHaveURLAsync(partner + landing);
        await Expect(visitor.Page.Locator("h1")).ToContainTextAsync("Eeva");
        Assert.Equal("", await visitor.Page.InputValueAsync("#registration"));    // no hop, no vehicle
        await visitor.LookAsync("signed in without a hop");
    }

    [Theory]
    [InlineData(Fitting)]
    [InlineData(Fuel)]
    public async Task Denying_a_partner_started_sign_in_leaves_the_customer_signed_out_there(string offer)
    {
        await using var visitor = await Visitor.ArriveAsync(demo, Screen.Phone);
        var partner = offer == Fitting ? demo.Ready.Tires : demo.Ready.Fuel;
        await visitor.RegisterAsync();
        await visitor.Page.GotoAsync(partner);
        await visitor.Page.ClickAsync("main >> text=Sign in with");
        await visitor.DecideAsync(allow: false);
        await Expect(visitor.Page.Locator("h1")).ToHaveTextAsync("You are not signed in");
        await visitor.LookAsync("not signed in");
    }

    [Theory]
    [InlineData(Fitting, "/book")]
    [InlineData(Fuel, "/offer")]
    public async Task After_a_withdrawal_the_next_hop_asks_again_and_userinfo_is_refused(string offer, string landing)
    {
        await using var visitor = await Visitor.ArriveAsync(demo);
        var page = visitor.Page;
        await visitor.RegisterAsync();
        await visitor.SignInAtShopAsync();
        await visitor.BuyAsync();
        await visitor.FollowAsync(offer);
        await visitor.DecideAsync(allow: true);
        await Expect(page).ToHaveURLAsync(new Regex(landing + "$"));

        await visitor.WithdrawAsync(demo, offer == Fitting ? "Kolari Auto" : "Polar Fuel");
        await visitor.LookAsync("withdrawn");
        if (offer == Fuel)
        {
            await page.GotoAsync(demo.Ready.Fuel + "/my-data");
            await Expect(page.Locator("main")).ToContainTextAsync("No longer shared");
            await visitor.LookAsync("no longer shared");
        }
        await visitor.BuyAsync();
        await visitor.FollowAsync(offer);
        await Expect(page.Locator("[name=decision][value=allow]")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Without_scripts_the_journey_works_over_both_protocols()
    {
        await using var visitor = await Visitor.ArriveAsync(demo, scripts: false);
        var page = visitor.Page;
        await visitor.RegisterAsync(look: true);
        await visitor.SignInAtShopAsync();
        await visitor.BuyAsync(look: true);
        await visitor.FollowAsync(Fuel);
        await visitor.LookAsync("consent sheet");
        await visitor.DecideAsync(allow: true);
        await Expect(page).ToHaveURLAsync(demo.Ready.Fuel + "/offer");

        await visitor.BuyAsync();
        await visitor.FollowAsync(Fitting);
        await visitor.DecideAsync(allow: true);
        await visitor.LookAsync("the button of the POST binding");
        await page.ClickAsync("form[action$='/saml/acs'] button");
        await Expect(page).ToHaveURLAsync(demo.Ready.Tires + "/book");
        await Expect(page.Locator("h1")).ToHaveTextAsync("Welcome, Eeva");
    }

    [Fact]
    public async Task Signing_out_at_the_hub_ends_the_session_at_the_relying_party()
    {
        await using var visitor = await Visitor.ArriveAsync(demo);
        var page = visitor.Page;
        await visitor.RegisterAsync();
        await visitor.SignInAtShopAsync();
        await page.GotoAsync(demo.Ready.Hub + "/signout");
        await page.ClickAsync("main button[type=submit]");
        await Wait.UntilAsync(async () =>
        {
            await page.GotoAsync(demo.Ready.Shop);
            return (await page.Locator("header.top").InnerTextAsync()).Contains("Sign in with", StringComparison.Ordinal);
        }, "the shop had ended its session: the logout token goes through the outbox");
    }

    [Fact]
    public async Task Signing_out_at_the_shop_ends_the_session_at_the_hub()
    {
        await using var visitor = await Visitor.ArriveAsync(demo);
        await visitor.RegisterAsync();
        await visitor.SignInAtShopAsync();
        await visitor.Page.ClickAsync("text=Sign out");
        if (visitor.Page.Url.StartsWith(demo.Ready.Hub, StringComparison.Ordinal)) await visitor.Page.ClickAsync("main button[type=submit]");
        await Expect(visitor.Page.Locator("header.top")).ToContainTextAsync("Sign in with");
        await visitor.Page.GotoAsync(demo.Ready.Hub + "/account");
        await Expect(visitor.Page.Locator("[name=password]")).ToBeVisibleAsync();
    }

    [Theory]
    [InlineData("fi-FI", "aino", "Varaa renkaanvaihto uusille renkaillesi")]
    [InlineData("sv-FI", "erik", "Boka montering av dina nya däck")]
    [InlineData("ko-KR", "minji", "새 타이어 장착 예약")]
    public async Task The_offer_and_the_sheet_speak_the_customers_language(string locale, string who, string title)
    {
        await using var visitor = await Visitor.ArriveAsync(demo, Screen.Phone, locale);
        visitor.Be(demo.Ready.Accounts.Single(a => a.Email.StartsWith(who, StringComparison.Ordinal)));
        await visitor.SignInAtShopAsync();
        await visitor.BuyAsync();
        await Expect(visitor.Page.Locator("main")).ToContainTextAsync(title);
        await visitor.LookAsync($"order {locale[..2]}");
        await visitor.FollowAsync(Fuel);
        await Expect(visitor.Page.Locator("html")).ToHaveAttributeAsync("lang", locale[..2]);
        await visitor.LookAsync($"consent sheet {locale[..2]}");
    }

    [Theory]
    [InlineData(Screen.Desktop)]
    [InlineData(Screen.Phone)]
    public async Task Every_page_of_the_account_is_accessible(Screen screen)
    {
        await using var visitor = await Visitor.ArriveAsync(demo, screen);
        await visitor.RegisterAsync();
        await visitor.SignInAtShopAsync();
        await visitor.BuyAsync();
        await visitor.FollowAsync(Fuel);
        await visitor.DecideAsync(allow: true, "email");
        await Expect(visitor.Page).ToHaveURLAsync(demo.Ready.Fuel + "/offer");
        await visitor.TimelineShowsAsync(demo, "Polar Fuel");

        var seen = new HashSet<string> { "/account", "/signout" };
        var waiting = new Queue<string>(["/account"]);
        while (waiting.TryDequeue(out var path))
        {
            Assert.True(seen.Count < 40, "The account page leads on and on.");
            await visitor.Page.GotoAsync(demo.Ready.Hub + path);
            await visitor.LookAsync(path.Contains("receipts", StringComparison.Ordinal) ? "receipt" : path.Trim('/').Replace('/', ' ').Split('?')[0]);
            foreach (var link in await visitor.Page.Locator("main a[href^='/']").EvaluateAllAsync<string[]>("links => links.map(a => a.getAttribute('href'))"))
            {
                if (!link.Contains("format=", StringComparison.Ordinal) && seen.Add(link)) waiting.Enqueue(link);    // a receipt as a file is no page
            }
        }
        Assert.True(seen.Count >= 4, "The account page leads nowhere.");
    }

    [Theory]
    [InlineData(Screen.Desktop)]
    [InlineData(Screen.Phone)]
    public async Task Every_page_that_stands_alone_is_accessible(Screen screen)
    {
        await using var visitor = await Visitor.ArriveAsync(demo, screen);
        foreach (var (step, url) in new[]
        {
            ("shop", demo.Ready.Shop), ("shop checkout as a guest", demo.Ready.Shop + "/checkout"), ("shop unknown order", demo.Ready.Shop + "/orders/NT-0"),
            ("shop nothing here", demo.Ready.Shop + "/nowhere"), ("tires", demo.Ready.Tires), ("tires failed", demo.Ready.Tires + "/not-signed-in?reason=failed"),
            ("tires expired", demo.Ready.Tires + "/not-signed-in?reason=expired"), ("fuel", demo.Ready.Fuel), ("hub sign in", demo.Ready.Hub + "/signin"),
            ("hub register", demo.Ready.Hub + "/register"), ("hub new password", demo.Ready.Hub + "/password"), ("mailbox", demo.Ready.Mailbox),
            ("hub refused", demo.Ready.Hub + "/hop/no-such-offer?order=NT-0"), ("hub nothing here", demo.Ready.Hub + "/nowhere"), ("hub bare host", demo.Ready.Hub + "/"),
        })
        {
            await visitor.Page.GotoAsync(url);
            await visitor.LookAsync(step);
        }
    }
}

internal static class AccountSteps
{
    /// <summary>Waits until the customer's timeline shows all the words: facts reach it through the outbox.</summary>
    public static async Task TimelineShowsAsync(this Visitor visitor, DemoProcess demo, params string[] words)
    {
        await Wait.UntilAsync(async () =>
        {
            await visitor.Page.GotoAsync(demo.Ready.Hub + "/account");
            var text = await visitor.Page.Locator("main").InnerTextAsync();
            return words.All(word => text.Contains(word, StringComparison.Ordinal));
        }, $"the timeline showed {string.Join(", ", words)}");
    }

    /// <summary>Withdraws the consent for a partner on the account page.</summary>
    public static async Task WithdrawAsync(this Visitor visitor, DemoProcess demo, string partner)
    {
        await visitor.Page.GotoAsync(demo.Ready.Hub + "/account");
        await visitor.Page.GotoAsync(demo.Ready.Hub + "/account/consents");
        await visitor.Page.Locator("main").Locator($"li:has-text('{partner}'), article:has-text('{partner}'), section:has-text('{partner}')").Last
            .GetByRole(AriaRole.Button).First.ClickAsync();
    }
}
