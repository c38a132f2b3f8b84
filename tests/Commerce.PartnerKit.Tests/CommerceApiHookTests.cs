using System.Buffers.Text;
using System.Collections.Concurrent;
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
using Microsoft.IdentityModel.Tokens;

namespace Commerce.PartnerKit.Tests;

/// <summary>An API that fills in every hook: keys, books, nonces and refusals of its own. No hub answers at its issuer's address.</summary>
public sealed class HookedApi : IAsyncLifetime
{
    public const string Issuer = "https://id.retailer.example", Audience = "https://api.fitting.example", OtherUrl = "https://mtls.fitting.example";
    private WebApplication app = null!;

    internal HttpClient Http { get; private set; } = null!;
    internal string Url { get; } = $"http://127.0.0.1:{PartnerSite.FreePort()}";
    internal FakeClock Clock { get; } = FakeClock.AtNoon();

    /// <summary>The signing keys of the moment, by key id.</summary>
    internal ConcurrentDictionary<string, ECDsa> Keys { get; } = new() { ["one"] = ECDsa.Create(ECCurve.NamedCurves.nistP256) };

    internal string Nonce { get; set; } = "nonce-1";

    /// <summary>What the API's own books say about a token's <c>sub</c>.</summary>
    internal ConcurrentDictionary<string, Action<ValidatedApiToken>> Books { get; } = new();

    internal int Asked { get; private set; }

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(Url);
        builder.Services.AddSingleton<TimeProvider>(Clock).AddSingleton(this);
        builder.Services.AddCommerceApi((services, api) =>
        {
            var state = services.GetRequiredService<HookedApi>();
            (api.Issuer, api.Audience, api.Realm) = (Issuer, Audience, "calendar");
            api.BaseUrl = Url;
            api.OtherBaseUrls.Add(OtherUrl);
            api.Keys = () => state.Keys.Select(key => new ECDsaSecurityKey(key.Value) { KeyId = key.Key });
            api.DpopNonces = new ApiNonces(() => state.Nonce, nonce => nonce == state.Nonce);
            api.OnValidated = async token =>
            {
                await Task.Yield();
                Asked++;
                Assert.Same(state, token.HttpContext.RequestServices.GetRequiredService<HookedApi>());
                if (state.Books.TryGetValue(token.Claims.GetProperty("sub").GetString()!, out var judge)) judge(token);
            };
            api.WriteRefusal = (context, no) => Results.Problem(no.Description, statusCode: no.Status, title: no.Error ?? "nothing came").ExecuteAsync(context);
        });
        app = builder.Build();
        app.MapGet("/calendar", (ClaimsPrincipal user) => $"{user.FindFirstValue("sub")} {user.FindFirstValue("team")}".Trim()).RequireScope("calendar:read");
        await app.StartAsync();
        Http = new HttpClient { BaseAddress = new Uri(Url) };
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await app.DisposeAsync();
    }

    internal string Token(string subject, ECDsa? by = null, string kid = "one", ECDsa? boundTo = null)
    {
        var now = Clock.GetUtcNow().ToUnixTimeSeconds();
        var payload = new JsonObject
        {
            ["iss"] = Issuer, ["aud"] = Audience, ["sub"] = subject, ["client_id"] = "machine", ["scope"] = "calendar:read", ["iat"] = now, ["exp"] = now + 300, ["jti"] = Guid.NewGuid().ToString("D"),
        };
        if (boundTo is not null) payload["cnf"] = new JsonObject { ["jkt"] = TestProof.Thumbprint(boundTo) };
        var content = $"{Part(new JsonObject { ["alg"] = "ES256", ["kid"] = kid, ["typ"] = "at+jwt" })}.{Part(payload)}";
        return $"{content}.{Base64Url.EncodeToString((by ?? Keys[kid]).SignData(Encoding.ASCII.GetBytes(content), HashAlgorithmName.SHA256))}";

        static string Part(JsonObject json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json.ToJsonString()));
    }

    internal async Task<HttpResponseMessage> CallAsync(string? authorization, string? proof = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/calendar");
        if (authorization is not null) request.Headers.TryAddWithoutValidation("Authorization", authorization);
        if (proof is not null) request.Headers.TryAddWithoutValidation("DPoP", proof);
        return await Http.SendAsync(request);
    }
}

