using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Commerce.Conformance.Tests.Suite;
using Commerce.Testing;

namespace Commerce.Conformance.Tests.Races;

/// <summary>A hub for races, on one engine; or with another process beside it, over one database and behind one name.</summary>
public class RaceHub(string engine, bool two) : ConformanceHub
{
    private HubProcess? process;
    private HttpClient? beside;

    internal string? Missing { get; } = engine == "sqlite" ? null : PostgresServer.Missing;

    /// <summary>Where the request of this number goes: every second one to the process beside, where there is one.</summary>
    internal HttpClient this[int number] => beside is not null && number % 2 == 1 ? beside : Hub.Http;

    public override async ValueTask InitializeAsync()
    {
        if (Missing is not null) return;
        await base.InitializeAsync();
        if (!two) return;
        var listens = $"http://127.0.0.1:{TestHub.FreePort()}";
        process = await HubProcess.StartAsync(Hub.Settings.DataDirectory, Hub.Origin, new Dictionary<string, string?> { ["COMMERCE_POSTGRES"] = Hub.Settings.Postgres }, listens);
        beside = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = new Uri(listens) };
    }

    protected override async Task<TestHub> StartAsync() =>
        await TestHub.StartAsync(postgres: engine == "sqlite" ? null : await (await PostgresServer.SharedAsync()).NewDatabaseAsync(), clock: two ? FakeClock.Running() : null);

    public override async ValueTask DisposeAsync()
    {
        beside?.Dispose();
        process?.Dispose();
        await base.DisposeAsync();
    }
}

/// <summary>
/// What may happen once happens once, however many come at the same moment (T09): decided by a conditional update or a unique key in the
/// database, by nothing that one process keeps in memory.
/// </summary>
public abstract class RaceTests(RaceHub hub)
{
    private const int Runners = 200;

    private static Task<Answer[]> AllAtOnceAsync(Func<int, HttpClient> client, Func<HttpRequestMessage> make)
    {
        return Task.WhenAll(Enumerable.Range(0, Runners).Select(async number =>
        {
            using var request = make();
            return await Answer.OfAsync(await client(number).SendAsync(request));
        }));
    }

