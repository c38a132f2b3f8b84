using System.Text.Json;
using Commerce.Federation.OpenIdConnect.Jose;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Commerce.Federation.OpenIdConnect.TokenStatus;

/// <summary>
/// The introspection endpoint (RFC 7662), with answers as JWTs where the Accept header asks for them (RFC 9701). It speaks of a token to
/// the client that it was issued to and to the resource server that it is meant for; to anybody else, and about anything that is not good
/// now, it says <c>{"active":false}</c> and nothing more (§2.2).
/// </summary>
internal static class Introspection
{
    public const string Path = "/connect/introspect";
    private const string JwtType = "application/token-introspection+jwt";

    public static void Map(IEndpointRouteBuilder routes) => routes.MapPost(Path, async Task<IResult> (
        HttpContext context, ClientRequest requests, PresentedTokens presented, TokenState state, TokenSigner signer, Issuer issuer, TimeProvider clock, CancellationToken stop) =>
    {
        if (!(await requests.ReadAsync(context.Request, stop)).TryGet(out var asked, out var no)) return new OAuthErrorAnswer(no, "invalid_request");
        if (asked.Form["token"] is not { } token) return new OAuthErrorAnswer(OAuth.InvalidRequest("token is missing."), "invalid_request");

        var found = await presented.ReadAsync(token, stop);
        var facts = found is null ? null : await state.OfAsync(found, asked.Client, stop);
        if (!context.Request.Headers.Accept.Any(accept => accept?.Contains(JwtType, StringComparison.OrdinalIgnoreCase) == true)) return new Plain(facts);

        // RFC 9701 §5: typ keeps the answer from being taken for any other token, and it is for the one who asked.
        return new Signed(signer.Sign(asked.Client.Oidc!.IntrospectionSignedResponseAlg, "token-introspection+jwt", (facts, issuer, asked.Client, clock), static (json, state) =>
        {
            json.WriteString("iss", state.issuer.Name);
            json.WriteString("aud", state.Client.Id);
            json.WriteNumber("iat", state.clock.GetUtcNow().ToUnixTimeSeconds());
            json.WriteStartObject("token_introspection");
            Write(json, state.facts);
            json.WriteEndObject();
        }));
    }).DisableAntiforgery().ShortCircuit().ExcludeFromDescription();

    private static void Write(Utf8JsonWriter json, ActiveToken? facts)
    {
        json.WriteBoolean("active", facts is not null);
        facts?.Write(json);
    }

    private sealed class Plain(ActiveToken? facts) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext) => JsonAnswer.WriteAsync(httpContext, StatusCodes.Status200OK, facts, static (json, facts) => Introspection.Write(json, facts));
    }

    private sealed class Signed(string jwt) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.ContentType = JwtType;
            httpContext.Response.Headers.CacheControl = "no-store";
            return httpContext.Response.WriteAsync(jwt, httpContext.RequestAborted);
        }
    }
}
