using Commerce.PartnerKit.Saml;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Commerce.PartnerKit;

/// <summary>Ends the session here; the browser then goes to the hub to end it there too (RP-Initiated Logout 1.0, SAML Profiles 4.4).</summary>
internal static class SignOut
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost(HopPaths.SignOut, async (HttpContext context, CommerceHopOptions options, SamlLogout saml) =>
        {
            if (!IsOwnPost(context.Request, options)) return Results.BadRequest();
            var ticket = await context.AuthenticateAsync(CommerceHop.Scheme);
            await context.SignOutAsync(CommerceHop.Scheme);
            if (options.Protocol == HopProtocol.Saml || !ticket.Succeeded)
            {
                context.Response.StatusCode = StatusCodes.Status303SeeOther;
                context.Response.Headers.Location = (ticket.Succeeded ? await saml.StartAsync(ticket, context.RequestAborted) : null) ?? options.LandingPath;
                return Results.Empty;
            }
            var properties = new AuthenticationProperties { RedirectUri = options.LandingPath };
            if (ticket.Properties.GetTokenValue("id_token") is { } hint) properties.StoreTokens([new AuthenticationToken { Name = "id_token", Value = hint }]);
            await context.SignOutAsync(CommerceHop.OidcScheme, properties);
            if (context.Response.StatusCode == StatusCodes.Status302Found) context.Response.StatusCode = StatusCodes.Status303SeeOther;
            return Results.Empty;
        }).DisableAntiforgery().ExcludeFromDescription();
    }

    // The browser says where a POST comes from and no page can forge it: another site cannot sign our customers out. Origin alone is not
    // enough to go by, because under "Referrer-Policy: no-referrer" it says "null" even for our own pages (Fetch Standard, Origin header).
    private static bool IsOwnPost(HttpRequest request, CommerceHopOptions options) => request.Headers["Sec-Fetch-Site"] is [{ } site]
        ? site == "same-origin"
        : request.Headers.Origin is [{ } origin] && string.Equals(origin, options.BaseUrl, StringComparison.Ordinal);
}
