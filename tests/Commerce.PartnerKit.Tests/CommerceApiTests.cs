using System.Buffers.Text;
using System.Net;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Commerce.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Commerce.PartnerKit.Tests;

/// <summary>Another team's API, protected by one line, against a hub that obeys.</summary>
public class ProtectedApi : IAsyncLifetime
{
    public const string Audience = "https://api.fitting.example/v1";
    private WebApplication app = null!;

    internal FakeOidcHub Hub { get; private set; } = null!;
    internal HttpClient Http { get; private set; } = null!;
    internal string Url { get; } = $"http://127.0.0.1:{PartnerSite.FreePort()}";
    internal FakeClock Clock { get; } = FakeClock.AtNoon();

    public async ValueTask InitializeAsync()
    {
        Hub = await FakeOidcHub.StartAsync();
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(Url);
        builder.Services.AddSingleton<TimeProvider>(Clock);
        builder.Services.AddCommerceApi(Hub.Url, Audience, Set);
        app = builder.Build();
        app.MapGet("/calendar", (ClaimsPrincipal user) => Results.Json(new
        {
            sub = user.FindFirstValue("sub"), client = user.FindFirstValue("client_id"), scopes = user.FindAll("scope").Select(c => c.Value), act = user.FindFirstValue("act"),
        })).RequireScope("calendar:read");
        await app.StartAsync();
        Http = new HttpClient { BaseAddress = new Uri(Url) };
    }

    protected virtual void Set(CommerceApiOptions api) => api.AllowHttp = true;

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await app.DisposeAsync();
        await Hub.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    internal string Token(Action<JsonObject>? claims = null, Action<JsonObject>? header = null, bool foreign = false)
    {
        var now = Clock.GetUtcNow().ToUnixTimeSeconds();
        var payload = new JsonObject
        {
            ["iss"] = Hub.Url, ["aud"] = Audience, ["sub"] = "pairwise", ["client_id"] = "machine", ["scope"] = "calendar:read other", ["iat"] = now, ["exp"] = now + 300,
            ["jti"] = Guid.NewGuid().ToString("D"),
        };
        var head = FakeOidcHub.Header("at+jwt");
        claims?.Invoke(payload);
        header?.Invoke(head);
        return Hub.Sign(head, payload, foreign);
    }

    internal async Task<HttpResponseMessage> CallAsync(string? authorization, string? proof = null, string path = "/calendar")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (authorization is not null) request.Headers.TryAddWithoutValidation("Authorization", authorization);
        if (proof is not null) request.Headers.TryAddWithoutValidation("DPoP", proof);
        return await Http.SendAsync(request);
    }
}

/// <summary>The same API where no bearer token is taken.</summary>
public sealed class BoundTokensApi : ProtectedApi
{
    protected override void Set(CommerceApiOptions api)
    {
        base.Set(api);
        api.RequireBoundTokens = true;
    }
}

public sealed class BoundTokensApiTests(BoundTokensApi api) : IClassFixture<BoundTokensApi>
{
    [Fact]
    public async Task O15_an_api_may_take_bound_tokens_alone_and_says_so()
    {
        using var bearer = await api.CallAsync("Bearer " + api.Token());
        Assert.Equal(HttpStatusCode.Unauthorized, bearer.StatusCode);
        Assert.Equal("DPoP", Assert.Single(bearer.Headers.WwwAuthenticate).Scheme);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var token = api.Token(c => c["cnf"] = new JsonObject { ["jkt"] = TestProof.Thumbprint(key) });
        using var bound = await api.CallAsync("DPoP " + token, TestProof.Make(key, api.Clock, "GET", api.Url + "/calendar", token));
        Assert.Equal(HttpStatusCode.OK, bound.StatusCode);
    }
}

public sealed class CommerceApiTests(ProtectedApi api) : IClassFixture<ProtectedApi>
{
    private async Task AssertAsync(HttpStatusCode status, string? authorization, string? proof = null, string? because = null)
    {
        using var answer = await api.CallAsync(authorization, proof);
        Assert.True(status == answer.StatusCode, $"{because}: {answer.StatusCode}");
    }

