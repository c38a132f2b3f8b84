using System.Net;
using Commerce.Federation.Contracts;
using Commerce.Federation.Data;
using Commerce.Federation.Hops;
using Commerce.Kernel;
using Commerce.Purchases.Contracts;
using Commerce.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Federation.Tests.Hops;

/// <summary>What a stranger, a thief or a broken browser sends on the way of a hop.</summary>
public sealed class BadInputTests(HopHub world) : IClassFixture<HopHub>
{
    [Fact]
    public async Task Unknown_order_another_customers_order_and_an_offer_that_does_not_fit_look_the_same()
    {
        var (browser, customer, _) = world.Buyer();
        using var _b = browser;
        var other = world.Neighbours.NewCustomer("Bo Berg", "bo@example.com");
        world.Neighbours.Purchases[(other, "THEIRS-1")] = HopHub.Purchase() with { OrderNumber = "THEIRS-1" };
        Add("MATS-1", HopHub.Purchase(lines: [HopHub.Purchase().Lines[1]]));
        Add("SWEDEN-1", HopHub.Purchase(country: "SE"));

        var pages = new List<TestPage>();
        foreach (var url in new[]
        {
            HopHub.Path(order: "NOBODYS-1"), HopHub.Path(order: "THEIRS-1"), HopHub.Path(order: "MATS-1"), HopHub.Path(order: "SWEDEN-1"),
            HopHub.Path(offer: "no-such-offer"), "/hop/tire-fitting", "/hop/tire-fitting?order=", HopHub.Path(order: new string('9', 500)),
        }) pages.Add(await browser.GetAsync(url));

        Assert.All(pages, page =>
        {
            Assert.Equal(HttpStatusCode.NotFound, page.Status);
            Assert.Equal("federation.offer_unavailable", page.RefusalCode);
        });
        Assert.Single(pages.Select(page => WithoutReference(page.Text)).Distinct());
        Assert.Empty(await world.HopsOfAsync(customer));

        void Add(string number, Purchase purchase) => world.Neighbours.Purchases[(customer, number)] = purchase with { OrderNumber = number };
    }

    [Fact]
    public async Task A_ticket_is_good_once()
    {
        var (browser, customer, session) = world.Buyer();
        using var _b = browser;
        var ticket = HopHub.TicketIn(await HopHub.AnswerAsync(browser, "allow"));
        Assert.True((await world.RedeemAsync(ticket, HopHub.Client, customer, session)).IsOk);
        Assert.Equal("federation.ticket_invalid", (await world.RedeemAsync(ticket, HopHub.Client, customer, session)).Refusal?.Code);
    }

