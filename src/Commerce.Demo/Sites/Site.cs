using Commerce.PartnerKit;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.DataProtection;

namespace Commerce.Demo.Sites;

/// <summary>What one demo site is told. It knows the hub only by its public address and its own credentials.</summary>
/// <param name="Url">The site's own origin.</param>
/// <param name="Hub">The hub's origin.</param>
/// <param name="Data">Folder of this site alone.</param>
internal sealed record SiteSettings(string Url, string Hub, DirectoryInfo Data, string Retailer, ApiCredentials Credentials);

internal sealed record ApiCredentials(string ClientId, string ClientSecret);

/// <summary>What the demo sites have in common: own server, own container, own keys, strict headers.</summary>
internal static class Site
{
    public static WebApplication Build(SiteSettings settings, string style, Action<WebApplicationBuilder> configure)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory, EnvironmentName = Environments.Development });
        builder.WebHost.UseUrls(settings.Url);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);
        builder.Logging.ClearProviders();
        builder.Logging.AddSimpleConsole(console => console.SingleLine = true);
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.Logging.AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);
        builder.Services.AddDataProtection().SetApplicationName(settings.Url).PersistKeysToFileSystem(settings.Data.CreateSubdirectory("keys"));
        builder.Services.AddAntiforgery(options => (options.Cookie.Name, options.FormFieldName, options.HeaderName) = ("form", "form_token", null));
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(settings);
        configure(builder);

        var app = builder.Build();
        app.Use((context, next) =>
        {
            var headers = context.Response.Headers;
            headers.XContentTypeOptions = "nosniff";
            headers["Referrer-Policy"] = "same-origin";
            headers.ContentSecurityPolicy = "default-src 'none'; style-src 'self'; img-src 'self' data:; "
                + $"form-action 'self' {settings.Hub}; frame-ancestors 'none'; base-uri 'none'";    // signing out leads to the hub
            return next(context);
        });
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseAntiforgery();
        app.MapGet("/site.css", (HttpContext context) =>
        {
            context.Response.Headers.CacheControl = "public, max-age=300";
            return Results.Text(BaseStyle + style, "text/css; charset=utf-8");
        });
        app.MapGet("/health", () => Results.Text("ok"));
        app.MapCommerceHop();
        return app;
    }

    /// <summary>The hidden field that a form of this site needs.</summary>
    public static Html FormToken(this HttpContext context)
    {
        var token = context.RequestServices.GetRequiredService<IAntiforgery>().GetAndStoreTokens(context);
        return Html.Of($"""<input type="hidden" name="{token.FormFieldName}" value="{token.RequestToken}">""");
    }

    private const string BaseStyle = """
        * { box-sizing: border-box; }
        :lang(ko) { word-break: keep-all; }
        :root { font: 17px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Noto Sans KR", sans-serif; color: var(--ink); background: var(--ground); }
        body { margin: 0; min-height: 100vh; display: flex; flex-direction: column; }
        .wrap { width: 100%; max-width: 58rem; margin: 0 auto; padding: 0 1.25rem; }
        header.top .wrap { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: .4rem 1.5rem; min-height: 4rem; padding-top: .5rem; padding-bottom: .5rem; }
        .brand { font-weight: 750; font-size: 1.2rem; text-decoration: none; color: inherit; display: inline-flex; align-items: center; gap: .6rem; min-height: 2.6rem; }
        .brand img { width: 2rem; height: 2rem; }
        .who { display: flex; flex-wrap: wrap; align-items: center; gap: .3rem 1rem; font-size: .95rem; }
        .who a, .who button { color: inherit; min-height: 2.6rem; display: inline-flex; align-items: center; }
        .who button { background: none; border: 0; padding: 0; font: inherit; text-decoration: underline; cursor: pointer; }
        main { flex: 1; padding-top: 2rem !important; padding-bottom: 3rem !important; }
        footer { font-size: .9rem; padding: 1.2rem 0; border-top: 1px solid var(--line); color: var(--quiet); }
        footer p { margin: 0; }
        h1 { font-size: clamp(1.6rem, 4.5vw, 2.15rem); line-height: 1.2; margin: 0 0 .75rem; letter-spacing: -.01em; }
        h2 { font-size: 1.2rem; margin: 2rem 0 .6rem; }
        p { margin: 0 0 1rem; max-width: 42rem; overflow-wrap: anywhere; }
        .lead { font-size: 1.1rem; color: var(--quiet); }
        .quiet { color: var(--quiet); font-size: .95rem; }
        a { color: var(--accent); }
        .card { background: var(--paper); border: 1px solid var(--line); border-radius: .75rem; padding: 1.25rem 1.35rem; margin: 0 0 1.25rem; }
        .card > :last-child { margin-bottom: 0; }
        .card h2 { margin-top: 0; }
        .note { background: var(--paper); border: 1px solid var(--line); border-left: 5px solid var(--accent); border-radius: .4rem; padding: .8rem 1.1rem; margin: 0 0 1.5rem; }
        .note > :last-child { margin-bottom: 0; }
        .note.good { border-left-color: var(--good); }
        .note.bad { border-left-color: var(--bad); }
        .grid { display: grid; gap: 1.25rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 1fr)); }
        .grid > .card { margin: 0; }
        .two { display: grid; gap: 0 1.25rem; align-items: end; grid-template-columns: repeat(auto-fit, minmax(min(100%, 19rem), 1fr)); }
        label { display: block; font-weight: 600; margin: 0 0 .25rem; }
        .field { margin: 0 0 1.1rem; }
        .field small { display: block; color: var(--quiet); font-weight: 400; }
        input[type=text], input[type=email], input[type=tel], select { width: 100%; font: inherit; color: inherit; padding: .6rem .7rem; min-height: 2.9rem; border: 1px solid #76808c; border-radius: .45rem; background: var(--paper); }
        input[readonly] { background: var(--ground); }
        fieldset { border: 0; padding: 0; margin: 0 0 1.1rem; min-width: 0; }
        legend { font-weight: 600; padding: 0; margin: 0 0 .4rem; }
        .slots { display: grid; gap: .6rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 15rem), 1fr)); }
        .pick { display: flex; gap: .7rem; align-items: flex-start; font-weight: 400; border: 1px solid var(--line); border-radius: .5rem; padding: .75rem .9rem; margin: 0; background: var(--paper); cursor: pointer; }
        .pick:has(:checked) { border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); }
        .pick input { width: 1.3rem; height: 1.3rem; margin: .12rem 0 0; accent-color: var(--accent); flex: none; }
        .pick small { display: block; color: var(--quiet); }
        button.main, a.main { font: inherit; font-weight: 650; min-height: 3rem; padding: .65rem 1.5rem; border: 0; border-radius: .5rem; background: var(--accent); color: var(--on-accent); text-decoration: none; display: inline-flex; align-items: center; justify-content: center; cursor: pointer; text-align: center; }
        a.second { font-weight: 600; min-height: 3rem; padding: .6rem 1.4rem; border: 2px solid var(--accent); border-radius: .5rem; text-decoration: none; display: inline-flex; align-items: center; }
        .actions { display: flex; flex-wrap: wrap; gap: .75rem 1rem; align-items: center; margin-top: 1.25rem; }
        :focus-visible { outline: 3px solid var(--focus); outline-offset: 3px; border-radius: .2rem; }
        .skip { position: absolute; left: -999rem; }
        .skip:focus { left: 1rem; top: .5rem; background: var(--paper); color: var(--accent); padding: .6rem 1rem; z-index: 2; }
        dl { display: grid; grid-template-columns: minmax(7rem, 12rem) 1fr; gap: .45rem 1.25rem; margin: 0; }
        dt { color: var(--quiet); }
        dd { margin: 0; overflow-wrap: anywhere; }
        ul.plain { list-style: none; padding: 0; margin: 0; }
        ul.plain li { padding: .7rem 0; border-top: 1px solid var(--line); display: flex; justify-content: space-between; gap: 1rem; }
        ul.plain li:first-child { border-top: 0; }
        .card ul.plain li:first-child { padding-top: 0; }
        .card ul.plain li:last-child { padding-bottom: 0; }
        .price { font-weight: 700; white-space: nowrap; }
        .total { font-size: 1.15rem; }
        details.card { margin-top: 2rem; }
        details summary { cursor: pointer; font-weight: 600; padding: .4rem 0; }
        code { font-size: .88em; overflow-wrap: anywhere; }
        @media (max-width: 34rem) {
          .who { width: 100%; gap: 0 1.2rem; }
          .who > span { flex: 1 1 100%; }
          dl { grid-template-columns: 1fr; gap: 0; }
          dd { margin-bottom: .6rem; }
          .actions > * { flex: 1 1 100%; justify-content: center; }
        }

        """;
}

