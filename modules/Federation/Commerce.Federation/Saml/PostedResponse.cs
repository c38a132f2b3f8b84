using System.Buffers;
using System.Collections.Concurrent;
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
internal sealed class PostedResponse : IResult
{
    private readonly Func<PostPage, IMemoryOwner<byte>> write;

    public PostedResponse(SamlResponse response) => write = page => page.With(response);

    public PostedResponse(PostForm form) => write = page => page.With(form);

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var onward = httpContext.RequestServices.GetRequiredService<OnwardPages>();
        var response = httpContext.Response;
        response.Headers.CacheControl = "no-store, no-cache";
        response.Headers.Pragma = "no-cache";
        response.Headers.ContentSecurityPolicy = onward.Policy;
        response.ContentType = "text/html; charset=utf-8";
        using var page = write(onward.InTheLanguageOfTheRequest());
        response.ContentLength = page.Memory.Length;
        await response.Body.WriteAsync(page.Memory, httpContext.RequestAborted);
    }
}

/// <summary>The parts of that page that are the same for every customer of a language.</summary>
internal sealed class OnwardPages(IStringLocalizer<Texts> texts, HubSettings settings)
{
    private readonly ConcurrentDictionary<string, PostPage> pages = new(StringComparer.Ordinal);

    /// <summary>
    /// The form's target is proven. Where the service provider leads the browser after its endpoint is its own affair, and browsers hold
    /// form-action against that as well, so it names schemes and no hosts.
    /// </summary>
    public string Policy { get; } =
        $"default-src 'none'; style-src 'self'; script-src {PostForm.ScriptHash}; form-action {(settings.IsDevelopment ? "https: http:" : "https:")}; frame-ancestors 'none'; base-uri 'none'";

    public PostPage InTheLanguageOfTheRequest() => pages.GetOrAdd(CultureInfo.CurrentUICulture.TwoLetterISOLanguageName, language =>
        new PostPage(language, texts["saml_onward_title"], texts["saml_onward_text"], texts["saml_onward_button"], Assets.StylePath));
}
