using System.Net;
using Commerce.Identity.Contracts;
using Commerce.Identity.Data;
using Commerce.Kernel;
using Commerce.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Commerce.Identity.Tests;

public sealed class SessionTests
{
    private static readonly SignInRequest Again = new("/account") { Again = true };

    [Fact]
    public async Task A13_every_sign_in_makes_a_new_token_and_the_old_one_is_dead()
    {
        await using var hub = await Customers.StartAsync();
        using var browser = await hub.JoinedAsync("aino@example.com");
        var before = browser.SessionCookie(hub)!;

        Assert.Equal(HttpStatusCode.SeeOther, (await browser.SignInAsync("aino@example.com", path: hub.SignInPath(Again))).Status);

        Assert.NotEqual(before, browser.SessionCookie(hub));
        Assert.True(await browser.IsSignedInAsync());
        using var thief = hub.NewBrowser();
        thief.PlantSession(hub, before);
        Assert.False(await thief.IsSignedInAsync());
    }

    [Fact]
    public async Task A12_signing_in_again_keeps_the_session_known_to_partners_and_moves_its_time()
    {
        await using var hub = await Customers.StartAsync();
        using var browser = await hub.JoinedAsync("aino@example.com");
        var before = await OnlySessionAsync(hub);
        hub.Clock.Advance(TimeSpan.FromMinutes(10));
        Assert.Contains("once more", (await browser.GetAsync(hub.SignInPath(Again))).Text, StringComparison.Ordinal);

        await browser.SignInAsync("aino@example.com", path: hub.SignInPath(Again));

        var after = await OnlySessionAsync(hub);
        Assert.Equal(before.Id, after.Id);
        Assert.Equal(before.AuthenticatedAt.AddMinutes(10), after.AuthenticatedAt);
        Assert.Equal(["pwd"], after.Amr);
        Assert.Equal(HubAcr.Password, after.Acr);
    }

    [Fact]
    public async Task O18_somebody_elses_sign_in_in_the_same_browser_ends_the_first_session()
    {
        await using var hub = await Customers.StartAsync();
        using var other = await hub.JoinedAsync("erik@example.com");
        using var browser = await hub.JoinedAsync("aino@example.com");
        var first = browser.SessionCookie(hub)!;

        await browser.SignInAsync("erik@example.com", path: hub.SignInPath(Again));

        var ended = await hub.Services.GetRequiredService<Heard>().WaitForAsync<SessionEnded>();
        Assert.Equal((await hub.CustomerAsync("aino@example.com"), "replaced"), (ended.Customer, ended.Reason));
        using var thief = hub.NewBrowser();
        thief.PlantSession(hub, first);
        Assert.False(await thief.IsSignedInAsync());
    }

    [Fact]
    public async Task O18_a_planted_cookie_is_never_taken_over()
    {
        await using var hub = await Customers.StartAsync();
        using var attacker = await hub.JoinedAsync("mallory@example.com");
        using var victim = await hub.JoinedAsync("aino@example.com");
        using var browser = hub.NewBrowser();
        browser.PlantSession(hub, attacker.SessionCookie(hub)!);

        await browser.SignInAsync("aino@example.com", path: hub.SignInPath(Again));

        var cookies = browser.Cookies.GetCookies(new Uri(hub.Origin)).Where(c => c.Name == "hub_session").Select(c => c.Value).ToList();
        Assert.DoesNotContain(attacker.SessionCookie(hub), cookies);
    }

    [Fact]
    public async Task A13_signing_out_ends_the_session_on_the_server_at_once_and_tells_the_others()
    {
        await using var hub = await Customers.StartAsync();
        using var browser = await hub.JoinedAsync("aino@example.com");
        var cookie = browser.SessionCookie(hub)!;
        Assert.True(await browser.IsSignedInAsync());       // the answer is in the cache now

        await browser.SubmitAsync(await browser.GetAsync("/signout"));

        Assert.Null(browser.SessionCookie(hub));
        browser.PlantSession(hub, cookie);
        Assert.False(await browser.IsSignedInAsync());
        var ended = await hub.Services.GetRequiredService<Heard>().WaitForAsync<SessionEnded>();
        Assert.Equal("signed_out", ended.Reason);
        Assert.Null(await hub.AskAsync(new SessionOf(ended.Session)));
    }

