using Commerce.Kernel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>
/// The pushed authorization request endpoint (RFC 9126 §2): the client proves itself as at the token endpoint, the request passes every
/// check that it would pass at the authorization endpoint, and a one-time reference to it comes back.
/// </summary>
internal static class PushedAuthorization
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost(Issuer.PushPath, HandleAsync).DisableAntiforgery().ShortCircuit().ExcludeFromDescription();
        routes.MapMethods(Issuer.PushPath, ["GET", "HEAD", "PUT", "DELETE", "PATCH"], (HttpContext context) =>
        {
            context.Response.Headers.Allow = "POST";
            return No(OAuth.InvalidRequest("Requests are pushed by POST.") with { Status = StatusCodes.Status405MethodNotAllowed });
        }).ExcludeFromDescription();
    }

    private static async Task<IResult> HandleAsync(
        HttpContext context, ClientAuthentication authentication, AuthorizeValidation validation, PushedRequests pushed, DpopProofs proofs,
        ILogger<PushedRequests> log, CancellationToken stop)
    {
        if (context.Request.QueryString.HasValue) return No(OAuth.InvalidRequest("Parameters belong into the body."));
        if (await Parameters.ReadFormAsync(context.Request, stop) is not { } form) return No(OAuth.InvalidRequest("The body is a form with each parameter once."));
        if (!(await authentication.AuthenticateAsync(context.Request, form, stop)).TryGet(out var client, out var no)) return No(no);
        if (!(await ReadAsync(form, client, validation, stop)).TryGet(out var request, out no))
        {
            log.LogWarning("A pushed request of {Client} was refused: {Reason}.", client.Id, no.Code);
            return No(no);
        }
        if (DpopProofs.IsThere(context.Request))
        {
            // RFC 9449 §10.1: a proof here binds the code to its key, as dpop_jkt does; where both are there they say the same.
            if (!(await proofs.CheckAsync(context, null, stop)).TryGet(out var key, out no)) return No(no);
            if (request.DpopKey is { } named && named != key.Thumbprint) return No(OAuth.InvalidDpopProof);
            request = request with { DpopKey = key.Thumbprint };
        }
        return new PushedAnswer(await pushed.PushAsync(request, stop));
    }

    private static async Task<Result<AuthorizeRequest>> ReadAsync(Parameters form, Connection client, AuthorizeValidation validation, CancellationToken stop)
    {
        // RFC 9126 §2.1: a reference cannot be pushed in its turn.
        if (form["request_uri"] is not null) return OAuth.InvalidRequest("request_uri has no place in a pushed request.");
        if (form["client_id"] is not { } named) return OAuth.InvalidRequest("client_id is missing.");
        if (!string.Equals(named, client.Id, StringComparison.Ordinal)) return OAuth.InvalidRequest("client_id is not the client that asks.");
        var read = await validation.ReadAsync(form, isPushed: true, stop);
        return read.Request.IsOk || OAuth.IsOwn(read.Request.Refusal) ? read.Request
            : OAuth.InvalidRequest("redirect_uri is missing or not registered, or the client may not sign customers in.");
    }

    private static OAuthErrorAnswer No(Refusal refusal) => new(refusal, "invalid_request");

    /// <summary>RFC 9126 §2.2.</summary>
    private sealed class PushedAnswer(string uri) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext) => JsonAnswer.WriteAsync(httpContext, StatusCodes.Status201Created, uri, static (json, uri) =>
        {
            json.WriteString("request_uri", uri);
            json.WriteNumber("expires_in", (int)PushedRequests.Lifetime.TotalSeconds);
        });
    }
}
