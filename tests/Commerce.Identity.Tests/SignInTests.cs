using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Commerce.Identity.Contracts;
using Commerce.Kernel;
using Commerce.Testing;
using Xunit;

namespace Commerce.Identity.Tests;

public sealed partial class SignInTests
{
    [Fact]
    public async Task A06_a_wrong_password_and_an_unknown_address_are_answered_alike()
    {
        await using var hub = await Customers.StartAsync();
        using var owner = await hub.JoinedAsync("aino@example.com");
        await hub.AskAsync(new ImportCustomers([Customers.Imported("1", "legacy@example.com", Customers.Pbkdf2("an old secret")), Customers.Imported("2", "nopassword@example.com", line: 2)]));
        using var guesser = hub.NewBrowser();

        var pages = new List<string>();
        foreach (var email in (string[])["aino@example.com", "nobody@example.com", "legacy@example.com", "nopassword@example.com", "not an address"])
        {
            var refused = await guesser.SignInAsync(email, "a wrong password here");
            Assert.Equal((HttpStatusCode.Unauthorized, "identity.wrong_password"), (refused.Status, refused.RefusalCode));
            pages.Add(Token().Replace(refused.Body, "").Replace(email, "", StringComparison.Ordinal));
        }
        Assert.Single(pages.Distinct());
    }

    [Theory]
    [InlineData("aino@example.com")]
    [InlineData("nobody@example.com")]
    public async Task A05_after_ten_wrong_passwords_the_eleventh_waits_a_quarter_of_an_hour_for_known_and_unknown_alike(string email)
    {
        await using var hub = await Customers.StartAsync();
        using var owner = await hub.JoinedAsync("aino@example.com");
        using var guesser = hub.NewBrowser();

        for (var i = 0; i < 10; i++) Assert.Equal(HttpStatusCode.Unauthorized, (await guesser.SignInAsync(email, $"wrong password no {i}")).Status);
        var slowed = await guesser.SignInAsync(email);
        Assert.Equal((HttpStatusCode.TooManyRequests, "identity.too_many_attempts"), (slowed.Status, slowed.RefusalCode));
        Assert.Equal("900", slowed.Headers["Retry-After"]);

        hub.Clock.Advance(TimeSpan.FromMinutes(15));
        Assert.Equal(email == "aino@example.com" ? HttpStatusCode.SeeOther : HttpStatusCode.Unauthorized, (await guesser.SignInAsync(email)).Status);
    }

    [Fact]
    public async Task A05_of_thirty_guesses_at_once_only_ten_are_looked_at()
    {
        await using var hub = await Customers.StartAsync();
        using var guesser = hub.NewBrowser();
        var page = await guesser.GetAsync("/signin");

        var answers = await Task.WhenAll(Enumerable.Range(0, 30).Select(i => guesser.SubmitAsync(page, Customers.Fields(("email", "aino@example.com"), ("password", $"guess number {i}")))));

        Assert.Equal(10, answers.Count(a => a.Status == HttpStatusCode.Unauthorized));
        Assert.Equal(20, answers.Count(a => a.Status == HttpStatusCode.TooManyRequests));
    }

    [Fact]
    public async Task A05_a_new_password_by_mail_opens_an_account_that_was_guessed_at()
    {
        await using var hub = await Customers.StartAsync();
        using var owner = await hub.JoinedAsync("aino@example.com");
        using var browser = hub.NewBrowser();
        for (var i = 0; i < 11; i++) await browser.SignInAsync("aino@example.com", $"wrong password no {i}");

        await browser.SubmitAsync(await browser.GetAsync("/password"), Customers.Fields(("email", "aino@example.com")));
        var set = await browser.SubmitAsync(await browser.GetAsync((await browser.LinksToAsync("aino@example.com", "/password/new"))[0]), Customers.Fields(("password", "punainen kettu laulaa")));

        Assert.Equal(HttpStatusCode.SeeOther, set.Status);
        using var later = hub.NewBrowser();
        Assert.Equal(HttpStatusCode.SeeOther, (await later.SignInAsync("aino@example.com", "punainen kettu laulaa")).Status);
    }

    [Fact]
    public async Task A07_after_a_hundred_failures_the_password_alone_opens_nothing()
    {
        await using var hub = await Customers.StartAsync();
        using var owner = await hub.JoinedAsync("aino@example.com");
        using var guesser = hub.NewBrowser();
        var page = await guesser.GetAsync("/signin");
        for (var round = 0; round < 10; round++)
        {
            for (var i = 0; i < 10; i++) await guesser.SubmitAsync(page, Customers.Fields(("email", "aino@example.com"), ("password", $"guess {round} {i} of many")));
            hub.Clock.Advance(TimeSpan.FromMinutes(15));
        }

        Assert.Equal("identity.too_many_attempts", (await guesser.SubmitAsync(page, Customers.Fields(("email", "aino@example.com"), ("password", Customers.GoodPassword)))).RefusalCode);
    }

