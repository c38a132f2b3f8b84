using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Commerce.Conformance.Tests.Suite;

/// <summary>The partner's own web server: takes logout tokens at <c>/logout</c> and shows JSON documents at any other path.</summary>
internal sealed class PartnerServer : IAsyncDisposable
{
    private readonly WebApplication app;

    private PartnerServer(WebApplication app) => this.app = app;

    public string Url => app.Urls.Single();

    /// <summary>The forms that came to <c>/logout</c>.</summary>
    public ConcurrentQueue<Dictionary<string, string>> Received { get; } = new();

    /// <summary>Path to what is shown there.</summary>
    public ConcurrentDictionary<string, object> Documents { get; } = new();

    public static async Task<PartnerServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var app = builder.Build();
        var server = new PartnerServer(app);
        app.MapPost("/logout", async (HttpContext context) =>
        {
            var form = await context.Request.ReadFormAsync();
            server.Received.Enqueue(form.ToDictionary(f => f.Key, f => f.Value.ToString()));
            context.Response.Headers.CacheControl = "no-store";
        });
        app.MapGet("/{name}", (string name) => server.Documents.TryGetValue(name, out var document) ? Results.Json(document) : Results.NotFound());
        await app.StartAsync();
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await app.StopAsync(patience.Token);
        await app.DisposeAsync();
    }
}
