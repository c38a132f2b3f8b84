using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Commerce.Federation.Partners;
using Commerce.Testing;

namespace Commerce.Federation.Tests.OpenIdConnect;

public sealed class RequestObjectTests(OidcHub hub) : IClassFixture<OidcHub>
{
    private string Issuer => hub.Issuer;

    private Task<TestClient> AddAsync(Func<OidcClient, OidcClient>? edit = null) => hub.AddClientAsync(edit, withKey: true);

    private string Object(TestClient client, (string Name, string? Value)[]? changes = null, Action<Dictionary<string, object?>>? claims = null,
        Action<Dictionary<string, object?>>? header = null, ECDsa? key = null)
    {
        var now = hub.Clock.GetUtcNow().ToUnixTimeSeconds();
        var payload = client.Request(changes ?? []).ToDictionary(p => p.Key, p => (object?)p.Value);
        (payload["iss"], payload["aud"], payload["nbf"], payload["exp"]) = (client.Id, hub.Issuer, now, now + 300);
        var head = new Dictionary<string, object?> { ["alg"] = "ES256", ["kid"] = "k1", ["typ"] = "oauth-authz-req+jwt" };
        claims?.Invoke(payload);
        header?.Invoke(head);
        return Jwt.Sign(JsonSerializer.Serialize(head), JsonSerializer.Serialize(payload), key ?? client.Key!);
    }

    private static string Url(TestClient client, string request, params (string Name, string? Value)[] beside) =>
        "/connect/authorize?" + TestClient.Encode(new Dictionary<string, string> { ["client_id"] = client.Id, ["request"] = request }
            .Concat(beside.Where(b => b.Value is not null).Select(b => KeyValuePair.Create(b.Name, b.Value!))));

    [Fact]
    public async Task B23_F28_what_stands_in_a_signed_request_counts_and_what_stands_beside_it_does_not()
    {
        var client = await AddAsync();
        var (browser, _, _) = hub.SignedIn();
        var page = await browser.GetAsync(Url(client, Object(client), ("redirect_uri", "https://evil.example/"), ("state", "other"), ("nonce", "other"), ("scope", "openid email"), ("prompt", "login")));
        var tokens = TestTokens.Of(await client.RedeemAsync(client.CodeOf(page)));
        Assert.Equal(("openid", client.Nonce), (tokens.Scope, tokens.IdClaims.GetProperty("nonce").GetString()));
    }

    [Fact]
    public async Task D07_a_signed_request_may_be_pushed_and_numbers_in_it_count_as_parameters()
    {
        var client = await AddAsync(c => c with { RequireSignedRequestObject = true });
        var (browser, _, _) = hub.SignedIn();
        var pushed = await client.WithProofsAsync(hub, "/connect/par", new() { ["client_id"] = client.Id, ["request"] = Object(client, claims: c => c["max_age"] = 10000) });
        client.CodeOf(await browser.GetAsync(client.ReferenceUrl(pushed)));
        var bad = await client.WithProofsAsync(hub, "/connect/par", new() { ["client_id"] = client.Id, ["request"] = Object(client, claims: c => c["max_age"] = -1) });
        Assert.Equal("invalid_request", bad.Error);
    }

    [Fact]
    public async Task F28_a_client_that_must_sign_gets_nothing_by_a_plain_request_pushed_or_not()
    {
        var client = await AddAsync(c => c with { RequireSignedRequestObject = true });
        Assert.Equal("invalid_request", client.ErrorOf(await hub.SignedIn().Browser.GetAsync(client.AuthorizeUrl())));
        Assert.Equal((HttpStatusCode.BadRequest, "invalid_request"), (await client.PushAsync(hub)) is var plain ? (plain.Status, plain.Error) : default);
    }

    [Theory]
    [InlineData("nbf in eight seconds")]
    [InlineData("several audiences")]
    [InlineData("type JWT")]
    public async Task F28_differences_that_are_allowed(string what)
    {
        var client = await AddAsync(c => c with { RequireSignedRequestObject = true });
        var request = what switch
        {
            "nbf in eight seconds" => Object(client, claims: c => c["nbf"] = (long)c["nbf"]! + 8),
            "several audiences" => Object(client, claims: c => c["aud"] = new[] { "https://other.example", hub.Issuer }),
            _ => Object(client, header: h => h["typ"] = "JWT"),
        };
        client.CodeOf(await hub.SignedIn().Browser.GetAsync(Url(client, request)));
    }

