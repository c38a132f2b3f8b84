using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Commerce.Testing;
using Microsoft.Playwright;

[assembly: AssemblyFixture(typeof(Commerce.EndToEnd.Tests.DemoProcess))]
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace Commerce.EndToEnd.Tests;

/// <summary>The demo as a process of its own, and one Chromium, for all tests of this assembly.</summary>
public sealed class DemoProcess : IAsyncLifetime
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("commerce-demo-");
    private readonly List<string> output = [];
    private Process? process;
    private IPlaywright? playwright;
    private IBrowser? browser;

    /// <summary>Why no browser test can run here, or null.</summary>
    public string? Missing { get; private set; }

    public ReadyFile Ready { get; private set; } = null!;

    public IBrowser Browser => browser ?? throw new InvalidOperationException(Missing);

    public static string Repository { get; } = FindRepository();

    public string[] Output
    {
        get
        {
            lock (output) return [.. output];
        }
    }

    public async ValueTask InitializeAsync()
    {
        var chromium = Environment.GetEnvironmentVariable("CHROMIUM") ?? "/usr/bin/chromium";
        if (!File.Exists(chromium))
        {
            Missing = $"There is no Chromium at {chromium}. Install Debian's package 'chromium', or set CHROMIUM to its path.";
            return;
        }
        await StartAsync();
        playwright = await Playwright.CreateAsync();
        Assertions.SetDefaultExpectTimeout(60_000);
        browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = chromium, Args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"], Timeout = 120_000,
        });
    }

    private async Task StartAsync()
    {
        var readyFile = Path.Combine(folder.FullName, "ready.json");
        var info = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        foreach (var argument in (string[])[DemoAssembly(), "--ready-file", readyFile, "--port-base", $"{FreePorts()}", "--data", Path.Combine(folder.FullName, "data"), "--no-browser"])
            info.ArgumentList.Add(argument);
        process = Process.Start(info)!;
        process.OutputDataReceived += Keep;
        process.ErrorDataReceived += Keep;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();

        await Wait.UntilAsync(() =>
        {
            if (process.HasExited) throw new InvalidOperationException($"The demo ended with {process.ExitCode}:\n{string.Join('\n', Output)}");
            return Task.FromResult(File.Exists(readyFile));
        }, "the demo is ready", TimeSpan.FromMinutes(3));
        Ready = JsonSerializer.Deserialize<ReadyFile>(await File.ReadAllBytesAsync(readyFile), new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower })!;
    }

    /// <summary>Runs a verb of the command line on the demo's hub, as an operator would, and reads what it printed as JSON.</summary>
    public async Task<JsonElement> RunVerbAsync(params string[] verb)
    {
        var data = Directory.GetDirectories(Path.Combine(folder.FullName, "data"), "port-*").Single();
        var info = new ProcessStartInfo("dotnet", [HostAssembly(), .. verb, "--data", Path.Combine(data, "hub"), "--json"]) { RedirectStandardOutput = true, RedirectStandardError = true };
        info.Environment["ASPNETCORE_ENVIRONMENT"] = "Development";
        using var run = Process.Start(info)!;
        var (said, error) = (run.StandardOutput.ReadToEndAsync(), run.StandardError.ReadToEndAsync());
        await run.WaitForExitAsync();
        Assert.True(run.ExitCode == 0, $"{string.Join(' ', verb)}: {await error}{await said}");
        return JsonDocument.Parse(await said).RootElement;
    }

    /// <summary>A file beside the demo's data, gone with it.</summary>
    public string Write(string name, string text)
    {
        var path = Path.Combine(folder.FullName, name);
        File.WriteAllText(path, text);
        return path;
    }

    public async ValueTask DisposeAsync()
    {
        if (browser is not null) await browser.CloseAsync();
        playwright?.Dispose();
        if (process is { HasExited: false })
        {
            process.Kill();    // ours alone, by its id
            await process.WaitForExitAsync();
        }
        process?.Dispose();
        folder.Delete(recursive: true);
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        lock (output)
        {
            if (line.Data is not null) output.Add(line.Data);
        }
    }

    // The demo was built with the same configuration as this test.
    private static string DemoAssembly() => Built("Commerce.Demo");

    private static string HostAssembly() => Built("Commerce.Host");

    private static string Built(string project)
    {
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        return Path.Combine(Repository, "src", project, "bin", configuration, "net10.0", project + ".dll");
    }

    private static string FindRepository()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "Commerce.sln"))) return at.FullName;
        }
        throw new InvalidOperationException("The repository is not above the test's folder.");
    }

    private static int FreePorts()
    {
        for (var tries = 0; tries < 200; tries++)
        {
            var first = Random.Shared.Next(20_000, 60_000);
            if (Enumerable.Range(0, 4).All(i => IsFree(IPAddress.Parse($"127.0.0.{Math.Max(1, i)}"), first + i))) return first;
        }
        throw new InvalidOperationException("No four free ports in a row.");
    }

    private static bool IsFree(IPAddress address, int port)
    {
        using var probe = new TcpListener(address, port);
        try
        {
            probe.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}

public sealed record ReadyFile(string Hub, string Shop, string Tires, string Fuel, string Mailbox, IReadOnlyList<DemoAccount> Accounts, ApiClient Api);

public sealed record DemoAccount(string Email, string Password, string Name, string Registration);

public sealed record ApiClient(string ClientId, string ClientSecret);
