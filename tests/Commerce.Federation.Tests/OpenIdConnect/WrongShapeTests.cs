using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Commerce.Testing;

namespace Commerce.Federation.Tests.OpenIdConnect;

/// <summary>Sizes and shapes at each endpoint: what fits to the last octet is taken, what is one too many is refused, and nothing breaks.</summary>
public sealed class WrongShapeTests(OidcHub hub) : IClassFixture<OidcHub>
{
    private const string AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    private static string Base64(string text) => Convert.ToBase64String(Encoding.Latin1.GetBytes(text));

    private static AuthenticationHeaderValue Basic(string pair) => new("Basic", Base64(pair));

    [Fact]
    public async Task R03_a_form_has_64_parameters_at_most_and_none_of_them_twice_though_they_be_empty()
    {
        var client = await hub.AddClientAsync();
        var basic = TestClient.Basic(client.Id, client.Secret);
        async Task<string?> ErrorAsync(string more) => (await client.SendAsync("grant_type=authorization_code&code=x&redirect_uri=y" + more, basic)).Error;
        string Many(int count, string value) => string.Concat(Enumerable.Range(0, count).Select(i => $"&p{i}={value}"));
        Assert.Equal("invalid_grant", await ErrorAsync(Many(61, "v")));
        Assert.Equal("invalid_request", await ErrorAsync(Many(62, "v")));
        Assert.Equal("invalid_request", await ErrorAsync(Many(62, "")));
        Assert.Equal("invalid_request", await ErrorAsync("&empty=&empty="));
        Assert.Equal("invalid_grant", await ErrorAsync("&&&empty=&&"));     // nothing between two ampersands is no parameter
    }

    [Fact]
    public async Task O09_two_authorization_headers_are_two_credentials()
    {
        var client = await hub.AddClientAsync();
        var body = "grant_type=authorization_code&code=x&redirect_uri=y";
        var basic = TestClient.Basic(client.Id, client.Secret).ToString();
        var (status, answer) = await RawHttp.PostAsync(hub.Hub, "/connect/token", body, $"Authorization: {basic}", $"Authorization: {basic}");
        Assert.Equal((400, "invalid_request"), (status, JsonElement.Parse(answer).GetProperty("error").GetString()));
        (status, answer) = await RawHttp.PostAsync(hub.Hub, "/connect/token", body, $"Authorization: {basic}");
        Assert.Equal((400, "invalid_grant"), (status, JsonElement.Parse(answer).GetProperty("error").GetString()));
    }

    [Fact]
    public async Task RFC6750_two_tokens_or_another_scheme_at_userinfo_are_no_token()
    {
        var client = await hub.AddClientAsync();
        var token = (await hub.TokensAsync(client, hub.SignedIn().Browser)).Access;
        var (status, _) = await RawHttp.PostAsync(hub.Hub, "/connect/userinfo", "", $"Authorization: Bearer {token}", $"Authorization: Bearer {token}");
        Assert.Equal(401, status);
        (status, _) = await RawHttp.PostAsync(hub.Hub, "/connect/userinfo", "", $"Authorization: Basic_. {token}");
        Assert.Equal(401, status);
        (status, _) = await RawHttp.PostAsync(hub.Hub, "/connect/userinfo", "", $"Authorization: Bearer {token}");
        Assert.Equal(200, status);
    }

    [Fact]
    public async Task R04_a_basic_header_that_is_not_two_encoded_halves_is_invalid_client()
    {
        var client = await hub.AddClientAsync();
        var secret = WebUtility.UrlEncode(client.Secret);
        foreach (var header in new[]
        {
            Basic(client.Id), Basic($":{secret}"), Basic($"{client.Id}:"), Basic($"{client.Id}:{secret}\u00e9"), Basic($"%00:{secret}"), Basic($"{client.Id}:%zz"),
            Basic($"{client.Id}:{secret}{new string('x', 2048)}"),
        })
        {
            var answer = await client.SendAsync("grant_type=authorization_code&code=x&redirect_uri=y", header);
            Assert.Equal((HttpStatusCode.Unauthorized, "invalid_client"), (answer.Status, answer.Error));
        }
        var named = await client.SendAsync("grant_type=authorization_code&code=x&redirect_uri=y&client_id=another", TestClient.Basic(client.Id, client.Secret));
        Assert.Equal((HttpStatusCode.Unauthorized, "invalid_client"), (named.Status, named.Error));
    }

    [Fact]
    public async Task O10_an_assertion_needs_its_type_a_jti_of_its_own_and_the_client_that_it_names()
    {
        var client = await hub.AddClientAsync(withKey: true);
        Task<TestAnswer> AskAsync(string assertion, string? type = AssertionType, string? named = null)
        {
            var fields = new Dictionary<string, string> { ["grant_type"] = "authorization_code", ["code"] = "x", ["redirect_uri"] = "y", ["client_assertion"] = assertion };
            if (type is not null) fields["client_assertion_type"] = type;
            if (named is not null) fields["client_id"] = named;
            return client.SendAsync(TestClient.Encode(fields), null);
        }
        foreach (var type in new[] { null, "jwt-bearer", AssertionType.ToUpperInvariant() }) Assert.Equal("invalid_request", (await AskAsync(client.Assertion(), type)).Error);
        foreach (var jti in new object?[] { null, "", new string('j', 257), 7 })
        {
            var without = client.Assertion(c =>
            {
                c["jti"] = jti;
                if (jti is null) c.Remove("jti");
            });
            Assert.Equal("invalid_client", (await AskAsync(without)).Error);
        }
        Assert.Equal("invalid_client", (await AskAsync(client.Assertion(), named: "another")).Error);
        Assert.Equal("invalid_client", (await AskAsync(client.Assertion(c => (c["iss"], c["sub"]) = (null, null)))).Error);
        Assert.Equal("invalid_grant", (await AskAsync(client.Assertion(c => c["jti"] = new string('j', 256)), named: client.Id)).Error);
    }

