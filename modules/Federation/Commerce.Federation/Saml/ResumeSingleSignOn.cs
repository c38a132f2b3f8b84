using Commerce.Federation.Partners;
using Commerce.Saml;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Commerce.Federation.Saml;

/// <summary>The browser comes back from the sign-in page, from the consent sheet, or from having posted a request, with nothing but a handle.</summary>
internal sealed class ResumeSingleSignOn(
    Connections connections, RefusedMessages refused, AnswerAuthnRequest answer, FrozenRequests frozen, TimeProvider clock)
{
    public static string Path(string handle) => "/saml/sso/resume?handle=" + handle;

    /// <summary>Where the consent sheet leads after a no.</summary>
    public static string DeniedPath(string handle) => "/saml/sso/denied?handle=" + handle;

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/saml/sso/resume", (HttpContext context, string? handle, ResumeSingleSignOn resume, CancellationToken stop) =>
            resume.GoOnAsync(context, handle, denied: false, stop)).ExcludeFromDescription();
        routes.MapGet("/saml/sso/denied", (HttpContext context, string? handle, ResumeSingleSignOn resume, CancellationToken stop) =>
            resume.GoOnAsync(context, handle, denied: true, stop)).ExcludeFromDescription();
    }

    private async Task<IResult> GoOnAsync(HttpContext context, string? handle, bool denied, CancellationToken stop)
    {
        if (await frozen.FindAsync(handle, stop) is not { } found)
            return refused.Page(context, FaultCodes.Replayed, "The handle is unknown, used or too old.", null);

        // The service provider may have been switched off, or have lost the endpoint, while the customer was typing.
        var id = found.Request.ServiceProvider;
        if (await connections.FindAsync(id, stop) is not { IsActive: true, Saml: { } serviceProvider })
            return refused.Page(context, Refusals.PartnerOff.Code, "The partner or its connection is switched off.", id);
        if (!found.Request.Thaw(serviceProvider, clock.GetUtcNow()).TryGet(out var request, out var fault)) return refused.Page(context, fault, id);

        return denied
            ? await answer.RefuseAsync(context, request, SamlStatus.RequestDenied, "The customer said no.", wasKept: true, stop)
            : await answer.AnswerAsync(context, request, new KeptRequest(handle!, found.ReceivedAt), stop);
    }
}

/// <summary>A request that came back under its handle.</summary>
internal sealed record KeptRequest(string Handle, DateTimeOffset ReceivedAt);
