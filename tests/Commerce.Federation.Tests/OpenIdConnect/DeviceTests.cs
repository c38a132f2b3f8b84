using System.Net;
using System.Text.Json;
using Commerce.Testing;

namespace Commerce.Federation.Tests.OpenIdConnect;

/// <summary>Device authorization (RFC 8628): tills and kiosks.</summary>
public sealed class DeviceTests(OidcHub hub) : IClassFixture<OidcHub>
{
    private const string Device = "urn:ietf:params:oauth:grant-type:device_code";

    private Task<TestClient> KioskAsync(bool needsConsent = false, string[]? claims = null) =>
        hub.AddClientAsync(c => c with { ClientName = "Till 7", GrantTypes = [Device, "refresh_token"], RedirectUris = [] }, needsConsent, claims);

    private async Task<JsonElement> StartAsync(TestClient client, string scope = "openid profile")
    {
        var answer = await client.AskAsync(hub, "/connect/device_authorization", new() { ["scope"] = scope });
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Body);
        return answer.Json;
    }

    private static Task<TestAnswer> AskForTokensAsync(TestClient client, JsonElement device) =>
        client.TokenAsync(new() { ["grant_type"] = Device, ["device_code"] = device.GetProperty("device_code").GetString()! });

    private static string CodeOf(JsonElement device) => device.GetProperty("user_code").GetString()!;

    private static async Task<TestPage> TypeAsync(TestBrowser browser, string code) =>
        await browser.SubmitAsync(await browser.GetAsync("/device"), [new("user_code", code)], action: "/device");

    private static Task<TestPage> AnswerAsync(TestBrowser browser, TestPage sheet, string decision) =>
        browser.SubmitAsync(sheet, [new("decision", decision)], action: "/device/confirm");

    [Fact]
    public async Task RFC8628_a_customer_types_the_code_reads_what_leaves_and_the_device_has_its_tokens_once()
    {
        var client = await KioskAsync(needsConsent: true, claims: ["name", "email"]);
        var device = await StartAsync(client);
        Assert.Matches("^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$", CodeOf(device));
        Assert.Equal((hub.Issuer + "/device", $"{hub.Issuer}/device?user_code={CodeOf(device)}", 600, 5), (device.GetProperty("verification_uri").GetString(),
            device.GetProperty("verification_uri_complete").GetString(), device.GetProperty("expires_in").GetInt32(), device.GetProperty("interval").GetInt32()));
        Assert.Equal("authorization_pending", (await AskForTokensAsync(client, device)).Error);

        var (browser, _, _) = hub.SignedIn();
        var sheet = await TypeAsync(browser, CodeOf(device).ToLowerInvariant().Replace("-", " ", StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.OK, sheet.Status);
        foreach (var shown in new[] { "Till 7", "Kolari Auto", CodeOf(device), "Aino Virtanen" }) Assert.Contains(shown, sheet.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("aino.virtanen@example.com", sheet.Text, StringComparison.Ordinal);       // not asked for
        Assert.Contains("Done", (await AnswerAsync(browser, sheet, "allow")).Text, StringComparison.Ordinal);

        var tokens = TestTokens.Of(await AskForTokensAsync(client, device));
        Assert.Equal("Aino Virtanen", (await hub.UserInfoJsonAsync(tokens.Access)).GetProperty("name").GetString());
        Assert.NotNull(tokens.IdClaims.GetProperty("consent_receipt").GetString());
        Assert.Equal("invalid_grant", (await AskForTokensAsync(client, device)).Error);
        Assert.Equal(HttpStatusCode.OK, (await hub.UserInfoAsync(tokens.Access)).StatusCode);
    }

    [Fact]
    public async Task RFC8628_a_no_is_access_denied_and_stays_one()
    {
        var client = await KioskAsync();
        var device = await StartAsync(client);
        var (browser, _, _) = hub.SignedIn();
        var sheet = await TypeAsync(browser, CodeOf(device));
        Assert.Contains("Nothing was shared", (await AnswerAsync(browser, sheet, "deny")).Text, StringComparison.Ordinal);
        Assert.Equal("access_denied", (await AskForTokensAsync(client, device)).Error);
        Assert.Equal("federation.device_over", (await AnswerAsync(browser, sheet, "allow")).RefusalCode);
        Assert.Equal("access_denied", (await AskForTokensAsync(client, device)).Error);
    }

    [Fact]
    public async Task RFC8628_a_device_that_asks_too_fast_is_slowed_down_and_an_old_code_expires()
    {
        var client = await KioskAsync();
        var device = await StartAsync(client);
        Assert.Equal("authorization_pending", (await AskForTokensAsync(client, device)).Error);
        Assert.Equal("slow_down", (await AskForTokensAsync(client, device)).Error);
        hub.Clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal("slow_down", (await AskForTokensAsync(client, device)).Error);     // ten seconds by now
        hub.Clock.Advance(TimeSpan.FromSeconds(16));
        Assert.Equal("authorization_pending", (await AskForTokensAsync(client, device)).Error);
        hub.Clock.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal("expired_token", (await AskForTokensAsync(client, device)).Error);
        var (browser, _, _) = hub.SignedIn();
        Assert.Equal(HttpStatusCode.NotFound, (await TypeAsync(browser, CodeOf(device))).Status);
    }

    [Fact]
    public async Task O05_another_clients_device_code_and_noise_are_invalid_and_spoil_nothing()
    {
        var (client, stranger) = (await KioskAsync(), await KioskAsync());
        var device = await StartAsync(client);
        Assert.Equal("invalid_grant", (await AskForTokensAsync(stranger, device)).Error);
        foreach (var noise in new[] { "x", new string('A', 64) })
            Assert.Equal("invalid_grant", (await client.TokenAsync(new() { ["grant_type"] = Device, ["device_code"] = noise })).Error);
        Assert.Equal("invalid_request", (await client.TokenAsync(new() { ["grant_type"] = Device })).Error);
        Assert.Equal("authorization_pending", (await AskForTokensAsync(client, device)).Error);
        var plain = await hub.AddClientAsync();
        Assert.Equal("unauthorized_client", (await plain.AskAsync(hub, "/connect/device_authorization", [])).Error);
        Assert.Equal("invalid_scope", (await client.AskAsync(hub, "/connect/device_authorization", new() { ["scope"] = "profile" })).Error);
    }

    [Fact]
    public async Task K02_opening_the_address_with_the_code_changes_nothing_and_a_stranger_signs_in_first()
    {
        var client = await KioskAsync();
        var device = await StartAsync(client);
        var address = new Uri(device.GetProperty("verification_uri_complete").GetString()!).PathAndQuery;
        var stranger = hub.Hub.NewBrowser();
        Assert.Equal(address, hub.SignInRequestOf(await stranger.GetAsync(address)).ReturnPath);
        var (browser, _, _) = hub.SignedIn();
        for (var i = 0; i < 3; i++)
        {
            var page = await browser.GetAsync(address);
            Assert.Contains(CodeOf(device), page.Body, StringComparison.Ordinal);
            Assert.Contains("no-store", page.Headers["Cache-Control"], StringComparison.Ordinal);
        }
        Assert.Equal("authorization_pending", (await AskForTokensAsync(client, device)).Error);
        // A post without the page's own token is nobody's answer.
        Assert.Equal(HttpStatusCode.BadRequest, (await browser.PostAsync("/device", [new("user_code", CodeOf(device))])).Status);
        // Script in the code is text, and only letters of codes are shown again from the address.
        Assert.DoesNotContain("<script>x", (await browser.GetAsync("/device?user_code=%3Cscript%3Ex")).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task K04_wrong_used_and_foreign_codes_get_one_answer_and_guessing_is_stopped()
    {
        var client = await KioskAsync();
        var device = await StartAsync(client);
        var (browser, _, _) = hub.SignedIn();
        var unknown = await TypeAsync(browser, "BBBB-BBBB");
        await AnswerAsync(browser, await TypeAsync(browser, CodeOf(device)), "deny");
        var used = await TypeAsync(browser, CodeOf(device));
        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.NotFound), (unknown.Status, used.Status));
        Assert.Contains("This code is not good", unknown.Text, StringComparison.Ordinal);
        Assert.Contains("This code is not good", used.Text, StringComparison.Ordinal);
        for (var i = 0; i < 8; i++) await TypeAsync(browser, "not a code");
        var good = await StartAsync(client);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await TypeAsync(browser, CodeOf(good))).Status);
        var (other, _, _) = hub.SignedIn();
        Assert.Equal(HttpStatusCode.OK, (await TypeAsync(other, CodeOf(good))).Status);
        hub.Clock.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(HttpStatusCode.OK, (await TypeAsync(browser, CodeOf(await StartAsync(client)))).Status);
    }

    [Fact]
    public async Task K04_a_right_code_is_no_guess_and_costs_nothing()
    {
        var client = await KioskAsync();
        var (browser, _, _) = hub.SignedIn();
        for (var i = 0; i < 12; i++) Assert.Equal(HttpStatusCode.OK, (await TypeAsync(browser, CodeOf(await StartAsync(client)))).Status);
    }

    [Fact]
    public async Task K04_of_forty_guesses_at_the_same_moment_ten_are_looked_up()
    {
        var (browser, _, _) = hub.SignedIn();
        var token = (await browser.GetAsync("/device")).Forms().First(f => f.Action == "/device").Hidden.Single(h => h.Key == "form_token");
        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => browser.PostAsync("/device", [token, new("user_code", "BBBB-BBBB")])));
        Assert.Equal(10, answers.Count(a => a.Status == HttpStatusCode.NotFound));
        Assert.Equal(30, answers.Count(a => a.Status == HttpStatusCode.TooManyRequests));
    }

    [Fact]
    public async Task O18_a_sheet_is_answered_by_the_one_it_was_shown_to()
    {
        var client = await KioskAsync();
        var device = await StartAsync(client);
        var (browser, _, _) = hub.SignedIn();
        var sheet = await TypeAsync(browser, CodeOf(device));
        var (other, _, _) = hub.SignedIn("Matti Meikäläinen");
        var own = (await other.GetAsync("/device")).Forms().First(f => f.Action == "/device").Hidden.Single(h => h.Key == "form_token");
        var stolen = sheet.Forms().Single(f => f.Action == "/device/confirm").Hidden.Single(h => h.Key == "sheet");
        Assert.Equal("federation.sheet_invalid", (await other.PostAsync("/device/confirm", [own, stolen, new("decision", "allow")])).RefusalCode);
        Assert.Equal("authorization_pending", (await AskForTokensAsync(client, device)).Error);
    }

    [Fact]
    public async Task O05_two_customers_with_one_code_and_two_questions_of_the_device_have_one_winner_each()
    {
        var client = await KioskAsync();
        var device = await StartAsync(client);
        var sheets = new List<(TestBrowser Browser, TestPage Sheet)>();
        for (var i = 0; i < 3; i++)
        {
            var (browser, _, _) = hub.SignedIn();
            sheets.Add((browser, await TypeAsync(browser, CodeOf(device))));
        }
        var pages = await Task.WhenAll(sheets.Select(s => AnswerAsync(s.Browser, s.Sheet, "allow")));
        Assert.Single(pages, p => p.Status == HttpStatusCode.OK);
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => AskForTokensAsync(client, device)));
        Assert.Single(answers, a => a.Status == HttpStatusCode.OK);
        Assert.All(answers.Where(a => a.Status != HttpStatusCode.OK), a => Assert.Equal("invalid_grant", a.Error));
    }

    [Theory]
    [InlineData("fi", "Yhdistä laite")]
    [InlineData("sv", "Anslut en enhet")]
    [InlineData("ko", "기기 연결")]
    public async Task The_page_speaks_every_language_and_needs_no_script(string language, string title)
    {
        var (browser, _, _) = hub.SignedIn();
        var page = await browser.GetAsync("/device?lang=" + language);
        Assert.Contains(title, page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page.Body, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("for=\"user_code\"", page.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RFC8628_a_device_of_a_partner_without_contract_learns_a_name_of_its_own_and_nothing_else()
    {
        var client = await KioskAsync(claims: []);
        var device = await StartAsync(client, "openid profile email offline_access");
        var (browser, _, session) = hub.SignedIn();
        var sheet = await TypeAsync(browser, CodeOf(device));
        Assert.Contains("Nothing of your profile leaves", sheet.Text, StringComparison.Ordinal);
        await AnswerAsync(browser, sheet, "allow");
        var tokens = TestTokens.Of(await AskForTokensAsync(client, device));
        Assert.Equal(["sub"], (await hub.UserInfoJsonAsync(tokens.Access)).EnumerateObject().Select(m => m.Name));
        var next = TestTokens.Of(await client.RefreshAsync(tokens.Refresh!));
        Assert.NotEqual(tokens.Refresh, next.Refresh);
    }
}
