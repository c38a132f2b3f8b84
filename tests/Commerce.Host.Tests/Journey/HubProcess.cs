using System.Diagnostics;

namespace Commerce.Host.Tests.Journey;

/// <summary>The hub as an operator runs it, to be killed.</summary>
internal sealed class HubProcess : IDisposable
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
    public static async Task<HubProcess> StartAsync(string data, string origin, IReadOnlyDictionary<string, string?>? environment = null)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Commerce.Host.dll"), "serve", "--urls", origin.Replace("localhost", "127.0.0.1", StringComparison.Ordinal), "--origin", origin, "--data", data])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["ASPNETCORE_ENVIRONMENT"] = "Development", ["Identity__PasswordIterations"] = "1000", ["DOTNET_TieredPGO"] = "0" },
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>()) start.Environment[name] = value;
        var hub = new HubProcess(Process.Start(start)!);
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(30) };
        for (var watch = Stopwatch.StartNew(); ; await Task.Delay(20))
        {
            if (hub.process.HasExited) throw new InvalidOperationException($"The hub ended with {hub.process.ExitCode}: {await hub.error}{await hub.output}");
            if (watch.Elapsed > TimeSpan.FromMinutes(2)) throw new TimeoutException("The hub did not become ready.");
            try
            {
                if ((await client.GetAsync($"{origin}/health/ready")).IsSuccessStatusCode) return hub;
            }
            catch (HttpRequestException)
            {
                // not yet listening
            }
        }
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
