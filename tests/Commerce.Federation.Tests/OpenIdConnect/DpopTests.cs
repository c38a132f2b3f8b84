using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using Commerce.Federation.Partners;
using Commerce.Testing;

namespace Commerce.Federation.Tests.OpenIdConnect;

public sealed class DpopTests(OidcHub hub) : IClassFixture<OidcHub>
{
    private async Task<(TestClient Client, TestBrowser Browser, TestProofs Proofs)> StartAsync(Func<OidcClient, OidcClient>? edit = null)
    {
        var client = await hub.AddClientAsync(edit ?? (c => c with { DpopBoundAccessTokens = true }));
        return (client, hub.SignedIn().Browser, await new TestProofs(hub).WithNonceAsync(client));
    }

    private static TestTokens Bound(TestAnswer answer, TestProofs proofs)
    {
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Body);
        Assert.Equal("DPoP", answer.Json.GetProperty("token_type").GetString());
        var tokens = new TestTokens(answer.Json.GetProperty("access_token").GetString()!, null,
            answer.Json.TryGetProperty("refresh_token", out var refresh) ? refresh.GetString() : null, answer.Json.GetProperty("scope").GetString()!);
        Assert.Equal(proofs.Thumbprint, tokens.AccessClaims.GetProperty("cnf").GetProperty("jkt").GetString());
        return tokens;
    }

    private Task<HttpResponseMessage> UserInfoAsync(string token, params string[] proofs) => hub.CallAsync("/connect/userinfo", "DPoP", token, proofs);

    [Fact]
    public async Task F02_a_bound_token_opens_userinfo_with_its_proof_and_under_its_own_scheme_only()
    {
        var (client, browser, proofs) = await StartAsync();
        var tokens = Bound(await client.WithProofAsync(hub, proofs.Proof("/connect/token"), TestProofs.Fields(await hub.CodeAsync(client, browser), client)), proofs);
        using var good = await UserInfoAsync(tokens.Access, proofs.Proof("/connect/userinfo", tokens.Access, method: "GET"));
        Assert.Equal(HttpStatusCode.OK, good.StatusCode);
        Assert.Single(good.Headers.GetValues("DPoP-Nonce"));
        using var anyCase = await hub.CallAsync("/connect/userinfo", "dPoP", tokens.Access, proofs.Proof("/connect/userinfo", tokens.Access, method: "GET"));
        Assert.Equal(HttpStatusCode.OK, anyCase.StatusCode);        // F06

        // O15: as a bearer token it opens nothing, with its proof or without.
        foreach (var sent in new[] { [], new[] { proofs.Proof("/connect/userinfo", tokens.Access, method: "GET") } })
        {
            using var bearer = await hub.CallAsync("/connect/userinfo", "Bearer", tokens.Access, sent);
            Assert.Equal(HttpStatusCode.Unauthorized, bearer.StatusCode);
            Assert.StartsWith("Bearer ", bearer.Headers.WwwAuthenticate.Single().ToString(), StringComparison.Ordinal);
        }
        using var bare = await UserInfoAsync(tokens.Access);
        Assert.Equal(HttpStatusCode.Unauthorized, bare.StatusCode);
        Assert.Contains("invalid_dpop_proof", bare.Headers.WwwAuthenticate.Single().ToString(), StringComparison.Ordinal);
        using var other = await UserInfoAsync(tokens.Access, new TestProofs(hub) { Nonce = proofs.Nonce }.Proof("/connect/userinfo", tokens.Access, method: "GET"));
        Assert.Equal(HttpStatusCode.Unauthorized, other.StatusCode);
        using var wrongToken = await UserInfoAsync(tokens.Access, proofs.Proof("/connect/userinfo", "another", method: "GET"));
        Assert.Equal(HttpStatusCode.Unauthorized, wrongToken.StatusCode);
    }

    [Fact]
    public async Task O15_a_plain_token_is_refused_under_the_scheme_DPoP()
    {
        var client = await hub.AddClientAsync();
        var tokens = await hub.TokensAsync(client, hub.SignedIn().Browser);
        var proofs = await new TestProofs(hub).WithNonceAsync(client);
        using var answer = await UserInfoAsync(tokens.Access, proofs.Proof("/connect/userinfo", tokens.Access, method: "GET"));
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task O15_the_hubs_own_API_holds_bound_tokens_to_their_key_too()
    {
        var (client, _, proofs) = await StartAsync(c => c with { GrantTypes = ["client_credentials"], RedirectUris = [], Scopes = ["bookings:write"], DpopBoundAccessTokens = true });
        var fields = new Dictionary<string, string> { ["grant_type"] = "client_credentials" };
        Assert.Equal("invalid_request", (await client.TokenAsync(new(fields))).Error);
        var tokens = Bound(await client.WithProofAsync(hub, proofs.Proof("/connect/token"), fields), proofs);
        using var good = await hub.CallAsync("/api/probe", "DPoP", tokens.Access, proofs.Proof("/api/probe", tokens.Access, method: "GET"));
        Assert.Equal(HttpStatusCode.OK, good.StatusCode);
        var proof = proofs.Proof("/api/probe", tokens.Access, method: "GET");
        foreach (var expected in new[] { HttpStatusCode.OK, HttpStatusCode.Unauthorized })
        {
            using var again = await hub.CallAsync("/api/probe", "DPoP", tokens.Access, proof);
            Assert.Equal(expected, again.StatusCode);
        }
        // The address is the hub's own; what the Host header says is a stranger's word.
        var elsewhere = proofs.Proof("/api/probe", tokens.Access, c => c["htu"] = "http://evil.example/api/probe", method: "GET");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/probe") { Headers = { Host = "evil.example", Authorization = new("DPoP", tokens.Access) } };
        request.Headers.TryAddWithoutValidation("DPoP", elsewhere);
        using var misled = await hub.Hub.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.Unauthorized, misled.StatusCode);
        using var bearer = await hub.CallAsync("/api/probe", "Bearer", tokens.Access);
        Assert.Equal(HttpStatusCode.Unauthorized, bearer.StatusCode);
        using var bare = await hub.CallAsync("/api/probe", "DPoP", tokens.Access);
        Assert.Equal(HttpStatusCode.Unauthorized, bare.StatusCode);
        using var stale = await hub.CallAsync("/api/probe", "DPoP", tokens.Access, proofs.Proof("/api/probe", tokens.Access, c => c["nonce"] = "old", method: "GET"));
        Assert.Equal(HttpStatusCode.Unauthorized, stale.StatusCode);
        Assert.Contains("use_dpop_nonce", stale.Headers.WwwAuthenticate.Single().ToString(), StringComparison.Ordinal);
        Assert.Single(stale.Headers.GetValues("DPoP-Nonce"));
    }

    [Fact]
    public async Task F14_a_client_with_bound_tokens_gets_none_without_a_proof_and_its_code_stays_good()
    {
        var (client, browser, proofs) = await StartAsync();
        var code = await hub.CodeAsync(client, browser);
        Assert.Equal("invalid_request", (await client.RedeemAsync(code)).Error);
        Bound(await client.WithProofAsync(hub, proofs.Proof("/connect/token"), TestProofs.Fields(code, client)), proofs);
    }

    public static TheoryData<string> Wrong => [.. WrongProofs.Keys];

    private static readonly Dictionary<string, Func<TestProofs, string[]>> WrongProofs = new()
    {
        ["two headers"] = p => [p.Proof("/connect/token"), p.Proof("/connect/token")],
        ["not a JWT"] = _ => ["abc"],
        ["in upper case"] = p => [p.Proof("/connect/token").ToUpperInvariant()],
        ["empty"] = _ => [""],
        ["typ missing"] = p => [p.Proof("/connect/token", header: h => h.Remove("typ"))],
        ["typ of another kind"] = p => [p.Proof("/connect/token", header: h => h["typ"] = "JWT")],
        ["alg missing"] = p => [p.Proof("/connect/token", header: h => h.Remove("alg"))],
        ["alg none"] = p => [p.Proof("/connect/token", header: h => h["alg"] = "none")],
        ["alg RS256"] = p => [p.Proof("/connect/token", header: h => h["alg"] = "RS256")],
        ["alg HS256"] = p => [p.Proof("/connect/token", header: h => h["alg"] = "HS256")],
        ["jwk missing"] = p => [p.Proof("/connect/token", header: h => h.Remove("jwk"))],
        ["jwk is a text"] = p => [p.Proof("/connect/token", header: h => h["jwk"] = JsonSerializer.Serialize(p.Jwk))],
        ["jwk to encrypt with"] = p => [p.Proof("/connect/token", header: h => h["jwk"] = new Dictionary<string, object?>(p.Jwk) { ["use"] = "enc" })],
        ["jwk with a short x"] = p => [p.Proof("/connect/token", header: h => h["jwk"] = new Dictionary<string, object?>(p.Jwk) { ["x"] = ((string)p.Jwk["x"]!)[..^2] })],
        ["jwk with a long y"] = p => [p.Proof("/connect/token", header: h => h["jwk"] = new Dictionary<string, object?>(p.Jwk) { ["y"] = "AAAA" + p.Jwk["y"] })],
        ["htu of over two thousand characters"] = p => [p.Proof("/connect/token?" + new string('q', 2048))],
        ["htu is a number"] = p => [p.Proof("/connect/token", claims: c => c["htu"] = 1)],
        ["private key in jwk"] = p => [p.Proof("/connect/token", header: h => h["jwk"] = new Dictionary<string, object?>(p.Jwk) { ["d"] = "AAAA" })],
        ["jwk of another key"] = p => [p.Proof("/connect/token", key: ECDsa.Create(ECCurve.NamedCurves.nistP256))],
        ["crit"] = p => [p.Proof("/connect/token", header: h => h["crit"] = new[] { "x" })],
        ["jti missing"] = p => [p.Proof("/connect/token", claims: c => c.Remove("jti"))],
        ["jti too long"] = p => [p.Proof("/connect/token", claims: c => c["jti"] = new string('x', 257))],
        ["htm missing"] = p => [p.Proof("/connect/token", claims: c => c.Remove("htm"))],
        ["htm wrong"] = p => [p.Proof("/connect/token", method: "GET")],
        ["htm in lower case"] = p => [p.Proof("/connect/token", method: "post")],
        ["htu missing"] = p => [p.Proof("/connect/token", claims: c => c.Remove("htu"))],
        ["htu of another endpoint"] = p => [p.Proof("/connect/par")],
        ["htu of another host"] = p => [p.Proof("/connect/token", claims: c => c["htu"] = "https://evil.example/connect/token")],
        ["htu with a slash more"] = p => [p.Proof("/connect/token/")],
        ["htu with a user name"] = p => [p.Proof("/connect/token", claims: c => c["htu"] = ((string)c["htu"]!).Replace("//", "//a@", StringComparison.Ordinal))],
        ["iat missing"] = p => [p.Proof("/connect/token", claims: c => c.Remove("iat"))],
        ["iat an hour ago"] = p => [p.Proof("/connect/token", claims: c => c["iat"] = (long)c["iat"]! - 3600)],
        ["iat in an hour"] = p => [p.Proof("/connect/token", claims: c => c["iat"] = (long)c["iat"]! + 3600)],
        ["iat a text"] = p => [p.Proof("/connect/token", claims: c => c["iat"] = "now")],
        ["iat at the end of the calendar"] = p => [p.Proof("/connect/token", claims: c => c["iat"] = 253402300799)],
        ["iat before the calendar"] = p => [p.Proof("/connect/token", claims: c => c["iat"] = -62135596801)],
        ["nbf at the end of the calendar"] = p => [p.Proof("/connect/token", claims: c => c["nbf"] = 253402300799)],
        ["expired"] = p => [p.Proof("/connect/token", claims: c => c["exp"] = (long)c["iat"]! - 60)],
    };

    [Theory, MemberData(nameof(Wrong))]
    public async Task F19_a_wrong_proof_is_refused_and_a_right_one_still_works(string what)
    {
        var (client, browser, proofs) = await StartAsync();
        var fields = TestProofs.Fields(await hub.CodeAsync(client, browser), client);
        var answer = await client.WithProofsAsync(hub, "/connect/token", fields, WrongProofs[what](proofs));
        Assert.Equal((HttpStatusCode.BadRequest, "invalid_dpop_proof"), (answer.Status, answer.Error));
        Bound(await client.WithProofAsync(hub, proofs.Proof("/connect/token"), fields), proofs);
    }

    public static TheoryData<string> Right => [.. RightProofs.Keys];

    private static readonly Dictionary<string, Func<TestProofs, string>> RightProofs = new()
    {
        ["iat ten seconds ago (F07)"] = p => p.Proof("/connect/token", claims: c => c["iat"] = (long)c["iat"]! - 10),
        ["iat in ten seconds (F07)"] = p => p.Proof("/connect/token", claims: c => c["iat"] = (long)c["iat"]! + 10),
        ["nbf and exp (F07)"] = p => p.Proof("/connect/token", claims: c => (c["nbf"], c["exp"]) = (c["iat"], (long)c["iat"]! + 60)),
        ["exp at the end of the calendar"] = p => p.Proof("/connect/token", claims: c => c["exp"] = 253402300799),
        ["htu with query and fragment"] = p => p.Proof("/connect/token?a=b#c"),
        ["htu with scheme and host in upper case"] = p => p.Proof("/connect/token", claims: c => c["htu"] = ((string)c["htu"]!).Replace("http://localhost", "HTTP://LOCALHOST", StringComparison.Ordinal)),
        ["more claims"] = p => p.Proof("/connect/token", claims: c => c["extra"] = new { a = 1 }),
        ["jwk with alg and use"] = p => p.Proof("/connect/token", header: h => h["jwk"] = new Dictionary<string, object?>(p.Jwk) { ["alg"] = "ES256", ["use"] = "sig", ["kid"] = "a" }),
    };

    [Theory, MemberData(nameof(Right))]
    public async Task F07_F20_a_proof_that_differs_where_it_may_is_taken(string what)
    {
        var (client, browser, proofs) = await StartAsync();
        Bound(await client.WithProofAsync(hub, RightProofs[what](proofs), TestProofs.Fields(await hub.CodeAsync(client, browser), client)), proofs);
    }

    [Fact]
    public async Task A_proof_may_be_signed_PS256()
    {
        var (client, browser, proofs) = await StartAsync();
        using var rsa = RSA.Create(2048);
        var numbers = rsa.ExportParameters(false);
        string Text(byte[] bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);
        var unsigned = proofs.Proof("/connect/token", header: h =>
        {
            h["alg"] = "PS256";
            h["jwk"] = new { kty = "RSA", n = Text(numbers.Modulus!), e = Text(numbers.Exponent!) };
        });
        var signed = unsigned[..unsigned.LastIndexOf('.')];
        string Sign(RSASignaturePadding padding) => signed + "." + Text(rsa.SignData(System.Text.Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, padding));
        var fields = TestProofs.Fields(await hub.CodeAsync(client, browser), client);
        Assert.Equal("invalid_dpop_proof", (await client.WithProofAsync(hub, Sign(RSASignaturePadding.Pkcs1), fields)).Error);
        Assert.Equal(HttpStatusCode.OK, (await client.WithProofAsync(hub, Sign(RSASignaturePadding.Pss), fields)).Status);
    }

    [Fact]
    public async Task F19_a_jti_counts_once_even_in_fifty_parallel_requests()
    {
        var (client, _, proofs) = await StartAsync(c => c with { GrantTypes = ["client_credentials"], RedirectUris = [], Scopes = ["bookings:write"], DpopBoundAccessTokens = true });
        var proof = proofs.Proof("/connect/token");
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => client.WithProofAsync(hub, proof, new() { ["grant_type"] = "client_credentials" })));
        Assert.Single(answers, a => a.Status == HttpStatusCode.OK);
        Assert.Equal(49, answers.Count(a => a.Error == "invalid_dpop_proof"));
    }

    [Fact]
    public async Task R08_a_nonce_is_asked_for_and_lasts_a_few_minutes()
    {
        var (client, browser, proofs) = await StartAsync();
        var code = await hub.CodeAsync(client, browser);
        foreach (var nonce in new[] { "", "made-up", proofs.Nonce + "A" })
        {
            var answer = await client.WithProofAsync(hub, proofs.Proof("/connect/token", claims: c => c["nonce"] = nonce), TestProofs.Fields(code, client));
            Assert.Equal((HttpStatusCode.BadRequest, "use_dpop_nonce"), (answer.Status, answer.Error));
            Assert.True(answer.Headers.ContainsKey("DPoP-Nonce"));
        }
        Bound(await client.WithProofAsync(hub, proofs.Proof("/connect/token"), TestProofs.Fields(code, client)), proofs);
        code = await hub.CodeAsync(client, browser);
        hub.Clock.Advance(TimeSpan.FromMinutes(5));
        var old = await client.WithProofAsync(hub, proofs.Proof("/connect/token"), TestProofs.Fields(code, client));
        Assert.Equal("use_dpop_nonce", old.Error);
    }

    [Fact]
    public async Task F08_F09_a_code_asked_for_with_a_key_is_good_with_that_key_only()
    {
        var (client, browser, proofs) = await StartAsync();
        var other = new TestProofs(hub) { Nonce = proofs.Nonce };
        var code = await hub.CodeAsync(client, browser, ("dpop_jkt", proofs.Thumbprint));
        Assert.Equal("invalid_grant", (await client.WithProofAsync(hub, other.Proof("/connect/token"), TestProofs.Fields(code, client))).Error);
        Bound(await client.WithProofAsync(hub, proofs.Proof("/connect/token"), TestProofs.Fields(code, client)), proofs);

        // By a proof at the endpoint for pushed requests.
        var request = client.Request();
        var pushed = await client.WithProofsAsync(hub, "/connect/par", request, proofs.Proof("/connect/par"));
        code = client.CodeOf(await browser.GetAsync(client.ReferenceUrl(pushed)));
        Assert.Equal("invalid_grant", (await client.WithProofAsync(hub, other.Proof("/connect/token"), TestProofs.Fields(code, client))).Error);
        Bound(await client.WithProofAsync(hub, proofs.Proof("/connect/token"), TestProofs.Fields(code, client)), proofs);
        var mismatched = await client.WithProofsAsync(hub, "/connect/par", client.Request(("dpop_jkt", other.Thumbprint)), proofs.Proof("/connect/par"));
        Assert.Equal((HttpStatusCode.BadRequest, "invalid_dpop_proof"), (mismatched.Status, mismatched.Error));
    }

    [Fact]
    public async Task F21_a_grant_that_was_bound_is_never_refreshed_into_a_bearer_token()
    {
        // A client that is not held to proofs by its registration, and brought one.
        var (client, browser, proofs) = await StartAsync(c => c);
        var code = await hub.CodeAsync(client, browser, ("scope", "openid offline_access"));
        var tokens = Bound(await client.WithProofAsync(hub, proofs.Proof("/connect/token"), TestProofs.Fields(code, client)), proofs);
        Assert.Equal("invalid_grant", (await client.RefreshAsync(tokens.Refresh!)).Error);
        var refreshed = await client.WithProofAsync(hub, proofs.Proof("/connect/token"), new() { ["grant_type"] = "refresh_token", ["refresh_token"] = tokens.Refresh! });
        var next = Bound(refreshed, proofs);
        using var bearer = await hub.CallAsync("/connect/userinfo", "Bearer", next.Access);
        Assert.Equal(HttpStatusCode.Unauthorized, bearer.StatusCode);
    }
}
