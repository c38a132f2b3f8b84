using System.Net;
using System.Text.Json;
using Commerce.Kernel;
using Commerce.Testing;

namespace Commerce.Federation.Tests.OpenIdConnect;

public sealed class ClaimsParameterTests(OidcHub hub) : IClassFixture<OidcHub>
{
    private static readonly string[] Person = ["name", "given_name", "family_name", "email", "email_verified", "phone_number", "address", "locale"];

    private async Task<(JsonElement Id, JsonElement UserInfo)> AskAsync(TestClient client, TestBrowser browser, string claims, string scope = "openid")
    {
        var tokens = await hub.TokensAsync(client, browser, ("claims", claims), ("scope", scope));
        return (tokens.IdClaims, await hub.UserInfoJsonAsync(tokens.Access));
    }

    private static string[] NamesOf(JsonElement claims) => [.. Person.Where(name => claims.TryGetProperty(name, out _))];

    [Fact]
    public async Task B22_F27_an_essential_name_is_returned_at_userinfo_and_unknown_names_are_passed_over()
    {
        var client = await hub.AddClientAsync();
        var (id, userInfo) = await AskAsync(client, hub.SignedIn("Aino Virtanen").Browser, """{"userinfo":{"name":{"essential":true},"favourite_colour":{"essential":true},"https://x.example/c":null},"other":{"a":1}}""");
        Assert.Equal(["name"], NamesOf(userInfo));
        Assert.Equal("Aino Virtanen", userInfo.GetProperty("name").GetString());
        Assert.Empty(NamesOf(id));
    }

    [Fact]
    public async Task Claims_asked_for_the_ID_token_go_there_and_not_to_userinfo()
    {
        var client = await hub.AddClientAsync();
        var (id, userInfo) = await AskAsync(client, hub.SignedIn().Browser, """{"id_token":{"email":null,"auth_time":{"essential":true}},"userinfo":{"locale":null}}""");
        Assert.Equal(["email"], NamesOf(id));
        Assert.Equal(["locale"], NamesOf(userInfo));
    }

    [Fact]
    public async Task The_parameter_adds_nothing_to_what_contract_consent_and_registered_scopes_allow()
    {
        const string All = """{"userinfo":{"name":{"essential":true},"email":{"essential":true},"phone_number":{"essential":true},"vehicle":null,"purchase":null,"consent_receipt":null},"id_token":{"email":null,"phone_number":null,"iss":null,"aud":{"value":"other"}}}""";
        var contract = await hub.AddClientAsync(claims: ["name"]);
        var (id, userInfo) = await AskAsync(contract, hub.SignedIn().Browser, All);
        Assert.Equal(["name"], NamesOf(userInfo));
        Assert.Empty(NamesOf(id));
        Assert.Equal((hub.Issuer, contract.Id), (id.GetProperty("iss").GetString(), id.GetProperty("aud").GetString()));

        var registered = await hub.AddClientAsync(c => c with { Scopes = ["openid", "email"] });
        (_, userInfo) = await AskAsync(registered, hub.SignedIn().Browser, All);
        Assert.Equal(["email"], NamesOf(userInfo));

        var asked = await hub.AddClientAsync(needsConsent: true);
        var (browser, customer, _) = hub.SignedIn();
        var sheet = await browser.GetAsync(asked.AuthorizeUrl(("claims", All), ("scope", "openid")));
        Assert.Equal(Commerce.Federation.Hops.SignInSheet.Path, sheet.RedirectsTo!.AbsolutePath);      // the customer is asked first
        hub.GiveConsent(asked, customer, "name", "email", "phone_number");
        (_, userInfo) = await AskAsync(asked, browser, """{"userinfo":{"name":null}}""");
        Assert.Equal(["name"], NamesOf(userInfo));
    }

