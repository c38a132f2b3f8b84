using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Commerce.Benchmarks;
using Commerce.Benchmarks.Load;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
if (args.Length == 0 || args[0] is "-h" or "--help")
{
    Console.WriteLine("""
        bench peers oidc|saml [--users 8] [--seconds 10] [--warmup 45] [--runs 3] [--open 200]
                                            the hub beside npm oidc-provider or npm samlp, in one run (needs node and npm)
        bench hops [--users 16] [--seconds 15] [--warmup 20] [--runs 3] [--rate 0] [--out FILE.jsonl] [--only KIND]
                                            hops over OIDC and SAML against the hub, with its durable store; KIND is oidc, saml, oidc-signin or saml-signin
                                            both take --hub PATH/Commerce.Host.dll, a hub published elsewhere, in place of the one built with the bench
        bench pieces [--filter '*']         the pieces in process (BenchmarkDotNet)
        bench run CONFIG.json [--concurrency 8] [--seconds 15] [--warmup 6] [--runs 3] [--rate 0] [--open 0]
                              [--max-flows 5000000] [--pid N] [--server-cpu 0] [--driver-cpu 1] [--no-pin] [--out FILE.jsonl]
        bench once CONFIG.json              one flow with every check, then stop
        bench crypto [--runs 5] [--seconds 1] [--driver-cpu 1] [--no-pin]
        bench hello [--port 7001]           a bare Kestrel server on 127.0.0.1, for the floor of the machine
        """);
    return args.Length == 0 ? 2 : 0;
}

string? Option(string name)
{
    var at = Array.IndexOf(args, "--" + name);
    return at >= 0 && at + 1 < args.Length ? args[at + 1] : null;
}
double Number(string name, double otherwise) => Option(name) is { } text ? double.Parse(text, CultureInfo.InvariantCulture) : otherwise;
var pin = !args.Contains("--no-pin");
var driverCpu = (int)Number("driver-cpu", 1);
var serverCpu = (int)Number("server-cpu", 0);

if (args[0] == "pieces")
{
    return Pieces.Run(args[1..]);
}
if (args[0] == "hops")
{
    return await HopBench.RunAsync(args[1..]).ConfigureAwait(false);
}
if (args[0] == "peers")
{
    return await PeerBench.RunAsync(args[1..]).ConfigureAwait(false);
}
if (pin && args[0] is "run" or "once" or "crypto" && !args.Contains("--no-pin-self"))
{
    return Pinned(driverCpu);
}

switch (args[0])
{
    case "crypto":
        CryptoBench.Run((int)Number("runs", 5), Number("seconds", 1));
        return 0;
    case "hello":
        Hello((int)Number("port", 7001));
        return 0;
    case "run":
    case "once":
        if (args.Length < 2)
        {
            Console.Error.WriteLine("which config?");
            return 2;
        }
        return await LoadAsync(args[1], args[0] == "once").ConfigureAwait(false);
    default:
        Console.Error.WriteLine($"unknown command '{args[0]}'");
        return 2;
}

// The runtime reads its core count at start, so the driver starts itself again under taskset.
static int Pinned(int cpu)
{
    var arguments = Environment.GetCommandLineArgs();
    var info = new ProcessStartInfo("taskset");
    info.ArgumentList.Add("-c");
    info.ArgumentList.Add(cpu.ToString(CultureInfo.InvariantCulture));
    info.ArgumentList.Add(Environment.ProcessPath!);
    if (Path.GetFileNameWithoutExtension(Environment.ProcessPath!) == "dotnet")
    {
        info.ArgumentList.Add(arguments[0]);
    }
    foreach (var argument in arguments.Skip(1))
    {
        info.ArgumentList.Add(argument);
    }
    info.ArgumentList.Add("--no-pin-self");
    using var child = Process.Start(info)!;
    Console.CancelKeyPress += (_, e) => e.Cancel = true; // the child gets the signal too and cleans up
    child.WaitForExit();
    return child.ExitCode;
}

static void Hello(int port)
{
    var builder = WebApplication.CreateSlimBuilder();
    builder.Logging.ClearProviders();
    builder.WebHost.ConfigureKestrel(o =>
    {
        o.AddServerHeader = false;
        o.Listen(IPAddress.Loopback, port);
    });
    var app = builder.Build();
    app.MapGet("/", () => "hello");
    app.MapGet("/away", (HttpContext context) => context.Response.Redirect("http://127.0.0.1:9900/cb?code=0123456789abcdef&state=0123456789abcdef"));
    app.Run();
}

