using System.Diagnostics;

namespace Commerce.Testing;

/// <summary>The hub as an operator runs it: a process of its own, which can be killed.</summary>
public sealed class HubProcess : IDisposable
{
    private readonly Process process;
    private readonly Task<string> error;
    private readonly Task<string> output;

    private HubProcess(Process process)
    {
        this.process = process;
        (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
    }

    /// <param name="environment">Variables beside the usual ones.</param>
    /// <param name="listens">Where it listens, when that is not its public origin alone; the first of several says when it is ready.</param>
    public static async Task<HubProcess> StartAsync(string data, string origin, IReadOnlyDictionary<string, string?>? environment = null, string? listens = null)
    {
        listens ??= origin;
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Commerce.Host.dll"), "serve", "--urls", listens.Replace("localhost", "127.0.0.1", StringComparison.Ordinal), "--origin", origin, "--data", data])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["ASPNETCORE_ENVIRONMENT"] = "Development", ["Identity__PasswordIterations"] = "1000", ["DOTNET_TieredPGO"] = "0" },
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>()) start.Environment[name] = value;
        var hub = new HubProcess(Process.Start(start)!);
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(30) };
        await Wait.UntilAsync(async () =>
        {
            if (hub.process.HasExited) throw new InvalidOperationException($"The hub ended with {hub.process.ExitCode}: {await hub.error}{await hub.output}");
            try
            {
                return (await client.GetAsync(new Uri($"{listens.Split(';')[0]}/health/ready"))).IsSuccessStatusCode;
            }
            catch (HttpRequestException)
            {
                return false;   // not yet listening
            }
        }, "the hub is ready", TimeSpan.FromMinutes(2));
        return hub;
    }

    /// <summary>True where the process has the file in its memory: an assembly, for one. Linux.</summary>
    public bool HasLoaded(string file) => File.ReadLines($"/proc/{process.Id}/maps").Any(line => line.EndsWith($"/{file}", StringComparison.Ordinal));

    /// <summary>The scheduling policies, by number (sched(7)), of the threads whose name begins so. Linux.</summary>
    public IReadOnlyList<string> PoliciesOf(string thread)
    {
        var policies = new List<string>();
        foreach (var task in Directory.GetDirectories($"/proc/{process.Id}/task"))
        {
            try
            {
                if (!File.ReadAllText($"{task}/comm").StartsWith(thread, StringComparison.Ordinal)) continue;
                policies.Add(File.ReadAllText($"{task}/stat").Split(") ")[^1].Split(' ')[38]);      // the 41st field, of which two stand before
            }
            catch (IOException)
            {
                // It ended meanwhile.
            }
        }
        return policies;
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
    }

    public async Task<string> LogAsync() => await output + await error;

    public void Dispose()
    {
        if (!process.HasExited) process.Kill();
        process.Dispose();
    }
}