public sealed class CommerceApiHookTests(HookedApi api) : IClassFixture<HookedApi>
{
    private async Task<string> AssertAsync(HttpStatusCode status, string? authorization, string? proof = null, string? challenge = null)
    {
        using var answer = await api.CallAsync(authorization, proof);
        var told = answer.Headers.WwwAuthenticate.ToString();
        Assert.True(status == answer.StatusCode, $"{answer.StatusCode} {told}");
        if (challenge is not null) Assert.Contains(challenge, told, StringComparison.Ordinal);
        return await answer.Content.ReadAsStringAsync();
    }

    [Fact]
    public async Task Keys_are_asked_anew_so_a_rotated_key_counts_at_once_and_a_withdrawn_one_no_more()
    {
        using var next = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var (old, early) = (api.Token("a"), api.Token("a", next, "two"));
        await AssertAsync(HttpStatusCode.OK, "Bearer " + old);
        await AssertAsync(HttpStatusCode.Unauthorized, "Bearer " + early, challenge: "invalid_token");
        await AssertAsync(HttpStatusCode.Unauthorized, "Bearer " + api.Token("a", next, "one"), challenge: "invalid_token");     // by the name of another

        api.Keys["two"] = next;
        await AssertAsync(HttpStatusCode.OK, "Bearer " + early);
        Assert.True(api.Keys.TryRemove("one", out var withdrawn));
        await AssertAsync(HttpStatusCode.Unauthorized, "Bearer " + old, challenge: "invalid_token");
        api.Keys["one"] = withdrawn;
        Assert.True(api.Keys.TryRemove("two", out _));
    }

    [Fact]
    public async Task The_apis_own_books_may_refuse_a_good_token_with_a_code_of_theirs()
    {
        api.Books["refused"] = token => token.Refuse("switched off here");
        api.Books["named"] = token => token.Refuse("no account", "unknown_customer", "This customer has no calendar.");
        Assert.DoesNotContain("switched off here", await AssertAsync(HttpStatusCode.Unauthorized, "Bearer " + api.Token("refused"), challenge: "invalid_token"), StringComparison.Ordinal);
        Assert.Contains("no calendar", await AssertAsync(HttpStatusCode.Unauthorized, "Bearer " + api.Token("named"), challenge: "unknown_customer"), StringComparison.Ordinal);
        Assert.Equal("other", await AssertAsync(HttpStatusCode.OK, "Bearer " + api.Token("other")));
    }

    [Fact]
    public async Task The_apis_own_books_may_limit_a_good_token()
    {
        api.Books["eager"] = token => token.Limit(TimeSpan.FromSeconds(1.2));
        using var answer = await api.CallAsync("Bearer " + api.Token("eager"));
        Assert.Equal((HttpStatusCode.TooManyRequests, TimeSpan.FromSeconds(2)), (answer.StatusCode, answer.Headers.RetryAfter!.Delta));
        Assert.Empty(answer.Headers.WwwAuthenticate);       // the token is good: another one would not help
    }

    [Fact]
    public async Task The_apis_own_books_may_add_a_claim_take_a_scope_away_or_put_somebody_else_in_place()
    {
        api.Books["added"] = token => ((ClaimsIdentity)token.User.Identity!).AddClaim(new Claim("team", "blue"));
        api.Books["narrowed"] = token => token.User = new ClaimsPrincipal(new ClaimsIdentity([new Claim("sub", "x"), new Claim(CommerceApi.ScopeClaim, "calendar:write")], "books"));
        api.Books["renamed"] = token => token.User = new ClaimsPrincipal(new ClaimsIdentity([new Claim("sub", "x"), new Claim(CommerceApi.ScopeClaim, "calendar:read")], "books"));
        Assert.Equal("added blue", await AssertAsync(HttpStatusCode.OK, "Bearer " + api.Token("added")));
        await AssertAsync(HttpStatusCode.Forbidden, "Bearer " + api.Token("narrowed"), challenge: "scope=\"calendar:read\"");
        Assert.Equal("x", await AssertAsync(HttpStatusCode.OK, "Bearer " + api.Token("renamed")));
    }