async Task<int> LoadAsync(string path, bool once)
{
    TargetConfig config;
    try
    {
        config = TargetConfig.Load(path);
    }
    catch (Exception e) when (e is InvalidOperationException or JsonException or IOException or UriFormatException)
    {
        Console.Error.WriteLine($"{path}: {e.Message}");
        return 2;
    }
    var options = new LoadOptions(
        Concurrency: once ? 1 : (int)Math.Clamp(Number("concurrency", 8), 1, 512),
        Seconds: once ? 30 : Math.Clamp(Number("seconds", 15), 0.1, 600),
        WarmupSeconds: once ? 0 : Math.Clamp(Number("warmup", 6), 0, 120),
        Rate: Number("rate", 0),
        MaxFlows: once ? 1 : (long)Number("max-flows", 5_000_000),
        VerifyEvery: once ? 1 : config.VerifyEvery);
    var runs = once ? 1 : (int)Math.Clamp(Number("runs", 3), 1, 20);

    using var wire = new Wire();
    ServerProcess? server = null;
    try
    {
        var first = new Uri(config.Issuer ?? config.SsoUrl ?? config.Urls[0]);
        if (config.Server is { Command.Count: > 0 } start)
        {
            server = await ServerProcess.StartAsync(start, Path.GetDirectoryName(Path.GetFullPath(path))!, serverCpu, wire).ConfigureAwait(false);
        }
        else if ((Option("pid") is { } given ? int.Parse(given, CultureInfo.InvariantCulture) : ServerProcess.FindByPort(first.Port)) is { } pid)
        {
            server = ServerProcess.Attach(pid, pin ? serverCpu : null);
        }
        IFlow flow = config.Kind switch
        {
            "oidc" => new OidcFlow(config, wire),
            "saml" => new SamlFlow(config, wire),
            "http" => new HttpFlow(config, wire),
            _ => throw new InvalidOperationException($"unknown kind '{config.Kind}'"),
        };
        await flow.PrepareAsync().ConfigureAwait(false);
        var runner = new LoadRunner(flow, options, server);
        if (config.Cookies.Count > 0)
        {
            runner.GiveCookies(config.Cookies);
        }
        else
        {
            await runner.SignInAsync().ConfigureAwait(false);
        }
        Console.WriteLine($"# {config.Name}: {config.Kind}, {options.Concurrency} users, {options.Seconds:0.#} s x {runs}"
            + (options.Rate > 0 ? $", open loop at {options.Rate:0.#}/s" : ", closed loop"));
        Console.WriteLine(server is null
            ? "# server: not found on this machine, no CPU figures"
            : $"# server pid {server.Pid} on core(s) {server.Affinity()}, driver on core(s) {ServerProcess.Affinity(Environment.ProcessId)}"
                + (server.StartTime > TimeSpan.Zero ? $"; ready after {server.StartTime.TotalMilliseconds:0} ms, idle RSS {server.IdleRssKiB / 1024} MiB" : ""));

        await runner.WarmUpAsync(options.WarmupSeconds).ConfigureAwait(false);
        var results = new List<RunResult>();
        for (var i = 0; i < runs; i++)
        {
            var result = await runner.MeasureAsync().ConfigureAwait(false);
            results.Add(result);
            Console.WriteLine($"run {i + 1}: {Line(result)}");
            foreach (var kind in result.ErrorKinds)
            {
                Console.WriteLine($"       error: {kind}");
            }
        }
        var median = Median(results);
        Console.WriteLine($"median: {Line(median)}");
        var openRate = once ? 0 : Number("open", 0);
        RunResult? open = null;
        if (openRate > 0)
        {
            var schedule = new LoadRunner(flow, options with { Rate = openRate }, server, runner);
            var timed = new List<RunResult>();
            for (var i = 0; i < runs; i++)
            {
                timed.Add(await schedule.MeasureAsync().ConfigureAwait(false));
                Console.WriteLine($"open loop at {openRate:0.#}/s, run {i + 1}: {Line(timed[^1])}");
            }
            open = Median(timed);
        }
        var signature = flow switch { OidcFlow o => o.Signature, SamlFlow s => s.Signature, _ => "" };
        Console.WriteLine($"        p50 by step: {string.Join(", ", flow.Steps.Select((s, i) => $"{s} {median.StepP50[i]:0.00} ms"))}"
            + (signature.Length > 0 ? $"; signature {signature}" : "")
            + (server is null ? "" : $"; peak RSS {server.PeakRssKiB() / 1024} MiB"));
        if (!once && median.DriverCpuPercent > 90 && median.ServerCpuPercent is > 0 and < 85)
        {
            Console.WriteLine("        WARNING: the driver's core was full and the server's was not: this is the driver's limit");
        }
        if (Option("out") is { } file)
        {
            var record = new
            {
                name = config.Name,
                kind = config.Kind,
                signature,
                options.Concurrency,
                options.Rate,
                readyMs = server?.StartTime.TotalMilliseconds,
                idleRssMiB = server?.IdleRssKiB / 1024,
                peakRssMiB = server?.PeakRssKiB() / 1024,
                median,
                open,
                runs = results,
            };
            await File.AppendAllTextAsync(file, JsonSerializer.Serialize(record, JsonSerializerOptions.Web) + "\n").ConfigureAwait(false);
        }
        return results.Any(r => r.Flows == 0 || r.Errors > r.Flows / 100) ? 1 : 0;
    }
    catch (Exception e) when (e is FlowException or InvalidOperationException or HttpRequestException or JsonException or IOException)
    {
        Console.Error.WriteLine($"{config.Name}: {e.Message}");
        return 1;
    }
    finally
    {
        if (server is not null)
        {
            await server.DisposeAsync().ConfigureAwait(false);
        }
    }
}

static string Line(RunResult r) =>
    $"{r.FlowsPerSecond,8:0.0} flows/s  p50 {r.P50:0.00}  p95 {r.P95:0.00}  p99 {r.P99:0.00}  max {r.Max:0.0} ms  errors {r.Errors}  verified {r.Verified}"
    + $"  server {r.ServerCpuMsPerFlow:0.000} CPU-ms/flow ({r.ServerCpuPercent:0}%)  driver {r.DriverCpuPercent:0}%  stolen {r.StolenPercent:0}%  RSS {r.RssMiB} MiB";

// Each figure's own median, not the figures of one run.
static RunResult Median(List<RunResult> runs)
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
