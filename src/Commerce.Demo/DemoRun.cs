using System.Diagnostics;
using System.Text.Json;
using Commerce.Demo.Fuel;
using Commerce.Demo.Seed;
using Commerce.Demo.Shop;
using Commerce.Demo.Sites;
using Commerce.Demo.Tires;
using Commerce.Host;
using Commerce.Kernel;
using MediatR;

namespace Commerce.Demo;

/// <param name="Data">Everything is kept below it, in a folder for these ports: registrations name addresses.</param>
internal sealed record DemoOptions(Addresses At, DirectoryInfo Data, FileInfo? ReadyFile, bool Reset, bool OpenBrowser);

/// <summary>Starts four applications in one process, fills the hub, and says where to begin.</summary>
internal static class DemoRun
{
    private const string Retailer = "Commerce";
    private static readonly string[] Folders = ["hub", "shop", "tires", "fuel"];

    public static async Task<int> RunAsync(DemoOptions options, CancellationToken stop)
    {
        var at = options.At;
        if (at.WhatIsTaken() is { } taken)
        {
            await Console.Error.WriteLineAsync(taken);
            return 1;
        }
        if (options.ReadyFile is { Exists: true } old) old.Delete();    // nobody shall take an earlier run's file for ours
        var data = Directory.CreateDirectory(Path.Combine(options.Data.FullName, $"port-{at.PortBase}"));
        var secretsFile = Path.Combine(data.FullName, "secrets.json");
        if (options.Reset) Forget(data, secretsFile);

        await using var hub = BuildHub(at, data.CreateSubdirectory(Folders[0]));
        await hub.StartAsync(migrate: true, stop);
        DemoSecrets secrets;
        await using (var scope = hub.Services.CreateAsyncScope())
            secrets = await new SeedHub(scope.ServiceProvider.GetRequiredService<IMediator>(), secretsFile, TimeProvider.System).RunAsync(at, stop);

        await using var shop = ShopSite.Build(Settings(at.Shop, 1, secrets.Shop!), [.. People.All.Select(p => p.ShopCustomer)]);
        await using var tires = TireSite.Build(Settings(at.Tires, 2, secrets.Tires!));
        await using var fuel = FuelSite.Build(Settings(at.Fuel, 3, secrets.Fuel!));
        await Task.WhenAll(shop.StartAsync(stop), tires.StartAsync(stop), fuel.StartAsync(stop));
        // Keys are made when they are first asked for: ask now, so that the first customer need not wait.
        await AnswersAsync([at.Hub + "/health/ready", at.Hub + "/connect/jwks", at.Hub + "/saml/metadata", at.Shop + "/health", at.Tires + "/health", at.Fuel + "/health"], stop);

        if (options.ReadyFile is { } file) AtomicFile.Write(file.FullName, ReadyFile(at, secrets));
        Console.WriteLine(Welcome(at));
        if (options.OpenBrowser) Open(at.Shop);
        await hub.WaitForShutdownAsync(stop);
        await Task.WhenAll(shop.StopAsync(CancellationToken.None), tires.StopAsync(CancellationToken.None), fuel.StopAsync(CancellationToken.None));
        return 0;

        SiteSettings Settings(string url, int folder, ApiCredentials credentials) => new(url, at.Hub, data.CreateSubdirectory(Folders[folder]), Retailer, credentials);
    }

    private static WebApplication BuildHub(Addresses at, DirectoryInfo data) => Hub.Build(
        new HubSettings { DataDirectory = data.FullName, PublicOrigin = at.Hub, IsDevelopment = true, RetailerName = Retailer },
        [at.Hub], Hub.AllModules,
        [new("Identity:PasswordIterations", "20000")],    // a demo on a laptop: quick sign-ins
        builder =>
        {
            builder.Logging.ClearProviders();
            builder.Logging.AddSimpleConsole(console => console.SingleLine = true);
            builder.Logging.SetMinimumLevel(LogLevel.Warning);
            builder.Logging.AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);
        });

    private static void Forget(DirectoryInfo data, string secretsFile)
    {
        foreach (var folder in Folders.Select(f => new DirectoryInfo(Path.Combine(data.FullName, f))).Where(f => f.Exists)) folder.Delete(recursive: true);
        File.Delete(secretsFile);
    }

    private static async Task AnswersAsync(IReadOnlyList<string> urls, CancellationToken stop)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromMinutes(2) };
        foreach (var url in urls)
        {
            using var answer = await client.GetAsync(url, stop);
            answer.EnsureSuccessStatusCode();
        }
    }

    private static byte[] ReadyFile(Addresses at, DemoSecrets secrets) => JsonSerializer.SerializeToUtf8Bytes(new
    {
        hub = at.Hub,
        shop = at.Shop,
        tires = at.Tires,
        fuel = at.Fuel,
        mailbox = at.Mailbox,
        accounts = People.All.Select(p => new { email = p.Email, password = p.Password, name = p.Name, registration = p.Vehicle.Registration }),
        api = new { client_id = secrets.Shop!.ClientId, client_secret = secrets.Shop.ClientSecret },
    }, HubJson.Options);

    private static string Welcome(Addresses at) => $"""

        The demo is running.

          Begin here     {at.Shop}      Northern Tires, the shop
          The hub        {at.Hub}/account      your one account; mails are shown at {at.Mailbox}
          Tire fitter    {at.Tires}      Kolari Auto, over SAML 2.0
          Fuel site      {at.Fuel}      Polar Fuel, over OpenID Connect

        Sign in with one of these accounts, or register your own:
        {string.Join(Environment.NewLine, People.All.Select(p => $"  {p.Email,-30} {p.Password,-26} {p.Name}, {p.Vehicle.Registration}"))}

        Buy four winter tires, then follow an offer on the order page. Ctrl+C stops everything; what you did is kept for the next time.

        """;

    private static void Open(string url)
    {
        if (OperatingSystem.IsLinux() && Environment.GetEnvironmentVariable("DISPLAY") is null && Environment.GetEnvironmentVariable("WAYLAND_DISPLAY") is null) return;
        try
        {
            using var opened = Process.Start(new ProcessStartInfo(url) { UseShellExecute = true });
        }
        catch (Exception none) when (none is System.ComponentModel.Win32Exception or InvalidOperationException or PlatformNotSupportedException)
        {
            // No browser to open: the address is printed.
        }
    }
}
