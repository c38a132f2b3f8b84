using System.Buffers.Text;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Commerce.Testing;

namespace Commerce.Federation.Tests.OpenIdConnect;

/// <summary>A client's DPoP key and the proofs it makes, right or wrong.</summary>
internal sealed class TestProofs(OidcHub hub)
{
    public ECDsa Key { get; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    public string? Nonce { get; set; }

    private (string X, string Y) Point => Key.ExportParameters(false).Q is var q ? (Base64Url.EncodeToString(q.X!), Base64Url.EncodeToString(q.Y!)) : default;

    public string Thumbprint => Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes($$"""{"crv":"P-256","kty":"EC","x":"{{Point.X}}","y":"{{Point.Y}}"}""")));

    public Dictionary<string, object?> Jwk => new() { ["kty"] = "EC", ["crv"] = "P-256", ["x"] = Point.X, ["y"] = Point.Y };

    /// <summary>A proof for one request, right unless told otherwise.</summary>
    public string Proof(string path, string? accessToken = null, Action<Dictionary<string, object?>>? claims = null, Action<Dictionary<string, object?>>? header = null,
        string method = "POST", ECDsa? key = null)
    {
        var payload = new Dictionary<string, object?>
        {
            ["jti"] = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16)), ["htm"] = method, ["htu"] = hub.Issuer + path,
            ["iat"] = hub.Clock.GetUtcNow().ToUnixTimeSeconds(),
        };
        if (Nonce is not null) payload["nonce"] = Nonce;
        if (accessToken is not null) payload["ath"] = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(accessToken)));
        var head = new Dictionary<string, object?> { ["typ"] = "dpop+jwt", ["alg"] = "ES256", ["jwk"] = Jwk };
        claims?.Invoke(payload);
        header?.Invoke(head);
        return Jwt.Sign(JsonSerializer.Serialize(head), JsonSerializer.Serialize(payload), key ?? Key);
    }

    /// <summary>Asks for a nonce as a client does: by a proof without one.</summary>
    public async Task<TestProofs> WithNonceAsync(TestClient client)
    {
        Nonce = null;
        var answer = await client.WithProofAsync(hub, Proof("/connect/token"),
            client.Metadata.MayUse("authorization_code") ? Fields("x", client) : new() { ["grant_type"] = "client_credentials" });
        Assert.Equal((HttpStatusCode.BadRequest, "use_dpop_nonce"), (answer.Status, answer.Error));
        Nonce = answer.Headers["DPoP-Nonce"];
        return this;
    }

    public static Dictionary<string, string> Fields(string code, TestClient client) => new()
    {
        ["grant_type"] = "authorization_code", ["code"] = code, ["redirect_uri"] = client.RedirectUri, ["code_verifier"] = client.Verifier,
    };
}

internal static class TestProofCalls
{
    /// <summary>Posts a form with this client's credential and these proofs.</summary>
    public static async Task<TestAnswer> WithProofsAsync(this TestClient client, OidcHub hub, string path, Dictionary<string, string> fields, params string[] proofs)
    {
        if (client.Key is not null)
        {
            fields = new(fields) { ["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", ["client_assertion"] = client.Assertion() };
        }
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new FormUrlEncodedContent(fields) };
        if (client.Key is null) request.Headers.Authorization = TestClient.Basic(client.Id, client.Secret);
        foreach (var proof in proofs) request.Headers.TryAddWithoutValidation("DPoP", proof);
        return await TestAnswer.OfAsync(await hub.Hub.Http.SendAsync(request));
    }

    public static Task<TestAnswer> WithProofAsync(this TestClient client, OidcHub hub, string proof, Dictionary<string, string> fields) =>
        client.WithProofsAsync(hub, "/connect/token", fields, proof);

    public static Task<TestAnswer> PushAsync(this TestClient client, OidcHub hub, params (string Name, string? Value)[] changes) =>
        client.WithProofsAsync(hub, "/connect/par", client.Request(changes));

    public static string ReferenceUrl(this TestClient client, TestAnswer pushed)
    {
        Assert.True(pushed.Status == HttpStatusCode.Created, pushed.Body);
        return "/connect/authorize?" + TestClient.Encode(new Dictionary<string, string> { ["client_id"] = client.Id, ["request_uri"] = pushed.Json.GetProperty("request_uri").GetString()! });
    }

    public static async Task<HttpResponseMessage> CallAsync(this OidcHub hub, string path, string scheme, string token, params string[] proofs)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Authorization = new AuthenticationHeaderValue(scheme, token) } };
        foreach (var proof in proofs) request.Headers.TryAddWithoutValidation("DPoP", proof);
        return await hub.Hub.Http.SendAsync(request);
    }
}
