using System.Net;
using Commerce.Testing;

namespace Commerce.Federation.Tests.OpenIdConnect;

public sealed class PushedRequestTests(OidcHub hub) : IClassFixture<OidcHub>
{
    [Fact]
    public async Task R07_a_pushed_request_gives_a_reference_and_the_reference_a_code()
    {
        var client = await hub.AddClientAsync(c => c with { RequirePushedAuthorizationRequests = true });
        var (browser, _, _) = hub.SignedIn();
        var pushed = await client.PushAsync(hub, ("scope", "openid email"));
        Assert.StartsWith("urn:ietf:params:oauth:request_uri:", pushed.Json.GetProperty("request_uri").GetString(), StringComparison.Ordinal);
        Assert.InRange(pushed.Json.GetProperty("expires_in").GetInt32(), 5, 600);
        var tokens = TestTokens.Of(await client.RedeemAsync(client.CodeOf(await browser.GetAsync(client.ReferenceUrl(pushed)))));
        Assert.Equal("openid email", tokens.Scope);
        Assert.Equal(client.Nonce, tokens.IdClaims.GetProperty("nonce").GetString());
    }

    [Fact]
    public async Task F11_a_client_that_must_push_gets_nothing_by_a_plain_request()
    {
        var client = await hub.AddClientAsync(c => c with { RequirePushedAuthorizationRequests = true });
        Assert.Equal("invalid_request", client.ErrorOf(await hub.SignedIn().Browser.GetAsync(client.AuthorizeUrl())));
    }

    [Fact]
    public async Task F24_F25_a_reference_opens_twice_before_the_answer_and_never_after_it()
    {
        var client = await hub.AddClientAsync();
        var url = client.ReferenceUrl(await client.PushAsync(hub));
        var browser = hub.Hub.NewBrowser();
        var first = await browser.GetAsync(url);
        var second = await browser.GetAsync(url);
        Assert.Equal("/signin", first.RedirectsTo!.AbsolutePath);
        var customer = hub.Neighbours.NewCustomer("Aino");
        client.CodeOf(await hub.SignInAtAsync(browser, second, customer));
        Assert.Equal(HttpStatusCode.BadRequest, (await browser.GetAsync(url)).Status);
        // The other tab's request came of the same reference.
        Assert.Equal(HttpStatusCode.BadRequest, (await hub.SignInAtAsync(browser, first, customer)).Status);
        Assert.Single(await hub.GrantsOfAsync(client));
    }

    [Fact]
    public async Task F25_a_reference_dies_by_time_and_by_a_refusal()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var late = client.ReferenceUrl(await client.PushAsync(hub));
        hub.Clock.Advance(TimeSpan.FromSeconds(90));
        Assert.Equal(HttpStatusCode.BadRequest, (await browser.GetAsync(late)).Status);
        var refused = client.ReferenceUrl(await client.PushAsync(hub, ("prompt", "none")));
        var stranger = hub.Hub.NewBrowser();
        Assert.Equal("login_required", client.ErrorOf(await stranger.GetAsync(refused)));
        Assert.Equal(HttpStatusCode.BadRequest, (await stranger.GetAsync(refused)).Status);
    }

    [Fact]
    public async Task Of_fifty_parallel_requests_with_one_reference_one_gets_a_code()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var url = client.ReferenceUrl(await client.PushAsync(hub));
        var pages = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => browser.GetAsync(url)));
        Assert.Single(pages, page => page.Status == HttpStatusCode.SeeOther);
        Assert.All(pages, page => Assert.True(page.Status is HttpStatusCode.SeeOther or HttpStatusCode.BadRequest));
        Assert.Single(await hub.GrantsOfAsync(client));
    }

    [Fact]
    public async Task F13_a_reference_is_of_no_use_to_another_client_and_what_stands_beside_it_is_not_looked_at()
    {
        var (client, other) = (await hub.AddClientAsync(), await hub.AddClientAsync());
        var (browser, _, _) = hub.SignedIn();
        var url = client.ReferenceUrl(await client.PushAsync(hub));
        Assert.Equal(HttpStatusCode.BadRequest, (await browser.GetAsync(url.Replace(client.Id, other.Id, StringComparison.Ordinal))).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await browser.GetAsync(url.Split('&').First(p => p.StartsWith("request_uri", StringComparison.Ordinal)) is var uri ? "/connect/authorize?" + uri : "")).Status);
        // O08: state, scope and redirect URI are those that were pushed.
        var page = await browser.GetAsync(url + "&state=evil&scope=openid%20email&redirect_uri=https%3A%2F%2Fevil.example%2F&prompt=login");
        client.CodeOf(page);
        Assert.Equal("openid", (await hub.GrantsOfAsync(client)).Single().Scope);
    }

    [Fact]
    public async Task F10_F22_F23_a_pushed_request_passes_the_checks_of_the_authorization_endpoint()
    {
        var client = await hub.AddClientAsync();
        foreach (var (name, value) in new (string, string?)[]
        {
            ("code_challenge", null), ("code_challenge_method", "plain"), ("redirect_uri", client.RedirectUri + "/x"), ("redirect_uri", null), ("request_uri", "urn:x"),
            ("client_id", null), ("client_id", "other"), ("prompt", "none login"), ("dpop_jkt", "short"),
            ("code_challenge", new string('.', 43)), ("dpop_jkt", new string('~', 43)),
        })
        {
            var answer = await client.PushAsync(hub, (name, value));
            var expected = name == "client_id" && value is not null ? (HttpStatusCode.Unauthorized, "invalid_client") : (HttpStatusCode.BadRequest, "invalid_request");
            Assert.Equal(expected, (answer.Status, answer.Error));
        }
        Assert.Equal("unsupported_response_type", (await client.PushAsync(hub, ("response_type", "code id_token"))).Error);
        Assert.Equal("invalid_scope", (await client.PushAsync(hub, ("scope", "email"))).Error);
        using var get = await hub.Hub.Http.GetAsync("/connect/par");
        Assert.Equal((HttpStatusCode.MethodNotAllowed, "POST"), (get.StatusCode, get.Content.Headers.Allow.Single()));
        var unproven = await client.SendAsync(TestClient.Encode(client.Request()), null, "/connect/par");
        Assert.Equal((HttpStatusCode.Unauthorized, "invalid_client"), (unproven.Status, unproven.Error));
        Assert.Equal("invalid_request", (await client.SendAsync(TestClient.Encode(client.Request()) + "&state=2", TestClient.Basic(client.Id, client.Secret), "/connect/par")).Error);
    }

    [Fact]
    public async Task O22_a_pushed_request_stands_sealed_in_the_database()
    {
        var client = await hub.AddClientAsync();
        await client.PushAsync(hub, ("login_hint", "aino.pushed@example.fi"));
        var database = await File.ReadAllTextAsync(hub.Hub.PathOf("federation"), System.Text.Encoding.Latin1);
        Assert.DoesNotContain("aino.pushed@example.fi", database, StringComparison.Ordinal);
    }

    [Fact]
    public async Task F05_a_long_state_and_nonce_come_back_whole_through_a_pushed_request()
    {
        var client = await hub.AddClientAsync();
        var (state, nonce) = (new string('s', 2048), new string('n', 1024));
        var page = await hub.SignedIn().Browser.GetAsync(client.ReferenceUrl(await client.PushAsync(hub, ("state", state), ("nonce", nonce))));
        var response = client.ResponseOf(page);
        Assert.Equal(state, response["state"]);
        Assert.Equal(nonce, TestTokens.Of(await client.RedeemAsync(response["code"])).IdClaims.GetProperty("nonce").GetString());
    }
}
