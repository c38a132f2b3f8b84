using System.Net;
using System.Text.RegularExpressions;
using Commerce.Identity.Contracts;
using Commerce.Identity.Data;
using Commerce.Kernel;
using Commerce.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Commerce.Identity.Tests;

public sealed partial class RegistrationTests
{
    [Fact]
    public async Task A_registration_is_told_to_the_other_modules_once_it_is_confirmed()
    {
        await using var hub = await Customers.StartAsync();
        using var browser = hub.NewBrowser();
        var heard = hub.Services.GetRequiredService<Heard>();

        await browser.RegisterAsync("aino@example.com");
        Assert.Null(await hub.AskAsync(new CustomerWithEmail("aino@example.com")));
        await browser.SubmitAsync(await browser.GetAsync((await browser.LinksToAsync("aino@example.com"))[0]));

        var registered = await heard.WaitForAsync<CustomerRegistered>();
        Assert.Equal(("Aino", "Virtanen", "en"), (registered.GivenName, registered.FamilyName, registered.Locale));
        Assert.Equal("aino@example.com", (await heard.WaitForAsync<EmailConfirmed>()).Email);
        Assert.Equal(registered.Customer, await hub.AskAsync(new CustomerWithEmail("aino@example.com", VerifiedOnly: true)));
    }

    [Fact]
    public async Task A06_a_known_address_is_answered_like_an_unknown_one_and_its_owner_gets_a_mail()
    {
        await using var hub = await Customers.StartAsync();
        using var owner = await hub.JoinedAsync("aino@example.com");
        using var stranger = hub.NewBrowser();

        var known = await stranger.RegisterAsync("AINO@example.com", "some other long password");
        var unknown = await stranger.RegisterAsync("nobody@example.com", "some other long password");

        Assert.Equal((known.Status, known.RedirectsTo!.PathAndQuery), (unknown.Status, unknown.RedirectsTo!.PathAndQuery));
        Assert.Equal(known.Headers.Keys.Order(), unknown.Headers.Keys.Order());
        Assert.Contains("you already have an account", (await owner.GetAsync("/mailbox?to=aino@example.com")).Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Unauthorized, (await stranger.SignInAsync("aino@example.com", "some other long password")).Status);
    }

    [Fact]
    public async Task An_unconfirmed_registration_opens_nothing()
    {
        await using var hub = await Customers.StartAsync();
        using var browser = hub.NewBrowser();

        await browser.RegisterAsync("aino@example.com");

        Assert.Equal("identity.wrong_password", (await browser.SignInAsync("aino@example.com")).RefusalCode);
        Assert.False(await browser.IsSignedInAsync());
    }

    [Theory]
    [InlineData("given_name", "", "given_name")]
    [InlineData("given_name", "visit https://evil.example", "given_name")]
    [InlineData("family_name", "\u0001", "family_name")]
    [InlineData("email", "no-at-sign", "email")]
    [InlineData("email", "a@b", "email")]
    [InlineData("email", "a b@example.com", "email")]
    [InlineData("email", "a@example.com\r\nBcc: b@example.com", "email")]
    [InlineData("email", "\uff41ino@example.com", "email")]
    [InlineData("email", "\"quoted\"@example.com", "email")]
    [InlineData("email", ".a@example.com", "email")]
    [InlineData("password", "", "password")]
    public async Task A_wrong_field_is_refused_beside_the_field(string field, string value, string fault)
    {
        await using var hub = await Customers.StartAsync();
        using var browser = hub.NewBrowser();
        var page = await browser.GetAsync("/register");
        (string, string)[] fields = [("given_name", "Aino"), ("family_name", "Virtanen"), ("email", "aino@example.com"), ("password", Customers.GoodPassword)];

        var refused = await browser.SubmitAsync(page, Customers.Fields([.. fields.Where(f => f.Item1 != field), (field, value)]));

        Assert.Equal(HttpStatusCode.BadRequest, refused.Status);
        Assert.Contains($"id=\"{fault}-fault\"", refused.Body, StringComparison.Ordinal);
        Assert.DoesNotContain(Customers.GoodPassword, WebUtility.HtmlDecode(refused.Body), StringComparison.Ordinal);
        Assert.Equal(0, await hub.WithDbAsync<IdentityDb, int>(db => db.Mails.CountAsync()));
    }

