using System.Text.Json;
using Commerce.Federation.Contracts;
using Commerce.Testing;

namespace Commerce.Interop.Tests;

/// <summary>The journeys that every foreign service provider makes alike.</summary>
public abstract class SamlSiteTests(SamlSite site)
{
    protected SamlSite Site { get; } = site;

    [Fact]
    public async Task The_unsolicited_response_of_a_hop_is_taken_with_the_order_in_it()
    {
        if (Site.Missing is { } missing) Assert.Skip(missing);
        var (received, relayState) = await Site.HopAsync();
        Assert.True(received.GetProperty("ok").GetBoolean(), received.ToString());
        using var purchase = JsonDocument.Parse(received.GetProperty("attributes").GetProperty("urn:commerce:claim:purchase")[0].GetString()!);
        Assert.Equal(SamlSite.Order, purchase.RootElement.GetProperty("order_number").GetString());
        Assert.Equal("https://site.example/book", relayState);
    }

    [Fact]
    public async Task A_response_that_was_changed_on_the_way_is_refused()
    {
        if (Site.Missing is { } missing) Assert.Skip(missing);
        using var browser = Site.Hub.NewBrowser();
        var (id, page) = await Site.SignInAsync(browser, "redirect");
        Assert.False((await Site.ReceiveAsync(SamlSite.Changed(page), id)).GetProperty("ok").GetBoolean());
    }

    [Fact]
    public async Task S32_after_a_key_rotation_the_site_goes_on_with_the_metadata_it_has_and_with_the_new()
    {
        if (Site.Missing is { } missing) Assert.Skip(missing);
        for (var rotation = 0; rotation < 2; rotation++)
        {
            await SignedInAsync();
            Assert.True((await Site.Hub.AskAsync(new RotateKeys("saml-rs256"))).IsOk);
            await SignedInAsync();
            await Site.ReadHubAgainAsync();
        }
    }

    [Fact]
    public async Task S30_the_site_signs_a_customer_out_at_the_hub_and_takes_its_answer()
    {
        if (Site.Missing is { } missing) Assert.Skip(missing);
        using var browser = await SignedInAsync();
        var request = await Site.TellAsync(new { @do = "logout" });
        var answer = await browser.GetAsync(request.GetProperty("url").GetString()!);
        var read = await BringAsync("logout_response", "SAMLResponse", answer);
        Assert.True(read.GetProperty("ok").GetBoolean(), read.ToString());
        Assert.Equal("/signin", (await browser.FollowAsync(await browser.GetAsync("/account"))).Address.AbsolutePath);
    }

    [Fact]
    public async Task S30_S31_the_site_takes_the_hubs_logout_request_and_its_answer_is_taken()
    {
        if (Site.Missing is { } missing) Assert.Skip(missing);
        using var browser = await SignedInAsync();
        var signedOut = await browser.SubmitAsync(await browser.GetAsync("/connect/logout"), action: "/connect/logout/confirm");
        var link = System.Net.WebUtility.HtmlDecode(System.Text.RegularExpressions.Regex.Match(signedOut.Body, "href=\"(/saml/slo/tell[^\"]+)\"").Groups[1].Value);
        var answer = await BringAsync("logout_request", "SAMLRequest", await browser.GetAsync(link));
        var last = answer.TryGetProperty("url", out var url) ? await browser.GetAsync(url.GetString()!)
            : await browser.PostAsync("/saml/slo", answer.GetProperty("fields").EnumerateObject().Select(f => KeyValuePair.Create(f.Name, f.Value.GetString()!)));
        Assert.Equal(System.Net.HttpStatusCode.OK, last.Status);
        Assert.DoesNotContain("/saml/slo/tell", last.Body, StringComparison.Ordinal);
    }

    private async Task<TestBrowser> SignedInAsync()
    {
        var browser = Site.Hub.NewBrowser();
        var (id, page) = await Site.SignInAsync(browser, "redirect");
        var received = await Site.ReceiveAsync(page, id);
        Assert.True(received.GetProperty("ok").GetBoolean(), received.ToString());
        return browser;
    }

    /// <summary>What the hub answered the browser with, brought to the site by the binding that its metadata has.</summary>
    private Task<JsonElement> BringAsync(string command, string field, TestPage page)
    {
        if (page.RedirectsTo is { } to)
        {
            Assert.StartsWith(Site.Slo, to.AbsoluteUri, StringComparison.Ordinal);
            return Site.TellAsync(new { @do = command, url = to.AbsoluteUri });
        }
        var form = page.Forms().Single();
        Assert.Equal(Site.Slo, form.Action);
        return Site.TellAsync(new
        {
            @do = command, message = form.Hidden.Single(f => f.Key == field).Value, relay_state = form.Hidden.SingleOrDefault(f => f.Key == "RelayState").Value ?? "",
        });
    }
}