/// <summary>One page of a demo site, in that site's frame.</summary>
/// <param name="Title">Of the window.</param>
/// <param name="Body">What stands in main.</param>
internal sealed record SitePage(SiteFrame Frame, string Title, Html Body, int Status = 200) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        var customer = httpContext.GetCommerceCustomer();
        var who = customer is null
            ? Html.Of($"""<a href="{HopPaths.SignIn}?return={Uri.EscapeDataString(Frame.SignInReturn)}">Sign in with {Frame.Retailer}</a>""")
            : Html.Of($"""<span>Signed in as <strong>{customer.Name ?? "customer"}</strong></span>{Html.Join(Frame.Links)}<form method="post" action="{HopPaths.SignOut}"><button>Sign out</button></form>""");
        var page = Html.Of($"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
              <meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
              <title>{Title} · {Frame.Name}</title>
              <link rel="stylesheet" href="/site.css"><link rel="icon" href="data:,">
            </head>
            <body>
              <a class="skip" href="#content">Skip to content</a>
              <header class="top"><div class="wrap"><a class="brand" href="/">{Frame.Mark}{Frame.Name}</a><div class="who">{who}</div></div></header>
              <main id="content" class="wrap">{Body}</main>
              <footer><div class="wrap"><p>{Frame.Footer}</p></div></footer>
            </body>
            </html>
            """);
        httpContext.Response.StatusCode = Status;
        httpContext.Response.ContentType = "text/html; charset=utf-8";
        httpContext.Response.Headers.CacheControl = "no-store";
        return httpContext.Response.WriteAsync(page.Text, httpContext.RequestAborted);
    }
}

/// <param name="Mark">The small picture before the name.</param>
/// <param name="SignInReturn">Where a customer goes after signing in by the link in the head.</param>
/// <param name="Links">More links for a customer who is signed in.</param>
internal sealed record SiteFrame(string Name, Html Mark, string Retailer, string Footer, string SignInReturn, IReadOnlyList<Html> Links)
{
    public SitePage Page(string title, Html body, int status = 200) => new(this, title, body, status);

    /// <summary>The page for a sign-in that did not complete.</summary>
    public SitePage NotSignedIn(string? reason) => reason switch
    {
        "denied" => Page("Not signed in", Html.Of($"""
            <h1>You are not signed in</h1><p>You chose not to share your details with {Name}, so nothing was sent to us. That is fine: you can look around without them.</p>
            {Ways}
            """)),
        "expired" => Page("Begin again", Html.Of($"""
            <h1>That took too long</h1><p>The sign-in is no longer valid. Please begin again; nothing was lost.</p>{Ways}
            """)),
        "unavailable" => Page("Not now", Html.Of($"""
            <h1>Signing in is not possible right now</h1><p>{Retailer} does not answer. Please try again in a moment.</p>{Ways}
            """), 503),
        _ => Page("Not signed in", Html.Of($"""
            <h1>The sign-in did not complete</h1><p>What we received could not be accepted, so you are not signed in. Please begin again.</p>{Ways}
            """)),
    };

    private Html Ways => Html.Of($"""<div class="actions"><a class="main" href="{HopPaths.SignIn}?return={Uri.EscapeDataString(SignInReturn)}">Sign in with {Retailer}</a><a class="second" href="/">Go to the front page</a></div>""");
}

/// <summary>303: after a form post the browser goes on with GET.</summary>
internal sealed record Go(string To) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = StatusCodes.Status303SeeOther;
        httpContext.Response.Headers.Location = To;
        return Task.CompletedTask;
    }
}
