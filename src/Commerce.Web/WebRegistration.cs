using System.Globalization;
using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Unicode;
using Commerce.Kernel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Localization;
using Microsoft.AspNetCore.Mvc.ApplicationParts;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Localization;

namespace Commerce.Web;

public static class WebRegistration
{
    /// <summary>Two-letter codes of the languages that every page speaks; the first is the fallback.</summary>
    public static readonly IReadOnlyList<string> Languages = ["en", "fi", "sv", "ko"];

    /// <summary>Adds views, languages and forgery protection.</summary>
    /// <param name="modules">Assemblies that hold views.</param>
    public static IServiceCollection AddHubPages(this IServiceCollection services, IEnumerable<Assembly> modules)
    {
        services.AddSingleton(HtmlEncoder.Create(UnicodeRanges.All));
        var assemblies = modules.Append(typeof(Page).Assembly).Distinct().ToList();
        services.AddSingleton(provider => new RefusalTexts(assemblies, provider.GetRequiredService<IStringLocalizerFactory>()));
        var mvc = services.AddMvcCore().AddViews().AddRazorViewEngine();
        mvc.ConfigureApplicationPartManager(parts =>
        {
            foreach (var assembly in assemblies) parts.ApplicationParts.Add(new CompiledRazorAssemblyPart(assembly));
        });
        services.AddLocalization();
        services.Configure<RequestLocalizationOptions>(options =>
        {
            var cultures = Languages.Select(CultureInfo.GetCultureInfo).ToList();
            options.DefaultRequestCulture = new RequestCulture(cultures[0]);
            (options.SupportedCultures, options.SupportedUICultures) = (cultures, cultures);
            options.RequestCultureProviders =
            [
                new LanguageInQuery { QueryStringKey = "lang", UIQueryStringKey = "lang" },
                new CookieRequestCultureProvider { CookieName = "lang" },
                new AcceptLanguageHeaderRequestCultureProvider(),
            ];
        });
        services.AddAntiforgery(options => (options.Cookie.Name, options.FormFieldName, options.HeaderName) = ("form", "form_token", null));
        return services;
    }

    /// <summary>Headers that every answer carries, one way out for errors, and how long a body may be.</summary>
    public static IApplicationBuilder UseHubPages(this IApplicationBuilder app)
    {
        app.Use((context, next) =>
        {
            SetHeaders(context.Response.Headers);
            return next(context);
        });
        // Languages come after the routing, which answers machines without them: an error looks for the customer's own.
        var no = app.New().UseRequestLocalization();
        no.Run(SayNoAsync);
        app.UseExceptionHandler(new ExceptionHandlerOptions
        {
            SuppressDiagnosticsCallback = failed => failed.Exception is BadHttpRequestException,    // the caller's fault: no page of ours in the log for each
            ExceptionHandler = no.Build(),
        });
        app.UseRequestSize();
        return app;
    }

    private static void SetHeaders(IHeaderDictionary headers)
    {
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'";   // a page replaces it with its own
    }

    private static Task SayNoAsync(HttpContext context)
    {
        SetHeaders(context.Response.Headers);   // the error cleared them
        var refusal = context.Features.Get<IExceptionHandlerFeature>()?.Error switch
        {
            BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } => WebRefusals.TooLarge,
            BadHttpRequestException => WebRefusals.Malformed,
            { } error when error.IsOverload() => WebRefusals.Busy,
            _ => WebRefusals.Broken,
        };
        if (refusal == WebRefusals.Busy) context.Response.Headers.RetryAfter = "2";
        return Answer.No(context, refusal).ExecuteAsync(context);
    }

    /// <summary>The style sheet, under a name that changes with its content.</summary>
    public static void MapHubAssets(this IEndpointRouteBuilder routes) => routes.MapGet(Assets.StylePath, (HttpContext context) =>
    {
        context.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
        return Results.Text(Assets.Style, "text/css");
    }).ExcludeFromDescription();
}

/// <summary>Reads a query only where one may ask for a language: a SAML request in it would be decoded for nothing.</summary>
internal sealed class LanguageInQuery : QueryStringRequestCultureProvider
{
    public override Task<ProviderCultureResult?> DetermineProviderCultureResult(HttpContext httpContext) =>
        httpContext.Request.QueryString.Value?.Contains(QueryStringKey, StringComparison.Ordinal) == true ? base.DetermineProviderCultureResult(httpContext) : NullProviderCultureResult;
}

internal static class WebRefusals
{
    public static readonly Refusal TooLarge = new("request.too_large", 413, "The request is longer than 1 MiB, the most that the hub takes. Send less at once.");
    public static readonly Refusal Malformed = new("request.malformed", 400, "The request could not be read. Check its format and send it again.");
    public static readonly Refusal Busy = new("hub.busy", 503, "Too many people are here at this moment. Nothing was lost; please try again in a moment.");
    public static readonly Refusal Broken = new("hub.error", 500, "Something went wrong on our side. Nothing was lost; please try again in a moment.");
}
