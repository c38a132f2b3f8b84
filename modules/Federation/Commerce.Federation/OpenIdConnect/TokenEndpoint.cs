using System.Text.Json;
using Commerce.Federation.OpenIdConnect.Devices;
using Commerce.Federation.OpenIdConnect.Exchange;
using Commerce.Kernel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>What the token endpoint gives out.</summary>
internal sealed record TokenAnswer(string AccessToken, string Scope, string? IdToken = null, string? RefreshToken = null)
{
    /// <summary>The key that the access token is bound to; null for a bearer token.</summary>
    public SenderKey? Key { get; init; }

    /// <summary>Authorization details that were granted (RFC 9396 §7), a JSON list, or null.</summary>
    public string? Details { get; init; }

    /// <summary>RFC 8693 §2.2.1; null for tokens that were not exchanged.</summary>
    public string? IssuedTokenType { get; init; }

    /// <summary>The grant (FAPI Grant Management §5.3); null for a client's own tokens.</summary>
    public Guid? Grant { get; init; }

    /// <summary>How long the access token lives.</summary>
    public TimeSpan Lifetime { get; init; } = Tokens.AccessLifetime;
}

/// <summary>The token endpoint (RFC 6749 §3.2): reads the form, proves the client, and hands over to the grant type.</summary>
internal static class TokenEndpoint
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost(Issuer.TokenPath, HandleAsync).DisableAntiforgery().ShortCircuit().ExcludeFromDescription();
        // RFC 6749 §3.2: POST and nothing else. Said here, so that the answer carries no-store too.
        routes.MapMethods(Issuer.TokenPath, ["GET", "HEAD", "PUT", "DELETE", "PATCH"], (HttpContext context) =>
        {
            context.Response.Headers.Allow = "POST";
            return new OAuthErrorAnswer(OAuth.InvalidRequest("The token endpoint takes POST.") with { Status = StatusCodes.Status405MethodNotAllowed }, "invalid_request");
        }).ExcludeFromDescription();
    }

    private static async Task<IResult> HandleAsync(
        HttpContext context, ClientAuthentication authentication, SenderConstraint constraint, RedeemCode codes, OnDemand<Refresh> refresh, OnDemand<ClientCredentials> own,
        OnDemand<DeviceGrant> devices, OnDemand<TokenExchange> exchange, ApiAccess.ClientRates rates, Issuer issuer, ILogger<RedeemCode> log, CancellationToken stop)
    {
        if (context.Request.QueryString.HasValue) return No(OAuth.InvalidRequest("Parameters belong into the body."));
        if (await Parameters.ReadFormAsync(context.Request, stop) is not { } form) return No(OAuth.InvalidRequest("The body is a form with each parameter once."));
        if (!(await authentication.AuthenticateAsync(context.Request, form, stop)).TryGet(out var client, out var no)) return No(no);
        if (!rates.TryTake(client)) return No(OAuth.TooManyRequests);
        var type = form["grant_type"];
        if (type is null) return No(OAuth.InvalidRequest("grant_type is missing."));
        if (!GrantTypes.All.Contains(type)) return No(OAuth.UnsupportedGrantType);
        if (!client.Oidc!.MayUse(type)) return No(OAuth.UnauthorizedClient);
        // RFC 8707 §2.2: a token that was asked for one API is not given out for another. For APIs there is token exchange.
        if (type is "authorization_code" or "refresh_token" or DeviceGrant.GrantType && form["resource"] is { } resource && resource != issuer.Name) return No(OAuth.InvalidTarget);
        if (!(await constraint.OfRequestAsync(context, client, stop)).TryGet(out var key, out no)) return No(no);
        var answer = type switch
        {
            "authorization_code" => await codes.RedeemAsync(client, form, key, stop),
            "refresh_token" => await refresh.Value.RefreshAsync(client, form, key, stop),
            DeviceGrant.GrantType => await devices.Value.RedeemAsync(client, form, key, stop),
            TokenExchange.GrantType => await exchange.Value.ExchangeAsync(client, form, key, stop),
            _ => await own.Value.IssueAsync(client, form, key, stop),
        };
        if (answer.TryGet(out var tokens, out no)) return new TokenJson(tokens);
        log.LogWarning("Token request of {Client} ({GrantType}) refused: {Reason}.", client.Id, type, no.Code);
        return No(no);
    }

    // Partner off, session over, consent withdrawn: to this endpoint the grant is no longer good.
    private static OAuthErrorAnswer No(Refusal refusal) => new(refusal, "invalid_grant");

    /// <summary>RFC 6749 §5.1.</summary>
    private sealed class TokenJson(TokenAnswer tokens) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext) => JsonAnswer.WriteAsync(httpContext, StatusCodes.Status200OK, tokens, static (json, tokens) =>
        {
            json.WriteString("access_token", tokens.AccessToken);
            json.WriteString("token_type", tokens.Key is { IsDpop: true } ? "DPoP" : "Bearer");
            json.WriteNumber("expires_in", (int)tokens.Lifetime.TotalSeconds);
            if (tokens.RefreshToken is not null) json.WriteString("refresh_token", tokens.RefreshToken);
            if (tokens.IdToken is not null) json.WriteString("id_token", tokens.IdToken);
            json.WriteString("scope", tokens.Scope);
            if (tokens.IssuedTokenType is not null) json.WriteString("issued_token_type", tokens.IssuedTokenType);
            if (tokens.Grant is { } grant) json.WriteString("grant_id", grant);
            if (tokens.Details is null) return;
            json.WritePropertyName("authorization_details");
            json.WriteRawValue(tokens.Details);
        });
    }
}

/// <summary>An error of the token endpoint (RFC 6749 §5.2): JSON, never cached, with a challenge where the client was not proven.</summary>
internal sealed class OAuthErrorAnswer(Refusal refusal, string otherwise) : IResult
{
    // The gate's refusals speak to customers. A client learns that asking again is no use, and not which of them it was.
    private const string Ended = "What this stands on has ended: the customer's session, account or consent, or this client's connection.";

    public Task ExecuteAsync(HttpContext httpContext)
    {
        var error = OAuth.ErrorOf(refusal, otherwise);
        var own = refusal.Code.StartsWith("oauth.", StringComparison.Ordinal);
        if (own && refusal.Status == StatusCodes.Status401Unauthorized) httpContext.Response.Headers.WWWAuthenticate = "Basic realm=\"commerce\", charset=\"UTF-8\"";
        if (refusal.Status == StatusCodes.Status429TooManyRequests) httpContext.Response.Headers.RetryAfter = "60";
        return JsonAnswer.WriteAsync(httpContext, own ? refusal.Status : StatusCodes.Status400BadRequest, (error, own ? refusal.Message : Ended), static (json, state) =>
        {
            json.WriteString("error", state.error);
            json.WriteString("error_description", state.Item2);
        });
    }
}

/// <summary>A JSON object written straight into the response, with the headers that no cache keeps (RFC 6749 §5.1).</summary>
internal static class JsonAnswer
{
    private static readonly JsonWriterOptions Options = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public static async Task WriteAsync<T>(HttpContext context, int status, T state, Action<Utf8JsonWriter, T> members)
    {
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = "application/json";
        response.Headers.CacheControl = "no-store";
        response.Headers.Pragma = "no-cache";
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(2048);
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            members(json, state);
            json.WriteEndObject();
        }
        response.ContentLength = buffer.WrittenCount;
        await response.Body.WriteAsync(buffer.WrittenMemory, context.RequestAborted);
    }
}
