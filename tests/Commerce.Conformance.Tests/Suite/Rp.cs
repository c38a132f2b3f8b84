using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Commerce.Testing;
using Microsoft.AspNetCore.WebUtilities;

namespace Commerce.Conformance.Tests.Suite;

/// <summary>A relying party that does what a test tells it, right or wrong, over HTTP.</summary>
internal sealed class Rp(ConformanceHub hub, string id)
{
    public string Id { get; private set; } = id;
    public string? Secret { get; private set; }
    public JsonElement Metadata { get; private set; }
    public string RedirectUri { get; set; } = $"https://{id}.example/callback";
    public string PostLogoutUri { get; } = $"https://{id}.example/bye";
    public string State { get; set; } = Jws.Random();
    public string Nonce { get; set; } = Jws.Random();
    public string Verifier { get; } = Jws.Random(48);
    public string Challenge => Jws.Encode(SHA256.HashData(Encoding.ASCII.GetBytes(Verifier)));

    /// <summary>Signs assertions and request objects.</summary>
    public AsymmetricAlgorithm Key { get; set; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    public string KeyAlgorithm { get; set; } = "ES256";
    public string KeyId { get; set; } = "k1";

    /// <summary>What the request has beside what every request has: a plan sets its variant here.</summary>
    public List<(string Name, string? Value)> Variant { get; } = [];

    /// <summary>Who signs in where the hub asks.</summary>
    public Person Person { get; set; } = hub.Customer;

    /// <summary>What the customer answers on the consent sheet.</summary>
    public string Decision { get; set; } = "allow";

    private bool KnowsPkce => Variant.Any(v => v.Name == "code_challenge");

    /// <summary>From here on every request has a challenge.</summary>
    public void UsePkce() => Variant.AddRange([("code_challenge", Challenge), ("code_challenge_method", "S256")]);

    public Dictionary<string, object?> DefaultMetadata() => new()
    {
        ["client_name"] = "Kolari Auto", ["redirect_uris"] = new[] { RedirectUri }, ["grant_types"] = new[] { "authorization_code", "refresh_token" },
        ["post_logout_redirect_uris"] = new[] { PostLogoutUri }, ["require_pkce"] = false,
    };

    public object Jwks => new { keys = new[] { Jws.PublicJwk(Key, KeyId) } };

    public void Is(JsonElement metadata, string? secret, string? clientId = null) => (Metadata, Secret, Id) = (metadata, secret, clientId ?? Id);

    public string? Registered(string member) => Metadata.TryGetProperty(member, out var value) ? value.GetString() : null;

    /// <summary>A request of the code flow. A parameter given as null is left out.</summary>
    public Dictionary<string, string> Request(params (string Name, string? Value)[] changes)
    {
        var all = new Dictionary<string, string>
        {
            ["client_id"] = Id, ["redirect_uri"] = RedirectUri, ["response_type"] = "code", ["scope"] = "openid", ["state"] = State, ["nonce"] = Nonce,
        };
        foreach (var (name, value) in Variant.Concat(changes))
        {
            if (value is null) all.Remove(name);
            else all[name] = value;
        }
        return all;
    }

    public Task<Visit> AuthorizeAsync(TestBrowser browser, params (string Name, string? Value)[] changes) => VisitAsync(browser, Request(changes));

    public Task<Visit> VisitAsync(TestBrowser browser, IEnumerable<KeyValuePair<string, string>> parameters) =>
        Visit.GoAsync(this, browser, browser.GetAsync(hub.Endpoint("authorization_endpoint") + "?" + Encode(parameters)));

    public static string Encode(IEnumerable<KeyValuePair<string, string>> values) =>
        string.Join('&', values.Select(v => $"{Uri.EscapeDataString(v.Key)}={Uri.EscapeDataString(v.Value)}"));

    /// <summary>A whole flow, with every check of the answers that the specification asks of a client.</summary>
    public async Task<TokenSet> SignInAsync(TestBrowser browser, params (string Name, string? Value)[] changes)
    {
        var visit = await AuthorizeAsync(browser, changes);
        return await TokensAsync(visit, changes.Any(c => c.Name == "nonce") ? changes.Last(c => c.Name == "nonce").Value : Nonce);
    }

    public async Task<TokenSet> TokensAsync(Visit visit, string? nonce, params (string Name, string? Value)[] changes)
    {
        var answer = await RedeemAsync(visit.Code, changes);
        var tokens = TokenSet.Of(answer);
        await AssertIdTokenAsync(tokens.Id!, nonce, tokens.Access);
        return tokens;
    }

    public Task<Answer> RedeemAsync(string code, params (string Name, string? Value)[] changes)
    {
        var form = new Dictionary<string, string> { ["grant_type"] = "authorization_code", ["code"] = code, ["redirect_uri"] = RedirectUri };
        if (KnowsPkce) form["code_verifier"] = Verifier;
        return TokenAsync(form, changes);
    }

    public Task<Answer> RefreshAsync(string token, params (string Name, string? Value)[] changes) =>
        TokenAsync(new Dictionary<string, string> { ["grant_type"] = "refresh_token", ["refresh_token"] = token }, changes);

    public Task<Answer> TokenAsync(Dictionary<string, string> form, params (string Name, string? Value)[] changes) =>
        PostAsync(hub.Endpoint("token_endpoint"), form, changes);

    public Task<Answer> PostAsync(string url, Dictionary<string, string> form, params (string Name, string? Value)[] changes) =>
        PostAsync(url, form, true, changes);

    /// <summary>Posts a form with this client's own credential.</summary>
    /// <param name="proof">Whether a DPoP proof goes with it, where the client has a key.</param>
    public async Task<Answer> PostAsync(string url, Dictionary<string, string> form, bool proof, params (string Name, string? Value)[] changes)
    {
        AuthenticationHeaderValue? authorization = null;
        switch (Registered("token_endpoint_auth_method"))
        {
            case "private_key_jwt":
                form["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
                form["client_assertion"] = Assertion();
                break;
            case "client_secret_post":
                (form["client_id"], form["client_secret"]) = (Id, Secret!);
                break;
            case "tls_client_auth":
                form["client_id"] = Id;
                break;
            default:
                authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Uri.EscapeDataString(Id)}:{Uri.EscapeDataString(Secret!)}")));
                break;
        }
        foreach (var (name, value) in changes)
        {
            if (value is null) form.Remove(name);
            else form[name] = value;
        }
        return await SendAsync(() => new HttpRequestMessage(HttpMethod.Post, url)
        {
            Content = new FormUrlEncodedContent(form), Headers = { Authorization = authorization },
        }, null, () =>
        {
            // A second attempt with a nonce needs an assertion of its own: each counts once.
            if (form.ContainsKey("client_assertion") && changes.All(c => c.Name != "client_assertion")) form["client_assertion"] = Assertion();
        }, proof);
    }

    /// <summary>An assertion for client authentication (RFC 7523), right unless told otherwise.</summary>
    public string Assertion(Action<Dictionary<string, object?>>? edit = null, Action<Dictionary<string, object?>>? header = null, AsymmetricAlgorithm? key = null)
    {
        var claims = new Dictionary<string, object?>
        {
            ["iss"] = Id, ["sub"] = Id, ["aud"] = hub.Issuer, ["jti"] = Jws.Random(), ["iat"] = hub.Now, ["exp"] = hub.Now + 60,
        };
        var head = new Dictionary<string, object?> { ["alg"] = KeyAlgorithm, ["kid"] = KeyId };
        edit?.Invoke(claims);
        header?.Invoke(head);
        return Jws.Sign(head, claims, key ?? Key);
    }

    // ---- DPoP ----

    /// <summary>The key that tokens are bound to; null for a client of bearer tokens.</summary>
    public ECDsa? DpopKey { get; set; }

    /// <summary>The last nonce that the hub gave out.</summary>
    public string? DpopNonce { get; set; }

    /// <summary>Changes every proof that is made from here on.</summary>
    public Action<Dictionary<string, object?>, Dictionary<string, object?>>? EditProof { get; set; }

    public string Proof(string method, string url, string? accessToken, AsymmetricAlgorithm? key = null)
    {
        var claims = new Dictionary<string, object?> { ["jti"] = Jws.Random(), ["htm"] = method, ["htu"] = url, ["iat"] = hub.Now };
        if (DpopNonce is not null) claims["nonce"] = DpopNonce;
        if (accessToken is not null) claims["ath"] = Jws.Encode(SHA256.HashData(Encoding.ASCII.GetBytes(accessToken)));
        var header = new Dictionary<string, object?> { ["typ"] = "dpop+jwt", ["alg"] = "ES256", ["jwk"] = Jws.PublicJwk(key ?? DpopKey!) };
        EditProof?.Invoke(header, claims);
        return Jws.Sign(header, claims, key ?? DpopKey!);
    }

    /// <summary>Sends; where the hub asks for a nonce, sends again with it (RFC 9449 §8).</summary>
    /// <param name="again">Makes what may be sent once only anew.</param>
    public async Task<Answer> SendAsync(Func<HttpRequestMessage> make, string? accessToken, Action? again = null, bool proof = true)
    {
        for (var attempt = 0; ; attempt++)
        {
            using var request = make();
            var url = request.RequestUri!.IsAbsoluteUri ? request.RequestUri.AbsoluteUri : hub.Issuer + request.RequestUri;
            if (proof && DpopKey is not null && !request.Headers.Contains("DPoP")) request.Headers.Add("DPoP", Proof(request.Method.Method, url, accessToken));
            if (Certificate is not null) request.Headers.TryAddWithoutValidation("Client-Cert", $":{Convert.ToBase64String(Certificate.RawData)}:");
            var answer = await Answer.OfAsync(await hub.Hub.Http.SendAsync(request));
            if (answer.Headers.TryGetValue("DPoP-Nonce", out var nonce)) DpopNonce = nonce;
            if (!answer.AsksForNonce || DpopKey is null || attempt > 0) return answer;
            again?.Invoke();
        }
    }

    // ---- mutual TLS ----

    /// <summary>What the proxy in front of the hub saw on the connection; null for none.</summary>
    public X509Certificate2? Certificate { get; set; }

    // ---- what the client holds answers to ----

    /// <summary>OpenID Connect Core §3.1.3.7.</summary>
    public async Task AssertIdTokenAsync(string jwt, string? nonce, string? accessToken = null)
    {
        Jws.AssertSigned(jwt, await hub.KeysAsync(), Registered("id_token_signed_response_alg") ?? "RS256");
        var claims = Jws.Claims(jwt);
        Assert.Equal(hub.Issuer, claims.GetProperty("iss").GetString());
        Assert.Equal(Id, claims.GetProperty("aud").GetString());
        Assert.True(claims.GetProperty("exp").GetInt64() > hub.Now, "exp");
        Assert.InRange(claims.GetProperty("iat").GetInt64(), hub.Now - 10, hub.Now + 10);
        Assert.InRange(claims.GetProperty("sub").GetString()!.Length, 1, 255);
        Assert.Equal(nonce, claims.TryGetProperty("nonce", out var got) ? got.GetString() : null);
        if (accessToken is not null && claims.TryGetProperty("at_hash", out var half))
            Assert.Equal(Jws.Encode(SHA256.HashData(Encoding.ASCII.GetBytes(accessToken)).AsSpan(0, 16)), half.GetString());
    }

    /// <summary>The parameters inside a signed response (JARM §2.3.4), which is the hub's, for this client, and fresh.</summary>
    public async Task<Visit> OpenAsync(Visit visit)
    {
        if (visit.Response?.GetValueOrDefault("response") is not { } signed) return visit;
        Assert.Single(visit.Response);
        Jws.AssertSigned(signed, await hub.KeysAsync(), Registered("authorization_signed_response_alg") ?? "ES256");
        var claims = Jws.Claims(signed);
        Assert.Equal((hub.Issuer, Id), (claims.GetProperty("iss").GetString(), claims.GetProperty("aud").GetString()));
        Assert.InRange(claims.GetProperty("exp").GetInt64(), hub.Now + 1, hub.Now + 600);
        return visit with
        {
            Response = claims.EnumerateObject().Where(c => c.Name is not ("aud" or "exp" or "iat")).ToDictionary(c => c.Name, c => c.Value.GetString()!),
        };
    }

    public Task<Answer> UserInfoAsync(string token, HttpMethod? method = null, string? scheme = null) => SendAsync(
        () => new HttpRequestMessage(method ?? HttpMethod.Get, hub.Endpoint("userinfo_endpoint"))
        {
            Headers = { Authorization = new AuthenticationHeaderValue(scheme ?? (DpopKey is null ? "Bearer" : "DPoP"), token) },
        }, token);

    /// <summary>UserInfo as JSON, of the customer of the ID token.</summary>
    public async Task<JsonElement> ClaimsAsync(TokenSet tokens)
    {
        var answer = await UserInfoAsync(tokens.Access);
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal(Jws.Claims(tokens.Id!).GetProperty("sub").GetString(), answer.Json.GetProperty("sub").GetString());
        return answer.Json;
    }
}

internal sealed record TokenSet(string Access, string Type, string? Id, string? Refresh, string? Scope)
{
    /// <summary>RFC 6749 §5.1.</summary>
    public static TokenSet Of(Answer answer)
    {
        Assert.True(answer.Status == HttpStatusCode.OK, $"{answer.Status}: {answer.Body}");
        Assert.Equal("application/json", answer.MediaType);
        Assert.Contains("no-store", answer.Headers["Cache-Control"], StringComparison.Ordinal);
        Assert.InRange(answer.Json.GetProperty("expires_in").GetInt32(), 1, 3600);
        string? Text(string name) => answer.Json.TryGetProperty(name, out var value) ? value.GetString() : null;
        return new TokenSet(Text("access_token")!, Text("token_type")!, Text("id_token"), Text("refresh_token"), Text("scope"));
    }

