using Commerce.Kernel;
using Commerce.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using SeeOther = Commerce.Web.SeeOther;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>The authorization endpoint (RFC 6749 §3.1, OpenID Connect Core §3.1.2), and the way back to it from the hub's own pages.</summary>
internal static class Authorize
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(Issuer.AuthorizePath, (HttpContext context, AuthorizeValidation validation, PushedRequests pushed, AuthorizeFlow flow, Issuer issuer, CancellationToken stop) =>
            Parameters.TryReadQuery(context.Request, out var query)
                ? AnswerAsync(context, query, validation, pushed, issuer, request => flow.ContinueAsync(context, request, null, null, stop), stop)
                : Task.FromResult(Answer.RefusedPage(context, Refusals.AuthorizeMalformed))).ExcludeFromDescription();

        // A post from the partner's site comes without our session cookie (SameSite=Lax): the request is frozen, and the browser comes
        // back for it by GET, with the cookie.
        routes.MapPost(Issuer.AuthorizePath, async (HttpContext context, AuthorizeValidation validation, PushedRequests pushed, FrozenRequests frozen, Issuer issuer, CancellationToken stop) =>
        {
            if (context.Request.QueryString.HasValue || await Parameters.ReadFormAsync(context.Request, stop) is not { } form)
                return Answer.RefusedPage(context, Refusals.AuthorizeMalformed);
            return await AnswerAsync(context, form, validation, pushed, issuer, async request =>
            {
                var handle = Token.New();
                await frozen.FreezeAsync(context, handle, request, null, stop);
                return new SeeOther(AuthorizeFlow.ResumePath(handle));
            }, stop);
        }).DisableAntiforgery().ExcludeFromDescription();

        routes.MapGet(Issuer.ResumePath, async (HttpContext context, string? handle, FrozenRequests frozen, AuthorizeFlow flow, CancellationToken stop) =>
            await frozen.OpenAsync(context, handle, stop) is { } thawed
                ? await flow.ContinueAsync(context, thawed.Request, thawed, handle, stop)
                : Answer.RefusedPage(context, Refusals.HandleInvalid)).ExcludeFromDescription();

        routes.MapGet(Issuer.DenyPath, async (HttpContext context, string? handle, FrozenRequests frozen, AuthorizeFlow flow, CancellationToken stop) =>
            await frozen.OpenAsync(context, handle, stop) is { } thawed
                ? await flow.RefuseAsync(context, thawed.Request, thawed, handle, OAuth.AccessDenied, stop)
                : Answer.RefusedPage(context, Refusals.HandleInvalid)).ExcludeFromDescription();
    }

    private static async Task<IResult> AnswerAsync(
        HttpContext context, Parameters parameters, AuthorizeValidation validation, PushedRequests pushed, Issuer issuer, Func<AuthorizeRequest, Task<IResult>> go, CancellationToken stop)
    {
        // RFC 9126 §4: the reference stands for the whole request; what else came in the browser is not looked at.
        if (parameters["request_uri"] is { } uri && PushedRequests.IsOurs(uri))
        {
            return await pushed.OpenAsync(uri, parameters["client_id"], stop) is { } known ? await go(known) : Answer.RefusedPage(context, Refusals.RequestUriOver);
        }
        var read = await validation.ReadAsync(parameters, isPushed: false, stop);
        if (read.Request.TryGet(out var request, out var no)) return await go(request);
        if (read.Target is { } target) return AuthorizationResponse.Error(target, issuer, no);
        // A protocol error's sentence is for an engineer; the page is for a customer.
        return Answer.RefusedPage(context, OAuth.IsOwn(no) ? Refusals.AuthorizeMalformed : no);
    }
}
