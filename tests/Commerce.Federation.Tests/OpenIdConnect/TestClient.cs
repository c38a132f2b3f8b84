using System.Buffers.Text;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Commerce.Federation.Partners;
using Commerce.Testing;
using Microsoft.AspNetCore.WebUtilities;

namespace Commerce.Federation.Tests.OpenIdConnect;

/// <summary>A relying party that does what the test tells it, right or wrong.</summary>
internal sealed class TestClient(TestHub hub, string redirectUri, bool withKey)
{
    public string Id { get; } = "client-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6));
    public string Partner { get; } = "partner-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6));
    public string Secret { get; } = "s+%/ " + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));     // characters that form encoding must carry
    public string RedirectUri { get; } = redirectUri;
    public string PostLogoutUri { get; } = new Uri(new Uri(redirectUri), "/bye").AbsoluteUri;
    public string Verifier { get; } = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(48));
    public string Challenge => ChallengeOf(Verifier);
    public string State { get; } = "st åä ~!*'();:@&=+$,/?#[] " + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(8));
    public string Nonce { get; } = "n " + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16));
    public OidcClient Metadata { get; set; } = null!;
    public ECDsa? Key { get; } = withKey ? ECDsa.Create(ECCurve.NamedCurves.nistP256) : null;

    public static string ChallengeOf(string verifier) => Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier)));

    public Dictionary<string, string> Request(params (string Name, string? Value)[] changes)
    {
        var all = new Dictionary<string, string>
        {
            ["client_id"] = Id, ["redirect_uri"] = RedirectUri, ["response_type"] = "code", ["scope"] = "openid", ["state"] = State, ["nonce"] = Nonce,
            ["code_challenge"] = Challenge, ["code_challenge_method"] = "S256",
        };
        foreach (var (name, value) in changes)
        {
            if (value is null) all.Remove(name);
            else all[name] = value;
        }
        return all;
    }

    public string AuthorizeUrl(params (string Name, string? Value)[] changes) => "/connect/authorize?" + Encode(Request(changes));

    public static string Encode(IEnumerable<KeyValuePair<string, string>> values) =>
        string.Join('&', values.Select(v => $"{Uri.EscapeDataString(v.Key)}={Uri.EscapeDataString(v.Value)}"));

    /// <summary>What came back at the redirect URI. Asserts that it is this client's, and that state and iss are right (R01).</summary>
    public Dictionary<string, string> ResponseOf(TestPage page)
    {
        Assert.Equal(HttpStatusCode.SeeOther, page.Status);
        Assert.StartsWith(RedirectUri, page.RedirectsTo!.AbsoluteUri, StringComparison.Ordinal);
        var values = QueryHelpers.ParseQuery(page.RedirectsTo.Query).ToDictionary(v => v.Key, v => v.Value.Single()!);
        Assert.Equal(hub.Origin, values["iss"]);
        Assert.Contains("no-store", page.Headers["Cache-Control"], StringComparison.Ordinal);
        return values;
    }

    public string CodeOf(TestPage page)
    {
        var values = ResponseOf(page);
        Assert.False(values.ContainsKey("error"), values.GetValueOrDefault("error") + ": " + values.GetValueOrDefault("error_description"));
        Assert.Equal(State, values["state"]);
        return values["code"];
    }

    public string ErrorOf(TestPage page)
    {
        var values = ResponseOf(page);
        Assert.False(values.ContainsKey("code"));
        return values["error"];
    }

    public Task<TestAnswer> RedeemAsync(string code, params (string Name, string? Value)[] changes)
    {
        var all = new Dictionary<string, string>
        {
            ["grant_type"] = "authorization_code", ["code"] = code, ["redirect_uri"] = RedirectUri, ["code_verifier"] = Verifier,
        };
        return TokenAsync(all, changes);
    }

    public Task<TestAnswer> RefreshAsync(string token, params (string Name, string? Value)[] changes) =>
        TokenAsync(new Dictionary<string, string> { ["grant_type"] = "refresh_token", ["refresh_token"] = token }, changes);

    /// <summary>Asks the token endpoint with this client's own credential.</summary>
    public Task<TestAnswer> TokenAsync(Dictionary<string, string> fields, params (string Name, string? Value)[] changes)
    {
        foreach (var (name, value) in changes)
        {
            if (value is null) fields.Remove(name);
            else fields[name] = value;
        }
        if (Key is not null)
        {
            fields.TryAdd("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
            fields.TryAdd("client_assertion", Assertion());
        }
        return SendAsync(Encode(fields), Key is null ? Basic(Id, Secret) : null);
    }

    public async Task<TestAnswer> SendAsync(string body, AuthenticationHeaderValue? authorization, string path = "/connect/token", string type = "application/x-www-form-urlencoded")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body) };
        request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        request.Headers.Authorization = authorization;
        return await TestAnswer.OfAsync(await hub.Http.SendAsync(request));
    }

    public static AuthenticationHeaderValue Basic(string id, string secret) =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{WebUtility.UrlEncode(id)}:{WebUtility.UrlEncode(secret)}")));

    public JsonElement PublicKeys(string kid = "k1")
    {
        var point = Key!.ExportParameters(false).Q;
        return JsonSerializer.SerializeToElement(new { keys = new[] { new { kty = "EC", crv = "P-256", use = "sig", kid, x = Base64Url.EncodeToString(point.X!), y = Base64Url.EncodeToString(point.Y!) } } });
    }

    /// <summary>A client assertion, right unless told otherwise.</summary>
    public string Assertion(Action<Dictionary<string, object?>>? claims = null, Action<Dictionary<string, object?>>? header = null, ECDsa? key = null)
    {
        var now = hub.Clock.GetUtcNow().ToUnixTimeSeconds();
        var payload = new Dictionary<string, object?>
        {
            ["iss"] = Id, ["sub"] = Id, ["aud"] = hub.Origin, ["jti"] = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16)), ["iat"] = now, ["exp"] = now + 60,
        };
        var head = new Dictionary<string, object?> { ["alg"] = "ES256", ["kid"] = "k1" };
        claims?.Invoke(payload);
        header?.Invoke(head);
        return Jwt.Sign(JsonSerializer.Serialize(head), JsonSerializer.Serialize(payload), key ?? Key!);
    }
}

