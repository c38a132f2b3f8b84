using System.Diagnostics;
using System.Globalization;

namespace Commerce.Benchmarks.Load;

/// <summary>The process under test: found by port or started here, pinned to a core, its CPU time and memory read from /proc.</summary>
public sealed class ServerProcess : IAsyncDisposable
{
    /// <summary>
    /// The driver's own runtime settings, which the server under test does not get. With a nursery of 32 MiB the driver is collected half as often as
    /// by default: each time is half a millisecond in which the server is asked nothing. A larger one takes the server's place in the cache that the
    /// cores share. An answer is read and the next request sent by the thread that polls, for on one core another one would have to be woken first.
    /// </summary>
    public static readonly IReadOnlyDictionary<string, string> DriversSettings = new Dictionary<string, string>
    {
        ["DOTNET_GCgen0size"] = "0x2000000",
        ["DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS"] = "1",
    };

    private static readonly double TicksPerSecond = 100; // USER_HZ is 100 on every Linux this runs on
    private readonly Process? _started;

    private ServerProcess(int pid, Process? started)
    {
        Pid = pid;
        _started = started;
    }

    public int Pid { get; }

    /// <summary>From exec to the first answer; zero when the server was already running.</summary>
    public TimeSpan StartTime { get; private set; }

    public long IdleRssKiB { get; private set; }

    public static async Task<ServerProcess> StartAsync(ServerConfig config, string configDirectory, int cpu, Wire wire)
    {
        var info = new ProcessStartInfo("taskset")
        {
            WorkingDirectory = Path.GetFullPath(config.WorkingDirectory ?? ".", configDirectory),
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        info.ArgumentList.Add("-c");
        info.ArgumentList.Add(cpu.ToString(CultureInfo.InvariantCulture));
        config.Command.ForEach(info.ArgumentList.Add);
        foreach (var name in DriversSettings.Keys) info.Environment.Remove(name);
        foreach (var (name, value) in config.Environment)
        {
            info.Environment[name] = value;
        }
        var ready = new Uri(config.ReadyUrl ?? throw new InvalidOperationException("'server.readyUrl' is missing in the config"));
        if (FindByPort(ready.Port) is { } other)
        {
            throw new InvalidOperationException($"port {ready.Port} is already taken by process {other}");
        }
        var clock = Stopwatch.StartNew();
        var process = Process.Start(info)!;
        var tail = new Queue<string>();
        void Keep(object _, DataReceivedEventArgs e)
        {
            lock (tail)
            {
                tail.Enqueue(e.Data ?? "");
                if (tail.Count > 20)
                {
                    tail.Dequeue();
                }
            }
        }
        process.OutputDataReceived += Keep;
        process.ErrorDataReceived += Keep;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var server = new ServerProcess(process.Id, process);
        while (true)
        {
            if (process.HasExited || clock.Elapsed.TotalSeconds > config.ReadyTimeoutSeconds)
            {
                await server.DisposeAsync().ConfigureAwait(false);
                lock (tail)
                {
                    throw new InvalidOperationException("server did not become ready:\n" + string.Join('\n', tail));
                }
            }
            try
            {
                var reply = await wire.GetAsync(ready).ConfigureAwait(false);
                if (reply.Status < 500)
                {
                    break;
                }
            }
            catch (HttpRequestException)
            {
                // not listening yet
            }
            await Task.Delay(10).ConfigureAwait(false);
        }
        server.StartTime = clock.Elapsed;
        await Task.Delay(TimeSpan.FromSeconds(3)).ConfigureAwait(false); // what starts in the background belongs to the idle figure too
        server.IdleRssKiB = server.RssKiB();
        return server;
    }

    public static ServerProcess Attach(int pid, int? cpu)
    {
        if (cpu is { } core && Affinity(pid) != core.ToString(CultureInfo.InvariantCulture))
        {
            using var taskset = Process.Start(new ProcessStartInfo("taskset", $"-a -c -p {core} {pid}") { RedirectStandardOutput = true })!;
            taskset.WaitForExit();
        }
        return new ServerProcess(pid, null);
    }

    /// <summary>The process that listens on a TCP port of this machine, by way of /proc.</summary>
    public static int? FindByPort(int port)
    {
        var suffix = ":" + port.ToString("X4", CultureInfo.InvariantCulture);
        var inodes = new HashSet<string>(StringComparer.Ordinal);
        foreach (var table in new[] { "/proc/net/tcp", "/proc/net/tcp6" })
        {
            if (!File.Exists(table))
            {
                continue;
            }
            foreach (var line in File.ReadLines(table).Skip(1))
            {
                var columns = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                if (columns[3] == "0A" && columns[1].EndsWith(suffix, StringComparison.Ordinal))
                {
                    inodes.Add("socket:[" + columns[9] + "]");
                }
            }
        }
        if (inodes.Count == 0)
        {
            return null;
        }
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory), out var pid))
            {
                continue;
            }
            try
            {
                foreach (var fd in Directory.EnumerateFileSystemEntries(Path.Combine(directory, "fd")))
                {
                    if (new FileInfo(fd).LinkTarget is { } target && inodes.Contains(target))
                    {
                        return pid;
                    }
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // gone, or another user's
            }
        }
        return null;
    }

    public static string Affinity(int pid) => Status(pid, "Cpus_allowed_list");

    public string Affinity() => Affinity(Pid);

    /// <summary>User and system CPU time of the process and of the children it has now.</summary>
    public double CpuSeconds() => Family(Pid).Sum(CpuSeconds);

    /// <summary>What all processors have done, and what they would have done had the host not given their time to others: first line of /proc/stat, zero elsewhere.</summary>
    public static (long Busy, long Stolen) MachineTicks()
    {
        if (!File.Exists("/proc/stat")) return (0, 0);
        // cpu user nice system idle iowait irq softirq steal: guest time is in user already
        var ticks = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..9].Select(long.Parse).ToArray();
        return (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6], ticks[7]);
    }

    public long RssKiB() => Family(Pid).Sum(p => KiB(p, "VmRSS"));

    public long PeakRssKiB() => Family(Pid).Sum(p => KiB(p, "VmHWM"));

    private static long KiB(int pid, string name) =>
        long.TryParse(Status(pid, name).Split(' ')[0], CultureInfo.InvariantCulture, out var value) ? value : 0;

    private static double CpuSeconds(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksPerSecond;
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private static List<int> Family(int pid)
    {
        List<int> family = [pid];
        for (var i = 0; i < family.Count; i++)
        {
            try
            {
                foreach (var task in Directory.EnumerateDirectories($"/proc/{family[i]}/task"))
                {
                    family.AddRange(File.ReadAllText(Path.Combine(task, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries)
                        .Select(c => int.Parse(c, CultureInfo.InvariantCulture)));
                }
            }
            catch (IOException)
            {
                // gone
            }
        }
        return family;
    }

    private static string Status(int pid, string name)
    {
        try
        {
            return File.ReadLines($"/proc/{pid}/status").FirstOrDefault(l => l.StartsWith(name + ":", StringComparison.Ordinal))?[(name.Length + 1)..].Trim() ?? "";
        }
        catch (IOException)
        {
            return "";
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_started is null)
        {
            return;
        }
        if (!_started.HasExited)
        {
            using (Process.Start("kill", ["-TERM", Pid.ToString(CultureInfo.InvariantCulture)]))
            {
            }
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            try
            {
                await _started.WaitForExitAsync(patience.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                _started.Kill(entireProcessTree: true);
            }
        }
        _started.Dispose();
    }
}