    public JsonElement Claims => Jws.Claims(Id!);
    public long AuthTime => Claims.GetProperty("auth_time").GetInt64();
    public string Sub => Claims.GetProperty("sub").GetString()!;
}

internal sealed record Answer(HttpStatusCode Status, string Body, string? MediaType, IReadOnlyDictionary<string, string> Headers)
{
    public JsonElement Json => JsonElement.Parse(Body);
    public string? Error => Body.StartsWith('{') && Json.TryGetProperty("error", out var error) ? error.GetString() : null;

    public bool AsksForNonce => Error == "use_dpop_nonce" || Headers.GetValueOrDefault("WWW-Authenticate")?.Contains("use_dpop_nonce", StringComparison.Ordinal) is true;

    public static async Task<Answer> OfAsync(HttpResponseMessage response)
    {
        using (response)
        {
            return new Answer(response.StatusCode, await response.Content.ReadAsStringAsync(), response.Content.Headers.ContentType?.MediaType,
                response.Headers.Concat(response.Content.Headers).ToDictionary(h => h.Key, h => string.Join(", ", h.Value), StringComparer.OrdinalIgnoreCase));
        }
    }

    public void AssertRefused(params string[] errors)
    {
        Assert.InRange((int)Status, 400, 499);
        Assert.Contains(Error, errors);
    }
}

/// <summary>Where a browser came to after it was sent to the authorization endpoint.</summary>
/// <param name="Response">What came back at the redirect URI; null where the hub showed a page of its own.</param>
/// <param name="SignIns">How often the sign-in page was filled in on the way.</param>
/// <param name="Sheets">How often the consent sheet was answered.</param>
internal sealed record Visit(TestPage Page, IReadOnlyDictionary<string, string>? Response, int SignIns, int Sheets)
{
    /// <summary>The code; asserts that state and <c>iss</c> (RFC 9207) came with it.</summary>
    public string Code
    {
        get
        {
            Assert.True(Response is not null, $"{Page.Status} at {Page.Address}: {Page.Text[..Math.Min(300, Page.Text.Length)]}");
            Assert.True(Response.ContainsKey("code"), string.Join(' ', Response));
            return Response["code"];
        }
    }