    [Fact]
    public async Task A_good_token_with_the_scope_comes_in_as_subject_client_and_scopes()
    {
        using var answer = await api.CallAsync("Bearer " + api.Token(c => c["act"] = new JsonObject { ["sub"] = "kiosk" }));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("""{"sub":"pairwise","client":"machine","scopes":["calendar:read","other"],"act":"{\"sub\":\"kiosk\"}"}""", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task RFC6750_without_a_token_there_is_no_error_code_and_without_the_scope_it_is_403()
    {
        using var none = await api.CallAsync(null);
        Assert.Equal(HttpStatusCode.Unauthorized, none.StatusCode);
        Assert.True(none.Headers.CacheControl?.NoStore);
        Assert.DoesNotContain("error", none.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        Assert.Contains("DPoP", none.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        using var bad = await api.CallAsync("Bearer x.y.z");
        Assert.Contains("invalid_token", bad.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        using var narrow = await api.CallAsync("Bearer " + api.Token(c => c["scope"] = "other"));
        Assert.Equal(HttpStatusCode.Forbidden, narrow.StatusCode);
        Assert.Contains("insufficient_scope", narrow.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        Assert.Contains("calendar:read", narrow.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task O14_M11_other_types_issuers_audiences_and_times_are_refused()
    {
        var now = api.Clock.GetUtcNow().ToUnixTimeSeconds();
        foreach (var (name, token) in new Dictionary<string, string>
        {
            ["ID token"] = api.Token(header: h => h["typ"] = "JWT"),
            ["no type"] = api.Token(header: h => h.Remove("typ")),
            ["logout token"] = api.Token(header: h => h["typ"] = "logout+jwt"),
            ["introspection answer"] = api.Token(header: h => h["typ"] = "token-introspection+jwt"),
            ["issuer with a slash"] = api.Token(c => c["iss"] = api.Hub.Url + "/"),
            ["other issuer"] = api.Token(c => c["iss"] = "https://evil.example"),
            ["audience with a slash"] = api.Token(c => c["aud"] = ProtectedApi.Audience + "/"),
            ["other audience"] = api.Token(c => c["aud"] = "https://other.example"),
            ["two audiences"] = api.Token(c => c["aud"] = new JsonArray(ProtectedApi.Audience, "https://other.example")),
            ["no audience"] = api.Token(c => c.Remove("aud")),
            ["expired"] = api.Token(c => c["exp"] = now - 11),
            ["no exp"] = api.Token(c => c.Remove("exp")),
            ["not yet"] = api.Token(c => c["nbf"] = now + 60),
            ["empty sub"] = api.Token(c => c["sub"] = ""),
            ["empty client"] = api.Token(c => c["client_id"] = ""),
            ["b64"] = api.Token(header: h => h["b64"] = false),
            ["no sub"] = api.Token(c => c.Remove("sub")),
            ["no client"] = api.Token(c => c.Remove("client_id")),
            ["no jti"] = api.Token(c => c.Remove("jti")),
            ["issued tomorrow"] = api.Token(c => c["iat"] = now + 86400),
            ["signature with characters more"] = api.Token() + "A",
            ["unknown key"] = api.Token(header: h => h["kid"] = "key-2"),
            ["foreign signature"] = api.Token(foreign: true),
            ["crit"] = api.Token(header: h => (h["crit"], h["x"]) = (new JsonArray("x"), 1)),
            ["none"] = api.Token(header: h => h["alg"] = "none"),
            ["unknown confirmation"] = api.Token(c => c["cnf"] = new JsonObject { ["kid"] = "1" }),
            ["confirmation that is no object"] = api.Token(c => c["cnf"] = "jkt"),
        })
        {
            await AssertAsync(HttpStatusCode.Unauthorized, "Bearer " + token, because: name);
        }
        await AssertAsync(HttpStatusCode.OK, "Bearer " + api.Token(c => c["exp"] = now - 9), because: "ten seconds of skew");
    }

    [Fact]
    public async Task M10_a_member_twice_is_refused_although_the_signature_is_right()
    {
        var payload = $$"""{"iss":"{{api.Hub.Url}}","aud":"{{ProtectedApi.Audience}}","sub":"a","sub":"b","client_id":"m","scope":"calendar:read","iat":1,"exp":{{api.Clock.GetUtcNow().ToUnixTimeSeconds() + 60}},"jti":"1"}""";
        await AssertAsync(HttpStatusCode.Unauthorized, "Bearer " + api.Hub.SignRaw(FakeOidcHub.Header("at+jwt").ToJsonString(), payload));
        await AssertAsync(HttpStatusCode.OK, "Bearer " + api.Hub.SignRaw(FakeOidcHub.Header("at+jwt").ToJsonString(), payload.Replace("\"sub\":\"a\",", "", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task M12_a_second_spelling_of_the_same_octets_is_refused_in_each_part_although_the_signature_is_right()
    {
        // The last character of 86 carries four bits that count and four that do not.
        var token = api.Token();
        const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        static string Respelled(string part) => part[..^1] + Alphabet[Alphabet.IndexOf(part[^1], StringComparison.Ordinal) + 1];
        await AssertAsync(HttpStatusCode.Unauthorized, "Bearer " + Respelled(token), because: "signature");
        // Header and payload, filled up until their last character has bits to spare.
        string Part(string json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json + new string(' ', 3 - (Encoding.UTF8.GetByteCount(json) + 1) % 3)));
        var header = Part(FakeOidcHub.Header("at+jwt").ToJsonString());
        var payload = Part(Encoding.UTF8.GetString(Base64Url.DecodeFromChars(token.Split('.')[1])));
        await AssertAsync(HttpStatusCode.OK, "Bearer " + api.Hub.SignEncoded($"{header}.{payload}"), because: "as it should be");
        await AssertAsync(HttpStatusCode.Unauthorized, "Bearer " + api.Hub.SignEncoded($"{Respelled(header)}.{payload}"), because: "header");
        await AssertAsync(HttpStatusCode.Unauthorized, "Bearer " + api.Hub.SignEncoded($"{header}.{Respelled(payload)}"), because: "payload");
    }

    [Fact]
    public async Task O15_a_bound_token_needs_a_proof_of_its_key_for_this_request_once()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var token = api.Token(c => c["cnf"] = new JsonObject { ["jkt"] = TestProof.Thumbprint(key) });
        string Make(Action<JsonObject>? claims = null, Action<JsonObject>? header = null, ECDsa? by = null) => TestProof.Make(by ?? key, api.Clock, "GET", api.Url + "/calendar", token, claims, header);

        var good = Make();
        await AssertAsync(HttpStatusCode.OK, "DPoP " + token, good);
        await AssertAsync(HttpStatusCode.Unauthorized, "DPoP " + token, good, "replayed");
        await AssertAsync(HttpStatusCode.Unauthorized, "Bearer " + token, Make(), "as bearer");
        await AssertAsync(HttpStatusCode.Unauthorized, "DPoP " + token, null, "no proof");
        await AssertAsync(HttpStatusCode.Unauthorized, "DPoP " + api.Token(), Make(), "token that is not bound");
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = api.Clock.GetUtcNow().ToUnixTimeSeconds();
        foreach (var (name, proof) in new Dictionary<string, string>
        {
            ["other key"] = Make(by: other),
            ["method"] = Make(c => c["htm"] = "POST"),
            ["address"] = Make(c => c["htu"] = api.Url + "/other"),
            ["host"] = Make(c => c["htu"] = "https://evil.example/calendar"),
            ["other token"] = Make(c => c["ath"] = Base64Url.EncodeToString(SHA256.HashData("x"u8))),
            ["no ath"] = Make(c => c.Remove("ath")),
            ["old"] = Make(c => c["iat"] = now - 61),
            ["from tomorrow"] = Make(c => c["iat"] = now + 60),
            ["expired"] = Make(c => c["exp"] = now - 11),
            ["not yet"] = Make(c => c["nbf"] = now + 60),
            ["no jti"] = Make(c => c.Remove("jti")),
            ["encryption key"] = Make(header: h => h["jwk"]!.AsObject()["use"] = "enc"),
            ["key of another algorithm"] = Make(header: h => h["jwk"]!.AsObject()["alg"] = "PS256"),
            ["type"] = Make(header: h => h["typ"] = "JWT"),
            ["private key"] = Make(header: h => h["jwk"]!.AsObject()["d"] = "AA"),
            ["no key"] = Make(header: h => h.Remove("jwk")),
            ["jti too long"] = Make(c => c["jti"] = new string('j', 257)),
            ["empty jti"] = Make(c => c["jti"] = ""),
            ["iat before 1970"] = Make(c => c["iat"] = -1),
            ["iat past the calendar"] = Make(c => c["iat"] = 253402300800),
            ["no address"] = Make(c => c.Remove("htu")),
            ["address with a user"] = Make(c => c["htu"] = api.Url.Replace("http://", "http://me@", StringComparison.Ordinal) + "/calendar"),
            ["address of over two thousand characters"] = Make(c => c["htu"] = api.Url + "/calendar?" + new string('q', 2048)),
            ["crit"] = Make(header: h => h["crit"] = new JsonArray("x")),
            ["key as text"] = Make(header: h => h["jwk"] = h["jwk"]!.ToJsonString()),
            ["noise"] = "x.y.z",
        })
        {
            await AssertAsync(HttpStatusCode.Unauthorized, "DPoP " + token, proof, name);
        }
        // RFC 9449 §4.3: scheme and host are compared without case, query and fragment not at all.
        await AssertAsync(HttpStatusCode.OK, "DPoP " + token, Make(c => c["htu"] = api.Url.Replace("http://", "HTTP://", StringComparison.Ordinal) + "/calendar?a=b#c"), "address in another spelling");
        using var refused = await api.CallAsync("DPoP " + token);
        Assert.Equal("DPoP", Assert.Single(refused.Headers.WwwAuthenticate).Scheme);
        Assert.Contains("invalid_dpop_proof", refused.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        Assert.False(refused.Headers.Contains("DPoP-Nonce"));      // nobody asks for one here
    }

    [Fact]
    public async Task RFC8705_a_token_bound_to_a_certificate_is_no_use_without_it() =>
        await AssertAsync(HttpStatusCode.Unauthorized, "Bearer " + api.Token(c => c["cnf"] = new JsonObject { ["x5t#S256"] = new string('A', 43) }));

    [Fact]
    public void A_wrong_issuer_or_audience_is_told_at_the_start()
    {
        foreach (var (issuer, audience) in new[] { ("http://id.example", "a"), ("https://id.example/", "a"), ("https://id.example", " ") })
            Assert.Throws<ArgumentException>(() => new ServiceCollection().AddCommerceApi(issuer, audience));
    }
}
