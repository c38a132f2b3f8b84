using System.Security.Cryptography;
using Commerce.Kernel;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Abstractions;
using Microsoft.AspNetCore.Mvc.ModelBinding;
using Microsoft.AspNetCore.Mvc.Razor;
using Microsoft.AspNetCore.Mvc.Rendering;
using Microsoft.AspNetCore.Mvc.ViewFeatures;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Web;

/// <summary>Renders one view of a module inside the shared layout, with the headers that a page needs.</summary>
/// <remarks>Security headers: no script but files of our own, no frame around us, no referrer onward, nothing cached.</remarks>
public sealed class Page(string view, object model) : IResult
{
    /// <summary>HTTP status; 200 unless told.</summary>
    public int Status { get; init; } = StatusCodes.Status200OK;

    /// <summary>Look of the banner, or null for the hub's own.</summary>
    public PageLook? Look { get; init; }

    /// <summary>
    /// Origins beside our own to which a form on this page may lead, redirects included: browsers hold form-action against each of them.
    /// </summary>
    public IReadOnlyList<string> FormTargets { get; init; } = [];

    /// <param name="view">Path within the module, such as <c>/SignIn/SignIn.cshtml</c>.</param>
    public static Page Of(string view, object model) => new(view, model);

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var services = httpContext.RequestServices;
        var action = new ActionContext(httpContext, httpContext.GetRouteData() ?? new RouteData(), new ActionDescriptor());
        var found = services.GetRequiredService<IRazorViewEngine>().GetView(null, view, isMainPage: true);
        if (!found.Success) throw new InvalidOperationException($"There is no view at {view}.");

        var nonce = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        var data = new ViewDataDictionary(new EmptyModelMetadataProvider(), new ModelStateDictionary()) { Model = model };
        data[PageData.Nonce] = nonce;
        data[PageData.Look] = Look ?? new PageLook(services.GetRequiredService<HubSettings>().RetailerName, null);

        await using var text = new StringWriter();
        var context = new ViewContext(action, found.View, data,
            new TempDataDictionary(httpContext, services.GetRequiredService<ITempDataProvider>()), text, new HtmlHelperOptions());
        await found.View.RenderAsync(context);

        var response = httpContext.Response;
        response.StatusCode = Status;
        response.ContentType = "text/html; charset=utf-8";
        response.Headers.CacheControl = "no-store";
        response.Headers.ContentSecurityPolicy = string.Join(' ',
            $"default-src 'none'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; script-src 'self';",
            $"form-action 'self' {string.Join(' ', FormTargets.Where(IsOrigin))}; frame-ancestors 'none'; base-uri 'none'");
        await response.WriteAsync(text.ToString(), httpContext.RequestAborted);
    }

    // A value with a space or a semicolon would write a directive of its own.
    private static bool IsOrigin(string origin) =>
        Uri.TryCreate(origin, UriKind.Absolute, out var uri) && uri.Scheme is "https" or "http" && origin == uri.GetLeftPart(UriPartial.Authority);
}

/// <summary>A banner's look as the layout needs it.</summary>
/// <param name="Name">Shown in the page head.</param>
/// <param name="Accent"><c>#rrggbb</c>, or null for the default.</param>
public sealed record PageLook(string Name, string? Accent);

internal static class PageData
{
    public const string Nonce = "Nonce";
    public const string Look = "Look";
}