    private Task<Answer[]> RunAsync(string path, Rp rp, Func<Dictionary<string, string>> form, string? basic = null) => AllAtOnceAsync(n => hub[n], () =>
    {
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(path).AbsolutePath) { Content = new FormUrlEncodedContent(form()) };
        request.Headers.Authorization = basic is null ? null
            : new AuthenticationHeaderValue("Basic", Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"{Uri.EscapeDataString(rp.Id)}:{Uri.EscapeDataString(basic)}")));
        return request;
    });

    private static Answer AssertOneWins(Answer[] answers, HttpStatusCode won, params HttpStatusCode[] lost)
    {
        var winner = Assert.Single(answers, a => a.Status == won);
        Assert.All(answers.Where(a => a != winner), a => Assert.True(lost.Contains(a.Status), $"{a.Status}: {a.Body}"));
        return winner;
    }

    private async Task<(Rp Rp, TestBrowser Browser)> StartAsync(params (string, object?)[] members)
    {
        if (hub.Missing is { } missing) Assert.Skip(missing);
        var rp = await hub.AddAsync("contract", members);
        rp.UsePkce();
        return (rp, hub.Hub.NewBrowser());
    }

    [Fact]
    public async Task O05_of_200_that_redeem_one_code_one_gets_tokens_and_those_are_ended()
    {
        var (rp, browser) = await StartAsync();
        var code = (await rp.AuthorizeAsync(browser)).Code;
        var answers = await RunAsync(hub.Endpoint("token_endpoint"), rp, () => new()
        {
            ["grant_type"] = "authorization_code", ["code"] = code, ["redirect_uri"] = rp.RedirectUri, ["code_verifier"] = rp.Verifier,
        }, rp.Secret);
        var winner = AssertOneWins(answers, HttpStatusCode.OK, HttpStatusCode.BadRequest);
        Assert.All(answers.Where(a => a != winner), a => Assert.Equal("invalid_grant", a.Error));
        Assert.Equal(HttpStatusCode.Unauthorized, (await rp.UserInfoAsync(winner.Json.GetProperty("access_token").GetString()!)).Status);
    }

    [Fact]
    public async Task O06_of_200_that_send_one_refresh_token_one_gets_the_next_and_the_family_is_ended()
    {
        var (rp, browser) = await StartAsync();
        var tokens = await rp.SignInAsync(browser, ("scope", "openid offline_access"));
        var answers = await RunAsync(hub.Endpoint("token_endpoint"), rp, () => new() { ["grant_type"] = "refresh_token", ["refresh_token"] = tokens.Refresh! }, rp.Secret);
        var winner = AssertOneWins(answers, HttpStatusCode.OK, HttpStatusCode.BadRequest);
        (await rp.RefreshAsync(winner.Json.GetProperty("refresh_token").GetString()!)).AssertRefused("invalid_grant");
        Assert.Equal(HttpStatusCode.Unauthorized, (await rp.UserInfoAsync(tokens.Access)).Status);
    }

    [Fact]
    public async Task F25_of_200_browsers_with_one_request_uri_one_brings_a_code_back()
    {
        var (rp, browser) = await StartAsync();
        await rp.SignInAsync(browser);      // a live session: the request is answered at once
        var pushed = await rp.PostAsync(hub.Endpoint("pushed_authorization_request_endpoint"), rp.Request());
        var url = new Uri(hub.Endpoint("authorization_endpoint")).AbsolutePath + "?" +
            Rp.Encode(new Dictionary<string, string> { ["client_id"] = rp.Id, ["request_uri"] = pushed.Json.GetProperty("request_uri").GetString()! });
        var cookies = browser.Cookies.GetCookieHeader(new Uri(hub.Issuer));
        var answers = await AllAtOnceAsync(n => hub[n], () =>
        {
            var request = new HttpRequestMessage(HttpMethod.Get, url);
            request.Headers.Add("Cookie", cookies);
            return request;
        });
        var winner = AssertOneWins(answers, HttpStatusCode.SeeOther, HttpStatusCode.BadRequest);
        Assert.StartsWith(rp.RedirectUri + "?code=", winner.Headers["Location"], StringComparison.Ordinal);
        // What came of it is good: another visit is no reuse of a code.
        var code = Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(new Uri(winner.Headers["Location"]).Query)["code"].ToString();
        Assert.Equal(HttpStatusCode.OK, (await rp.RedeemAsync(code)).Status);
    }

    [Fact]
    public async Task F19_of_200_calls_with_one_dpop_proof_one_is_served()
    {
        var (rp, browser) = await StartAsync(("dpop_bound_access_tokens", true));
        rp.DpopKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var token = (await rp.SignInAsync(browser)).Access;
        var url = hub.Endpoint("userinfo_endpoint");
        Assert.Equal(HttpStatusCode.OK, (await rp.UserInfoAsync(token)).Status);     // the nonce is known now
        var proof = rp.Proof("GET", url, token);
        var answers = await AllAtOnceAsync(n => hub[n], () =>
        {
            var request = new HttpRequestMessage(HttpMethod.Get, new Uri(url).AbsolutePath) { Headers = { Authorization = new AuthenticationHeaderValue("DPoP", token) } };
            request.Headers.Add("DPoP", proof);
            return request;
        });
        AssertOneWins(answers, HttpStatusCode.OK, HttpStatusCode.Unauthorized);
        Assert.Equal(HttpStatusCode.OK, (await rp.UserInfoAsync(token)).Status);     // the token itself took no harm
    }

    [Fact]
    public async Task F19_of_200_calls_at_the_hubs_own_api_with_one_dpop_proof_one_is_served()
    {
        var (rp, _) = await StartAsync(("dpop_bound_access_tokens", true), ("grant_types", new[] { "authorization_code", "client_credentials" }), ("scope", "openid bookings:write"));
        rp.DpopKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var token = TokenSet.Of(await rp.TokenAsync(new() { ["grant_type"] = "client_credentials", ["scope"] = "bookings:write" })).Access;
        HttpRequestMessage Booking() => new(HttpMethod.Post, "/api/bookings")
        {
            Headers = { Authorization = new AuthenticationHeaderValue("DPoP", token) }, Content = new StringContent("{}", System.Text.Encoding.UTF8, "application/json"),
        };
        Assert.NotEqual(HttpStatusCode.Unauthorized, (await rp.SendAsync(Booking, token)).Status);      // a booking of nothing is refused for what it says
        var proof = rp.Proof("POST", $"{hub.Issuer}/api/bookings", token);
        var answers = await AllAtOnceAsync(n => hub[n], () =>
        {
            var request = Booking();
            request.Headers.Add("DPoP", proof);
            return request;
        });
        Assert.Single(answers, a => a.Status != HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task O10_of_200_requests_with_one_client_assertion_one_is_served()
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var (rp, _) = await StartAsync(("token_endpoint_auth_method", "private_key_jwt"), ("jwks", new { keys = new[] { Jws.PublicJwk(key, "k1") } }));
        rp.Key = key;
        var form = rp.Request();
        (form["client_assertion_type"], form["client_assertion"]) = ("urn:ietf:params:oauth:client-assertion-type:jwt-bearer", rp.Assertion());
        var answers = await RunAsync(hub.Endpoint("pushed_authorization_request_endpoint"), rp, () => form);
        AssertOneWins(answers, HttpStatusCode.Created, HttpStatusCode.Unauthorized, HttpStatusCode.BadRequest);
    }
}

public sealed class SqliteRaceHub() : RaceHub("sqlite", two: false);

public sealed class PostgresRaceHub() : RaceHub("postgresql", two: false);

public sealed class TwoProcessesRaceHub() : RaceHub("postgresql", two: true);

public sealed class SqliteRaces(SqliteRaceHub hub) : RaceTests(hub), IClassFixture<SqliteRaceHub>;

public sealed class PostgresRaces(PostgresRaceHub hub) : RaceTests(hub), IClassFixture<PostgresRaceHub>;

public sealed class TwoProcessesOnOnePostgresRaces(TwoProcessesRaceHub hub) : RaceTests(hub), IClassFixture<TwoProcessesRaceHub>;
