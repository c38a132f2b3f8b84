using System.Net;
using System.Text;

namespace Commerce.Federation.Tests.OpenIdConnect;

/// <summary>A thousand changes of each thing that comes in: none counts as the thing itself, none breaks the server, none leaves anything behind.</summary>
public sealed class MutationTests(OidcHub hub) : IClassFixture<OidcHub>
{
    private const int Rounds = 1000;
    private const string Alphabet = "ABCxyz019-_.~%+&=? /\\\"'<>{}[]:;,\u00e9";

    /// <summary>Replaces, inserts, removes, swaps, doubles, cuts; repeatable from the number.</summary>
    private static string Mutate(string text, int round)
    {
        var random = new Random(round);
        var changed = new StringBuilder(text);
        do
        {
            for (var edits = random.Next(1, 4); edits > 0 && changed.Length > 1; edits--)
            {
                var at = random.Next(changed.Length);
                switch (random.Next(6))
                {
                    case 0: changed[at] = Alphabet[random.Next(Alphabet.Length)]; break;
                    case 1: changed.Insert(at, Alphabet[random.Next(Alphabet.Length)]); break;
                    case 2: changed.Remove(at, 1); break;
                    case 3: (changed[at], changed[^1]) = (changed[^1], changed[at]); break;
                    case 4: changed.Append(changed.ToString(at, Math.Min(8, changed.Length - at))); break;
                    default: changed.Length = Math.Max(1, at); break;
                }
            }
        }
        while (changed.ToString() == text);
        return changed.ToString();
    }

    [Fact]
    public async Task A_thousand_changed_codes_are_refused_and_the_code_itself_stays_good()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var code = await hub.CodeAsync(client, browser);
        for (var i = 0; i < Rounds; i++) Assert.Contains((await client.RedeemAsync(Mutate(code, i))).Error, new[] { "invalid_grant", "invalid_request" });
        TestTokens.Of(await client.RedeemAsync(code));
    }

    [Fact]
    public async Task A_thousand_changed_refresh_tokens_are_refused_and_the_family_lives()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var token = (await hub.TokensAsync(client, browser, ("scope", "openid offline_access"))).Refresh!;
        for (var i = 0; i < Rounds; i++) Assert.Contains((await client.RefreshAsync(Mutate(token, i))).Error, new[] { "invalid_grant", "invalid_request" });
        TestTokens.Of(await client.RefreshAsync(token));
    }

    [Fact]
    public async Task A_thousand_changed_authorize_queries_redirect_nowhere_but_to_the_client_and_never_fail_inside()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var query = client.AuthorizeUrl()["/connect/authorize?".Length..];
        for (var i = 0; i < Rounds; i++)
        {
            var changed = Mutate(query, i);
            // Kestrel itself refuses spaces and letters outside ASCII in the request line; the rest arrives as it is.
            var page = await OidcHub.GetRawAsync(browser, "/connect/authorize?" + changed.Replace(' ', '+').Replace("é", "%C3%A9", StringComparison.Ordinal));
            Assert.True((int)page.Status < 500, $"{i}: {(int)page.Status} to {changed}");
            if (!page.Headers.TryGetValue("Location", out var to)) continue;
            Assert.True(to.StartsWith(client.RedirectUri + "?", StringComparison.Ordinal) || to.StartsWith("/signin?", StringComparison.Ordinal), $"{i}: {to}");
        }
        await hub.CodeAsync(client, browser);
    }

    [Fact]
    public async Task A_thousand_changed_token_requests_give_no_token_and_never_fail_inside()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var code = await hub.CodeAsync(client, browser);
        var body = TestClient.Encode(new Dictionary<string, string>
        {
            ["grant_type"] = "authorization_code", ["code"] = code, ["redirect_uri"] = client.RedirectUri, ["code_verifier"] = client.Verifier,
        });
        var accepted = 0;
        for (var i = 0; i < Rounds; i++)
        {
            var answer = await client.SendAsync(Mutate(body, i), TestClient.Basic(client.Id, client.Secret));
            Assert.True((int)answer.Status < 500, $"{i}: {(int)answer.Status}");
            if (answer.Status == HttpStatusCode.OK) accepted++;
        }
        // A change may leave every parameter as it was (a parameter more, an escape spelt otherwise): that is the request itself, once.
        Assert.InRange(accepted, 0, 1);
        Assert.Single(await hub.GrantsOfAsync(client));
    }

    [Fact]
    public async Task A_thousand_changed_id_token_hints_count_for_nothing()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, session) = hub.SignedIn();
        var hint = (await hub.TokensAsync(client, browser)).Id!;
        for (var i = 0; i < Rounds; i++)
        {
            var changed = Mutate(hint, i);
            if (i % 2 == 0) Assert.Equal("invalid_request", client.ErrorOf(await browser.GetAsync(client.AuthorizeUrl(("id_token_hint", changed)))));
            else Assert.Equal(HttpStatusCode.BadRequest, (await browser.GetAsync("/connect/logout?" + TestClient.Encode([new("id_token_hint", changed), new("post_logout_redirect_uri", client.PostLogoutUri)]))).Status);
        }
        Assert.True(hub.Neighbours.Sessions.ContainsKey(session));
        await hub.CodeAsync(client, browser, ("id_token_hint", hint));
    }

    [Fact]
    public async Task A_thousand_changed_client_assertions_prove_nobody()
    {
        var client = await hub.AddClientAsync(withKey: true);
        var assertion = client.Assertion();
        for (var i = 0; i < Rounds; i++)
        {
            var answer = await client.RedeemAsync("x", ("client_assertion", Mutate(assertion, i)));
            Assert.Contains(answer.Error, new[] { "invalid_client", "invalid_request" });
        }
        Assert.Equal("invalid_grant", (await client.RedeemAsync("x", ("client_assertion", assertion))).Error);
    }

    [Fact]
    public async Task A_thousand_changed_access_tokens_open_nothing()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var token = (await hub.TokensAsync(client, browser)).Access;
        for (var i = 0; i < Rounds; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/connect/userinfo");
            request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + Mutate(token, i).Replace("é", "e", StringComparison.Ordinal));
            using var answer = await hub.Hub.Http.SendAsync(request);
            Assert.Contains(answer.StatusCode, new[] { HttpStatusCode.Unauthorized, HttpStatusCode.BadRequest });
        }
        Assert.Equal(HttpStatusCode.OK, (await hub.UserInfoAsync(token)).StatusCode);
    }
}
