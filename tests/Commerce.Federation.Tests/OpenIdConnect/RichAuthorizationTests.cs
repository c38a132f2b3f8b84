using System.Net;
using System.Text.Json;
using Commerce.Federation.Contracts;
using Commerce.Federation.OpenIdConnect;
using Commerce.Testing;

namespace Commerce.Federation.Tests.OpenIdConnect;

/// <summary>Rich authorization requests (RFC 9396) with the one detail <c>retail_purchase</c>.</summary>
public sealed class RichAuthorizationTests(OidcHub hub) : IClassFixture<OidcHub>
{
    private const string Order = "NT-2026-000123";

    private static string Details(string categories = "\"tires/*\"", string order = Order, string purpose = "book-fitting", string more = "") =>
        $$"""[{"type":"retail_purchase","order_number":"{{order}}","line_categories":[{{categories}}],"purpose":"{{purpose}}"{{more}}}]""";

    private async Task<(TestClient Client, TestBrowser Browser, Guid Customer)> WithOrderAsync(bool needsConsent = true, params string[] types)
    {
        var client = await hub.AddClientAsync(c => c with { AuthorizationDetailsTypes = types.Length == 0 ? ["retail_purchase"] : [] }, needsConsent);
        var (browser, customer, _) = hub.SignedIn();
        hub.Neighbours.Purchases[(customer, Order)] = OidcHub.Order;
        return (client, browser, customer);
    }

    /// <summary>The sheet that the request leads to.</summary>
    private async Task<TestPage> SheetAsync(TestClient client, TestBrowser browser, string details, string scope = "openid profile")
    {
        var redirect = await browser.GetAsync(client.AuthorizeUrl(("scope", scope), ("authorization_details", details)));
        Assert.Equal("/consent/purchase", redirect.RedirectsTo?.AbsolutePath);
        var sheet = await browser.FollowAsync(redirect);
        Assert.Equal(HttpStatusCode.OK, sheet.Status);
        return sheet;
    }

    private static async Task<TestPage> AnswerAsync(TestBrowser browser, TestPage sheet, string decision) =>
        await browser.FollowAsync(await browser.SubmitAsync(sheet, [new("decision", decision)], action: "/consent/purchase"));

    private async Task<TestAnswer> GrantAsync(TestClient client, TestBrowser browser, string details, string scope = "openid profile") =>
        await client.RedeemAsync(client.CodeOf(await AnswerAsync(browser, await SheetAsync(client, browser, details, scope), "allow")));

    private static string[] Lines(JsonElement userinfo) =>
        [.. userinfo.GetProperty("purchase").GetProperty("lines").EnumerateArray().Select(l => l.GetProperty("category").GetString()!)];