    [Theory]
    [InlineData("fourteen chars")]
    [InlineData("Correct Horse Battery Staple!")]
    [InlineData("passwordpassword")]
    [InlineData("Salasana-Salasana-Salasana")]
    [InlineData("abcabcabcabcabcabc")]
    [InlineData("123456789012345678")]
    [InlineData("aino@example.com")]
    [InlineData("aino aino aino 2026")]
    [InlineData("!!!!!!!!!!!!!!!!!!")]
    public async Task A07_a_short_or_common_password_is_refused(string password)
    {
        await using var hub = await Customers.StartAsync();
        using var browser = hub.NewBrowser();

        var refused = await browser.RegisterAsync("aino@example.com", password);

        Assert.Equal(HttpStatusCode.BadRequest, refused.Status);
        Assert.Contains("password-fault", refused.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A07_a_long_password_counts_as_a_whole_and_in_one_normal_form()
    {
        await using var hub = await Customers.StartAsync();
        using var browser = hub.NewBrowser();
        var password = string.Concat(Enumerable.Range(0, 64).Select(i => $"{(char)('a' + (i * 7 % 26))}\u00e4 ")) + "last";    // 196 characters

        Assert.Equal(HttpStatusCode.SeeOther, (await browser.JoinAsync("aino@example.com", password)).Status);

        Assert.Equal(HttpStatusCode.Unauthorized, (await browser.SignInAsync("aino@example.com", password[..^1], hub.SignInPath(new SignInRequest("/account") { Again = true }))).Status);
        using var other = hub.NewBrowser();
        Assert.Equal(HttpStatusCode.Unauthorized, (await other.SignInAsync("aino@example.com", password[..72])).Status);
        Assert.Equal(HttpStatusCode.SeeOther, (await other.SignInAsync("aino@example.com", password.Replace("\u00e4", "a\u0308", StringComparison.Ordinal))).Status);
    }

    [Fact]
    public async Task A07_more_than_256_characters_are_refused_and_none_is_cut_off()
    {
        await using var hub = await Customers.StartAsync();
        using var browser = hub.NewBrowser();

        var refused = await browser.RegisterAsync("aino@example.com", string.Concat(Enumerable.Range(0, 257).Select(i => (char)('a' + (i * i % 25)))));

        Assert.Contains("at most 256", refused.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task K02_opening_the_link_changes_nothing_however_often()
    {
        await using var hub = await Customers.StartAsync();
        using var browser = hub.NewBrowser();
        await browser.RegisterAsync("aino@example.com");
        var link = (await browser.LinksToAsync("aino@example.com"))[0];

        using var scanner = hub.NewBrowser();
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(HttpStatusCode.OK, (await scanner.GetAsync(link)).Status);
            await scanner.SendAsync(new HttpRequestMessage(HttpMethod.Head, link));
        }

        Assert.Null(await hub.AskAsync(new CustomerWithEmail("aino@example.com")));
        var page = await browser.GetAsync(link);
        Assert.Equal("no-referrer", page.Headers["Referrer-Policy"]);
        Assert.Equal(HttpStatusCode.SeeOther, (await browser.SubmitAsync(page)).Status);
    }

    [Fact]
    public async Task K03_a_forged_host_header_does_not_reach_the_mail()
    {
        await using var hub = await Customers.StartAsync();
        using var browser = hub.NewBrowser();
        var page = await browser.GetAsync("/register");
        var fields = page.Forms()[0].Hidden.Concat(Customers.Fields(("given_name", "Aino"), ("family_name", "Virtanen"), ("email", "aino@example.com"), ("password", Customers.GoodPassword)));

        var request = new HttpRequestMessage(HttpMethod.Post, "/register") { Content = new FormUrlEncodedContent(fields) };
        request.Headers.Host = "evil.example";
        request.Headers.Add("X-Forwarded-Host", "evil.example");
        request.Headers.Add("X-Forwarded-Proto", "https");
        // The cookie jar follows the Host header, so the anti-forgery cookie is carried along by hand.
        request.Headers.Add("Cookie", browser.Cookies.GetCookieHeader(new Uri(hub.Origin)));
        Assert.Equal(HttpStatusCode.SeeOther, (await browser.SendAsync(request)).Status);

        Assert.StartsWith(hub.Origin + "/confirm?code=", Assert.Single(await browser.LinksToAsync("aino@example.com")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task O18_in_another_browser_the_link_asks_for_the_password()
    {
        await using var hub = await Customers.StartAsync();
        using var maker = hub.NewBrowser();
        await maker.RegisterAsync("aino@example.com");
        var link = (await maker.LinksToAsync("aino@example.com"))[0];

        // The owner of the address, who did not register, clicks: no account comes of it, and no session of somebody else's.
        using var owner = hub.NewBrowser();
        var page = await owner.GetAsync(link);
        Assert.Contains("name=\"password\"", page.Body, StringComparison.Ordinal);
        Assert.Equal("identity.wrong_password", (await owner.SubmitAsync(page)).RefusalCode);
        Assert.Equal("identity.wrong_password", (await owner.SubmitAsync(page, Customers.Fields(("password", "what could it be now")))).RefusalCode);
        Assert.False(await owner.IsSignedInAsync());
        Assert.Null(await hub.AskAsync(new CustomerWithEmail("aino@example.com")));

        // Who did register, on another device, knows it.
        Assert.Equal(HttpStatusCode.SeeOther, (await owner.SubmitAsync(page, Customers.Fields(("password", Customers.GoodPassword)))).Status);
        Assert.True(await owner.IsSignedInAsync());
    }

    [Fact]
    public async Task A_link_works_once_and_for_a_day()
    {
        await using var hub = await Customers.StartAsync();
        using var browser = await hub.JoinedAsync("aino@example.com");
        var used = (await browser.LinksToAsync("aino@example.com"))[0];
        Assert.Equal("identity.link_not_ours", (await browser.GetAsync(used)).RefusalCode);

        using var slow = hub.NewBrowser();
        await slow.RegisterAsync("erik@example.com");
        var old = await slow.GetAsync((await slow.LinksToAsync("erik@example.com"))[0]);
        hub.Clock.Advance(TimeSpan.FromHours(24));
        Assert.Equal("identity.link_not_ours", (await slow.SubmitAsync(old)).RefusalCode);
        Assert.Null(await hub.AskAsync(new CustomerWithEmail("erik@example.com")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("?code=")]
    [InlineData("?code=nonsense")]
    [InlineData("?code=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("?code=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&code=B")]
    [InlineData("?code=%00%0d%0a")]
    public async Task K04_a_code_that_is_not_ours_is_refused_in_one_and_the_same_way(string query)
    {
        await using var hub = await Customers.StartAsync();
        using var browser = hub.NewBrowser();

        foreach (var path in (string[])["/confirm", "/password/new", "/email/confirm"])
        {
            var refused = await browser.GetAsync(path + query);
            Assert.Equal((HttpStatusCode.NotFound, "identity.link_not_ours"), (refused.Status, refused.RefusalCode));
        }
    }

    [Fact]
    public async Task A03_a_link_of_one_kind_opens_no_page_of_another()
    {
        await using var hub = await Customers.StartAsync();
        using var browser = hub.NewBrowser();
        await browser.RegisterAsync("aino@example.com");
        var code = new Uri((await browser.LinksToAsync("aino@example.com"))[0]).Query;

        foreach (var path in (string[])["/password/new", "/email/confirm"])
        {
            Assert.Equal("identity.link_not_ours", (await browser.GetAsync(path + code)).RefusalCode);
        }
    }

    [Fact]
    public async Task Of_twenty_confirmations_of_one_link_at_once_one_wins()
    {
        await using var hub = await Customers.StartAsync();
        using var browser = hub.NewBrowser();
        await browser.RegisterAsync("aino@example.com");
        var page = await browser.GetAsync((await browser.LinksToAsync("aino@example.com"))[0]);

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => browser.SubmitAsync(page)));

        Assert.Single(answers, a => a.Status == HttpStatusCode.SeeOther);
        // The others come too late, or find the winner's session in their browser and a form of nobody's.
        Assert.All(answers.Where(a => a.Status != HttpStatusCode.SeeOther), a => Assert.Contains(a.RefusalCode, (string[])["identity.link_not_ours", "request.malformed"]));
        Assert.Equal(1, await hub.WithDbAsync<IdentityDb, int>(db => db.Accounts.CountAsync()));
        Assert.Equal(1, await hub.WithDbAsync<IdentityDb, int>(db => db.Sessions.CountAsync()));
    }

    [Fact]
    public async Task Of_twenty_registrations_of_one_address_at_once_comes_one_account()
    {
        await using var hub = await Customers.StartAsync();
        var browsers = Enumerable.Range(0, 20).Select(_ => hub.NewBrowser()).ToList();

        var answers = await Task.WhenAll(browsers.Select(b => b.RegisterAsync("aino@example.com")));

        Assert.Equal(5, answers.Count(a => a.Status == HttpStatusCode.SeeOther));       // so many mails one address gets in an hour
        Assert.Equal(15, answers.Count(a => a.RefusalCode == "identity.too_many_mails"));
        var links = await browsers[0].LinksToAsync("aino@example.com");
        Assert.Equal(5, links.Count);
        var confirmed = await Task.WhenAll(links.Select(async (link, i) =>
            await browsers[i].SubmitAsync(await browsers[i].GetAsync(link), Customers.Fields(("password", Customers.GoodPassword)))));
        Assert.Single(confirmed, a => a.Status == HttpStatusCode.SeeOther);
        Assert.Equal(1, await hub.WithDbAsync<IdentityDb, int>(db => db.Accounts.CountAsync()));
        browsers.ForEach(b => b.Dispose());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_form_without_its_token_is_refused_and_changes_nothing(bool development)
    {
        await using var hub = await Customers.StartAsync(development);
        using var browser = hub.NewBrowser();

        foreach (var path in (string[])["/register", "/signin", "/confirm", "/password", "/password/new", "/email/confirm", "/signout"])
        {
            var refused = await browser.PostAsync(path, Customers.Fields(("email", "aino@example.com"), ("password", Customers.GoodPassword), ("code", Token.New())));
            Assert.Equal((path, HttpStatusCode.BadRequest, "request.malformed"), (path, refused.Status, refused.RefusalCode));
            Assert.Equal("nosniff", refused.Headers["X-Content-Type-Options"]);
        }
        Assert.Equal(0, await hub.WithDbAsync<IdentityDb, int>(db => db.Mails.CountAsync()));
        Assert.Contains("Pyyntöä ei voitu lukea", (await browser.PostAsync("/register?lang=fi", [])).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("fi", "Vahvista", "Tervetuloa")]
    [InlineData("sv", "Bekräfta", "Välkommen")]
    [InlineData("ko", "확인", "환영합니다")]
    public async Task Pages_and_mails_speak_the_customers_language(string language, string button, string greeting)
    {
        await using var hub = await Customers.StartAsync();
        using var browser = hub.NewBrowser();
        browser.Http.DefaultRequestHeaders.AcceptLanguage.Clear();
        browser.Http.DefaultRequestHeaders.AcceptLanguage.ParseAdd(language);

        await browser.RegisterAsync("aino@example.com");

        Assert.Contains(greeting, (await browser.GetAsync("/mailbox")).Text, StringComparison.Ordinal);
        var page = await browser.GetAsync((await browser.LinksToAsync("aino@example.com"))[0]);
        Assert.Contains(button, page.Text, StringComparison.Ordinal);
        Assert.DoesNotMatch(Key(), page.Text);
    }

    [GeneratedRegex(@"\b(confirm|register|signin|mail)\.[a-z_]+\b")] private static partial Regex Key();
}
