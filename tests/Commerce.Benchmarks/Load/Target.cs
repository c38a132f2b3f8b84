using System.Text.Json;

namespace Commerce.Benchmarks.Load;

/// <summary>Where the server under load runs.</summary>
/// <param name="Cpu">Number of its processor.</param>
/// <param name="Pin">False leaves a server that runs already where it is.</param>
/// <param name="Pid">A server that runs already; null to find it by its port, or to start it as its config says.</param>
public sealed record ServerPlace(int Cpu, bool Pin, int? Pid);

/// <summary>One server under load, from its start to its figures.</summary>
public sealed class Target : IAsyncDisposable
{
    private readonly TargetConfig config;
    private readonly LoadOptions options;
    private readonly ServerProcess? server;
    private readonly IFlow flow;
    private readonly LoadRunner runner;
    private readonly List<RunResult> closed = [], open = [];

    private Target(TargetConfig config, LoadOptions options, ServerProcess? server, IFlow flow) =>
        (this.config, this.options, this.server, this.flow, runner) = (config, options, server, flow, new LoadRunner(flow, options, server));

    public string Name => config.Name;

    /// <summary>A run gave nothing, or errors in more than one flow of a hundred.</summary>
    public bool Failed => closed.Any(r => r.Flows == 0 || r.Errors > r.Flows / 100);

    /// <summary>Starts or finds the server and signs the users in.</summary>
    /// <param name="folder">What the config's relative paths are relative to.</param>
    public static async Task<Target> StartAsync(TargetConfig config, string folder, LoadOptions options, ServerPlace place, Wire wire)
    {
        var first = new Uri(config.Issuer ?? config.SsoUrl ?? config.Urls[0]);
        var server = config.Server is { Command.Count: > 0 } start ? await ServerProcess.StartAsync(start, folder, place.Cpu, wire).ConfigureAwait(false)
            : (place.Pid ?? ServerProcess.FindByPort(first.Port)) is { } pid ? ServerProcess.Attach(pid, place.Pin ? place.Cpu : null) : null;
        try
        {
            IFlow flow = config.Kind switch
            {
                "oidc" => new OidcFlow(config, wire),
                "saml" => new SamlFlow(config, wire),
                "http" => new HttpFlow(config, wire),
                _ => throw new InvalidOperationException($"unknown kind '{config.Kind}'"),
            };
            await flow.PrepareAsync().ConfigureAwait(false);
            var target = new Target(config, options, server, flow);
            if (config.Cookies.Count > 0) target.runner.GiveCookies(config.Cookies);
            else await target.runner.SignInAsync().ConfigureAwait(false);
            target.Announce();
            return target;
        }
        catch
        {
            if (server is not null) await server.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public Task WarmUpAsync() => runner.WarmUpAsync(options.WarmupSeconds);

    /// <param name="rate">Flows a second on a schedule; 0 for the closed loop, or the rate of the options.</param>
    public async Task MeasureAsync(int run, double rate = 0)
    {
        var driver = rate > 0 ? new LoadRunner(flow, options with { Rate = rate }, server, runner) : runner;
        var result = await driver.MeasureAsync().ConfigureAwait(false);
        (rate > 0 ? open : closed).Add(result);
        Console.WriteLine($"{Name}{(rate > 0 ? $", open loop at {rate:0.#}/s" : "")}, run {run}: {Line(result)}");
        foreach (var kind in result.ErrorKinds) Console.WriteLine($"       error: {kind}");
    }

    public void Report()
    {
        var median = Median(closed);
        Console.WriteLine($"{Name}, median: {Line(median)}");
        Console.WriteLine($"        p50 by step: {string.Join(", ", flow.Steps.Select((s, i) => $"{s} {median.StepP50[i]:0.00} ms"))}"
            + (Signature.Length > 0 ? $"; signature {Signature}" : "")
            + (server is null ? "" : $"; peak RSS {server.PeakRssKiB() / 1024} MiB"));
        if (median is { DriverCpuPercent: > 90, ServerCpuPercent: > 0 and < 85 })
            Console.WriteLine("        WARNING: the driver's core was full and the server's was not: this is the driver's limit");
    }

    /// <summary>All figures as one line of JSON.</summary>
    public string Record() => JsonSerializer.Serialize(new
    {
        name = config.Name,
        kind = config.Kind,
        signature = Signature,
        options.Concurrency,
        options.Rate,
        readyMs = server?.StartTime.TotalMilliseconds,
        idleRssMiB = server?.IdleRssKiB / 1024,
        peakRssMiB = server?.PeakRssKiB() / 1024,
        median = Median(closed),
        open = open.Count == 0 ? null : Median(open),
        runs = closed,
    }, JsonSerializerOptions.Web);

    public ValueTask DisposeAsync() => server?.DisposeAsync() ?? ValueTask.CompletedTask;

    private string Signature => flow switch { OidcFlow o => o.Signature, SamlFlow s => s.Signature, _ => "" };

    private void Announce()
    {
        Console.WriteLine($"# {config.Name}: {config.Kind}, {options.Concurrency} users, {options.Seconds:0.#} s a run"
            + (options.Rate > 0 ? $", open loop at {options.Rate:0.#}/s" : ", closed loop"));
        Console.WriteLine(server is null
            ? "# server: not found on this machine, no CPU figures"
            : $"# server pid {server.Pid} on core(s) {server.Affinity()}, driver on core(s) {ServerProcess.Affinity(Environment.ProcessId)}"
                + (server.StartTime > TimeSpan.Zero ? $"; ready after {server.StartTime.TotalMilliseconds:0} ms, idle RSS {server.IdleRssKiB / 1024} MiB" : ""));
    }

    private static string Line(RunResult r) =>
        $"{r.FlowsPerSecond:0.0} flows/s  p50 {r.P50:0.00}  p95 {r.P95:0.00}  p99 {r.P99:0.00}  max {r.Max:0.0} ms  errors {r.Errors}  verified {r.Verified}"
        + $"  server {r.ServerCpuMsPerFlow:0.000} CPU-ms/flow ({r.ServerCpuPercent:0}%)  driver {r.DriverCpuPercent:0}%  stolen {r.StolenPercent:0}%  RSS {r.RssMiB} MiB";

    // Each figure's own median, not the figures of one run.
    private static RunResult Median(List<RunResult> runs)
    {
        double Of(Func<RunResult, double> pick) => runs.Select(pick).Order().ElementAt(runs.Count / 2);
        return new RunResult
        {
            Flows = (long)Math.Round(Of(r => r.FlowsPerSecond) * Of(r => r.Seconds)),
            Seconds = Of(r => r.Seconds),
            P50 = Of(r => r.P50),
            P95 = Of(r => r.P95),
            P99 = Of(r => r.P99),
            Max = Of(r => r.Max),
            StepP50 = [.. Enumerable.Range(0, runs[0].StepP50.Length).Select(i => Of(r => r.StepP50[i]))],
            Errors = runs.Sum(r => r.Errors),
            Verified = runs.Sum(r => r.Verified),
            ServerCpuMsPerFlow = Of(r => r.ServerCpuMsPerFlow),
            ServerCpuPercent = Of(r => r.ServerCpuPercent),
            DriverCpuPercent = Of(r => r.DriverCpuPercent),
            StolenPercent = Of(r => r.StolenPercent),
            RssMiB = (long)Of(r => r.RssMiB),
        };
    }
}
