using System.Net;
using System.Net.Sockets;
using Commerce.Host;
using Commerce.Kernel;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace Commerce.Testing;

/// <summary>The hub, or some of its modules, in this process: real Kestrel on a free loopback port, real database in a folder of its own.</summary>
public sealed class TestHub : IAsyncDisposable
{
    private readonly TempFolder folder;
    private readonly WebApplication app;

    static TestHub() => NoBlockingQueries.Watch();

    private TestHub(WebApplication app, TempFolder folder, HubSettings settings, FakeClock clock)
    {
        (this.app, this.folder, Settings, Clock) = (app, folder, settings, clock);
        Http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = new Uri(Origin) };
    }

    public HubSettings Settings { get; }
    public string Origin => Settings.PublicOrigin;
    public FakeClock Clock { get; }
    public IServiceProvider Services => app.Services;

    /// <summary>Follows no redirect and keeps no cookie: one request, one answer.</summary>
    public HttpClient Http { get; }

    /// <param name="modules">Modules to boot; null for all.</param>
    /// <param name="configuration">Settings by configuration key.</param>
    /// <param name="configure">Last word on the services, after the modules: fakes for modules that are not booted go here.</param>
    /// <param name="postgres">Connection string of a PostgreSQL database of the test's own, or null for SQLite.</param>
    public static async Task<TestHub> StartAsync(
        IReadOnlyList<IModule>? modules = null, IReadOnlyDictionary<string, string?>? configuration = null,
        Action<IServiceCollection>? configure = null, bool development = true, string? postgres = null, FakeClock? clock = null)
    {
        clock ??= FakeClock.AtNoon();
        var folder = new TempFolder();
        var settings = new HubSettings
        {
            DataDirectory = folder.Path,
            PublicOrigin = $"http://localhost:{FreePort()}",
            IsDevelopment = development,
            Postgres = postgres,
            RetailerName = "Northern Group",
        };
        // Sign-ins cost a deliberate tenth of a second each; tests make hundreds.
        var values = new Dictionary<string, string?> { ["Identity:PasswordIterations"] = "1000" };
        foreach (var (key, value) in configuration ?? new Dictionary<string, string?>()) values[key] = value;
        var app = Hub.Build(settings, [settings.PublicOrigin.Replace("localhost", "127.0.0.1", StringComparison.Ordinal)], modules ?? Hub.AllModules, values, builder =>
        {
            builder.Logging.ClearProviders();
            builder.Services.Replace(ServiceDescriptor.Singleton<TimeProvider>(clock));
            configure?.Invoke(builder.Services);
        });
        await app.StartAsync(migrate: true);
        return new TestHub(app, folder, settings, clock);
    }

    /// <summary>A browser of its own: cookies, no automatic redirects.</summary>
    public TestBrowser NewBrowser() => new(new Uri(Origin));

    /// <summary>Asks a module as another module would.</summary>
    public async Task<T> AskAsync<T>(IRequest<T> request)
    {
        await using var scope = Services.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<IMediator>().Send(request);
    }

    /// <summary>Works on a module's database directly: to look at rows, never to arrange what HTTP can arrange.</summary>
    public async Task<T> WithDbAsync<TDb, T>(Func<TDb, Task<T>> work) where TDb : ModuleDb
    {
        await using var scope = Services.CreateAsyncScope();
        return await work(scope.ServiceProvider.GetRequiredService<TDb>());
    }

    public string PathOf(string module) => Path.Combine(Settings.DataDirectory, $"{module}.db");

    public static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        await app.StopAsync(patience.Token);
        await app.DisposeAsync();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        folder.Dispose();
    }
}
