using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Commerce.Federation.OpenIdConnect;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Commerce.Federation.Tests.OpenIdConnect;

public sealed class ClientKeysTests(OidcHub hub) : IClassFixture<OidcHub>
{
    /// <summary>A client's own server for its key set.</summary>
    private sealed class KeySite : IAsyncDisposable
    {
        private WebApplication app = null!;
        public string Url => app.Urls.Single() + "/jwks";
        public int Reads;
        public Func<HttpContext, Task> Answer { get; set; } = _ => Task.CompletedTask;

        public static async Task<KeySite> StartAsync()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            builder.Logging.ClearProviders();
            var site = new KeySite { app = builder.Build() };
            site.app.MapGet("/jwks", async (HttpContext context) =>
            {
                Interlocked.Increment(ref site.Reads);
                await site.Answer(context);
            });
            await site.app.StartAsync();
            return site;
        }

        public void Publishes(JsonElement keys) => Answer = context => context.Response.WriteAsync(keys.GetRawText());

        public ValueTask DisposeAsync() => app.DisposeAsync();
    }

    private async Task<(KeySite Site, TestClient Client)> StartAsync()
    {
        var site = await KeySite.StartAsync();
        var client = await hub.AddClientAsync(c => c with { Jwks = null, JwksUri = site.Url }, withKey: true);
        site.Publishes(client.PublicKeys());
        return (site, client);
    }

    /// <summary>The code is none, so a client that was proven is told invalid_grant.</summary>
    private static async Task<string?> AskAsync(TestClient client, string? assertion = null) =>
        (await client.RedeemAsync("x", ("client_assertion", assertion ?? client.Assertion()), ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"))).Error;

    [Fact]
    public async Task D07_a_published_key_counts_is_read_once_and_a_new_one_is_picked_up_within_a_minute()
    {
        var (site, client) = await StartAsync();
        await using var _ = site;
        Assert.Equal("invalid_grant", await AskAsync(client));
        Assert.Equal("invalid_grant", await AskAsync(client));
        Assert.Equal(1, site.Reads);

        using var next = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        string New() => client.Assertion(header: h => h["kid"] = "k2", key: next);
        Assert.Equal("invalid_client", await AskAsync(client, New()));
        var point = next.ExportParameters(false).Q;
        site.Publishes(JsonSerializer.SerializeToElement(new
        {
            keys = new[] { new { kty = "EC", crv = "P-256", kid = "k2", x = System.Buffers.Text.Base64Url.EncodeToString(point.X!), y = System.Buffers.Text.Base64Url.EncodeToString(point.Y!) } },
        }));
        // O12: unknown keys do not make the hub read as often as somebody asks.
        Assert.Equal("invalid_client", await AskAsync(client, New()));
        var reads = site.Reads;
        hub.Clock.Advance(ClientKeys.Pause);
        Assert.Equal("invalid_grant", await AskAsync(client, New()));
        Assert.Equal(reads + 1, site.Reads);
        Assert.Equal("invalid_client", await AskAsync(client));     // the old key is no longer published
    }

    [Fact]
    public async Task A_key_that_was_taken_away_stops_counting_with_the_next_reading_on_schedule()
    {
        var (site, client) = await StartAsync();
        await using var _ = site;
        Assert.Equal("invalid_grant", await AskAsync(client));
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var point = other.ExportParameters(false).Q;
        site.Publishes(JsonSerializer.SerializeToElement(new
        {
            keys = new[] { new { kty = "EC", crv = "P-256", kid = "k1", x = System.Buffers.Text.Base64Url.EncodeToString(point.X!), y = System.Buffers.Text.Base64Url.EncodeToString(point.Y!) } },
        }));
        Assert.Equal("invalid_grant", await AskAsync(client));
        hub.Clock.Advance(ClientKeys.Schedule);
        await hub.Hub.Services.GetRequiredService<ClientKeys>().RefreshAsync(default);
        Assert.Equal("invalid_client", await AskAsync(client));
    }

    [Fact]
    public async Task O12_a_redirect_a_large_document_and_nonsense_are_not_taken_and_the_last_good_set_goes_on_counting()
    {
        var (site, client) = await StartAsync();
        await using var _ = site;
        await using var target = await KeySite.StartAsync();
        target.Publishes(client.PublicKeys());
        foreach (var answer in new Func<HttpContext, Task>[]
        {
            context => { context.Response.Redirect(target.Url); return Task.CompletedTask; },
            context => context.Response.WriteAsync(client.PublicKeys().GetRawText() + new string(' ', 64 * 1024)),
            context => context.Response.WriteAsync("<html>"),
            context => context.Response.WriteAsync("""{"keys":[],"keys":[]}"""),
            context => context.Response.WriteAsync("""{"keys":[{"kty":"oct","k":"AAAA"}]}"""),
            context => { context.Response.StatusCode = 500; return Task.CompletedTask; },
        })
        {
            site.Answer = answer;
            hub.Clock.Advance(ClientKeys.Pause);
            Assert.Equal("invalid_client", await AskAsync(client));
        }
        Assert.Equal(0, target.Reads);
        site.Publishes(client.PublicKeys());
        hub.Clock.Advance(ClientKeys.Pause);
        Assert.Equal("invalid_grant", await AskAsync(client));
        site.Answer = context => { context.Response.StatusCode = 500; return Task.CompletedTask; };
        hub.Clock.Advance(ClientKeys.Schedule);
        await hub.Hub.Services.GetRequiredService<ClientKeys>().RefreshAsync(default);
        Assert.Equal("invalid_grant", await AskAsync(client));
    }
}