    [Fact]
    public async Task A_claim_asked_for_with_values_leaves_only_where_it_has_one_of_them()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn("Aino Virtanen");
        var (_, userInfo) = await AskAsync(client, browser, """{"userinfo":{"name":{"value":"Somebody Else"},"given_name":{"values":["Eino","Aino"]},"family_name":{"values":["Korhonen"]}}}""");
        Assert.Equal(["given_name"], NamesOf(userInfo));
    }

    [Fact]
    public async Task Asking_by_name_and_by_scope_go_together_and_a_narrowed_token_is_narrower()
    {
        var client = await hub.AddClientAsync();
        var tokens = await hub.TokensAsync(client, hub.SignedIn().Browser, ("scope", "openid email offline_access"), ("claims", """{"userinfo":{"locale":null}}"""));
        Assert.Equal(["email", "email_verified", "locale"], NamesOf(await hub.UserInfoJsonAsync(tokens.Access)));
        var narrowed = TestTokens.Of(await client.RefreshAsync(tokens.Refresh!, ("scope", "openid")));
        Assert.Empty(NamesOf(await hub.UserInfoJsonAsync(narrowed.Access)));
    }

    [Fact]
    public async Task A_value_of_sub_says_which_customer_is_meant()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var sub = (await hub.TokensAsync(client, browser)).IdClaims.GetProperty("sub").GetString();
        string For(string? subject) => JsonSerializer.Serialize(new { id_token = new { sub = new { value = subject } } });
        client.CodeOf(await browser.GetAsync(client.AuthorizeUrl(("claims", For(sub)), ("prompt", "none"))));
        Assert.Equal("login_required", client.ErrorOf(await browser.GetAsync(client.AuthorizeUrl(("claims", For(new string('0', 64))), ("prompt", "none")))));
    }

    [Fact]
    public async Task F26_B16_an_essential_acr_is_reached_and_said_or_refused_and_a_voluntary_one_changes_nothing()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var (id, _) = await AskAsync(client, browser, $"{{\"id_token\":{{\"acr\":{{\"essential\":true,\"values\":[\"urn:x\",\"{HubAcr.Password}\"]}}}}}}");
        Assert.Equal(HubAcr.Password, id.GetProperty("acr").GetString());
        Assert.Equal("access_denied", client.ErrorOf(await browser.GetAsync(client.AuthorizeUrl(("claims", """{"id_token":{"acr":{"essential":true,"value":"urn:mace:incommon:iap:silver"}}}""")))));
        (id, _) = await AskAsync(client, browser, """{"id_token":{"acr":{"values":["urn:mace:incommon:iap:silver"]}}}""");
        Assert.Equal(HubAcr.Password, id.GetProperty("acr").GetString());
        Assert.Equal(HubAcr.Password, (await hub.TokensAsync(client, browser, ("acr_values", "urn:x urn:y"))).IdClaims.GetProperty("acr").GetString());
    }

    [Theory]
    [InlineData("claims")]
    [InlineData("[]")]
    [InlineData("{\"userinfo\":[]}")]
    [InlineData("{\"userinfo\":{\"name\":true}}")]
    [InlineData("{\"userinfo\":{\"name\":{\"essential\":\"yes\"}}}")]
    [InlineData("{\"userinfo\":{\"name\":{\"values\":\"a\"}}}")]
    [InlineData("{\"userinfo\":{\"name\":{\"value\":\"a\",\"values\":[\"b\"]}}}")]
    [InlineData("{\"userinfo\":{\"name\":null,\"name\":null}}")]
    public async Task M10_what_is_no_request_for_claims_is_an_error(string claims)
    {
        var client = await hub.AddClientAsync();
        Assert.Equal("invalid_request", client.ErrorOf(await hub.SignedIn().Browser.GetAsync(client.AuthorizeUrl(("claims", claims)))));
    }

    [Fact]
    public async Task With_a_hop_the_parameter_selects_among_what_the_hop_carries()
    {
        var client = await hub.AddClientAsync(needsConsent: true);
        var (browser, customer, session) = hub.SignedIn();
        var (ticket, _) = await hub.StartHopAsync(client, customer, session, "name", "vehicle");
        var tokens = await hub.TokensAsync(client, browser, ("login_hint", ticket), ("claims", """{"id_token":{"name":null,"email":null},"userinfo":{"vehicle":null}}"""));
        Assert.Equal(["name"], NamesOf(tokens.IdClaims));
        Assert.True((await hub.UserInfoJsonAsync(tokens.Access)).TryGetProperty("vehicle", out _));
    }
}
