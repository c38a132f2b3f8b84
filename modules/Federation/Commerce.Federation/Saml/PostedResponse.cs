using System.Globalization;
using Commerce.Kernel;
using Commerce.Saml;
using Commerce.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Localization;

namespace Commerce.Federation.Saml;

/// <summary>The page that posts a response to the service provider: by itself where scripts run, by its button where they do not.</summary>
/// <remarks>SAML Bindings 3.5.4 and 3.5.5.1 (nothing is cached).</remarks>
internal sealed class PostedResponse(PostForm form) : IResult
{
    public PostedResponse(SamlResponse response) : this(response.Form)
    {
    }

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var services = httpContext.RequestServices;
        var texts = services.GetRequiredService<IStringLocalizer<Texts>>();
        var headers = httpContext.Response.Headers;
        headers.CacheControl = "no-store, no-cache";
        headers.Pragma = "no-cache";
        // The form's target is proven. Where the service provider leads the browser after its endpoint is its own affair, and browsers hold
        // form-action against that as well, so it names schemes and no hosts.
        var onward = services.GetRequiredService<HubSettings>().IsDevelopment ? "https: http:" : "https:";
        headers.ContentSecurityPolicy =
            $"default-src 'none'; style-src 'self'; script-src {PostForm.ScriptHash}; form-action {onward}; frame-ancestors 'none'; base-uri 'none'";
        httpContext.Response.ContentType = "text/html; charset=utf-8";
        await httpContext.Response.WriteAsync(form.ToHtml(
            CultureInfo.CurrentUICulture.TwoLetterISOLanguageName, texts["saml_onward_title"], texts["saml_onward_text"], texts["saml_onward_button"],
            Assets.StylePath), httpContext.RequestAborted);
    }
}
