using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Commerce.Federation.Data;
using Commerce.Federation.OpenIdConnect.Jose;
using Commerce.Kernel.Secrets;
using Commerce.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Federation.Tests.OpenIdConnect;

public sealed class UserInfoTests(OidcHub hub) : IClassFixture<OidcHub>
{
    [Theory]
    [InlineData("GET")]
    [InlineData("POST")]
    public async Task B04_userinfo_says_the_sub_of_the_id_token(string method)
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var tokens = await hub.TokensAsync(client, browser);
        using var answer = await hub.UserInfoAsync(tokens.Access, new HttpMethod(method));
        Assert.Equal("application/json", answer.Content.Headers.ContentType?.MediaType);
        Assert.True(answer.Headers.CacheControl?.NoStore);
        var claims = JsonElement.Parse(await answer.Content.ReadAsStringAsync());
        Assert.Equal(tokens.IdClaims.GetProperty("sub").GetString(), claims.GetProperty("sub").GetString());
    }

    [Fact]
    public async Task B05_a_token_in_the_body_or_the_query_is_not_looked_at()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var token = (await hub.TokensAsync(client, browser)).Access;
        using var body = await hub.Hub.Http.PostAsync("/connect/userinfo", new FormUrlEncodedContent([KeyValuePair.Create("access_token", token)]));
        using var query = await hub.Hub.Http.GetAsync("/connect/userinfo?access_token=" + token);
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized), (body.StatusCode, query.StatusCode));
        Assert.DoesNotContain("error", query.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);     // RFC 6750 3.1
    }

    [Theory]
    [InlineData("openid", "sub")]
    [InlineData("openid profile", "family_name given_name locale name sub")]
    [InlineData("openid email", "email email_verified sub")]
    [InlineData("openid phone", "phone_number phone_number_verified sub")]
    [InlineData("openid address", "address sub")]
    [InlineData("openid vehicle purchase", "sub")]
    public async Task B07_a_scope_brings_its_claims_and_no_others(string scope, string claims)
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var tokens = await hub.TokensAsync(client, browser, ("scope", scope));
        Assert.Equal(claims.Split(' '), (await hub.UserInfoJsonAsync(tokens.Access)).EnumerateObject().Select(c => c.Name).Order());
        Assert.False(tokens.IdClaims.TryGetProperty("email", out _));
    }

    [Fact]
    public async Task A_claim_that_the_contract_does_not_name_never_leaves_whatever_is_asked()
    {
        var client = await hub.AddClientAsync(claims: ["name"]);
        var (browser, _, _) = hub.SignedIn();
        var claims = await hub.UserInfoJsonAsync((await hub.TokensAsync(client, browser, ("scope", "openid profile email phone address"))).Access);
        Assert.Equal(["family_name", "given_name", "name", "sub"], claims.EnumerateObject().Select(c => c.Name).Order());
        var none = await hub.AddClientAsync(claims: []);
        Assert.Single((await hub.UserInfoJsonAsync((await hub.TokensAsync(none, browser, ("scope", "openid profile email"))).Access)).EnumerateObject());
    }

    [Fact]
    public async Task D01_userinfo_is_signed_where_the_client_registered_it()
    {
        foreach (var algorithm in new[] { "RS256", "ES256" })
        {
            var client = await hub.AddClientAsync(c => c with { UserinfoSignedResponseAlg = algorithm });
            var (browser, _, _) = hub.SignedIn();
            var tokens = await hub.TokensAsync(client, browser, ("scope", "openid email"));
            using var answer = await hub.UserInfoAsync(tokens.Access);
            Assert.Equal(("application/jwt", true), (answer.Content.Headers.ContentType?.MediaType, answer.Headers.CacheControl?.NoStore));
            var jwt = await answer.Content.ReadAsStringAsync();
            await DiscoveryTests.AssertSignedAsync(hub, jwt, algorithm);
            var claims = Jwt.Payload(jwt);
            Assert.Equal((hub.Issuer, client.Id, hub.Clock.GetUtcNow().ToUnixTimeSeconds()),
                (claims.GetProperty("iss").GetString(), claims.GetProperty("aud").GetString(), claims.GetProperty("iat").GetInt64()));
            Assert.Equal("aino.virtanen@example.com", claims.GetProperty("email").GetString());
        }
    }

    [Fact]
    public async Task R11_the_id_token_has_the_nonce_byte_for_byte_one_audience_at_hash_and_a_pairwise_sub()
    {
        var client = await hub.AddClientAsync();
        var (browser, customer, session) = hub.SignedIn();
        var tokens = await hub.TokensAsync(client, browser);
        var claims = tokens.IdClaims;
        Assert.Equal(client.Nonce, claims.GetProperty("nonce").GetString());
        Assert.Equal(client.Id, claims.GetProperty("aud").GetString());
        Assert.Equal(hub.Issuer, claims.GetProperty("iss").GetString());
        Assert.Equal(System.Buffers.Text.Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(tokens.Access)).AsSpan(0, 16)), claims.GetProperty("at_hash").GetString());
        Assert.Matches("^[0-9a-f]{64}$", claims.GetProperty("sub").GetString());
        Assert.True(claims.GetProperty("exp").GetInt64() > claims.GetProperty("iat").GetInt64());
        await DiscoveryTests.AssertSignedAsync(hub, tokens.Id!, "ES256");
        foreach (var text in new[] { customer.ToString("D"), customer.ToString("N"), session.ToString("D"), session.ToString("N") })
            Assert.DoesNotContain(text, claims.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task RFC9068_the_access_token_is_typed_and_names_issuer_audience_client_and_scope()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var tokens = await hub.TokensAsync(client, browser, ("scope", "openid email"));
        Assert.Equal("at+jwt", Jwt.Header(tokens.Access).GetProperty("typ").GetString());
        var claims = tokens.AccessClaims;
        Assert.Equal((hub.Issuer, hub.Issuer, client.Id, "openid email"),
            (claims.GetProperty("iss").GetString(), claims.GetProperty("aud").GetString(), claims.GetProperty("client_id").GetString(), claims.GetProperty("scope").GetString()));
        Assert.Equal(600, claims.GetProperty("exp").GetInt64() - claims.GetProperty("iat").GetInt64());
        Assert.True(claims.TryGetProperty("jti", out _));
        Assert.False(claims.TryGetProperty("email", out _));
    }

    [Fact]
    public async Task O21_two_partners_know_one_customer_and_session_under_names_that_cannot_be_joined()
    {
        var (one, other) = (await hub.AddClientAsync(), await hub.AddClientAsync());
        var (browser, _, _) = hub.SignedIn();
        var (a, b) = (await hub.TokensAsync(one, browser), await hub.TokensAsync(other, browser));
        foreach (var name in new[] { "sub", "sid" }) Assert.NotEqual(a.IdClaims.GetProperty(name).GetString(), b.IdClaims.GetProperty(name).GetString());
        Assert.Equal(a.IdClaims.GetProperty("sub").GetString(), (await hub.TokensAsync(one, browser)).IdClaims.GetProperty("sub").GetString());
        // What both received has nothing in common that names the person, beside the claims both were given.
        var shared = Values(a.IdClaims).Intersect(Values(b.IdClaims)).Concat(Values(a.AccessClaims).Intersect(Values(b.AccessClaims)));
        Assert.DoesNotContain(shared, v => v.Length > 20 && v != hub.Issuer && !v.StartsWith("urn:", StringComparison.Ordinal));

        static IEnumerable<string> Values(JsonElement claims) => claims.EnumerateObject().Select(c => c.Value.ToString());
    }

    [Fact]
    public async Task O07_R17_X20_withdrawal_lock_sign_out_and_partner_off_kill_access_token_code_and_refresh_token_at_once()
    {
        foreach (var end in new[] { "withdrawn", "locked", "partner off", "signed out" })
        {
            var client = await hub.AddClientAsync(needsConsent: true, claims: ["email"]);
            var (browser, customer, session) = hub.SignedIn();
            var consent = hub.GiveConsent(client, customer, "email");
            var offline = await hub.TokensAsync(client, browser, ("scope", "openid email offline_access"));
            var online = await hub.TokensAsync(client, browser, ("scope", "openid email"));
            var code = await hub.CodeAsync(client, browser, ("scope", "openid email"));
            Assert.Equal(consent.Receipt, (await hub.UserInfoJsonAsync(online.Access)).GetProperty("consent_receipt").GetString());
            Assert.Equal(consent.Receipt, online.IdClaims.GetProperty("consent_receipt").GetString());
            switch (end)
            {
                case "withdrawn": hub.Neighbours.Consents.TryRemove(consent.Receipt, out _); break;
                case "locked": hub.Neighbours.Accounts[customer] = hub.Neighbours.Accounts[customer] with { IsLocked = true }; break;
                case "partner off": await hub.SwitchPartnerAsync(client, active: false); break;
                default: hub.Neighbours.Sessions.TryRemove(session, out _); break;
            }
            Assert.Equal(HttpStatusCode.Unauthorized, (await hub.UserInfoAsync(online.Access)).StatusCode);
            Assert.Contains((await client.RedeemAsync(code)).Error, new[] { "invalid_grant", "invalid_client" });
            var survives = end == "signed out";     // offline_access is meant to outlive the session, and nothing else
            Assert.Equal(survives ? HttpStatusCode.OK : HttpStatusCode.Unauthorized, (await hub.UserInfoAsync(offline.Access)).StatusCode);
            Assert.Equal(survives ? HttpStatusCode.OK : end == "partner off" ? HttpStatusCode.Unauthorized : HttpStatusCode.BadRequest, (await client.RefreshAsync(offline.Refresh!)).Status);
        }
    }

    [Fact]
    public async Task O07_a_lock_ends_offline_grants_for_good()
    {
        var client = await hub.AddClientAsync();
        var (browser, customer, _) = hub.SignedIn();
        var tokens = await hub.TokensAsync(client, browser, ("scope", "openid offline_access"));
        await hub.TellAccountSecuredAsync(customer, "locked");
        await Wait.UntilAsync(async () => (await hub.GrantsOfAsync(client)).Single().RevokedAt is not null, "the grant has ended");
        Assert.Equal("invalid_grant", (await client.RefreshAsync(tokens.Refresh!)).Error);
    }

    public static TheoryData<string> ForeignTokens =>
        ["id token", "edited", "other key", "none", "duplicate", "crit", "no typ", "typ JWT", "aud slash", "aud api", "iss other", "expired 11 s", "no exp", "no kid", "padded", "no grant", "other grant"];

    [Theory]
    [MemberData(nameof(ForeignTokens))]
    public async Task M10_M11_M12_O13_O14_only_an_access_token_of_ours_for_userinfo_opens_userinfo(string kind)
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var tokens = await hub.TokensAsync(client, browser);
        using var answer = await hub.UserInfoAsync(ForeignToken(kind, tokens));
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Contains("error=\"invalid_token\"", answer.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal(HttpStatusCode.OK, (await hub.UserInfoAsync(tokens.Access)).StatusCode);
    }

    private string ForeignToken(string kind, TestTokens tokens)
    {
        var key = (ECDsa)hub.Hub.Services.GetRequiredService<SigningKeys>().ActiveOf(TokenSigner.Es256.Name).Key;
        var header = Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(tokens.Access.Split('.')[0]));
        var payload = Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(tokens.Access.Split('.')[1]));
        var now = hub.Clock.GetUtcNow().ToUnixTimeSeconds();
        string Re(string from, string to) => payload.Replace(from, to, StringComparison.Ordinal) is var changed && changed != payload ? changed : throw new InvalidOperationException(kind);
        using var foreign = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return kind switch
        {
            "id token" => tokens.Id!,
            "edited" => tokens.Access.Split('.')[0] + "." + System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(Re("\"openid\"", "\"openid email\""))) + "." + tokens.Access.Split('.')[2],
            "other key" => Jwt.Sign(header, payload, foreign),
            "none" => System.Buffers.Text.Base64Url.EncodeToString("""{"alg":"none","typ":"at+jwt"}"""u8) + "." + tokens.Access.Split('.')[1] + ".",
            "duplicate" => Jwt.Sign(header, Re("\"iss\"", "\"sub\":\"x\",\"iss\""), key),
            "crit" => Jwt.Sign(header.Replace("{", """{"crit":["exp"],""", StringComparison.Ordinal), payload, key),
            "no typ" => Jwt.Sign(header.Replace("\"typ\":\"at+jwt\",", "", StringComparison.Ordinal), payload, key),
            "typ JWT" => Jwt.Sign(header.Replace("at+jwt", "JWT", StringComparison.Ordinal), payload, key),
            "aud slash" => Jwt.Sign(header, Re($"\"aud\":\"{hub.Issuer}\"", $"\"aud\":\"{hub.Issuer}/\""), key),
            "aud api" => Jwt.Sign(header, Re($"\"aud\":\"{hub.Issuer}\"", $"\"aud\":\"{hub.Issuer}/api\""), key),
            "iss other" => Jwt.Sign(header, Re($"\"iss\":\"{hub.Issuer}\"", "\"iss\":\"https://evil.example\""), key),
            "expired 11 s" => Jwt.Sign(header, Re($"\"exp\":{now + 600}", $"\"exp\":{now - 11}"), key),
            "no exp" => Jwt.Sign(header, Re($"\"exp\":{now + 600},", ""), key),
            "no kid" => Jwt.Sign("""{"alg":"ES256","typ":"at+jwt"}""", payload, key),
            "padded" => tokens.Access + "==",
            "no grant" => Jwt.Sign(header, Re("\"grant_id\"", "\"grant_idx\""), key),
            _ => Jwt.Sign(header, Re(tokens.AccessClaims.GetProperty("grant_id").GetString()!, Guid.NewGuid().ToString("D")), key),
        };
    }

    [Fact]
    public async Task The_tools_of_the_test_above_make_a_token_that_counts_when_nothing_is_changed()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var token = (await hub.TokensAsync(client, browser)).Access;
        var key = (ECDsa)hub.Hub.Services.GetRequiredService<SigningKeys>().ActiveOf(TokenSigner.Es256.Name).Key;
        var parts = token.Split('.');
        var again = Jwt.Sign(Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(parts[0])), Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(parts[1])), key);
        Assert.Equal(HttpStatusCode.OK, (await hub.UserInfoAsync(again)).StatusCode);
    }

    [Fact]
    public async Task F06_the_scheme_name_is_compared_without_case()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var token = (await hub.TokensAsync(client, browser)).Access;
        using var request = new HttpRequestMessage(HttpMethod.Get, "/connect/userinfo") { Headers = { Authorization = new AuthenticationHeaderValue("bEARER", token) } };
        Assert.Equal(HttpStatusCode.OK, (await hub.Hub.Http.SendAsync(request)).StatusCode);
    }

    [Fact]
    public async Task O22_no_token_code_or_address_of_a_person_is_in_the_log()
    {
        var client = await hub.AddClientAsync();
        var (browser, _, _) = hub.SignedIn();
        var code = await hub.CodeAsync(client, browser, ("scope", "openid email offline_access"), ("login_hint", "aino.virtanen@example.com"));
        var tokens = TestTokens.Of(await client.RedeemAsync(code));
        await client.RedeemAsync(code);
        await client.RefreshAsync(tokens.Refresh!);
        await hub.UserInfoAsync(tokens.Access);
        var log = string.Join('\n', hub.Errors);
        Assert.NotEmpty(log);
        foreach (var secret in new[] { code, tokens.Access, tokens.Refresh!, tokens.Id!, client.Secret, "aino.virtanen" }) Assert.DoesNotContain(secret, log, StringComparison.Ordinal);
    }
}
