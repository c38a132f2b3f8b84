using System.Net;
using Commerce.Federation.Data;
using Commerce.Federation.Partners;
using Commerce.Federation.Releases;
using Commerce.Kernel;
using Commerce.Purchases.Contracts;
using Commerce.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Federation.Tests.Hops;

/// <summary>The consent sheet of a sign-in that the partner started itself.</summary>
public sealed class SignInSheetTests(HopHub world) : IClassFixture<HopHub>
{
    private const string Return = "/connect/authorize/resume?handle=h";
    private const string Deny = "/connect/authorize/deny?handle=h";

    [Fact]
    public async Task Without_a_consent_the_browser_is_sent_to_the_sheet_and_a_yes_leads_back()
    {
        var (browser, customer, session) = world.Buyer();
        using var _b = browser;
        var answer = (await DecideAsync(customer, session, ["email", "email_verified"])).Value;
        Assert.Null(answer.Release);

        var page = await browser.GetAsync(answer.SheetPath!);
        Assert.Contains("aino.virtanen@example.com", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Aino Virtanen", page.Text, StringComparison.Ordinal);        // name was not asked for
        Assert.DoesNotContain("ABC-123", page.Text, StringComparison.Ordinal);              // a vehicle leaves with a hop or not at all
        var after = await browser.SubmitAsync(page, HopHub.Fields("allow"));
        Assert.Equal((HttpStatusCode.SeeOther, Return), (after.Status, after.RedirectsTo?.PathAndQuery));

        var release = (await DecideAsync(customer, session, ["email", "email_verified"])).Value.Release!;
        Assert.Equal(["consent_receipt", "email", "email_verified"], (await world.ClaimsAsync(release)).Keys.Order());
        Assert.Null(release.Hop);
    }

    [Fact]
    public async Task A_no_leads_to_the_callers_deny_path_and_records_no_consent()
    {
        var (browser, customer, session) = world.Buyer();
        using var _b = browser;
        var page = await browser.GetAsync((await DecideAsync(customer, session, null)).Value.SheetPath!);
        Assert.Equal(Deny, (await browser.SubmitAsync(page, HopHub.Fields("deny"))).RedirectsTo?.PathAndQuery);
        Assert.DoesNotContain(world.Neighbours.Consents.Values, c => c.Customer == customer);
    }

    [Fact]
    public async Task The_same_yes_once_more_keeps_the_receipt()
    {
        var (browser, customer, session) = world.Buyer();
        using var _b = browser;
        var page = await browser.GetAsync((await DecideAsync(customer, session, ["email"])).Value.SheetPath!);
        await browser.SubmitAsync(page, HopHub.Fields("allow"));
        var receipt = world.Neighbours.Consents.Values.Single(c => c.Customer == customer).Receipt;
        Assert.Equal(Return, (await browser.SubmitAsync(page, HopHub.Fields("allow"))).RedirectsTo?.PathAndQuery);
        Assert.Equal(receipt, world.Neighbours.Consents.Values.Single(c => c.Customer == customer).Receipt);
    }

    [Fact]
    public async Task Asking_for_more_than_was_agreed_asks_again()
    {
        var (browser, customer, session) = world.Buyer();
        using var _b = browser;
        await AgreeAsync(browser, customer, session, ["email"]);
        Assert.NotNull((await DecideAsync(customer, session, ["email", "name"])).Value.SheetPath);
        Assert.NotNull((await DecideAsync(customer, session, ["email"], forceAsk: true)).Value.SheetPath);
        Assert.Null((await DecideAsync(customer, session, ["email"])).Value.SheetPath);
    }

    [Fact]
    public async Task A_sign_in_that_asks_again_keeps_what_a_hop_was_allowed()
    {
        var (browser, customer, session) = world.Buyer();
        using var _b = browser;
        await HopHub.AnswerAsync(browser, "allow");
        var page = await browser.GetAsync((await DecideAsync(customer, session, ["name"], forceAsk: true)).Value.SheetPath!);
        await browser.SubmitAsync(page, HopHub.Fields("allow"));
        Assert.Equal("fitter.example", (await browser.GetAsync(HopHub.Path())).RedirectsTo?.Host);   // no sheet: the hop is still covered
    }

    [Fact]
    public async Task Nothing_asked_for_needs_no_sheet_and_releases_nothing()
    {
        var (browser, customer, session) = world.Buyer();
        using var _b = browser;
        foreach (var asked in new string[][] { [], ["vehicle", "purchase"], ["address"] })
        {
            var release = (await DecideAsync(customer, session, asked)).Value.Release!;
            Assert.Empty(await world.ClaimsAsync(release));
        }
    }

    [Fact]
    public async Task A_connection_without_a_contract_releases_nothing_but_the_subject()
    {
        var (browser, customer, session) = world.Buyer();
        using var _b = browser;
        Assert.Empty(await world.ClaimsAsync((await DecideAsync(customer, session, null, connection: "shop")).Value.Release!));
    }

    [Fact]
    public async Task A_sheet_of_somebody_else_an_edited_one_and_an_old_one_are_refused()
    {
        var (browser, customer, session) = world.Buyer();
        using var _b = browser;
        var (thief, _, _) = world.Buyer();
        using var _t = thief;
        var path = (await DecideAsync(customer, session, null)).Value.SheetPath!;

        Assert.Equal("federation.sheet_invalid", (await thief.GetAsync(path)).RefusalCode);
        var random = new Random(4);
        for (var i = 0; i < 200; i++)
        {
            var ask = Mutation.Of(path["/consent?ask=".Length..], random);
            Assert.Equal("federation.sheet_invalid", (await browser.GetAsync("/consent?ask=" + Uri.EscapeDataString(ask))).RefusalCode);
        }
        world.Clock.Advance(TimeSpan.FromMinutes(31));
        Assert.Equal("federation.sheet_invalid", (await browser.GetAsync(path)).RefusalCode);
    }

    [Fact]
    public async Task A_locked_customer_and_a_stranger_to_the_session_get_nothing()
    {
        var (browser, customer, session) = world.Buyer();
        using var _b = browser;
        Assert.Equal("federation.session_over", (await DecideAsync(Guid.CreateVersion7(), session, null)).Refusal?.Code);
        world.Neighbours.Accounts[customer] = world.Neighbours.Accounts[customer] with { IsLocked = true };
        Assert.Equal("federation.session_over", (await DecideAsync(customer, session, null)).Refusal?.Code);
    }

    [Fact]
    public async Task A_landed_hop_can_be_booked_by_its_partner_and_by_no_other()
    {
        var (browser, customer, session) = world.Buyer();
        using var _b = browser;
        var ticket = HopHub.TicketIn(await HopHub.AnswerAsync(browser, "allow"));
        var hop = Assert.Single(await world.HopsOfAsync(customer)).Id.ToString();
        Assert.False((await world.Hub.AskAsync(new HopForBooking(hop, HopHub.Partner))).IsOk);      // it has not landed
        Assert.True((await world.RedeemAsync(ticket, HopHub.Client, customer, session)).IsOk);
        var bookable = (await world.Hub.AskAsync(new HopForBooking(hop, HopHub.Partner))).Value;
        Assert.Equal((customer, HopHub.Order, "Kolari Auto", HopHub.Offer), (bookable.Customer, bookable.OrderNumber, bookable.PartnerName, bookable.Offer));
        Assert.False((await world.Hub.AskAsync(new HopForBooking(hop, "rival"))).IsOk);
    }

    private async Task AgreeAsync(TestBrowser browser, Guid customer, Guid session, IReadOnlyList<string> asked) =>
        await browser.SubmitAsync(await browser.GetAsync((await DecideAsync(customer, session, asked)).Value.SheetPath!), HopHub.Fields("allow"));

    private async Task<Result<SignInReleaseAnswer>> DecideAsync(
        Guid customer, Guid session, IReadOnlyCollection<string>? asked, bool forceAsk = false, string connection = HopHub.Client)
    {
        await using var scope = world.Hub.Services.CreateAsyncScope();
        var known = await scope.ServiceProvider.GetRequiredService<Connections>().FindAsync(connection);
        var answer = await scope.ServiceProvider.GetRequiredService<SignInRelease>().DecideAsync(known!, customer, session, asked, () => new SheetPaths(Return, Deny), forceAsk, default);
        await scope.ServiceProvider.GetRequiredService<FederationDb>().SaveChangesAsync();
        return answer;
    }
}
