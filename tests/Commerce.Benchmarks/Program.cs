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
                                            the hub beside npm oidc-provider or npm samlp, in one run and in turns (needs node and npm)
        bench hops [--users 8] [--seconds 15] [--warmup 20] [--runs 3] [--rate 0] [--out FILE.jsonl] [--only KIND]
                                            hops over OIDC and SAML against the hub, with its durable store; KIND is oidc, saml, oidc-signin or saml-signin
                                            both take --hub PATH/Commerce.Host.dll, a hub published elsewhere, in place of the one built with the bench
        bench pieces [--filter '*']         the pieces in process (BenchmarkDotNet)
        bench run CONFIG.json... [--concurrency 8] [--seconds 15] [--warmup 6] [--runs 3] [--rate 0] [--open 0]
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
        string[] configs = [.. args[1..].TakeWhile(a => !a.StartsWith("--", StringComparison.Ordinal))];
        if (configs.Length == 0)
        {
            Console.Error.WriteLine("which config?");
            return 2;
        }
        return await LoadAsync(configs, args[0] == "once").ConfigureAwait(false);
    default:
        Console.Error.WriteLine($"unknown command '{args[0]}'");
        return 2;
}

// The runtime reads its core count and settings at start, so the driver starts itself again under taskset.
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
    foreach (var (name, value) in ServerProcess.DriversSettings) info.Environment[name] = value;
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

async Task<int> LoadAsync(string[] paths, bool once)
{
    var options = new LoadOptions(
        Concurrency: once ? 1 : (int)Math.Clamp(Number("concurrency", 8), 1, 512),
        Seconds: once ? 30 : Math.Clamp(Number("seconds", 15), 0.1, 600),
        WarmupSeconds: once ? 0 : Math.Clamp(Number("warmup", 6), 0, 120),
        Rate: Number("rate", 0),
        MaxFlows: once ? 1 : (long)Number("max-flows", 5_000_000),
        VerifyEvery: 0);
    var runs = once ? 1 : (int)Math.Clamp(Number("runs", 3), 1, 20);
    var openRate = once ? 0 : Number("open", 0);
    var pinned = new ServerPlace(serverCpu, pin, Option("pid") is { } given ? int.Parse(given, CultureInfo.InvariantCulture) : null);

    using var wire = new Wire();
    var targets = new List<Target>();
    var current = paths[0];
    try
    {
        foreach (var path in paths)
        {
            current = path;
            var config = TargetConfig.Load(path);
            targets.Add(await Target.StartAsync(config, Path.GetDirectoryName(Path.GetFullPath(path))!, options with { VerifyEvery = once ? 1 : config.VerifyEvery }, pinned, wire).ConfigureAwait(false));
        }
        foreach (var target in targets) await target.WarmUpAsync().ConfigureAwait(false);

        // In turns, so that a machine's good and bad minutes come to all of them.
        for (var run = 1; run <= runs; run++)
        {
            foreach (var target in targets)
            {
                current = target.Name;
                await target.MeasureAsync(run).ConfigureAwait(false);
            }
        }
        for (var run = 1; run <= runs && openRate > 0; run++)
        {
            foreach (var target in targets)
            {
                current = target.Name;
                await target.MeasureAsync(run, openRate).ConfigureAwait(false);
            }
        }
        foreach (var target in targets)
        {
            target.Report();
            if (Option("out") is { } file) await File.AppendAllTextAsync(file, target.Record() + "\n").ConfigureAwait(false);
        }
        return targets.Any(t => t.Failed) ? 1 : 0;
    }
    catch (Exception e) when (e is FlowException or InvalidOperationException or HttpRequestException or JsonException or IOException or UriFormatException)
    {
        Console.Error.WriteLine($"{current}: {e.Message}");
        return targets.Count < paths.Length ? 2 : 1;
    }
    finally
    {
        foreach (var target in targets) await target.DisposeAsync().ConfigureAwait(false);
    }
}
