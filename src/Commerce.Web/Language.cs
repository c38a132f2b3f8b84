using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Localization;
using Microsoft.AspNetCore.Routing;

namespace Commerce.Web;

/// <summary>Keeps the language that a customer chose, and goes back to the page they were on.</summary>
public static class Language
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/language", (string? to, string? back, HttpContext context) =>
    {
        if (to is not null && WebRegistration.Languages.Contains(to))
        {
            context.Response.Cookies.Append("lang", CookieRequestCultureProvider.MakeCookieValue(new RequestCulture(to)),
                new CookieOptions { HttpOnly = true, SameSite = SameSiteMode.Lax, Secure = context.Request.IsHttps, MaxAge = TimeSpan.FromDays(365) });
        }
        return IsOwnPath(back) ? Results.LocalRedirect(back!) : Results.LocalRedirect("/account");
    }).ExcludeFromDescription();

    /// <summary>A path on this host: one leading slash, then no second slash or backslash, and no control characters.</summary>
    public static bool IsOwnPath(string? path) =>
        path is ['/', ..] && (path.Length == 1 || path[1] is not ('/' or '\\')) && !path.Any(char.IsControl);
}
