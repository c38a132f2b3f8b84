using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging;

namespace Commerce.PartnerKit.Tests;

/// <summary>An OpenID provider that obeys, and misbehaves where a test tells it to.</summary>
internal sealed class FakeOidcHub : IAsyncDisposable
{
    public const string ClientId = "partner-1";
    public const string Subject = "pairwise-subject";
    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly ConcurrentDictionary<string, string> nonces = new();
    private readonly WebApplication app;

    private FakeOidcHub(WebApplication app, string url) => (this.app, Url) = (app, url);

    public string Url { get; }

    /// <summary>Changes header and payload of ID tokens before they are signed.</summary>
    public Action<JsonObject, JsonObject> IdToken { get; set; } = (_, _) => { };

    /// <summary>The same for signed userinfo.</summary>
    public Action<JsonObject, JsonObject> UserInfo { get; set; } = (_, _) => { };

    /// <summary>Userinfo is signed by a key that nobody published.</summary>
    public bool ForeignUserInfoKey { get; set; }

    public bool ForeignIdTokenKey { get; set; }

    public bool RefusesUserInfo { get; set; }

    /// <summary>What the API answers, one after the other; 201 afterwards.</summary>
    public Queue<int> ApiStatuses { get; } = [];

    public ConcurrentQueue<string> TokenRequests { get; } = [];

    public ConcurrentQueue<(string? Authorization, string? Key, string Body)> ApiCalls { get; } = [];

    public static Dictionary<string, object> Claims => new()
    {
        ["name"] = "Aino Virtanen", ["given_name"] = "Aino", ["family_name"] = "Virtanen", ["email"] = "aino@example.com", ["email_verified"] = true,
        ["phone_number"] = "+358401234567", ["phone_number_verified"] = false, ["locale"] = "fi-FI", ["consent_receipt"] = "receipt-1",
        ["hop"] = new { id = "hop-1", offer = "tire-fitting" },
        ["vehicle"] = new { registration = "ABC-123", country = "FI", make = "Volvo", model = "V60", year = 2019, tire_size = "205/55R16" },
        ["purchase"] = new
        {
            order_number = "NT-1", banner = "northern-tires", placed_at = "2026-10-05T14:12:33+03:00", currency = "EUR",
            lines = new[] { new { gtin = "6410001122337", sku = "NT-WT", description = "Winter tire", category = "tires/winter", quantity = 4, unit_price = "129.90", properties = new { studded = false } } },
            fulfilment = new { method = "home_delivery" },
        },
    };

    public static async Task<FakeOidcHub> StartAsync()
    {
        var url = $"http://127.0.0.1:{PartnerSite.FreePort()}";
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(url);
        var app = builder.Build();
        var hub = new FakeOidcHub(app, url);
        hub.Map();
        await app.StartAsync();
        return hub;
    }

    /// <summary>The browser has been at the authorization endpoint: what it would be sent back with.</summary>
    public string Callback(Uri authorize)
    {
        var query = QueryHelpers.ParseQuery(authorize.Query);
        var code = Guid.NewGuid().ToString("N");
        nonces[code] = query["nonce"].ToString();
        return $"/signin/oidc?code={code}&state={Uri.EscapeDataString(query["state"].ToString())}&iss={Uri.EscapeDataString(Url)}";
    }

    public string Sign(JsonObject header, JsonObject payload, bool foreign = false)
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var content = $"{Part(header)}.{Part(payload)}";
        if (header["alg"]!.GetValue<string>() == "none") return content + ".";
        return $"{content}.{Base64Url.EncodeToString((foreign ? other : key).SignData(Encoding.ASCII.GetBytes(content), HashAlgorithmName.SHA256))}";

