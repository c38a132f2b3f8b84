using System.Net;
using Commerce.PartnerKit;
using Commerce.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Commerce.PartnerKit.Tests;

/// <summary>A partner's site that stands on PartnerKit alone, on a free port.</summary>
internal sealed class PartnerSite : IAsyncDisposable
{
    private readonly WebApplication app;

    private PartnerSite(WebApplication app, string url) => (this.app, Url) = (app, url);

    public string Url { get; }

    public HubApi Api => app.Services.GetRequiredService<HubApi>();

    public TestBrowser NewBrowser() => new(new Uri(Url));

    public static async Task<PartnerSite> StartAsync(Action<CommerceHopOptions> configure, TimeProvider? clock = null)
    {
        var url = $"http://127.0.0.1:{FreePort()}";
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(url);
        if (clock is not null) builder.Services.AddSingleton(clock);
        builder.Services.AddCommerceHop(options =>
        {
            options.BaseUrl = url;
            options.AllowHttp = true;
            configure(options);
        });
        var app = builder.Build();
        app.UseAuthentication();
        app.UseAuthorization();
        app.MapCommerceHop();
        app.MapGet("/", () => "front page");
        app.MapGet("/who", (HttpContext context) => Results.Json(context.GetCommerceCustomer()));
        app.MapGet("/now", async (HttpContext context) => await context.AskHubAgainAsync() is { } now ? Results.Json(now) : Results.NotFound());
        app.MapGet("/book", (HttpContext context) => context.GetHop()?.Id ?? "no hop").RequireAuthorization();
        await app.StartAsync();
        return new PartnerSite(app, url);
    }

    public async ValueTask DisposeAsync() => await app.DisposeAsync();

    internal static int FreePort()
    {
        using var probe = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}

internal static class Who
{
    /// <summary>The name of whoever is signed in in this browser, or null.</summary>
    public static async Task<string?> WhoAsync(this TestBrowser browser)
    {
        var page = await browser.GetAsync("/who");
        return page.Body is "" or "null" ? null : System.Text.Json.JsonDocument.Parse(page.Body).RootElement.GetProperty("subject").GetString();
    }
}
