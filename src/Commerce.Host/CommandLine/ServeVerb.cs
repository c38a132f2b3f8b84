using System.CommandLine;
using Commerce.Kernel;

namespace Commerce.Host.CommandLine;

/// <summary><c>serve</c>: runs the hub until it is told to stop.</summary>
internal static class ServeVerb
{
    private static readonly Option<string> Urls = new("--urls")
    {
        Description = "Where to listen, separated by semicolons.",
        DefaultValueFactory = _ => "http://localhost:5000",
    };

    private static readonly Option<string?> Origin = new("--origin")
    {
        Description = "Public origin under which browsers and partners reach the hub. Default: the first of --urls.",
    };

    private static readonly Option<string?> Modules = new("--modules") { Description = "Modules that this process hosts, separated by commas. Default: all. With fewer, questions to the others fail and events wait until a process hosts all." };

    public static Command Make()
    {
        var verb = new Command("serve", """
            Run the hub until it is told to stop.

            Examples:
              serve --urls http://localhost:5000
              serve --urls http://127.0.0.1:8080 --origin https://id.retailer.example     behind a proxy that ends TLS

            On PostgreSQL (COMMERCE_POSTGRES) any number of processes may serve one --origin together, over one database and one --data.

            Databases are made and migrated first. /health/live answers while the process lives, /health/ready when every database answers.
            """) { Urls, Origin, Modules };
        verb.SetAction(async (parsed, stop) =>
        {
            var urls = parsed.GetValue(Urls)!.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            var wanted = parsed.GetValue(Modules)?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            var unknown = wanted?.Except(Hub.AllModules.Select(m => m.Name)).ToList() ?? [];
            if (unknown.Count > 0)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync($"There is no module '{unknown[0]}'. Modules: {string.Join(", ", Hub.AllModules.Select(m => m.Name))}.");
                return 2;
            }
            var settings = Settings.From(parsed.GetValue(Verbs.Data)!, parsed.GetValue(Origin) ?? urls[0]);
            using var alone = settings.Postgres is null ? DataLock.Take(settings.DataDirectory) : null;
            if (alone is null && settings.Postgres is null)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync($"Another hub is serving from {settings.DataDirectory}. Stop it first, or give this one its own --data.");
                return 1;
            }
            ThreadTurns.WaitForTurn();      // before the pool has a thread: it passes on to those it starts
            IReadOnlyList<IModule> hosted = [.. Hub.AllModules.Where(m => wanted is null || wanted.Contains(m.Name))];
            await using var app = Hub.Build(settings, urls, hosted, deliver: hosted.Count == Hub.AllModules.Count);
            try
            {
                await app.StartAsync(migrate: true, stop);
            }
            catch (Exception error) when (error is IOException or FormatException or System.Net.Sockets.SocketException or InvalidOperationException { Source: "Microsoft.AspNetCore.Server.Kestrel.Core" })
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync($"The hub cannot listen on {string.Join(" or ", urls)}: {error.Message}");
                await app.StopAsync(CancellationToken.None);
                return 1;
            }
            // What building the models left behind goes back to the system: 15 MiB less while idle, for 50 ms at the start.
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            await app.WaitForShutdownAsync(stop);
            return 0;
        });
        return verb.SplitsItsHelp();
    }
}

/// <summary>Held while the hub serves from an embedded database: two relays on one set of files would break the order of events.</summary>
internal static class DataLock
{
    public static FileStream? Take(string directory)
    {
        Directory.CreateDirectory(directory);
        try
        {
            return new FileStream(Path.Combine(directory, "serve.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return null;
        }
    }
}

internal static class Settings
{
    public static HubSettings From(DirectoryInfo data, string origin) => new()
    {
        DataDirectory = data.FullName,
        PublicOrigin = (Environment.GetEnvironmentVariable("COMMERCE_ORIGIN") ?? origin).TrimEnd('/'),
        IsDevelopment = Environment.GetEnvironmentVariable("ASPNETCORE_ENVIRONMENT") == "Development",
        Postgres = Environment.GetEnvironmentVariable("COMMERCE_POSTGRES"),
        RetailerName = Environment.GetEnvironmentVariable("COMMERCE_RETAILER") ?? "Commerce",
    };
}