    public string? Error => Response?.GetValueOrDefault("error");

    /// <summary>The hub's own page says no, and nobody was redirected.</summary>
    public void AssertErrorPage()
    {
        Assert.Null(Response);
        Assert.Null(Page.RedirectsTo);
        Assert.InRange((int)Page.Status, 400, 499);
    }

    public static async Task<Visit> GoAsync(Rp rp, TestBrowser browser, Task<TestPage> first)
    {
        var (signIns, sheets) = (0, 0);
        var page = await first;
        for (var step = 0; step < 15; step++)
        {
            if (page.RedirectsTo is { } to)
            {
                if (!to.AbsoluteUri.StartsWith(rp.RedirectUri, StringComparison.Ordinal))
                {
                    Assert.Equal(browser.Http.BaseAddress!.Authority, to.Authority);
                    page = await browser.GetAsync(to.AbsoluteUri);
                    continue;
                }
                Assert.True(page.Status is HttpStatusCode.SeeOther or HttpStatusCode.Found, page.Status.ToString());
                return Of(QueryHelpers.ParseQuery(to.Query).ToDictionary(v => v.Key, v => v.Value.Single()!));
            }
            if (page.Forms().FirstOrDefault(f => f.Action == rp.RedirectUri) is { } form)
            {
                Assert.Contains("no-store", page.Headers["Cache-Control"], StringComparison.Ordinal);
                return Of(form.Hidden.ToDictionary(h => h.Key, h => h.Value));
            }
            if (page.Body.Contains("name=\"password\"", StringComparison.Ordinal))
            {
                signIns++;
                page = await browser.SubmitAsync(page, [new("email", rp.Person.Email), new("password", rp.Person.Password)], action: "/signin");
            }
            else if (page.Body.Contains("name=\"decision\"", StringComparison.Ordinal))
            {
                sheets++;
                page = await browser.SubmitAsync(page, [new("decision", rp.Decision)], form: page.Forms().ToList().FindIndex(f => f.Hidden.Any(h => h.Key == "sheet")));
            }
            else
            {
                return new Visit(page, null, signIns, sheets);
            }
        }
        throw new InvalidOperationException("The hub did not come to an end.");

        Visit Of(Dictionary<string, string> values)
        {
            // RFC 9207: every answer says whose it is; a signed one (JARM) says so inside.
            if (!values.ContainsKey("response")) Assert.Equal(browser.Http.BaseAddress!.GetLeftPart(UriPartial.Authority), values["iss"]);
            return new Visit(page, values, signIns, sheets);
        }
    }
}
