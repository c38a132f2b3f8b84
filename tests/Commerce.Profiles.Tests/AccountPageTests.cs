using System.Net;
using Commerce.Identity.Contracts;
using Commerce.Profiles.Contracts;
using Commerce.Testing;
using Xunit;

namespace Commerce.Profiles.Tests;

public sealed class AccountPageTests
{
    [Fact]
    public async Task Without_a_session_the_account_page_leads_to_sign_in_and_back()
    {
        await using var hub = await World.StartAsync();
        await hub.ImportAinoAsync();
        using var browser = hub.NewBrowser();

        var challenged = await browser.GetAsync("/account/profile");

        Assert.Equal("/signin", challenged.RedirectsTo!.AbsolutePath);
        var back = await browser.SubmitAsync(await browser.FollowAsync(challenged), World.Fields(("email", World.Email), ("password", World.Password)));
        Assert.Equal("/account/profile", back.RedirectsTo!.PathAndQuery);
    }

    [Fact]
    public async Task The_page_shows_what_is_known_and_where_it_came_from()
    {
        await using var hub = await World.StartAsync();
        var customer = await hub.ImportAinoAsync();
        await hub.AskAsync(new ImportProfiles([World.Profile(customer)]));
        using var browser = await hub.SignedInAsync();

        var page = await browser.GetAsync("/account");

        Assert.Equal(HttpStatusCode.OK, page.Status);
        foreach (var shown in (string[])["Hello, Aino", "Aino Virtanen", World.Email, "+358401234567", "Esimerkkikatu 1 A 2, 00100 Helsinki, FI", "ABC-123", "205/55R16", "from northern-tires", "6014 3500 0001"])
        {
            Assert.Contains(shown, page.Text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("fi", "Hei, Aino", "Tapahtumat")]
    [InlineData("sv", "Hej, Aino", "Vad som har hänt")]
    [InlineData("ko", "Aino님, 안녕하세요", "활동 내역")]
    public async Task The_page_speaks_the_customers_language(string language, string greeting, string heading)
    {
        await using var hub = await World.StartAsync();
        await hub.AskAsync(new ImportProfiles([World.Profile(await hub.ImportAinoAsync())]));
        using var browser = await hub.SignedInAsync();

        var page = await browser.GetAsync($"/account?lang={language}");

        Assert.Contains(greeting, page.Text, StringComparison.Ordinal);
        Assert.Contains(heading, page.Text, StringComparison.Ordinal);
        Assert.Contains($"<html lang=\"{language}\">", page.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_standing_consent_has_a_form_to_withdraw_it_and_a_withdrawn_one_has_none()
    {
        await using var hub = await World.StartAsync();
        var customer = await hub.ImportAinoAsync();
        var at = hub.Clock.GetUtcNow();
        await hub.TellAsync(
            new TimelineFact(Guid.CreateVersion7(at), customer, at, "consent_given", Partner: "kolari-auto", PartnerName: "Kolari Auto", Receipt: "r-standing", Claims: ["name", "vehicle"]),
            new TimelineFact(Guid.CreateVersion7(at), customer, at, "consent_given", Partner: "fuel", PartnerName: "Fuel & Co", Receipt: "r-gone", Claims: ["email"]),
            new TimelineFact(Guid.CreateVersion7(at), customer, at.AddMinutes(1), "consent_withdrawn", Partner: "fuel", PartnerName: "Fuel & Co", Receipt: "r-gone"));
        using var browser = await hub.SignedInAsync();

        var page = await browser.GetAsync("/account");

        var forms = page.Forms().Select(f => f.Action).ToList();
        Assert.Contains("/account/consents/r-standing/withdraw", forms);
        Assert.DoesNotContain("/account/consents/r-gone/withdraw", forms);
        Assert.All(page.Forms(), form => Assert.Contains(form.Hidden, h => h.Key == "form_token"));
    }

    [Fact]
    public async Task A_consent_stays_in_reach_behind_hundreds_of_newer_facts()
    {
        await using var hub = await World.StartAsync();
        var customer = await hub.ImportAinoAsync();
        var at = hub.Clock.GetUtcNow();
        await hub.TellAsync(new TimelineFact(Guid.CreateVersion7(at), customer, at.AddYears(-2), "consent_given", PartnerName: "Kolari Auto", Receipt: "r-old"));
        await hub.TellAsync(new TimelineFacts([.. Enumerable.Range(0, 300).Select(i => new TimelineFact(Guid.CreateVersion7(at), customer, at.AddMinutes(-i), "purchase", $"{i} × wiper"))]));
        using var browser = await hub.SignedInAsync();

        Assert.Contains("/account/consents/r-old/withdraw", (await browser.GetAsync("/account")).Forms().Select(f => f.Action));
    }

    [Fact]
    public async Task The_timeline_shows_each_fact_once_the_newest_first_on_the_customers_clock()
    {
        await using var hub = await World.StartAsync();
        var customer = await hub.ImportAinoAsync();
        var at = hub.Clock.GetUtcNow();
        var bought = new TimelineFact(Guid.CreateVersion7(at), customer, at, "purchase", "4 × 205/55R16 winter", Banner: "northern-tires", OrderNumber: "NT-7");
        var released = new TimelineFact(
            Guid.CreateVersion7(at), customer, at.AddMinutes(5), "released", Partner: "kolari-auto", PartnerName: "Kolari <Auto>", Receipt: "r-1", Claims: ["given_name", "vehicle"]);
        await hub.TellAsync(bought, released, bought);
        await hub.TellAsync(new TimelineFacts([bought, released]));
        using var browser = await hub.SignedInAsync();

        var page = await browser.GetAsync("/account");

        Assert.Single(Occurrences(page.Text, "4 × 205/55R16 winter"));
        Assert.True(page.Text.IndexOf("Kolari <Auto> received these details", StringComparison.Ordinal) < page.Text.IndexOf("4 × 205/55R16 winter", StringComparison.Ordinal));
        Assert.Contains("First name, Vehicle", page.Text, StringComparison.Ordinal);
        Assert.Contains("Kolari &lt;Auto&gt;", page.Body, StringComparison.Ordinal);
        Assert.Contains("<time datetime=\"2026-10-05T12:00:00Z\">3:00", page.Body, StringComparison.Ordinal);    // Helsinki is three hours ahead
    }

    [Fact]
    public async Task Sign_ins_of_the_ledger_stand_among_what_was_told_by_their_partners_names_and_each_once()
    {
        var signIns = new SignIns { Names = { ["kolari-auto"] = "Kolari <Auto>" } };
        await using var hub = await World.StartAsync(signIns);
        var customer = await hub.ImportAinoAsync();
        var at = hub.Clock.GetUtcNow();
        signIns.Add(customer, at.AddMinutes(2), "kolari-auto", "r-of-two");
        signIns.Add(customer, at.AddMinutes(4), "no-longer-registered");
        var both = signIns.Add(customer, at.AddMinutes(5), "kolari-auto");
        await hub.TellAsync(new TimelineFact(Guid.CreateVersion7(at), customer, at.AddMinutes(3), "purchase", "4 × winter tire"),
            both with { PartnerName = "Kolari of old" });        // an earlier version told the timeline as well
        using var browser = await hub.SignedInAsync();

        var page = await browser.GetAsync("/account");

        string[] shown = ["Kolari of old received these details", "no-longer-registered received these details", "4 × winter tire", "Kolari <Auto> received these details"];
        var places = shown.Select(text => Assert.Single(Occurrences(page.Text, text))).ToList();
        Assert.Equal(places.Order(), places);       // the newest first
        Assert.Contains("First name, E-mail", page.Text, StringComparison.Ordinal);
        Assert.Contains("/account/receipts/r-of-two", page.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_consent_stays_in_reach_behind_hundreds_of_sign_ins_and_the_page_ends()
    {
        var signIns = new SignIns();
        await using var hub = await World.StartAsync(signIns);
        var customer = await hub.ImportAinoAsync();
        var at = hub.Clock.GetUtcNow();
        await hub.TellAsync(
            new TimelineFact(Guid.CreateVersion7(at), customer, at.AddYears(-1), "purchase", "an old wiper"),
            new TimelineFact(Guid.CreateVersion7(at), customer, at.AddYears(-2), "consent_given", PartnerName: "Kolari Auto", Receipt: "r-old"));
        for (var i = 0; i < 300; i++) signIns.Add(customer, at.AddMinutes(-i), "kolari-auto");
        using var browser = await hub.SignedInAsync();

        var page = await browser.GetAsync("/account");

        Assert.Contains("/account/consents/r-old/withdraw", page.Forms().Select(f => f.Action));
        Assert.Equal(100, Occurrences(page.Text, "received these details").Count());
        Assert.DoesNotContain("an old wiper", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_customer_sees_nothing_of_somebody_elses_timeline()
    {
        var signIns = new SignIns();
        await using var hub = await World.StartAsync(signIns);
        await hub.ImportAinoAsync();
        var other = await hub.ImportAinoAsync("erik@example.com", "NT-2");
        var at = hub.Clock.GetUtcNow();
        await hub.TellAsync(new TimelineFact(Guid.CreateVersion7(at), other, at, "purchase", "a very private thing"));
        signIns.Add(other, at, "a-very-private-partner");
        using var browser = await hub.SignedInAsync();

        Assert.DoesNotContain("very private", (await browser.GetAsync("/account")).Body.Replace('-', ' '), StringComparison.Ordinal);
    }

    private static IEnumerable<int> Occurrences(string text, string part)
    {
        for (var i = text.IndexOf(part, StringComparison.Ordinal); i >= 0; i = text.IndexOf(part, i + 1, StringComparison.Ordinal)) yield return i;
    }
}