        static string Part(JsonObject json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json.ToJsonString()));
    }

    /// <summary>Signs texts as they are, members twice and all.</summary>
    public string SignRaw(string header, string payload) =>
        SignEncoded($"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header))}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(payload))}");

    /// <summary>Signs header and payload in the spelling that they have.</summary>
    public string SignEncoded(string content) => $"{content}.{Base64Url.EncodeToString(key.SignData(Encoding.ASCII.GetBytes(content), HashAlgorithmName.SHA256))}";

    public static JsonObject Header(string type) => new() { ["alg"] = "ES256", ["kid"] = "key-1", ["typ"] = type };

    public JsonObject LogoutPayload(string sid = "session-1")
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        return new JsonObject
        {
            ["iss"] = Url, ["aud"] = ClientId, ["iat"] = now, ["exp"] = now + 120, ["jti"] = Guid.NewGuid().ToString("N"), ["sid"] = sid, ["sub"] = Subject,
            ["events"] = new JsonObject { ["http://schemas.openid.net/event/backchannel-logout"] = new JsonObject() },
        };
    }

    public ValueTask DisposeAsync()
    {
        key.Dispose();
        return app.DisposeAsync();
    }

    private void Map()
    {
        app.MapGet("/.well-known/openid-configuration", () => Results.Json(new Dictionary<string, object>
        {
            ["issuer"] = Url, ["authorization_endpoint"] = Url + "/connect/authorize", ["token_endpoint"] = Url + "/connect/token",
            ["pushed_authorization_request_endpoint"] = Url + "/connect/par",     // offered, and not to be used: nothing answers there
            ["userinfo_endpoint"] = Url + "/connect/userinfo", ["jwks_uri"] = Url + "/jwks", ["end_session_endpoint"] = Url + "/connect/logout",
            ["response_types_supported"] = new[] { "code" }, ["subject_types_supported"] = new[] { "pairwise" }, ["id_token_signing_alg_values_supported"] = new[] { "ES256" },
            ["code_challenge_methods_supported"] = new[] { "S256" },
        }));
        app.MapGet("/jwks", () =>
        {
            var point = key.ExportParameters(false).Q;
            return Results.Json(new { keys = new[] { new { kty = "EC", crv = "P-256", use = "sig", alg = "ES256", kid = "key-1", x = Base64Url.EncodeToString(point.X), y = Base64Url.EncodeToString(point.Y) } } });
        });
        app.MapPost("/connect/token", async (HttpContext context) =>
        {
            var form = await context.Request.ReadFormAsync();
            TokenRequests.Enqueue($"{context.Request.Headers.Authorization} {string.Join('&', form.Select(f => $"{f.Key}={f.Value}"))}");
            if (form["grant_type"] == "client_credentials") return Results.Json(new { access_token = "api-" + Guid.NewGuid().ToString("N"), token_type = "Bearer", expires_in = 300 });
            if (!nonces.TryRemove(form["code"].ToString(), out var nonce)) return Results.Json(new { error = "invalid_grant" }, statusCode: 400);
            var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
            var (header, payload) = (Header("JWT"), new JsonObject
            {
                ["iss"] = Url, ["sub"] = Subject, ["aud"] = ClientId, ["iat"] = now, ["exp"] = now + 300, ["nonce"] = nonce, ["sid"] = "session-1",
                ["at_hash"] = Base64Url.EncodeToString(SHA256.HashData("at-1"u8).AsSpan(0, 16)),
            });
            IdToken(header, payload);
            return Results.Json(new { access_token = "at-1", token_type = "Bearer", expires_in = 300, id_token = Sign(header, payload, ForeignIdTokenKey) });
        });
        app.MapGet("/connect/userinfo", (HttpContext context) =>
        {
            if (RefusesUserInfo || context.Request.Headers.Authorization != "Bearer at-1") return Results.StatusCode(401);
            var (header, payload) = (Header("userinfo+jwt"), JsonSerializer.SerializeToNode(Claims)!.AsObject());
            (payload["iss"], payload["aud"], payload["sub"]) = (Url, ClientId, Subject);
            UserInfo(header, payload);
            return Results.Text(Sign(header, payload, ForeignUserInfoKey), "application/jwt");
        });
        app.MapPost("/api/bookings", async (HttpContext context) =>
        {
            using var reader = new StreamReader(context.Request.Body);
            ApiCalls.Enqueue((context.Request.Headers.Authorization, context.Request.Headers["Idempotency-Key"], await reader.ReadToEndAsync()));
            return Results.Json(new { booking = "b-1" }, statusCode: ApiStatuses.TryDequeue(out var status) ? status : 201);
        });
    }
}