    [Fact]
    public async Task A13_a_session_ends_after_half_an_hour_of_silence()
    {
        await using var hub = await Customers.StartAsync();
        using var browser = await hub.JoinedAsync("aino@example.com");

        hub.Clock.Advance(TimeSpan.FromMinutes(29));
        Assert.True(await browser.IsSignedInAsync());
        hub.Clock.Advance(TimeSpan.FromMinutes(29));
        Assert.True(await browser.IsSignedInAsync());
        hub.Clock.Advance(TimeSpan.FromMinutes(31));
        Assert.False(await browser.IsSignedInAsync());
    }

    [Fact]
    public async Task A13_a_session_ends_after_twelve_hours_however_busy()
    {
        await using var hub = await Customers.StartAsync();
        using var browser = await hub.JoinedAsync("aino@example.com");

        for (var i = 0; i < 28; i++)
        {
            hub.Clock.Advance(TimeSpan.FromMinutes(25));
            Assert.True(await browser.IsSignedInAsync());
        }
        hub.Clock.Advance(TimeSpan.FromMinutes(25));
        Assert.False(await browser.IsSignedInAsync());
    }

    [Fact]
    public async Task Asking_about_a_session_from_behind_does_not_keep_it_alive()
    {
        await using var hub = await Customers.StartAsync();
        using var browser = await hub.JoinedAsync("aino@example.com");
        var session = await OnlySessionAsync(hub);

        hub.Clock.Advance(TimeSpan.FromMinutes(20));
        Assert.NotNull(await hub.AskAsync(new SessionOf(session.Id)));
        hub.Clock.Advance(TimeSpan.FromMinutes(11));
        Assert.Null(await hub.AskAsync(new SessionOf(session.Id)));
        Assert.False(await browser.IsSignedInAsync());
    }

    [Fact]
    public async Task Of_twenty_that_end_one_session_at_once_one_does_and_the_others_hear_of_it_once()
    {
        await using var hub = await Customers.StartAsync();
        using var browser = await hub.JoinedAsync("aino@example.com");
        var session = await OnlySessionAsync(hub);

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => hub.AskAsync(new EndSession(session.Id)))));

        Assert.Single(answers, ended => ended);
        var heard = hub.Services.GetRequiredService<Heard>();
        await heard.WaitForAsync<SessionEnded>();
        await Wait.UntilAsync(async () => await hub.WithDbAsync<IdentityDb, bool>(async db => await db.Database.SqlQuery<int>($"SELECT COUNT(*) AS Value FROM outbox").SingleAsync() == 0), "the outbox is empty");
        Assert.Single(heard.Events.OfType<SessionEnded>());
        Assert.False(await hub.AskAsync(new EndSession(Guid.CreateVersion7())));
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("!!!!!!!!!!!!!!!!!!!!!!.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAA=.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public async Task A_cookie_that_is_not_ours_is_nobody(string value)
    {
        await using var hub = await Customers.StartAsync();
        using var browser = hub.NewBrowser();
        var request = new HttpRequestMessage(HttpMethod.Get, "/signin");
        request.Headers.TryAddWithoutValidation("Cookie", $"hub_session={value}");

        Assert.Equal(HttpStatusCode.OK, (await browser.SendAsync(request)).Status);
    }

    [Fact]
    public async Task The_right_id_with_another_token_is_nobody()
    {
        await using var hub = await Customers.StartAsync();
        using var browser = await hub.JoinedAsync("aino@example.com");
        using var thief = hub.NewBrowser();

        thief.PlantSession(hub, browser.SessionCookie(hub)!.Split('.')[0] + "." + Token.New());

        Assert.False(await thief.IsSignedInAsync());
    }

    [Fact]
    public async Task The_cookie_is_closed_to_scripts_and_to_other_sites_posts()
    {
        await using var hub = await Customers.StartAsync();
        using var owner = await hub.JoinedAsync("aino@example.com");
        using var browser = hub.NewBrowser();

        var cookie = (await browser.SignInAsync("aino@example.com")).Headers["Set-Cookie"];

        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=lax", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("expires", cookie, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_session_is_stored_by_the_hash_of_its_token()
    {
        await using var hub = await Customers.StartAsync();
        using var browser = await hub.JoinedAsync("aino@example.com");
        var token = browser.SessionCookie(hub)!.Split('.')[1];

        var rows = await hub.WithDbAsync<IdentityDb, List<byte[]>>(db => db.Sessions.Select(s => s.TokenHash).ToListAsync());

        Assert.Equal(Token.Hash(token), Assert.Single(rows));
    }

    private static async Task<Session> OnlySessionAsync(TestHub hub)
    {
        var id = await hub.WithDbAsync<IdentityDb, Guid>(db => db.Sessions.Select(s => s.Id).SingleAsync());
        return (await hub.AskAsync(new SessionOf(id)))!;
    }
}