    [Fact]
    public async Task R09_the_sheet_names_the_order_and_its_lines_and_a_yes_releases_just_those()
    {
        var (client, browser, _) = await WithOrderAsync();
        var sheet = await SheetAsync(client, browser, Details());
        Assert.Contains(Order, sheet.Text, StringComparison.Ordinal);
        Assert.Contains("Winter tire", sheet.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Rubber floor mats", sheet.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("ABC-123", sheet.Text, StringComparison.Ordinal);      // the vehicle's scope was not asked for

        var answer = await client.RedeemAsync(client.CodeOf(await AnswerAsync(browser, sheet, "allow")));
        var tokens = TestTokens.Of(answer);
        var userinfo = await hub.UserInfoJsonAsync(tokens.Access);
        Assert.Equal(["tires/winter"], Lines(userinfo));
        Assert.Equal("Aino Virtanen", userinfo.GetProperty("name").GetString());
        Assert.False(userinfo.TryGetProperty("vehicle", out _));
        Assert.False(userinfo.TryGetProperty("email", out _));
        foreach (var echo in new[] { answer.Json, tokens.AccessClaims, userinfo, await client.IntrospectAsync(hub, tokens.Access) })
            Assert.True(JsonElement.DeepEquals(JsonElement.Parse(Details()), echo.GetProperty("authorization_details")));
        Assert.NotNull(userinfo.GetProperty("consent_receipt").GetString());
    }

    [Fact]
    public async Task RFC9396_a_yes_to_one_purchase_is_no_yes_to_the_next_and_prompt_none_never_gets_one()
    {
        var (client, browser, _) = await WithOrderAsync();
        TestTokens.Of(await GrantAsync(client, browser, Details()));
        await SheetAsync(client, browser, Details());
        Assert.Equal("consent_required", client.ErrorOf(await browser.GetAsync(client.AuthorizeUrl(("prompt", "none"), ("authorization_details", Details())))));
    }

    [Fact]
    public async Task RFC9396_values_are_those_of_the_yes_and_not_of_later()
    {
        var (client, browser, customer) = await WithOrderAsync();
        var sheet = await SheetAsync(client, browser, Details());
        var resume = await browser.SubmitAsync(sheet, [new("decision", "allow")], action: "/consent/purchase");
        hub.Neighbours.Profiles[customer]["name"] = JsonSerializer.SerializeToElement("Somebody Else");
        var tokens = TestTokens.Of(await client.RedeemAsync(client.CodeOf(await browser.FollowAsync(resume))));
        Assert.Equal("Aino Virtanen", (await hub.UserInfoJsonAsync(tokens.Access)).GetProperty("name").GetString());
    }

    [Fact]
    public async Task RFC9396_what_changed_since_the_sheet_was_shown_is_shown_again()
    {
        var (client, browser, customer) = await WithOrderAsync();
        var sheet = await SheetAsync(client, browser, Details());
        hub.Neighbours.Profiles[customer]["name"] = JsonSerializer.SerializeToElement("Aino Korhonen");
        var again = await browser.SubmitAsync(sheet, [new("decision", "allow")], action: "/consent/purchase");
        Assert.Equal(HttpStatusCode.Conflict, again.Status);
        Assert.Contains("Aino Korhonen", again.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RFC9396_a_no_and_an_order_that_is_not_the_customers_are_both_access_denied()
    {
        var (client, browser, _) = await WithOrderAsync();
        Assert.Equal("access_denied", client.ErrorOf(await AnswerAsync(browser, await SheetAsync(client, browser, Details()), "deny")));
        foreach (var details in new[] { Details(order: "NT-2026-000999"), Details("\"fuel/*\"") })
            Assert.Equal("access_denied", client.ErrorOf(await browser.GetAsync(client.AuthorizeUrl(("authorization_details", details)))));
    }

    [Fact]
    public async Task R09_unknown_types_unknown_members_and_bad_values_are_refused()
    {
        var (client, browser, _) = await WithOrderAsync();
        foreach (var bad in new[]
        {
            "x", "{}", "[]", "[1]", "[null]", "[{}]", """[{"type":"payment"}]""", Details(more: ",\"amount\":1"), Details(more: ",\"purpose\":\"book-fitting\""),
            Details("\"\""), Details("\"/\""), Details("\"Tires\""), Details("\"a*\""), Details("\"tires/*\",\"tires/*\""), Details("1"), Details(order: ""), Details(order: new string('1', 65)), Details(order: "NT 1"), Details(order: "NT\u00e4"),
            Details().Replace("retail_purchase", "payment", StringComparison.Ordinal), Details("\"/tires\""), Details("\"tires/\""), Details("\"tires//*\""), Details(string.Join(',', Enumerable.Range(0, 21).Select(i => $"\"c{i}\""))), Details(purpose: new string('p', 65)),
            Details(purpose: "other"), Details(purpose: "Book"), "[" + Details().Trim('[', ']') + "," + Details().Trim('[', ']') + "]",
        })
        {
            Assert.True(client.ErrorOf(await browser.GetAsync(client.AuthorizeUrl(("authorization_details", bad)))) == "invalid_authorization_details", bad);
        }
        var (other, otherBrowser, _) = await WithOrderAsync(true, "none");
        Assert.Equal("invalid_authorization_details", other.ErrorOf(await otherBrowser.GetAsync(other.AuthorizeUrl(("authorization_details", Details())))));
        Assert.Equal("invalid_request", client.ErrorOf(await browser.GetAsync(client.AuthorizeUrl(("authorization_details", Details()), ("login_hint", new string('t', 43))))));
    }

    [Fact]
    public async Task R09_a_refresh_narrows_what_userinfo_shows_and_never_widens()
    {
        var (client, browser, _) = await WithOrderAsync();
        var tokens = TestTokens.Of(await GrantAsync(client, browser, Details("\"*\""), "openid offline_access"));
        Assert.Equal(["tires/winter", "accessories/interior"], Lines(await hub.UserInfoJsonAsync(tokens.Access)));

        foreach (var wide in new[] { Details(order: "NT-1"), Details(purpose: "sign-in"), "[]" })
            Assert.Equal("invalid_authorization_details", (await client.RefreshAsync(tokens.Refresh!, ("authorization_details", wide))).Error);

        var narrow = await client.RefreshAsync(tokens.Refresh!, ("authorization_details", Details("\"accessories/*\"")));
        var next = TestTokens.Of(narrow);
        Assert.Equal("accessories/*", narrow.Json.GetProperty("authorization_details")[0].GetProperty("line_categories")[0].GetString());
        Assert.Equal(["accessories/interior"], Lines(await hub.UserInfoJsonAsync(next.Access)));
        Assert.Equal(["tires/winter", "accessories/interior"], Lines(await hub.UserInfoJsonAsync(TestTokens.Of(await client.RefreshAsync(next.Refresh!)).Access)));
    }

    [Fact]
    public async Task R09_the_grant_its_refresh_token_and_an_exchanged_token_show_the_details_too()
    {
        const string Exchange = "urn:ietf:params:oauth:grant-type:token-exchange";
        var client = await hub.AddClientAsync(c => c with
        {
            AuthorizationDetailsTypes = ["retail_purchase"], GrantTypes = ["authorization_code", "refresh_token", "client_credentials", Exchange],
            Scopes = ["openid", "profile", "purchase", "offline_access", "grant_management_query"],
        }, needsConsent: true);
        var (browser, customer, _) = hub.SignedIn();
        hub.Neighbours.Purchases[(customer, Order)] = OidcHub.Order;
        var answer = await GrantAsync(client, browser, Details("\"*\""), "openid offline_access");
        var tokens = TestTokens.Of(answer);
        var own = TestTokens.Of(await client.TokenAsync(new() { ["grant_type"] = "client_credentials" }, ("scope", "grant_management_query"))).Access;
        using var queried = await hub.CallAsync("/connect/grants/" + tokens.AccessClaims.GetProperty("grant_id").GetString(), "Bearer", own);

        // An API about purchases: the detail says that the token is about one.
        const string Api = "https://orders.example";
        Assert.True((await hub.Hub.AskAsync(new PutApiResource($$"""{"identifier":"{{Api}}","name":"Orders","scopes":[{"name":"orders:read","claims":["purchase"]}]}"""))).IsOk);
        Assert.True((await hub.Hub.AskAsync(new SetClientPolicy($$"""{"client":"{{client.Id}}","resources":[{"identifier":"{{Api}}","scopes":["orders:read"]},{"identifier":"{{hub.Issuer}}/api","scopes":["grant_management_query"]}]}"""))).IsOk);
        Task<TestAnswer> ExchangeAsync(string details) => client.TokenAsync(new()
        {
            ["grant_type"] = Exchange, ["subject_token"] = tokens.Access, ["subject_token_type"] = "urn:ietf:params:oauth:token-type:access_token", ["resource"] = Api,
            ["authorization_details"] = details,
        });
        Assert.Equal("invalid_authorization_details", (await ExchangeAsync(Details("\"*\"", order: "NT-1"))).Error);
        var exchanged = TestTokens.Of(await ExchangeAsync(Details("\"tires\""))).AccessClaims;

        foreach (var echo in new[] { JsonElement.Parse(await queried.Content.ReadAsStringAsync()), await client.IntrospectAsync(hub, tokens.Refresh!) })
            Assert.True(JsonElement.DeepEquals(JsonElement.Parse(Details("\"*\"")), echo.GetProperty("authorization_details")), echo.GetRawText());
        Assert.True(JsonElement.DeepEquals(JsonElement.Parse(Details("\"tires\"")), exchanged.GetProperty("authorization_details")));
        Assert.Equal(tokens.IdClaims.GetProperty("consent_receipt").GetString(), exchanged.GetProperty("consent_receipt").GetString());
    }

    [Theory]
    [InlineData("\"tires/winter\"", "\"tires/*\"")]
    [InlineData("\"tires/*\"", "\"*\"")]
    [InlineData("\"tires/winter\"", "\"tires/wint\"")]
    [InlineData("\"tires/*\"", "\"tires-used/*\"")]
    [InlineData("\"tires/*\"", "\"tires/winter\",\"accessories/*\"")]
    public async Task RFC9396_a_code_or_refresh_request_for_more_categories_is_refused(string granted, string asked)
    {
        var (client, browser, _) = await WithOrderAsync();
        var code = client.CodeOf(await AnswerAsync(browser, await SheetAsync(client, browser, Details(granted), "openid offline_access"), "allow"));
        Assert.Equal("invalid_authorization_details", (await client.RedeemAsync(code, ("authorization_details", Details(asked)))).Error);
        var tokens = TestTokens.Of(await client.RedeemAsync(code));
        Assert.Equal("invalid_authorization_details", (await client.RefreshAsync(tokens.Refresh!, ("authorization_details", Details(asked)))).Error);
        TestTokens.Of(await client.RefreshAsync(tokens.Refresh!, ("authorization_details", Details("\"tires/winter\""))));
    }

    [Fact]
    public async Task RFC9396_a_withdrawn_consent_ends_what_stood_on_the_yes()
    {
        var (client, browser, customer) = await WithOrderAsync();
        var tokens = TestTokens.Of(await GrantAsync(client, browser, Details()));
        foreach (var consent in hub.Neighbours.Consents.Values.Where(c => c.Customer == customer)) hub.Neighbours.Consents.TryRemove(consent.Receipt, out _);
        Assert.Equal(HttpStatusCode.Unauthorized, (await hub.UserInfoAsync(tokens.Access)).StatusCode);
        Assert.Equal("""{"active":false}""", (await client.IntrospectAsync(hub, tokens.Access)).GetRawText());
    }

    [Fact]
    public async Task RFC9396_without_a_need_for_consent_nobody_is_asked_and_a_plain_sign_in_holds_no_purchase()
    {
        var (client, browser, _) = await WithOrderAsync(needsConsent: false);
        var answer = await client.RedeemAsync(await hub.CodeAsync(client, browser, ("authorization_details", Details())));
        Assert.Equal(["tires/winter"], Lines(await hub.UserInfoJsonAsync(TestTokens.Of(answer).Access)));
        var plain = await hub.TokensAsync(client, browser, ("scope", "openid purchase"));
        Assert.False((await hub.UserInfoJsonAsync(plain.Access)).TryGetProperty("purchase", out _));
    }

    [Fact]
    public async Task RFC9396_RFC9126_a_pushed_request_carries_the_details_and_what_stands_beside_the_reference_changes_nothing()
    {
        var (client, browser, _) = await WithOrderAsync();
        Assert.Equal("invalid_authorization_details", (await client.PushAsync(hub, ("authorization_details", Details(more: ",\"amount\":1")))).Error);
        var pushed = await client.PushAsync(hub, ("authorization_details", Details()));
        var sheet = await browser.FollowAsync(await browser.GetAsync(client.ReferenceUrl(pushed) + "&authorization_details=" + Uri.EscapeDataString(Details("\"*\""))));
        Assert.DoesNotContain("Rubber floor mats", sheet.Text, StringComparison.Ordinal);
        var answer = await client.RedeemAsync(client.CodeOf(await AnswerAsync(browser, sheet, "allow")));
        Assert.True(JsonElement.DeepEquals(JsonElement.Parse(Details()), answer.Json.GetProperty("authorization_details")));
    }

    [Fact]
    public async Task RFC9396_the_schema_is_published_and_discovery_names_the_type()
    {
        var document = JsonElement.Parse(await hub.Hub.Http.GetStringAsync("/.well-known/openid-configuration"));
        Assert.Equal("retail_purchase", document.GetProperty("authorization_details_types_supported")[0].GetString());
        var schema = JsonElement.Parse(await hub.Hub.Http.GetStringAsync("/schemas/retail_purchase-1.json"));
        Assert.Equal(hub.Issuer + "/schemas/retail_purchase-1.json", schema.GetProperty("$id").GetString());
        Assert.Equal(["line_categories", "order_number", "purpose", "type"], schema.GetProperty("properties").EnumerateObject().Select(p => p.Name).Order());
    }
}
