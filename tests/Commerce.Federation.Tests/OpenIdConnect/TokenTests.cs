using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using Commerce.Federation.Data;
using Commerce.Federation.OpenIdConnect;
using Commerce.Testing;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.Tests.OpenIdConnect;

public sealed class TokenTests(OidcHub hub) : IClassFixture<OidcHub>
{
    private static void AssertRefused(TestAnswer answer, string error, HttpStatusCode status = HttpStatusCode.BadRequest)
    {
        Assert.Equal((status, error), (answer.Status, answer.Error));
        Assert.False(answer.Json.TryGetProperty("access_token", out _));
    }

    [Fact]
    public async Task B17_a_code_used_again_is_invalid_grant_and_everything_of_the_first_use_dies()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var code = await hub.CodeAsync(client, browser, ("scope", "openid offline_access"));
        var tokens = TestTokens.Of(await client.RedeemAsync(code));
        Assert.Equal(HttpStatusCode.OK, (await hub.UserInfoAsync(tokens.Access)).StatusCode);
        hub.Clock.Advance(TimeSpan.FromSeconds(30));
        AssertRefused(await client.RedeemAsync(code), "invalid_grant");
        Assert.Equal(HttpStatusCode.Unauthorized, (await hub.UserInfoAsync(tokens.Access)).StatusCode);
        AssertRefused(await client.RefreshAsync(tokens.Refresh!), "invalid_grant");
        Assert.Equal("code_reused", (await hub.GrantsOfAsync(client)).Single().RevokedReason);
    }

    [Fact]
    public async Task F15_a_code_is_good_for_less_than_sixty_seconds()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var (early, late) = (await hub.CodeAsync(client, browser), await hub.CodeAsync(client, browser));
        hub.Clock.Advance(TimeSpan.FromSeconds(59));
        TestTokens.Of(await client.RedeemAsync(early));
        hub.Clock.Advance(TimeSpan.FromSeconds(1));
        AssertRefused(await client.RedeemAsync(late), "invalid_grant");
    }

    [Theory]
    [InlineData("code_verifier", "0123456789012345678901234567890123456789012", "invalid_grant")]
    [InlineData("code_verifier", "short", "invalid_grant")]                 // R05
    [InlineData("code_verifier", null, "invalid_grant")]                    // F22
    [InlineData("redirect_uri", "https://evil.example/callback", "invalid_grant")]
    [InlineData("redirect_uri", null, "invalid_request")]
    [InlineData("code", null, "invalid_request")]
    [InlineData("code", "x", "invalid_grant")]
    [InlineData("grant_type", null, "invalid_request")]
    [InlineData("grant_type", "password", "unsupported_grant_type")]
    [InlineData("grant_type", "client_credentials", "unauthorized_client")]
    public async Task B25_O04_O05_R05_a_request_that_does_not_fit_the_code_is_refused_and_leaves_the_code_as_it_was(string name, string? value, string error)
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var code = await hub.CodeAsync(client, browser);
        AssertRefused(await client.RedeemAsync(code, (name, value)), error);
        TestTokens.Of(await client.RedeemAsync(code));
    }

    [Fact]
    public async Task R05_a_verifier_that_is_too_long_or_has_other_characters_is_refused_although_its_hash_fits()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        foreach (var verifier in new[] { new string('a', 129), new string('a', 42), new string('a', 42) + "!", new string('a', 42) + "é" })
        {
            var code = await hub.CodeAsync(client, browser, ("code_challenge", TestClient.ChallengeOf(verifier)));
            AssertRefused(await client.RedeemAsync(code, ("code_verifier", verifier)), "invalid_grant");
        }
    }

    [Fact]
    public async Task O04_only_a_client_registered_so_does_without_pkce_and_then_both_directions_are_still_held_to()
    {
        var strict = await hub.AddClientAsync();
        var old = await hub.AddClientAsync(c => c with { RequirePkce = false });
        var (browser, _, _) = hub.SignedIn();
        (string, string?)[] without = [("code_challenge", null), ("code_challenge_method", null)];
        Assert.Equal("invalid_request", strict.ErrorOf(await browser.GetAsync(strict.AuthorizeUrl(without))));
        TestTokens.Of(await old.RedeemAsync(await hub.CodeAsync(old, browser, without), ("code_verifier", null)));
        // R05: a verifier without a challenge, and a challenge without its verifier.
        AssertRefused(await old.RedeemAsync(await hub.CodeAsync(old, browser, without)), "invalid_grant");
        AssertRefused(await old.RedeemAsync(await hub.CodeAsync(old, browser), ("code_verifier", null)), "invalid_grant");
        // A method without a challenge is a challenge that got lost.
        Assert.Equal("invalid_request", old.ErrorOf(await browser.GetAsync(old.AuthorizeUrl(("code_challenge", null)))));
    }

    [Fact]
    public async Task O05_F13_a_code_of_another_client_is_refused_and_not_used_up_or_revoked()
    {
        var (client, thief) = (await hub.AddClientAsync(), await hub.AddClientAsync());
        var (browser, _, _) = hub.SignedIn();
        var code = await hub.CodeAsync(client, browser);
        AssertRefused(await thief.RedeemAsync(code, ("redirect_uri", client.RedirectUri), ("code_verifier", client.Verifier)), "invalid_grant");
        var tokens = TestTokens.Of(await client.RedeemAsync(code));
        AssertRefused(await thief.RedeemAsync(code, ("redirect_uri", client.RedirectUri), ("code_verifier", client.Verifier)), "invalid_grant");
        Assert.Equal(HttpStatusCode.OK, (await hub.UserInfoAsync(tokens.Access)).StatusCode);
    }

    [Fact]
    public async Task O05_T09_of_fifty_parallel_redemptions_of_one_code_one_wins()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var code = await hub.CodeAsync(client, browser);
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => client.RedeemAsync(code)));
        Assert.Single(answers, a => a.Status == HttpStatusCode.OK);
        Assert.Equal(49, answers.Count(a => a.Error == "invalid_grant"));
        Assert.NotNull((await hub.GrantsOfAsync(client)).Single().RevokedAt);
    }

    [Fact]
    public async Task B24_a_refresh_token_gives_new_tokens_for_the_same_customer_and_the_next_refresh_token()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var first = await hub.TokensAsync(client, browser, ("scope", "openid email offline_access"));
        Assert.Matches("^[A-Za-z0-9_-]+$", first.Refresh);
        hub.Clock.Advance(TimeSpan.FromMinutes(15));
        Assert.Equal(HttpStatusCode.Unauthorized, (await hub.UserInfoAsync(first.Access)).StatusCode);      // ten minutes
        var second = TestTokens.Of(await client.RefreshAsync(first.Refresh!));
        Assert.NotEqual(first.Refresh, second.Refresh);
        foreach (var name in new[] { "iss", "sub", "aud", "auth_time" }) Assert.Equal(first.IdClaims.GetProperty(name).ToString(), second.IdClaims.GetProperty(name).ToString());
        Assert.False(second.IdClaims.TryGetProperty("nonce", out _));
        Assert.Equal(first.IdClaims.GetProperty("auth_time").GetInt64(), second.AccessClaims.GetProperty("auth_time").GetInt64());
        Assert.Equal(HttpStatusCode.OK, (await hub.UserInfoAsync(second.Access)).StatusCode);
        TestTokens.Of(await client.RefreshAsync(second.Refresh!));
    }

    [Fact]
    public async Task B24_F21_another_clients_refresh_token_is_refused_and_stays_good_for_its_owner()
    {
        var (client, thief) = (await hub.AddClientAsync(), await hub.AddClientAsync());
        var (browser, _, _) = hub.SignedIn();
        var tokens = await hub.TokensAsync(client, browser, ("scope", "openid offline_access"));
        AssertRefused(await thief.RefreshAsync(tokens.Refresh!), "invalid_grant");
        AssertRefused(await client.SendAsync($"grant_type=refresh_token&refresh_token={tokens.Refresh}&client_id={client.Id}", null), "invalid_client", HttpStatusCode.Unauthorized);
        TestTokens.Of(await client.RefreshAsync(tokens.Refresh!));
    }

    [Fact]
    public async Task Without_offline_access_there_is_no_refresh_token()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        Assert.Null((await hub.TokensAsync(client, browser)).Refresh);
        var without = await hub.AddClientAsync(c => c with { GrantTypes = ["authorization_code"] });
        var tokens = await hub.TokensAsync(without, browser, ("scope", "openid offline_access"));
        Assert.Equal((null, "openid"), (tokens.Refresh, tokens.Scope));
    }

    [Fact]
    public async Task O06_an_old_refresh_token_ends_the_family()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var first = await hub.TokensAsync(client, browser, ("scope", "openid offline_access"));
        var second = TestTokens.Of(await client.RefreshAsync(first.Refresh!));
        AssertRefused(await client.RefreshAsync(first.Refresh!), "invalid_grant");
        AssertRefused(await client.RefreshAsync(second.Refresh!), "invalid_grant");
        Assert.Equal(HttpStatusCode.Unauthorized, (await hub.UserInfoAsync(second.Access)).StatusCode);
        Assert.Equal("refresh_reused", (await hub.GrantsOfAsync(client)).Single().RevokedReason);
    }

    [Fact]
    public async Task O06_of_fifty_parallel_uses_of_one_refresh_token_one_wins_and_the_family_ends()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var tokens = await hub.TokensAsync(client, browser, ("scope", "openid offline_access"));
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => client.RefreshAsync(tokens.Refresh!)));
        var winner = TestTokens.Of(Assert.Single(answers, a => a.Status == HttpStatusCode.OK));
        Assert.Equal(49, answers.Count(a => a.Error == "invalid_grant"));
        AssertRefused(await client.RefreshAsync(winner.Refresh!), "invalid_grant");
    }

    [Fact]
    public async Task R17_a_refresh_token_dies_of_seven_idle_days_and_the_grant_of_thirty_days_in_use()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var idle = await hub.TokensAsync(client, browser, ("scope", "openid offline_access"));
        var used = (await hub.TokensAsync(client, browser, ("scope", "openid offline_access"))).Refresh!;
        for (var day = 6; day < 30; day += 6)
        {
            hub.Clock.Advance(TimeSpan.FromDays(6));
            used = TestTokens.Of(await client.RefreshAsync(used)).Refresh!;
        }
        AssertRefused(await client.RefreshAsync(idle.Refresh!), "invalid_grant");
        hub.Clock.Advance(TimeSpan.FromDays(6));
        AssertRefused(await client.RefreshAsync(used), "invalid_grant");
    }

    [Fact]
    public async Task Refresh_can_narrow_the_scope_and_never_widen_it()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var tokens = await hub.TokensAsync(client, browser, ("scope", "openid email offline_access"));
        AssertRefused(await client.RefreshAsync(tokens.Refresh!, ("scope", "openid email phone")), "invalid_scope");
        AssertRefused(await client.RefreshAsync(tokens.Refresh!, ("scope", "email")), "invalid_scope");
        var narrow = TestTokens.Of(await client.RefreshAsync(tokens.Refresh!, ("scope", "openid")));
        Assert.Equal("openid", narrow.Scope);
        Assert.False((await hub.UserInfoJsonAsync(narrow.Access)).TryGetProperty("email", out _));
    }

    [Fact]
    public async Task R03_R04_the_token_endpoint_takes_a_form_post_with_each_parameter_once_and_nothing_in_the_query()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var code = await hub.CodeAsync(client, browser);
        var body = TestClient.Encode(new Dictionary<string, string>
        {
            ["grant_type"] = "authorization_code", ["code"] = code, ["redirect_uri"] = client.RedirectUri, ["code_verifier"] = client.Verifier,
        });
        var basic = TestClient.Basic(client.Id, client.Secret);
        AssertRefused(await client.SendAsync(body + "&code=" + code, basic), "invalid_request");
        AssertRefused(await client.SendAsync(body + "&extra=1&extra=", basic), "invalid_request");
        AssertRefused(await client.SendAsync("", basic, "/connect/token?" + body), "invalid_request");
        AssertRefused(await client.SendAsync(body, basic, "/connect/token?x=1"), "invalid_request");
        AssertRefused(await client.SendAsync(body, basic, type: "application/json"), "invalid_request");
        AssertRefused(await client.SendAsync(body, basic, type: "application/x-www-form-urlencoded; charset=utf-16"), "invalid_request");
        AssertRefused(await client.SendAsync(body + "&x=%ff", basic), "invalid_request");
        AssertRefused(await client.SendAsync("x=" + new string('a', 70_000), basic), "invalid_request");
        using var get = await hub.Hub.Http.GetAsync("/connect/token?" + body);
        Assert.Equal((HttpStatusCode.MethodNotAllowed, "POST"), (get.StatusCode, get.Content.Headers.Allow.Single()));
        Assert.True(get.Headers.CacheControl?.NoStore);
        TestTokens.Of(await client.SendAsync(body, basic));
    }

    [Fact]
    public async Task R04_a_wrong_secret_is_401_with_a_challenge()
    {
        var client = await hub.AddClientAsync();
        foreach (var header in new[] { TestClient.Basic(client.Id, client.Secret + "x"), TestClient.Basic(client.Id, ""), TestClient.Basic("nobody", client.Secret),
            new AuthenticationHeaderValue("Basic", "%%%"), new AuthenticationHeaderValue("Basic"), new AuthenticationHeaderValue("Bearer", "x"), null })
        {
            var answer = await client.SendAsync("grant_type=authorization_code&code=x", header);
            AssertRefused(answer, "invalid_client", HttpStatusCode.Unauthorized);
            Assert.StartsWith("Basic ", answer.Headers["WWW-Authenticate"], StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task O09_exactly_one_credential_and_only_the_registered_method()
    {
        var secret = await hub.AddClientAsync();
        var key = await hub.AddClientAsync(withKey: true);
        var type = "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
        var basic = TestClient.Basic(secret.Id, secret.Secret);
        const string Body = "grant_type=authorization_code&code=x&redirect_uri=x&code_verifier=x";
        AssertRefused(await secret.SendAsync($"{Body}&client_id={secret.Id}&client_secret={Uri.EscapeDataString(secret.Secret)}", basic), "invalid_request");
        AssertRefused(await secret.SendAsync($"{Body}&client_assertion=a.b.c{type}", basic), "invalid_request");
        AssertRefused(await secret.SendAsync($"{Body}{type}", basic), "invalid_request");
        AssertRefused(await secret.SendAsync($"{Body}&client_id={secret.Id}&client_secret={Uri.EscapeDataString(secret.Secret)}", null), "invalid_client", HttpStatusCode.Unauthorized);
        AssertRefused(await key.SendAsync(Body, TestClient.Basic(key.Id, key.Secret)), "invalid_client", HttpStatusCode.Unauthorized);
        AssertRefused(await secret.SendAsync($"{Body}&client_id=other", basic), "invalid_client", HttpStatusCode.Unauthorized);
        AssertRefused(await secret.SendAsync(Body, basic), "invalid_grant");
    }

    public static TheoryData<string> BadAssertions => [.. Assertions.Keys];

    private static readonly Dictionary<string, Func<TestClient, OidcHub, string>> Assertions = new()
    {
        ["aud is a list (F17)"] = (c, h) => c.Assertion(a => a["aud"] = new[] { h.Issuer }),
        ["aud is the token endpoint (F17, O10)"] = (c, h) => c.Assertion(a => a["aud"] = h.Issuer + "/connect/token"),
        ["aud with a slash more (M11)"] = (c, h) => c.Assertion(a => a["aud"] = h.Issuer + "/"),
        ["aud missing"] = (c, _) => c.Assertion(a => a.Remove("aud")),
        ["aud in upper case (M13)"] = (c, h) => c.Assertion(a => a["aud"] = h.Issuer.ToUpperInvariant()),
        ["exp missing"] = (c, _) => c.Assertion(a => a.Remove("exp")),
        ["exp as text"] = (c, h) => c.Assertion(a => a["exp"] = (h.Clock.GetUtcNow().ToUnixTimeSeconds() + 60).ToString(System.Globalization.CultureInfo.InvariantCulture)),
        ["exp 11 s ago (M11)"] = (c, h) => c.Assertion(a => a["exp"] = h.Clock.GetUtcNow().ToUnixTimeSeconds() - 11),
        ["exp 5 min ago (F16)"] = (c, h) => c.Assertion(a => a["exp"] = h.Clock.GetUtcNow().ToUnixTimeSeconds() - 300),
        ["exp at the end of the calendar"] = (c, _) => c.Assertion(a => a["exp"] = 253402300799),
        ["nbf at the end of the calendar"] = (c, _) => c.Assertion(a => a["nbf"] = 253402300799),
        ["exp in an hour"] = (c, h) => c.Assertion(a => a["exp"] = h.Clock.GetUtcNow().ToUnixTimeSeconds() + 3600),
        ["iat in 61 s (F18)"] = (c, h) => c.Assertion(a => a["iat"] = h.Clock.GetUtcNow().ToUnixTimeSeconds() + 61),
        ["nbf in 61 s (F18)"] = (c, h) => c.Assertion(a => a["nbf"] = h.Clock.GetUtcNow().ToUnixTimeSeconds() + 61),
        ["sub missing (F16)"] = (c, _) => c.Assertion(a => a.Remove("sub")),
        ["sub of somebody else"] = (c, _) => c.Assertion(a => a["sub"] = "other"),
        ["iss of somebody else"] = (c, _) => c.Assertion(a => a["iss"] = "other"),
        ["jti missing"] = (c, _) => c.Assertion(a => a.Remove("jti")),
        ["foreign key"] = (c, _) => c.Assertion(key: ECDsa.Create(ECCurve.NamedCurves.nistP256)),
        ["foreign key in jwk header (O13)"] = (c, _) =>
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var q = key.ExportParameters(false).Q;
            return c.Assertion(header: h => h["jwk"] = new { kty = "EC", crv = "P-256", x = System.Buffers.Text.Base64Url.EncodeToString(q.X!), y = System.Buffers.Text.Base64Url.EncodeToString(q.Y!) }, key: key);
        },
        ["alg none (M12)"] = (c, _) => c.Assertion(header: h => h["alg"] = "none"),
        ["alg HS256 (M12)"] = (c, _) => c.Assertion(header: h => h["alg"] = "HS256"),
        ["alg in lower case"] = (c, _) => c.Assertion(header: h => h["alg"] = "es256"),
        ["unknown kid (M11)"] = (c, _) => c.Assertion(header: h => h["kid"] = "other"),
        ["crit (M10)"] = (c, _) => c.Assertion(header: h => (h["crit"], h["b64x"]) = (new[] { "b64x" }, true)),
        ["typ of an access token (O14)"] = (c, _) => c.Assertion(header: h => h["typ"] = "at+jwt"),
        ["typ of a logout token (M11)"] = (c, _) => c.Assertion(header: h => h["typ"] = "logout+jwt"),
        ["padding (M12)"] = (c, _) => c.Assertion() + "=",
        ["four parts"] = (c, _) => c.Assertion() + ".e30",
        ["sub twice (M10)"] = (c, h) => Jwt.Sign("""{"alg":"ES256","kid":"k1"}""",
            $$"""{"iss":"{{c.Id}}","sub":"other","sub":"{{c.Id}}","aud":"{{h.Issuer}}","jti":"{{Guid.NewGuid()}}","exp":{{h.Clock.GetUtcNow().ToUnixTimeSeconds() + 60}}}""", c.Key!),
        ["alg twice (M10)"] = (c, h) => Jwt.Sign("""{"alg":"none","alg":"ES256","kid":"k1"}""",
            $$"""{"iss":"{{c.Id}}","sub":"{{c.Id}}","aud":"{{h.Issuer}}","jti":"{{Guid.NewGuid()}}","exp":{{h.Clock.GetUtcNow().ToUnixTimeSeconds() + 60}}}""", c.Key!),
        ["very long (O13)"] = (c, _) => c.Assertion(a => a["filler"] = new string('x', 17_000)),
        ["not JSON"] = (c, _) => Jwt.Sign("""{"alg":"ES256","kid":"k1"}""", "[]", c.Key!),
        ["lone surrogate"] = (c, h) => Jwt.Sign("""{"alg":"ES256","kid":"k1"}""", """{"iss":"\ud800","sub":"\ud800","exp":1}""", c.Key!),
    };

    [Theory]
    [MemberData(nameof(BadAssertions))]
    public async Task O10_O13_F16_F17_F18_M10_M11_M12_an_assertion_with_a_fault_proves_nobody(string fault)
    {
        var client = await hub.AddClientAsync(withKey: true);
        var (browser, _, _) = hub.SignedIn();
        var code = await hub.CodeAsync(client, browser);
        AssertRefused(await client.RedeemAsync(code, ("client_assertion", Assertions[fault](client, hub))), "invalid_client", HttpStatusCode.Unauthorized);
        TestTokens.Of(await client.RedeemAsync(code));
    }

    [Fact]
    public async Task D08_F18_an_assertion_for_the_issuer_with_times_eight_seconds_off_or_with_a_typ_or_without_kid_is_accepted()
    {
        var client = await hub.AddClientAsync(withKey: true);
        var (browser, _, _) = hub.SignedIn();
        var now = hub.Clock.GetUtcNow().ToUnixTimeSeconds();
        foreach (var assertion in new[]
        {
            client.Assertion(a => (a["iat"], a["nbf"]) = (now + 8, now + 8)), client.Assertion(a => a["exp"] = now - 8), client.Assertion(a => a["exp"] = now + 300),
            client.Assertion(header: h => h["typ"] = "JWT"), client.Assertion(header: h => h.Remove("kid")),
        })
        {
            TestTokens.Of(await client.RedeemAsync(await hub.CodeAsync(client, browser), ("client_assertion", assertion)));
        }
    }

    [Fact]
    public async Task O10_an_assertion_is_good_once_also_for_fifty_at_the_same_moment()
    {
        var client = await hub.AddClientAsync(withKey: true);
        var (browser, _, _) = hub.SignedIn();
        var assertion = client.Assertion();
        TestTokens.Of(await client.RedeemAsync(await hub.CodeAsync(client, browser), ("client_assertion", assertion)));
        AssertRefused(await client.RedeemAsync(await hub.CodeAsync(client, browser), ("client_assertion", assertion)), "invalid_client", HttpStatusCode.Unauthorized);
        var another = client.Assertion();
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => client.RedeemAsync("x", ("client_assertion", another))));
        Assert.Single(answers, a => a.Error == "invalid_grant");
        Assert.Equal(49, answers.Count(a => a.Error == "invalid_client"));
    }

    [Fact]
    public async Task Codes_and_refresh_tokens_stand_nowhere_in_the_database()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var code = await hub.CodeAsync(client, browser, ("scope", "openid offline_access"));
        var tokens = TestTokens.Of(await client.RedeemAsync(code));
        await hub.Hub.WithDbAsync<FederationDb, int>(db => db.Database.ExecuteSqlRawAsync("PRAGMA wal_checkpoint(TRUNCATE)"));
        var bytes = System.Text.Encoding.Latin1.GetString(await ReadSharedAsync(hub.Hub.PathOf("federation")));
        foreach (var secret in new[] { code, tokens.Access, tokens.Refresh!, tokens.Id!, client.Secret, client.Verifier }) Assert.DoesNotContain(secret, bytes, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Client_credentials_give_the_registered_api_scopes_to_the_client_itself()
    {
        var client = await hub.AddClientAsync(c => c with { GrantTypes = ["client_credentials"], Scopes = ["bookings:write"] });
        var tokens = TestTokens.Of(await client.TokenAsync(new() { ["grant_type"] = "client_credentials" }));
        Assert.Equal(("bookings:write", null, null), (tokens.Scope, tokens.Id, tokens.Refresh));
        Assert.Equal(hub.Issuer + "/api", tokens.AccessClaims.GetProperty("aud").GetString());
        Assert.Equal(client.Id, tokens.AccessClaims.GetProperty("sub").GetString());
        AssertRefused(await client.TokenAsync(new() { ["grant_type"] = "client_credentials", ["scope"] = "bookings:write orders:write" }), "invalid_scope");
        AssertRefused(await client.TokenAsync(new() { ["grant_type"] = "client_credentials", ["scope"] = "openid" }), "invalid_scope");
    }

    private static async Task<byte[]> ReadSharedAsync(string path)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[file.Length];
        await file.ReadExactlyAsync(bytes);
        return bytes;
    }
}
