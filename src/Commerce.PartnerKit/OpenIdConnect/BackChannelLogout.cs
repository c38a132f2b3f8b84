using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.IdentityModel.JsonWebTokens;

namespace Commerce.PartnerKit.OpenIdConnect;

/// <summary>The hub tells this site that a session ended (OpenID Connect Back-Channel Logout 1.0 §2.5 to §2.8).</summary>
internal static class BackChannelLogout
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapPost(HopPaths.BackChannelLogout,
        async (HttpContext context, LogoutTokens tokens, PartnerSessions sessions, CancellationToken stop) =>
        {
            context.Response.Headers.CacheControl = "no-store";
            if (!context.Request.HasFormContentType || context.Request.ContentLength > 64 * 1024) return Results.BadRequest();
            var form = await context.Request.ReadFormAsync(stop);
            if (form["logout_token"] is not [{ Length: > 0 } jwt] || await tokens.ReadAsync(jwt, stop) is not { } token) return Results.BadRequest();
            if (token.Session is { } sid) await sessions.EndAsync("sid", sid, token.IssuedAt, stop);
            else await sessions.EndAsync("sub", token.Subject!, token.IssuedAt, stop);
            return Results.Ok();
        }).DisableAntiforgery().ExcludeFromDescription();
}

/// <summary>A logout token that passed every check.</summary>
internal sealed record LogoutToken(string? Subject, string? Session, DateTimeOffset IssuedAt);

/// <summary>Checks logout tokens, Back-Channel Logout 1.0 §2.6; each rule refuses by itself (L09).</summary>
internal sealed class LogoutTokens(CommerceHopOptions options, HubDiscovery discovery, OneTime oneTime, TimeProvider clock)
{
    private const string LogoutEvent = "http://schemas.openid.net/event/backchannel-logout";
    private static readonly JsonWebTokenHandler Handler = new() { MaximumTokenSizeInBytes = 16 * 1024 };
    private static readonly TimeSpan MaximumAge = TimeSpan.FromMinutes(3);

    public async Task<LogoutToken?> ReadAsync(string jwt, CancellationToken stop)
    {
        var rules = StrictTokens.Parameters(options, "logout+jwt");    // typ keeps an ID token from being taken for one (O14)
        rules.ConfigurationManager = discovery.Manager;
        var result = await Handler.ValidateTokenAsync(jwt, rules);
        if (!result.IsValid) return null;
        try
        {
            var payload = Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(((JsonWebToken)result.SecurityToken).EncodedPayload));
            using var json = JsonDocument.Parse(payload, StrictJson.Document);
            var claims = json.RootElement;
            if (claims.TryGetProperty("nonce", out _)) return null;
            if (!IsLogoutEvent(claims)) return null;
            if (!claims.TryGetProperty("iat", out var iat) || !iat.TryGetInt64(out var seconds)) return null;
            var issuedAt = DateTimeOffset.FromUnixTimeSeconds(seconds);
            var now = clock.GetUtcNow();
            if (issuedAt > now.AddSeconds(10) || issuedAt < now - MaximumAge) return null;
            var (subject, session) = (Text(claims, "sub"), Text(claims, "sid"));
            if (subject is null && session is null) return null;
            if (Text(claims, "jti") is not { } jti || !await oneTime.ConsumeAsync($"logout:{jti}", now + MaximumAge, stop)) return null;
            return new LogoutToken(subject, session, issuedAt);
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException or ArgumentOutOfRangeException or FormatException)
        {
            return null;
        }
    }

    // Exactly one member, and it is an empty object.
    private static bool IsLogoutEvent(JsonElement claims) =>
        claims.TryGetProperty("events", out var events) && events.ValueKind == JsonValueKind.Object
        && events.EnumerateObject().ToList() is [{ Name: LogoutEvent, Value.ValueKind: JsonValueKind.Object } only] && !only.Value.EnumerateObject().Any();

    private static string? Text(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var value) ? value.GetString() is { Length: > 0 and <= 512 } text ? text : null : null;
}
