using Commerce.Consent;
using Commerce.Federation;
using Commerce.Identity;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Commerce.Profiles;
using Commerce.Purchases;
using Commerce.Web;
using Microsoft.AspNetCore.HttpOverrides;

namespace Commerce.Host;

/// <summary>The composition root: which modules there are, and how the process is put together from them.</summary>
public static class Hub
{
    public static readonly IReadOnlyList<IModule> AllModules =
        [new IdentityModule(), new ProfilesModule(), new PurchasesModule(), new ConsentModule(), new FederationModule()];

    /// <summary>Builds the server. It answers after <see cref="StartAsync"/>.</summary>
    /// <param name="urls">Where Kestrel listens.</param>
    /// <param name="modules">What this process hosts.</param>
    /// <param name="configure">Last word on the builder: tests set a clock here.</param>
    /// <param name="deliver">
    /// Whether this process delivers events. A process that hosts some of the modules only may not: it would take an event for delivered
    /// that a consumer elsewhere has not seen.
    /// </param>
    public static WebApplication Build(
        HubSettings settings, IReadOnlyList<string> urls, IReadOnlyList<IModule> modules, IEnumerable<KeyValuePair<string, string?>>? configuration = null,
        Action<WebApplicationBuilder>? configure = null, bool deliver = true)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            ApplicationName = typeof(Hub).Assembly.GetName().Name,
            ContentRootPath = AppContext.BaseDirectory,
            EnvironmentName = settings.IsDevelopment ? Environments.Development : Environments.Production,
        });
        if (configuration is not null) builder.Configuration.AddInMemoryCollection(configuration);
        builder.WebHost.UseUrls([.. urls]);
        // A connection keeps 4 KiB while it waits, and a request is read at once: to wait for its first byte without them took another turn.
        builder.WebHost.UseSockets(sockets => sockets.WaitForDataBeforeAllocatingBuffer = false);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = RequestSize.MostDrained;
            ClientCertificates.Ask(kestrel, builder.Configuration);
        });
        builder.Logging.AddFilter("Microsoft.EntityFrameworkCore", LogLevel.Warning);
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        // At any other level each request gets an activity and a scope of its own, although nobody listens: 1 to 2 % of a flow.
        builder.Logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        AddHub(builder.Services, settings, modules);
        if (deliver) builder.Services.AddOutboxRelay();
        configure?.Invoke(builder);

        var app = builder.Build();
        app.UseHubPages();
        UseListedProxies(app);
        UseFreshKeys(app);
        ProtocolLimits.Use(app);
        app.UseRouting();       // answers short-circuited endpoints at once: what only machines call needs no language, session or form token
        app.UseRequestLocalization();
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseAntiforgery();
        app.UseNothingHere();
        app.MapHubAssets();
        Language.Map(app);
        Elsewhere.Map(app);
        Health.Map(app);
        app.MapOpenApi("/openapi/{documentName}.json");
        foreach (var module in modules) module.Map(app);
        return app;
    }

    /// <summary>Services without a server, for command line verbs.</summary>
    public static IServiceCollection AddHub(IServiceCollection services, HubSettings settings, IReadOnlyList<IModule> modules)
    {
        services.AddKernel(settings);
        services.AddHubPages(modules.Select(m => m.GetType().Assembly));
        services.AddHttpClient();
        services.AddAuthentication(HubSchemes.Session);
        services.AddAuthorization();
        services.AddOpenApi("v1");
        // Else a form without its token, or a body that is no JSON, is answered by an empty 400 outside Development.
        services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true);
        services.ConfigureHttpJsonOptions(json => HubJson.Apply(json.SerializerOptions));
        foreach (var module in modules) module.Register(services);
        return services;
    }

    /// <summary>Migrates the databases, then opens the doors.</summary>
    public static async Task StartAsync(this WebApplication app, bool migrate, CancellationToken stop = default)
    {
        if (migrate) await app.Services.MigrateModulesAsync(stop);
        await app.StartAsync(stop);
    }

    // Else a request would read them when it signs, on its own thread and after its commit.
    private static void UseFreshKeys(WebApplication app)
    {
        var keys = app.Services.GetRequiredService<SigningKeys>();
        app.Use((context, next) =>
        {
            var reading = context.Request.Path.StartsWithSegments(Health.Path) ? Task.CompletedTask : keys.ReadAheadAsync();
            return reading.IsCompletedSuccessfully ? next(context) : AfterAsync(reading, context, next);
        });

        static async Task AfterAsync(Task reading, HttpContext context, RequestDelegate next)
        {
            await reading;
            await next(context);
        }
    }

    // X-Forwarded-* counts only from the proxies that the configuration names: anybody can send the header.
    private static void UseListedProxies(WebApplication app)
    {
        var proxies = app.Configuration.GetSection("TrustedProxies").Get<string[]>() ?? [];
        if (proxies.Length == 0) return;
        var addresses = proxies.Select(System.Net.IPAddress.Parse).ToList();
        ForwardedCertificate.Use(app, app.Configuration["Mtls:CertificateHeader"], addresses);
        var options = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto };
        options.KnownIPNetworks.Clear();
        options.KnownProxies.Clear();
        foreach (var proxy in addresses) options.KnownProxies.Add(proxy);
        app.UseForwardedHeaders(options);
    }
}