    [Fact]
    public async Task F28_a_client_that_only_may_sign_leaves_out_the_times_and_what_is_null_counts_as_absent()
    {
        var client = await AddAsync();
        var request = Object(client, claims: p =>
        {
            foreach (var name in new[] { "exp", "nbf", "iss", "aud" }) p.Remove(name);
            p["display"] = null;
        });
        client.CodeOf(await hub.SignedIn().Browser.GetAsync(Url(client, request)));
    }

    public static TheoryData<string> Wrong => [.. WrongObjects.Keys];

    private static readonly Dictionary<string, Func<RequestObjectTests, TestClient, string>> WrongObjects = new()
    {
        ["no exp"] = (t, c) => t.Object(c, claims: p => p.Remove("exp")),
        ["no nbf"] = (t, c) => t.Object(c, claims: p => p.Remove("nbf")),
        ["expired"] = (t, c) => t.Object(c, claims: p => p["exp"] = (long)p["nbf"]! - 11),
        ["exp in over an hour"] = (t, c) => t.Object(c, claims: p => p["exp"] = (long)p["nbf"]! + 3601),
        ["exp at the end of the calendar"] = (t, c) => t.Object(c, claims: p => p["exp"] = 253402300799),
        ["nbf at the start of the calendar"] = (t, c) => t.Object(c, claims: p => p["nbf"] = -62135596800),
        ["nbf over an hour ago"] = (t, c) => t.Object(c, claims: p => p["nbf"] = (long)p["nbf"]! - 3601),
        ["nbf in a minute"] = (t, c) => t.Object(c, claims: p => p["nbf"] = (long)p["nbf"]! + 60),
        ["another aud"] = (t, c) => t.Object(c, claims: p => p["aud"] = "https://other.example"),
        ["aud with a slash"] = (t, c) => t.Object(c, claims: p => p["aud"] = t.Issuer + "/"),
        ["no aud"] = (t, c) => t.Object(c, claims: p => p.Remove("aud")),
        ["another iss"] = (t, c) => t.Object(c, claims: p => p["iss"] = "other"),
        ["another client inside"] = (t, c) => t.Object(c, claims: p => p["client_id"] = "other"),
        ["sub is the client, as in an assertion"] = (t, c) => t.Object(c, claims: p => p["sub"] = c.Id),
        ["request inside"] = (t, c) => t.Object(c, claims: p => p["request"] = "a.b.c"),
        ["request_uri inside"] = (t, c) => t.Object(c, claims: p => p["request_uri"] = "urn:x"),
        ["alg RS256"] = (t, c) => t.Object(c, header: h => h["alg"] = "RS256"),
        ["another's key"] = (t, c) => t.Object(c, key: ECDsa.Create(ECCurve.NamedCurves.nistP256)),
        ["another kid"] = (t, c) => t.Object(c, header: h => h["kid"] = "k2"),
        ["typ of a proof"] = (t, c) => t.Object(c, header: h => h["typ"] = "dpop+jwt"),
        ["a client assertion"] = (_, c) => c.Assertion(),
        ["crit"] = (t, c) => t.Object(c, header: h => h["crit"] = new[] { "b64" }),
        ["control characters"] = (t, c) => t.Object(c, claims: p => p["state"] = "a\nb"),
        ["no JWT"] = (_, _) => "abc",
    };

    [Theory, MemberData(nameof(Wrong))]
    public async Task F28_O13_a_wrong_request_object_is_an_error_at_both_endpoints_and_is_sent_to_a_registered_address_only(string what)
    {
        var client = await AddAsync(c => c with { RequireSignedRequestObject = true });
        var request = WrongObjects[what](this, client);
        var pushed = await client.WithProofsAsync(hub, "/connect/par", new() { ["client_id"] = client.Id, ["request"] = request });
        Assert.Equal((HttpStatusCode.BadRequest, "invalid_request_object"), (pushed.Status, pushed.Error));
        var (browser, _, _) = hub.SignedIn();
        Assert.Equal(HttpStatusCode.BadRequest, (await browser.GetAsync(Url(client, request))).Status);
        Assert.Equal("invalid_request_object", client.ErrorOf(await browser.GetAsync(Url(client, request, ("redirect_uri", client.RedirectUri)))));
        Assert.Equal(HttpStatusCode.BadRequest, (await browser.GetAsync(Url(client, request, ("redirect_uri", "https://evil.example/")))).Status);
    }