    [Fact]
    public async Task Books_are_not_asked_about_a_token_that_is_not_good_and_their_failure_lets_nobody_in()
    {
        var before = api.Asked;
        using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await AssertAsync(HttpStatusCode.Unauthorized, "Bearer " + api.Token("a", stranger));
        await AssertAsync(HttpStatusCode.Unauthorized, "Bearer " + api.Token("a", boundTo: stranger));
        Assert.Equal(before, api.Asked);

        api.Books["fails"] = _ => throw new TimeoutException();
        api.Books["splits the header"] = token => token.Refuse("by mistake", "a\", b=\"c");
        await AssertAsync(HttpStatusCode.InternalServerError, "Bearer " + api.Token("fails"));
        await AssertAsync(HttpStatusCode.InternalServerError, "Bearer " + api.Token("splits the header"));
    }

    [Fact]
    public async Task RFC9449_9_a_proof_bears_the_apis_nonce_and_is_not_used_up_by_being_told_so()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var token = api.Token("bound", boundTo: key);
        var jti = Guid.NewGuid().ToString("N");
        string Make(string? nonce, string? origin = null) => TestProof.Make(key, api.Clock, "GET", (origin ?? api.Url) + "/calendar", token, c =>
        {
            if (nonce is not null) (c["nonce"], c["jti"]) = (nonce, jti);
        });

        foreach (var wrong in new[] { null, "", "nonce-0" })
        {
            using var answer = await api.CallAsync("DPoP " + token, Make(wrong));
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
            Assert.Contains("use_dpop_nonce", Assert.Single(answer.Headers.WwwAuthenticate).ToString(), StringComparison.Ordinal);
            Assert.Equal([api.Nonce], answer.Headers.GetValues("DPoP-Nonce"));
        }
        using var good = await api.CallAsync("DPoP " + token, Make(api.Nonce));
        Assert.Equal(HttpStatusCode.OK, good.StatusCode);
        Assert.Equal([api.Nonce], good.Headers.GetValues("DPoP-Nonce"));
        await AssertAsync(HttpStatusCode.Unauthorized, "DPoP " + token, Make(api.Nonce), "invalid_dpop_proof");     // the same jti

        var old = api.Nonce;
        api.Nonce = "nonce-2";
        jti = Guid.NewGuid().ToString("N");
        await AssertAsync(HttpStatusCode.Unauthorized, "DPoP " + token, Make(old), "use_dpop_nonce");
        await AssertAsync(HttpStatusCode.OK, "DPoP " + token, Make(api.Nonce, HookedApi.OtherUrl));
        jti = Guid.NewGuid().ToString("N");
        await AssertAsync(HttpStatusCode.Unauthorized, "DPoP " + token, Make(api.Nonce, "https://evil.example"), "invalid_dpop_proof");
    }

    [Fact]
    public async Task Refusals_have_the_apis_realm_and_body()
    {
        using var none = await api.CallAsync(null);
        Assert.Equal((HttpStatusCode.Unauthorized, "application/problem+json"), (none.StatusCode, none.Content.Headers.ContentType?.MediaType));
        Assert.Equal(["Bearer", "DPoP"], none.Headers.WwwAuthenticate.Select(challenge => challenge.Scheme));
        Assert.All(none.Headers.WwwAuthenticate, challenge => Assert.Contains("realm=\"calendar\"", challenge.Parameter, StringComparison.Ordinal));
        Assert.Contains("nothing came", await none.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Contains("\"title\":\"invalid_token\"", await AssertAsync(HttpStatusCode.Unauthorized, "Bearer x.y.z", challenge: "Bearer realm=\"calendar\""), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Settings_that_come_from_the_services_are_checked_too_before_anybody_is_let_in()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{PartnerSite.FreePort()}");
        builder.Services.AddCommerceApi((_, options) => (options.Issuer, options.Audience) = ("http://id.retailer.example", HookedApi.Audience));
        await using var site = builder.Build();
        site.MapGet("/calendar", () => "free").RequireScope("calendar:read");
        await site.StartAsync();
        using var http = new HttpClient { BaseAddress = new Uri(site.Urls.First()) };
        using var answer = await http.GetAsync("/calendar");
        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
    }
}
