using System.Net;
using Commerce.Federation.Hops;
using Commerce.Testing;
using Microsoft.AspNetCore.WebUtilities;

namespace Commerce.Federation.Tests.Hops;

/// <summary>The hop as the customer walks it, from the offer to the partner's door.</summary>
public sealed class HopTests(HopHub world) : IClassFixture<HopHub>
{
    [Fact]
    public async Task The_sheet_says_who_where_what_for_how_long_and_every_value_as_it_leaves()
    {
        var (browser, _, _) = world.Buyer();
        using var _b = browser;

        var page = await browser.GetAsync(HopHub.Path());

        Assert.Equal(HttpStatusCode.OK, page.Status);
        foreach (var said in new[]
        {
            "Kolari Auto", "fitter.example", "Book a fitting and have the right parts ready", "for 90 days", "Aino Virtanen", "aino.virtanen@example.com (confirmed)",
            "+358401234567 (not confirmed)", "XYZ-789", "4 × 205/55R16 winter", "to fit the right car", "NT-2026-000123", "129.90",
        }) Assert.Contains(said, page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("floor mats", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Salakatu", page.Text, StringComparison.Ordinal);
        Assert.Contains("""name="claims" value="phone_number" """.TrimEnd(), page.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("checked", page.Body, StringComparison.Ordinal);
        var csp = page.Headers["Content-Security-Policy"];
        Assert.Contains("form-action 'self' https://fitter.example https://shop.example;", csp, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_yes_sends_the_browser_to_the_partner_with_a_ticket_that_holds_what_was_shown_and_nothing_else()
    {
        var (browser, customer, session) = world.Buyer();
        using var _b = browser;

        var page = await HopHub.AnswerAsync(browser, "allow");

        Assert.Equal(HttpStatusCode.SeeOther, page.Status);
        var query = QueryHelpers.ParseQuery(page.RedirectsTo!.Query);
        Assert.Equal("https://fitter.example/hop", page.RedirectsTo.GetLeftPart(UriPartial.Path));
        Assert.Equal(world.Hub.Origin, query["iss"]);
        Assert.Equal("https://fitter.example/book", query["target_link_uri"]);

        var release = (await world.RedeemAsync(HopHub.TicketIn(page), HopHub.Client, customer, session)).Value;
        var claims = await world.ClaimsAsync(release);
        Assert.Equal(["consent_receipt", "email", "email_verified", "family_name", "given_name", "hop", "name", "purchase", "vehicle"], claims.Keys.Order());
        Assert.Equal("XYZ-789", claims["vehicle"].GetProperty("registration").GetString());
        Assert.Equal(["NT-WT-2055516"], claims["purchase"].GetProperty("lines").EnumerateArray().Select(l => l.GetProperty("sku").GetString()));
        Assert.Equal("home_delivery", claims["purchase"].GetProperty("fulfilment").GetProperty("method").GetString());
        Assert.DoesNotContain("Salakatu", claims["purchase"].GetRawText(), StringComparison.Ordinal);
        Assert.Equal(release.Receipt, claims["consent_receipt"].GetString());
        Assert.Equal("tire-fitting", claims["hop"].GetProperty("offer").GetString());
        Assert.Equal(release.Hop, claims["hop"].GetProperty("id").GetGuid());
    }

    [Fact]
    public async Task An_optional_claim_leaves_only_where_it_was_ticked()
    {
        var (browser, customer, session) = world.Buyer();
        using var _b = browser;
        var page = await HopHub.AnswerAsync(browser, "allow", "phone_number");
        var claims = await world.ClaimsAsync((await world.RedeemAsync(HopHub.TicketIn(page), HopHub.Client, customer, session)).Value);
        Assert.Equal("+358401234567", claims["phone_number"].GetString());
        Assert.Contains("phone_number_verified", claims.Keys);
    }

    [Fact]
    public async Task A_no_leads_back_to_the_shop_and_leaves_nothing_behind_but_the_no()
    {
        var (browser, customer, _) = world.Buyer();
        using var _b = browser;

        var page = await HopHub.AnswerAsync(browser, "deny");

        Assert.Equal(HttpStatusCode.SeeOther, page.Status);
        Assert.Equal("https://shop.example/thanks?from=hub&hop=denied&offer=tire-fitting&order=NT-2026-000123", page.RedirectsTo!.AbsoluteUri);
        var hop = Assert.Single(await world.HopsOfAsync(customer));
        Assert.Equal(HopState.Denied, hop.State);
        Assert.Null(hop.TicketHash);
        Assert.Equal(0, await world.ReleasesOfAsync(customer));
        Assert.DoesNotContain(world.Neighbours.Consents.Values, c => c.Customer == customer);
    }

    [Fact]
    public async Task A_no_to_an_imported_order_ends_on_a_plain_page()
    {
        var (browser, _, _) = world.Buyer(apiClient: null);
        using var _b = browser;
        var page = await HopHub.AnswerAsync(browser, "deny");
        Assert.Equal(HttpStatusCode.OK, page.Status);
        Assert.Contains("Nothing was shared", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_a_standing_consent_the_hop_starts_without_a_sheet()
    {
        var (browser, customer, session) = world.Buyer();
        using var _b = browser;
        await HopHub.AnswerAsync(browser, "allow");

        var page = await browser.GetAsync(HopHub.Path());

        var release = (await world.RedeemAsync(HopHub.TicketIn(page), HopHub.Client, customer, session)).Value;
        Assert.Contains("vehicle", release.Names);
        Assert.DoesNotContain("phone_number", release.Names);
    }

    [Fact]
    public async Task A_withdrawn_consent_brings_the_sheet_back_and_spoils_a_ticket_on_its_way()
    {
        var (browser, customer, session) = world.Buyer();
        using var _b = browser;
        var ticket = HopHub.TicketIn(await HopHub.AnswerAsync(browser, "allow"));
        var consent = world.Neighbours.Consents.Values.Single(c => c.Customer == customer);
        world.Neighbours.Consents.TryRemove(consent.Receipt, out _);

        Assert.Equal("federation.nothing_agreed", (await world.RedeemAsync(ticket, HopHub.Client, customer, session)).Refusal?.Code);
        Assert.Contains("Share your details", (await browser.GetAsync(HopHub.Path())).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_session_the_browser_goes_to_the_sign_in_page_and_back_to_the_hop()
    {
        using var browser = world.Hub.NewBrowser();
        var page = await browser.GetAsync(HopHub.Path());
        Assert.Equal(HttpStatusCode.SeeOther, page.Status);
        Assert.Equal("/signin", page.RedirectsTo!.AbsolutePath);
    }

    [Theory]
    [InlineData("Sec-Purpose", "prefetch;prerender")]
    [InlineData("Purpose", "prefetch")]
    [InlineData("X-Moz", "Prefetch")]
    public async Task A_browser_that_fetches_ahead_of_time_starts_nothing(string header, string value)
    {
        var (browser, customer, _) = world.Buyer();
        using var _b = browser;
        await HopHub.AnswerAsync(browser, "allow");
        var before = (await world.HopsOfAsync(customer)).Count;

        using var request = new HttpRequestMessage(HttpMethod.Get, HopHub.Path());
        request.Headers.Add(header, value);
        var page = await browser.SendAsync(request);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, page.Status);
        Assert.Equal(before, (await world.HopsOfAsync(customer)).Count);
    }

    [Fact]
    public async Task A_required_value_that_is_missing_is_named_and_cannot_be_allowed()
    {
        var (browser, customer, _) = world.Buyer();
        using var _b = browser;
        world.Neighbours.Profiles[customer].Remove("email");

        var page = await browser.GetAsync(HopHub.Path());
        Assert.Contains("your profile doesn't have it yet", page.Text, StringComparison.Ordinal);
        Assert.Contains("/account/profile", page.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("value=\"allow\"", page.Body, StringComparison.Ordinal);

        var forced = await browser.SubmitAsync(page, HopHub.Fields("allow"));
        Assert.Equal(HttpStatusCode.OK, forced.Status);
        Assert.Empty(await world.HopsOfAsync(customer));
    }

    [Fact]
    public async Task What_changed_after_the_sheet_was_shown_is_shown_again_before_it_goes()
    {
        var (browser, customer, _) = world.Buyer();
        using var _b = browser;
        var page = await browser.GetAsync(HopHub.Path());
        world.Neighbours.Profiles[customer]["email"] = HopHub.Json("new@example.com");

        var again = await browser.SubmitAsync(page, HopHub.Fields("allow"));

        Assert.Equal(HttpStatusCode.Conflict, again.Status);
        Assert.Contains("Something changed", again.Text, StringComparison.Ordinal);
        Assert.Contains("new@example.com", again.Text, StringComparison.Ordinal);
        Assert.Empty(await world.HopsOfAsync(customer));
        Assert.Equal("fitter.example", (await browser.SubmitAsync(again, HopHub.Fields("allow"))).RedirectsTo?.Host);
    }

    [Theory]
    [InlineData("fi", "Jaetaanko tietosi: Kolari Auto?", "Asennusajan varaaminen", "90 päivää")]
    [InlineData("sv", "Vill du dela dina uppgifter med Kolari Auto?", "Book a fitting", "i 90 dagar")]
    [InlineData("ko", "Kolari Auto에 내 정보를 전달할까요?", "Book a fitting", "90일 동안")]
    public async Task The_sheet_speaks_the_customers_language(string language, params string[] said)
    {
        var (browser, _, _) = world.Buyer();
        using var _b = browser;
        var page = await browser.GetAsync(HopHub.Path() + "&lang=" + language);
        foreach (var words in said) Assert.Contains(words, page.Text, StringComparison.Ordinal);
        // Words that the contract has in English alone are marked as such for screen readers.
        Assert.Contains("""<span lang="en">to fit the right car</span>""", page.Body, StringComparison.Ordinal);
        Assert.Contains($"<html lang=\"{language}\">", page.Body, StringComparison.Ordinal);
    }
}