    [Fact]
    public async Task B21_an_unsigned_object_and_one_elsewhere_are_not_supported_also_when_pushed()
    {
        var client = await AddAsync();
        var none = Base64Url.EncodeToString("{\"alg\":\"none\"}"u8) + "." + Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(client.Request())) + ".";
        var (browser, _, _) = hub.SignedIn();
        Assert.Equal("request_not_supported", client.ErrorOf(await browser.GetAsync(Url(client, none, ("redirect_uri", client.RedirectUri)))));
        Assert.Equal("request_not_supported", (await client.WithProofsAsync(hub, "/connect/par", new() { ["client_id"] = client.Id, ["request"] = none })).Error);
        Assert.Equal("invalid_request", client.ErrorOf(await browser.GetAsync(Url(client, Object(client), ("request_uri", "https://rp.example/r"), ("redirect_uri", client.RedirectUri)))));
    }

    [Fact]
    public async Task The_registered_algorithm_of_request_objects_is_the_only_one()
    {
        var client = await AddAsync(c => c with { RequestObjectSigningAlg = "PS256" });
        Assert.Equal(HttpStatusCode.BadRequest, (await hub.SignedIn().Browser.GetAsync(Url(client, Object(client)))).Status);
    }

    [Theory]
    [InlineData("jwt", "ES256")]
    [InlineData("query.jwt", "PS256")]
    [InlineData("jwt", "RS256")]
    public async Task JARM_the_answer_is_one_signed_JWT_with_nothing_beside_it(string mode, string algorithm)
    {
        var client = await AddAsync(c => c with { AuthorizationSignedResponseAlg = algorithm });
        var page = await hub.SignedIn().Browser.GetAsync(client.AuthorizeUrl(("response_mode", mode)));
        var values = Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(page.RedirectsTo!.Query);
        Assert.Equal(["response"], values.Keys);
        var answer = await AnswerAsync(client, values["response"].ToString(), algorithm);
        Assert.Equal(client.State, answer.GetProperty("state").GetString());
        TestTokens.Of(await client.RedeemAsync(answer.GetProperty("code").GetString()!));
    }

    private async Task<JsonElement> AnswerAsync(TestClient client, string jwt, string algorithm)
    {
        await DiscoveryTests.AssertSignedAsync(hub, jwt, algorithm);
        var answer = Jwt.Payload(jwt);
        Assert.Equal((hub.Issuer, client.Id), (answer.GetProperty("iss").GetString(), answer.GetProperty("aud").GetString()));
        Assert.InRange(answer.GetProperty("exp").GetInt64() - hub.Clock.GetUtcNow().ToUnixTimeSeconds(), 1, 600);
        Assert.NotEqual("JWT", Jwt.Header(jwt).GetProperty("typ").GetString());
        return answer;
    }

    [Fact]
    public async Task JARM_by_form_and_for_errors_and_the_answer_is_no_hint()
    {
        var client = await AddAsync(c => c with { AuthorizationSignedResponseAlg = "ES256" });
        var (browser, _, _) = hub.SignedIn();
        var page = await browser.GetAsync(client.AuthorizeUrl(("response_mode", "form_post.jwt")));
        Assert.Equal(HttpStatusCode.OK, page.Status);
        var jwt = System.Text.RegularExpressions.Regex.Match(page.Body, "name=\"response\" value=\"([^\"]+)\"").Groups[1].Value;
        Assert.DoesNotContain("name=\"code\"", page.Body, StringComparison.Ordinal);
        Assert.True((await AnswerAsync(client, jwt, "ES256")).TryGetProperty("code", out _));

        var error = await hub.Hub.NewBrowser().GetAsync(client.AuthorizeUrl(("response_mode", "jwt"), ("prompt", "none")));
        var told = Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(error.RedirectsTo!.Query)["response"].ToString();
        Assert.Equal("login_required", (await AnswerAsync(client, told, "ES256")).GetProperty("error").GetString());

        Assert.Equal("invalid_request", client.ErrorOf(await browser.GetAsync(client.AuthorizeUrl(("id_token_hint", jwt)))));      // O14
        Assert.Equal("invalid_request", client.ErrorOf(await browser.GetAsync(client.AuthorizeUrl(("response_mode", "fragment.jwt")))));
    }
}