    [Fact]
    public async Task Of_fifty_that_redeem_one_ticket_at_the_same_moment_one_gets_it()
    {
        var (browser, customer, session) = world.Buyer();
        using var _b = browser;
        var ticket = HopHub.TicketIn(await HopHub.AnswerAsync(browser, "allow"));
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() => world.RedeemAsync(ticket, HopHub.Client, customer, session))));
        Assert.Single(answers, a => a.IsOk);
        Assert.All(answers.Where(a => !a.IsOk), a => Assert.Equal("federation.ticket_invalid", a.Refusal!.Code));
    }

    [Fact]
    public async Task A_ticket_expires_after_two_minutes_and_its_values_are_swept()
    {
        var (browser, customer, session) = world.Buyer();
        using var _b = browser;
        var ticket = HopHub.TicketIn(await HopHub.AnswerAsync(browser, "allow"));
        world.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal("federation.ticket_invalid", (await world.RedeemAsync(ticket, HopHub.Client, customer, session)).Refusal?.Code);

        await SweepHops.SweepAsync(world.Hub.Services.GetRequiredService<HotStore<FederationDb>>(), world.Clock.GetUtcNow(), default);
        Assert.Equal(HopState.Expired, Assert.Single(await world.HopsOfAsync(customer)).State);
        Assert.Equal(0, await world.ReleasesOfAsync(customer));
    }

    [Fact]
    public async Task A_ticket_is_good_for_its_own_partner_customer_and_browser_session_alone_and_a_failed_try_does_not_spoil_it()
    {
        var (browser, customer, session) = world.Buyer();
        using var _b = browser;
        var (thief, thiefId, thiefSession) = world.Buyer();
        using var _t = thief;
        var ticket = HopHub.TicketIn(await HopHub.AnswerAsync(browser, "allow"));

        foreach (var (connection, who, where) in new[]
        {
            ("shop", customer, session), (HopHub.Client, thiefId, thiefSession), (HopHub.Client, customer, thiefSession), (HopHub.Client, thiefId, session),
            ("nobody", customer, session), ("", customer, session),
        }) Assert.Equal("federation.ticket_invalid", (await world.RedeemAsync(ticket, connection, who, where)).Refusal?.Code);

        Assert.True((await world.RedeemAsync(ticket, HopHub.Client, customer, session)).IsOk);
    }

    [Fact]
    public async Task A_thousand_edited_tickets_open_nothing_and_the_right_one_still_does()
    {
        var (browser, customer, session) = world.Buyer();
        using var _b = browser;
        var ticket = HopHub.TicketIn(await HopHub.AnswerAsync(browser, "allow"));
        var random = new Random(1);
        for (var i = 0; i < 1000; i++)
            Assert.Equal("federation.ticket_invalid", (await world.RedeemAsync(Mutation.Of(ticket, random), HopHub.Client, customer, session)).Refusal?.Code);
        Assert.True((await world.RedeemAsync(ticket, HopHub.Client, customer, session)).IsOk);
    }

    [Fact]
    public async Task A_thousand_edited_sheets_are_refused_and_leave_no_trace()
    {
        var (browser, customer, _) = world.Buyer();
        using var _b = browser;
        var page = await browser.GetAsync(HopHub.Path());
        var form = page.Forms()[0];
        List<KeyValuePair<string, string>> good = [.. form.Hidden, new("decision", "allow"), new("claims", "phone_number")];
        var random = new Random(2);
        for (var i = 0; i < 1000; i++)
        {
            var fields = Edited(good, random);
            var answer = await browser.PostAsync(HopHub.Path(), fields);
            Assert.True(answer.Status == HttpStatusCode.BadRequest, $"{(int)answer.Status} for edit {i}");
        }
        Assert.Empty(await world.HopsOfAsync(customer));
        Assert.Equal(0, await world.ReleasesOfAsync(customer));
        Assert.DoesNotContain(world.Neighbours.Consents.Values, c => c.Customer == customer);
        Assert.Equal("fitter.example", (await browser.PostAsync(HopHub.Path(), good)).RedirectsTo?.Host);
    }

    [Fact]
    public async Task A_thousand_edited_addresses_are_refused_without_a_fault()
    {
        var (browser, customer, _) = world.Buyer();
        using var _b = browser;
        var random = new Random(3);
        for (var i = 0; i < 1000; i++)
        {
            var path = random.Next(2) == 0
                ? $"/hop/{Uri.EscapeDataString(Mutation.Of(HopHub.Offer, random))}?order={HopHub.Order}"
                : $"/hop/{HopHub.Offer}?order={Uri.EscapeDataString(Mutation.Of(HopHub.Order, random))}";
            var page = await browser.GetAsync(path);
            Assert.True((int)page.Status is 404 or 400, $"{(int)page.Status} for {path}");
        }
        Assert.Empty(await world.HopsOfAsync(customer));
    }

    [Fact]
    public async Task O18_a_sheet_shown_to_one_customer_is_not_answered_by_another()
    {
        var (browser, _, _) = world.Buyer();
        using var _b = browser;
        var (thief, thiefId, _) = world.Buyer();
        using var _t = thief;
        var theirs = (await browser.GetAsync(HopHub.Path())).Forms()[0].Hidden.Single(h => h.Key == "sheet");

        var page = await thief.SubmitAsync(await thief.GetAsync(HopHub.Path()), [theirs, .. HopHub.Fields("allow")]);

        Assert.Equal("federation.sheet_invalid", page.RefusalCode);
        Assert.Empty(await world.HopsOfAsync(thiefId));
    }

    [Fact]
    public async Task A_sheet_of_one_browser_session_is_not_answered_in_another_of_the_same_customer()
    {
        var (browser, customer, _) = world.Buyer();
        using var _b = browser;
        var sheet = (await browser.GetAsync(HopHub.Path())).Forms()[0].Hidden.Single(h => h.Key == "sheet");
        using var second = world.Hub.NewBrowser();
        world.Neighbours.SignIn(second, customer);

        var page = await second.SubmitAsync(await second.GetAsync(HopHub.Path()), [sheet, .. HopHub.Fields("allow")]);

        Assert.Equal("federation.sheet_invalid", page.RefusalCode);
    }

    [Fact]
    public async Task A_sheet_is_answered_once_however_often_it_is_posted()
    {
        var (browser, customer, _) = world.Buyer();
        using var _b = browser;
        var page = await browser.GetAsync(HopHub.Path());
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => browser.SubmitAsync(page, HopHub.Fields("allow"))));
        var hops = await world.HopsOfAsync(customer);
        Assert.Single(hops, h => h.Sheet is not null);
        Assert.Single(world.Neighbours.Consents.Values, c => c.Customer == customer);
    }

    [Fact]
    public async Task A_sheet_is_too_old_after_half_an_hour()
    {
        var (browser, customer, _) = world.Buyer();
        using var _b = browser;
        var page = await browser.GetAsync(HopHub.Path());
        world.Clock.Advance(TimeSpan.FromMinutes(31));
        Assert.Equal("federation.sheet_invalid", (await browser.SubmitAsync(page, HopHub.Fields("allow"))).RefusalCode);
        Assert.Empty(await world.HopsOfAsync(customer));
    }

    [Theory]
    [InlineData("name")]            // required: it is not for ticking
    [InlineData("address")]         // not in the contract
    [InlineData("vehicle", "phone_number")]
    public async Task O17_a_ticked_claim_that_the_sheet_did_not_offer_is_refused(params string[] claims)
    {
        var (browser, customer, _) = world.Buyer();
        using var _b = browser;
        Assert.Equal("federation.sheet_invalid", (await HopHub.AnswerAsync(browser, "allow", claims)).RefusalCode);
        Assert.Empty(await world.HopsOfAsync(customer));
    }

    [Fact]
    public async Task A_post_without_the_anti_forgery_token_is_refused()
    {
        var (browser, customer, _) = world.Buyer();
        using var _b = browser;
        var sheet = (await browser.GetAsync(HopHub.Path())).Forms()[0].Hidden.Single(h => h.Key == "sheet");
        Assert.Equal(HttpStatusCode.BadRequest, (await browser.PostAsync(HopHub.Path(), [sheet, .. HopHub.Fields("allow")])).Status);
        Assert.Empty(await world.HopsOfAsync(customer));
    }

    [Fact]
    public async Task X20_a_partner_switched_off_midway_gets_no_sheet_no_ticket_and_no_redemption()
    {
        await using var own = await HopHubOfItsOwnAsync();
        var hub = own.World;
        var (browser, customer, session) = hub.Buyer();
        using var _b = browser;
        var sheet = await browser.GetAsync(HopHub.Path());
        var (second, secondId, secondSession) = hub.Buyer();
        using var _s = second;
        var ticket = HopHub.TicketIn(await HopHub.AnswerAsync(second, "allow"));
        Assert.True((await hub.Hub.AskAsync(new SwitchPartner(HopHub.Partner, false))).IsOk);

        Assert.Equal("federation.offer_unavailable", (await browser.GetAsync(HopHub.Path())).RefusalCode);
        Assert.Equal("federation.offer_unavailable", (await browser.SubmitAsync(sheet, HopHub.Fields("allow"))).RefusalCode);
        Assert.Empty(await hub.HopsOfAsync(customer));
        Assert.Equal("federation.partner_off", (await hub.RedeemAsync(ticket, HopHub.Client, secondId, secondSession)).Refusal?.Code);
        Assert.Empty(await hub.Hub.AskAsync(new MatchOffers(HopHub.Order, "northern-tires", "FI", ["tires/winter"], "en")));

        Assert.True((await hub.Hub.AskAsync(new SwitchPartner(HopHub.Partner, true))).IsOk);
        Assert.True((await hub.RedeemAsync(ticket, HopHub.Client, secondId, secondSession)).IsOk);
        Assert.Equal("fitter.example", (await browser.SubmitAsync(sheet, HopHub.Fields("allow"))).RedirectsTo?.Host);
        Assert.NotEqual(Guid.Empty, session);
    }

    [Fact]
    public async Task A_removed_partner_is_gone_at_once()
    {
        await using var own = await HopHubOfItsOwnAsync();
        var hub = own.World;
        var (browser, customer, session) = hub.Buyer();
        using var _b = browser;
        var ticket = HopHub.TicketIn(await HopHub.AnswerAsync(browser, "allow"));
        Assert.True((await hub.Hub.AskAsync(new RemovePartner(HopHub.Partner))).IsOk);
        Assert.Equal("federation.partner_off", (await hub.RedeemAsync(ticket, HopHub.Client, customer, session)).Refusal?.Code);
        Assert.Equal("federation.offer_unavailable", (await browser.GetAsync(HopHub.Path())).RefusalCode);
        Assert.Equal("federation.unknown_partner", (await hub.Hub.AskAsync(new RemovePartner(HopHub.Partner))).Refusal?.Code);
    }

    [Fact]
    public async Task A_locked_account_and_an_ended_session_close_the_gate()
    {
        var (browser, customer, session) = world.Buyer();
        using var _b = browser;
        var ticket = HopHub.TicketIn(await HopHub.AnswerAsync(browser, "allow"));
        var account = world.Neighbours.Accounts[customer];
        world.Neighbours.Accounts[customer] = account with { IsLocked = true };
        Assert.Equal("federation.session_over", (await world.RedeemAsync(ticket, HopHub.Client, customer, session)).Refusal?.Code);
        Assert.Equal("/signin", (await browser.GetAsync(HopHub.Path())).RedirectsTo?.AbsolutePath);
        world.Neighbours.Accounts[customer] = account;
        world.Neighbours.Sessions.TryRemove(session, out _);
        Assert.Equal("federation.session_over", (await world.RedeemAsync(ticket, HopHub.Client, customer, session)).Refusal?.Code);
    }

    [Fact]
    public async Task A_new_contract_version_asks_again_and_a_claim_it_dropped_no_longer_leaves()
    {
        await using var own = await HopHubOfItsOwnAsync();
        var hub = own.World;
        var (browser, customer, session) = hub.Buyer();
        using var _b = browser;
        var release = (await hub.RedeemAsync(HopHub.TicketIn(await HopHub.AnswerAsync(browser, "allow")), HopHub.Client, customer, session)).Value;
        Assert.Contains("vehicle", (await hub.ClaimsAsync(release)).Keys);

        Assert.Equal(2, (await hub.Hub.AskAsync(new SetDataContract(Documents.Contract(c =>
        {
            c["version"] = 2;
            var claims = c["purposes"]![0]!["claims"]!.AsArray();
            claims.RemoveAt(3);
        })))).Value);

        Assert.DoesNotContain("vehicle", (await hub.ClaimsAsync(release)).Keys);
        Assert.Contains("Share your details", (await browser.GetAsync(HopHub.Path())).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_log_line_holds_a_value_a_ticket_or_a_sheet()
    {
        var (browser, customer, session) = world.Buyer();
        using var _b = browser;
        var page = await browser.GetAsync(HopHub.Path());
        var sheet = page.Forms()[0].Hidden.Single(h => h.Key == "sheet").Value;
        var ticket = HopHub.TicketIn(await browser.SubmitAsync(page, HopHub.Fields("allow")));
        await world.RedeemAsync(ticket, HopHub.Client, customer, session);
        await world.RedeemAsync(ticket, HopHub.Client, customer, session);
        var log = string.Join('\n', world.Telling.Lines);
        foreach (var secret in new[] { ticket, sheet, "aino.virtanen@example.com", "XYZ-789", "+358401234567" }) Assert.DoesNotContain(secret, log, StringComparison.Ordinal);
        var stored = await world.Hub.WithDbAsync<FederationDb, List<byte[]>>(db => db.Releases.Select(r => r.Values).ToListAsync());
        Assert.All(stored, row => Assert.DoesNotContain("XYZ-789", System.Text.Encoding.UTF8.GetString(row), StringComparison.Ordinal));
    }

    private static List<KeyValuePair<string, string>> Edited(List<KeyValuePair<string, string>> good, Random random)
    {
        var fields = good.ToList();
        var at = random.Next(fields.Count);
        var (name, value) = fields[at];
        switch (random.Next(6))
        {
            case 0 when name is not "claims":                   // a sheet without a tick is an answer too
                fields.RemoveAt(at);
                break;
            case 1:
                fields.Add(new(name, value + "x"));              // said twice
                break;
            case 2:
                fields[at] = new(Mutation.Of(name, random), value);
                break;
            case 3:
                fields.Add(new(Mutation.Of(name, random), value));
                break;
            default:
                // The last character of the framework's own token has bits that mean nothing.
                fields[at] = new(name, name == "form_token" ? Mutation.Of(value[..^1], random) + value[^1] : Mutation.Of(value, random));
                break;
        }
        return fields;
    }

    private static string WithoutReference(string text) => System.Text.RegularExpressions.Regex.Replace(text, "Reference .* ·", "", System.Text.RegularExpressions.RegexOptions.None);

    private static async Task<OwnHub> HopHubOfItsOwnAsync()
    {
        var world = new HopHub();
        await world.InitializeAsync();
        return new OwnHub(world);
    }

    private sealed record OwnHub(HopHub World) : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => World.DisposeAsync();
    }
}

/// <summary>One small edit of a text; never the text itself.</summary>
internal static class Mutation
{
    private const string Letters = "ABCXYZabcxyz0189-_.~%+/=&<>\"' \u00e5\u4e2d";

    public static string Of(string text, Random random)
    {
        while (true)
        {
            var at = random.Next(text.Length);
            var letter = Letters[random.Next(Letters.Length)];
            var edited = random.Next(5) switch
            {
                0 => text.Remove(at, 1),
                1 => text.Insert(at, letter.ToString()),
                2 => text[..at],
                3 => text + text[at..],
                _ => text[..at] + letter + text[(at + 1)..],
            };
            if (edited != text) return edited;
        }
    }
}