    [Fact]
    public async Task A14_a_header_that_the_client_sets_gives_no_new_attempts()
    {
        await using var hub = await Customers.StartAsync();
        using var guesser = hub.NewBrowser();

        HttpStatusCode last = default;
        for (var i = 0; i < 11; i++)
        {
            guesser.Http.DefaultRequestHeaders.Remove("X-Forwarded-For");
            guesser.Http.DefaultRequestHeaders.Add("X-Forwarded-For", $"203.0.113.{i}");
            last = (await guesser.SignInAsync("aino@example.com", "a wrong password here")).Status;
        }
        Assert.Equal(HttpStatusCode.TooManyRequests, last);
    }

    [Fact]
    public async Task A_right_password_gives_all_attempts_back()
    {
        await using var hub = await Customers.StartAsync();
        using var owner = await hub.JoinedAsync("aino@example.com");

        for (var round = 0; round < 3; round++)
        {
            using var browser = hub.NewBrowser();
            for (var i = 0; i < 6; i++) await browser.SignInAsync("aino@example.com", "a wrong password here");
            Assert.Equal(HttpStatusCode.SeeOther, (await browser.SignInAsync("aino@example.com")).Status);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("?return=")]
    [InlineData("?return=//evil.example")]
    [InlineData("?return=https://evil.example")]
    [InlineData("?return=/hop/x")]
    [InlineData("?return=%2F%5Cevil.example")]
    [InlineData("?return=%0d%0aLocation:x")]
    [InlineData("?return=a&return=b")]
    public async Task O03_a_return_that_the_hub_did_not_seal_leads_to_the_account(string query)
    {
        await using var hub = await Customers.StartAsync();
        using var owner = await hub.JoinedAsync("aino@example.com");
        using var browser = hub.NewBrowser();

        Assert.Equal($"{hub.Origin}/account", (await browser.SignInAsync("aino@example.com", path: "/signin" + query)).RedirectsTo!.AbsoluteUri);
        Assert.Equal($"{hub.Origin}/account", (await browser.GetAsync("/signin" + query)).RedirectsTo!.AbsoluteUri);
    }

    [Theory]
    [InlineData("//evil.example/x")]
    [InlineData("/\\evil.example")]
    [InlineData("https://evil.example")]
    [InlineData("/\tx")]
    public async Task O03_even_a_sealed_return_leads_nowhere_else(string path)
    {
        await using var hub = await Customers.StartAsync();
        using var owner = await hub.JoinedAsync("aino@example.com");

        Assert.Equal($"{hub.Origin}/account", (await owner.GetAsync(hub.SignInPath(new SignInRequest(path)))).RedirectsTo!.AbsoluteUri);
    }

    [Fact]
    public async Task O03_an_edited_or_old_return_leads_to_the_account()
    {
        await using var hub = await Customers.StartAsync();
        using var browser = await hub.JoinedAsync("aino@example.com");
        var path = hub.SignInPath(new SignInRequest("/hop/tire-fitting"));
        Assert.Equal("/hop/tire-fitting", (await browser.GetAsync(path)).RedirectsTo!.AbsolutePath);

        var edited = path[..^6] + (path[^6] == 'A' ? 'B' : 'A') + path[^5..];
        Assert.Equal("/account", (await browser.GetAsync(edited)).RedirectsTo!.AbsolutePath);
        hub.Clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal("/account", (await (await SignedInAgainAsync(hub)).GetAsync(path)).RedirectsTo!.AbsolutePath);
    }

    [Fact]
    public async Task R15_every_redirect_after_a_post_is_a_303()
    {
        await using var hub = await Customers.StartAsync();
        using var browser = await hub.JoinedAsync("aino@example.com");
        Assert.Equal(303, (int)(await browser.SubmitAsync(await browser.GetAsync("/signout"))).Status);
        Assert.Equal(303, (int)(await browser.SignInAsync("aino@example.com")).Status);
    }

    [Fact]
    public async Task R16_the_page_is_framed_by_nobody_and_its_form_leads_only_where_the_request_says()
    {
        await using var hub = await Customers.StartAsync();
        using var browser = hub.NewBrowser();

        var page = await browser.GetAsync(hub.SignInPath(new SignInRequest("/hop/x") { Onward = ["https://kolari.example", "https://evil.example; script-src *"] }));

        var policy = page.Headers["Content-Security-Policy"];
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.Contains("form-action 'self' https://kolari.example;", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("evil", policy, StringComparison.Ordinal);
        Assert.Equal("no-store", page.Headers["Cache-Control"]);
    }

    [Theory]
    [InlineData("application/json", "{\"email\":\"a@example.com\"}")]
    [InlineData("text/plain", "email=a")]
    [InlineData("multipart/form-data; boundary=x", "broken")]
    [InlineData("application/x-www-form-urlencoded", "%ZZ=%00&email=%FF%FE&password=%ED%A0%80")]
    [InlineData("application/x-www-form-urlencoded", "email=a&email=b&password=c&password=d")]
    public async Task Bad_input_is_refused_and_never_a_fault_of_ours(string type, string body)
    {
        await using var hub = await Customers.StartAsync(development: false);
        using var browser = hub.NewBrowser();
        var token = (await browser.GetAsync("/signin")).Forms()[0].Hidden[0];
        var content = type.StartsWith("application/x-www", StringComparison.Ordinal) ? $"{body}&{token.Key}={Uri.EscapeDataString(token.Value)}" : body;

        foreach (var path in (string[])["/signin", "/register", "/confirm", "/password", "/signout"])
        {
            var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(content)) };
            request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
            var answer = await browser.SendAsync(request);
            Assert.True((int)answer.Status is >= 300 and < 500, $"{path} answered {(int)answer.Status}.");
        }
    }