/// <summary>An answer of the token endpoint. Every one of them must keep out of caches (R04).</summary>
internal sealed record TestAnswer(HttpStatusCode Status, string Body, IReadOnlyDictionary<string, string> Headers)
{
    public JsonElement Json => JsonElement.Parse(Body);
    public string? Error => Json.TryGetProperty("error", out var error) ? error.GetString() : null;

    public static async Task<TestAnswer> OfAsync(HttpResponseMessage response)
    {
        using (response)
        {
            Assert.True(response.Headers.CacheControl?.NoStore, "no-store");
            var answer = new TestAnswer(response.StatusCode, await response.Content.ReadAsStringAsync(),
                response.Headers.Concat(response.Content.Headers).ToDictionary(h => h.Key, h => string.Join(", ", h.Value), StringComparer.OrdinalIgnoreCase));
            if (answer.Body.Length > 0) Assert.EndsWith("json", response.Content.Headers.ContentType?.MediaType, StringComparison.Ordinal);
            // To a person it says what is wrong, beside the code for the program.
            if (answer is { Status: HttpStatusCode.BadRequest, Error: not null }) Assert.NotEqual("", answer.Json.GetProperty("error_description").GetString());
            return answer;
        }
    }
}

internal sealed record TestTokens(string Access, string? Id, string? Refresh, string Scope)
{
    public static TestTokens Of(TestAnswer answer)
    {
        Assert.True(answer.Status == HttpStatusCode.OK, $"{answer.Status}: {answer.Body}");
        string? Text(string name) => answer.Json.TryGetProperty(name, out var value) ? value.GetString() : null;
        Assert.Equal("Bearer", Text("token_type"));
        Assert.InRange(answer.Json.GetProperty("expires_in").GetInt32(), 1, 3600);
        return new TestTokens(Text("access_token")!, Text("id_token"), Text("refresh_token"), Text("scope")!);
    }

    public JsonElement IdClaims => Jwt.Payload(Id!);
    public JsonElement AccessClaims => Jwt.Payload(Access);
}

internal static class Jwt
{
    public static JsonElement Payload(string jwt) => JsonElement.Parse(Base64Url.DecodeFromChars(jwt.Split('.')[1]));
    public static JsonElement Header(string jwt) => JsonElement.Parse(Base64Url.DecodeFromChars(jwt.Split('.')[0]));

    public static string Sign(string header, string payload, ECDsa key)
    {
        var signed = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header)) + "." + Base64Url.EncodeToString(Encoding.UTF8.GetBytes(payload));
        return signed + "." + Base64Url.EncodeToString(key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256));
    }
}
