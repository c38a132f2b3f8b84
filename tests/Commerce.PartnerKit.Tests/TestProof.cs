using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Commerce.PartnerKit.Tests;

/// <summary>DPoP proofs as a client makes them, right unless told otherwise.</summary>
internal static class TestProof
{
    private static JsonObject Jwk(ECDsa key)
    {
        var point = key.ExportParameters(false).Q;
        return new JsonObject { ["crv"] = "P-256", ["kty"] = "EC", ["x"] = Base64Url.EncodeToString(point.X), ["y"] = Base64Url.EncodeToString(point.Y) };
    }

    public static string Thumbprint(ECDsa key) => Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(Jwk(key).ToJsonString())));

    public static string Make(ECDsa key, TimeProvider clock, string method, string address, string token,
        Action<JsonObject>? claims = null, Action<JsonObject>? header = null)
    {
        var head = new JsonObject { ["alg"] = "ES256", ["typ"] = "dpop+jwt", ["jwk"] = Jwk(key) };
        var payload = new JsonObject
        {
            ["jti"] = Guid.NewGuid().ToString("N"), ["htm"] = method, ["htu"] = address, ["iat"] = clock.GetUtcNow().ToUnixTimeSeconds(),
            ["ath"] = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(token))),
        };
        claims?.Invoke(payload);
        header?.Invoke(head);
        var content = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(head.ToJsonString())) + "." + Base64Url.EncodeToString(Encoding.UTF8.GetBytes(payload.ToJsonString()));
        return content + "." + Base64Url.EncodeToString(key.SignData(Encoding.ASCII.GetBytes(content), HashAlgorithmName.SHA256));
    }
}