    [Fact]
    public async Task A_locked_account_signs_in_nowhere_and_only_who_knows_the_password_is_told()
    {
        await using var hub = await Customers.StartAsync();
        using var owner = await hub.JoinedAsync("aino@example.com");
        var customer = await hub.CustomerAsync("aino@example.com");

        Assert.True(await hub.AskAsync(new SetAccountLock(customer, true)));

        Assert.False(await owner.IsSignedInAsync());
        Assert.Equal("identity.account_locked", (await owner.SignInAsync("aino@example.com")).RefusalCode);
        Assert.Equal("identity.wrong_password", (await owner.SignInAsync("aino@example.com", "a wrong password here")).RefusalCode);
        Assert.True((await hub.AskAsync(new AccountOf(customer)))!.IsLocked);

        Assert.True(await hub.AskAsync(new SetAccountLock(customer, false)));
        Assert.False(await owner.IsSignedInAsync());        // the old session stays dead
        Assert.Equal(HttpStatusCode.SeeOther, (await owner.SignInAsync("aino@example.com")).Status);
        Assert.False(await hub.AskAsync(new SetAccountLock(Guid.CreateVersion7(), true)));
    }

    [Fact]
    public async Task A_new_password_ends_every_session_and_every_other_link()
    {
        await using var hub = await Customers.StartAsync();
        using var first = await hub.JoinedAsync("aino@example.com");
        using var second = hub.NewBrowser();
        await second.SignInAsync("aino@example.com");
        for (var i = 0; i < 2; i++) await second.SubmitAsync(await second.GetAsync("/password"), Customers.Fields(("email", "aino@example.com")));
        var links = await second.LinksToAsync("aino@example.com", "/password/new");

        using var third = hub.NewBrowser();
        var page = await third.GetAsync(links[0]);
        Assert.Contains("password-fault", (await third.SubmitAsync(page, Customers.Fields(("password", "too short")))).Body, StringComparison.Ordinal);
        var answers = await Task.WhenAll(Enumerable.Range(0, 5).Select(i => third.SubmitAsync(page, Customers.Fields(("password", $"punainen kettu laulaa {i}")))));

        Assert.Single(answers, a => a.Status == HttpStatusCode.SeeOther);
        Assert.False(await first.IsSignedInAsync());
        Assert.False(await second.IsSignedInAsync());
        Assert.True(await third.IsSignedInAsync());
        Assert.Equal("identity.link_not_ours", (await second.GetAsync(links[1])).RefusalCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await second.SignInAsync("aino@example.com")).Status);
    }

    [Fact]
    public async Task A06_asking_for_a_new_password_says_the_same_for_known_and_unknown()
    {
        await using var hub = await Customers.StartAsync();
        using var owner = await hub.JoinedAsync("aino@example.com");
        using var browser = hub.NewBrowser();

        var known = await browser.SubmitAsync(await browser.GetAsync("/password"), Customers.Fields(("email", "aino@example.com")));
        var unknown = await browser.SubmitAsync(await browser.GetAsync("/password"), Customers.Fields(("email", "nobody@example.com")));

        Assert.Equal((known.Status, known.RedirectsTo), (unknown.Status, unknown.RedirectsTo));
        Assert.Equal(HttpStatusCode.BadRequest, (await browser.SubmitAsync(await browser.GetAsync("/password"), Customers.Fields(("email", "none")))).Status);
    }

    private static async Task<TestBrowser> SignedInAgainAsync(TestHub hub)
    {
        var browser = hub.NewBrowser();
        await browser.SignInAsync("aino@example.com");
        return browser;
    }

    [GeneratedRegex("value=\"CfDJ8[^\"]+\"")] private static partial Regex Token();
}