    [Theory]
    [InlineData("b64", false)]      // RFC 7797
    [InlineData("zip", "DEF")]      // RFC 7516
    [InlineData("enc", "A256GCM")]
    public async Task M12_a_signed_token_whose_header_changes_how_it_is_read_is_refused(string member, object value)
    {
        var client = await hub.AddClientAsync(withKey: true);
        var code = await hub.CodeAsync(client, hub.SignedIn().Browser);
        var answer = await client.RedeemAsync(code, ("client_assertion", client.Assertion(header: h => h[member] = value)));
        Assert.Equal((HttpStatusCode.Unauthorized, "invalid_client"), (answer.Status, answer.Error));
        TestTokens.Of(await client.RedeemAsync(code));
    }

    [Fact]
    public async Task F05_hints_addresses_and_requests_for_claims_are_taken_to_their_last_character_and_no_further()
    {
        var client = await hub.AddClientAsync(c => c with { RedirectUris = [.. c.RedirectUris, "https://rp.example/" + new string('r', 2048)] });
        var (browser, _, _) = hub.SignedIn();
        async Task<string> ErrorAsync(string name, string value) => client.ErrorOf(await browser.GetAsync(client.AuthorizeUrl((name, value))));
        await hub.CodeAsync(client, browser, ("login_hint", new string('h', 320)));
        Assert.Equal("invalid_request", await ErrorAsync("login_hint", new string('h', 321)));
        AuthorizeTests.AssertErrorPage(await browser.GetAsync(client.AuthorizeUrl(("redirect_uri", "https://rp.example/" + new string('r', 2048)))), "oidc.unknown_redirect");

        string Members(int count) => "{\"userinfo\":{" + string.Join(',', Enumerable.Range(0, count).Select(i => $"\"c{i}\":null")) + "}}";
        string Values(int count) => "{\"id_token\":{\"email\":{\"values\":[" + string.Join(',', Enumerable.Range(0, count).Select(i => $"\"{i}\"")) + "]}}}";
        await hub.CodeAsync(client, browser, ("claims", Members(40)));
        Assert.Equal("invalid_request", await ErrorAsync("claims", Members(41)));
        await hub.CodeAsync(client, browser, ("claims", Values(20)));
        Assert.Equal("invalid_request", await ErrorAsync("claims", Values(21)));
        Assert.Equal("invalid_request", await ErrorAsync("claims", Values(0)));
        Assert.Equal("invalid_request", (await client.PushAsync(hub, ("claims", Members(1) + new string(' ', 8192)))).Error);
    }

    [Fact]
    public async Task R06_a_loopback_port_is_one_to_65535_and_has_five_digits_at_most()
    {
        var client = await hub.AddClientAsync(c => c with { RedirectUris = [.. c.RedirectUris, "http://127.0.0.1/cb"] });
        var (browser, _, _) = hub.SignedIn();
        foreach (var port in new[] { ":1", ":65535", "" })
            Assert.StartsWith($"http://127.0.0.1{port}/cb?code=", (await browser.GetAsync(client.AuthorizeUrl(("redirect_uri", $"http://127.0.0.1{port}/cb")))).RedirectsTo!.OriginalString, StringComparison.Ordinal);
        foreach (var port in new[] { ":", ":0", ":65536", ":000080", ":8o", "8" })
            AuthorizeTests.AssertErrorPage(await browser.GetAsync(client.AuthorizeUrl(("redirect_uri", $"http://127.0.0.1{port}/cb"))), "oidc.unknown_redirect");
    }

    [Theory]
    [InlineData("/connect/par")]
    [InlineData("/connect/introspect")]
    [InlineData("/connect/revoke")]
    public async Task R03_parameters_in_the_address_of_a_form_endpoint_are_refused_and_not_read(string path)
    {
        var client = await hub.AddClientAsync();
        var body = TestClient.Encode(client.Request().Append(KeyValuePair.Create("token", "x")));
        var basic = TestClient.Basic(client.Id, client.Secret);
        Assert.Equal("invalid_request", (await client.SendAsync(body, basic, path + "?x=1")).Error);
        Assert.True((await client.SendAsync(body, basic, path)).Status is HttpStatusCode.OK or HttpStatusCode.Created);
    }

    [Fact]
    public async Task L03_a_state_of_a_sign_out_is_2048_characters_at_most()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var hint = (await hub.TokensAsync(client, browser)).Id!;
        string Url(int length) => "/connect/logout?" + TestClient.Encode(new Dictionary<string, string>
        {
            ["id_token_hint"] = hint, ["post_logout_redirect_uri"] = client.PostLogoutUri, ["state"] = new string('s', length),
        });
        AuthorizeTests.AssertErrorPage(await browser.GetAsync(Url(2049)), "oidc.malformed_request");
        Assert.EndsWith("?state=" + new string('s', 2048), (await browser.GetAsync(Url(2048))).Headers["Location"], StringComparison.Ordinal);
    }
}
