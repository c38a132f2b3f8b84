using System.Diagnostics;

namespace Commerce.Benchmarks.Load;

public sealed record LoadOptions(int Concurrency, double Seconds, double WarmupSeconds, double Rate, long MaxFlows, int VerifyEvery);

/// <summary>What one measured run gave.</summary>
public sealed class RunResult
{
    public long Flows { get; init; }
    public double Seconds { get; init; }
    public double FlowsPerSecond => Flows / Seconds;
    public double P50 { get; init; }
    public double P95 { get; init; }
    public double P99 { get; init; }
    public double Max { get; init; }
    public double[] StepP50 { get; init; } = [];
    public long Errors { get; init; }
    public List<string> ErrorKinds { get; init; } = [];
    public long Verified { get; init; }
    public double ServerCpuMsPerFlow { get; init; }
    public double ServerCpuPercent { get; init; }
    public double DriverCpuPercent { get; init; }

    /// <summary>Of the time that the machine's processors wanted to work, what its host gave to others (Linux). Latencies with more than a few percent are the host's.</summary>
    public double StolenPercent { get; init; }
    public long RssMiB { get; init; }
}

/// <summary>
/// Closed loop: each virtual user starts its next flow when the last one ends.
/// Open loop (rate &gt; 0): flows start on a fixed schedule, and latency counts from the scheduled moment,
/// so that a stalled server is not given credit for the requests that a closed loop would have held back.
/// </summary>
/// <param name="signedIn">A runner whose users, signed in already, are taken over; null where they have to sign in first.</param>
public sealed class LoadRunner(IFlow flow, LoadOptions options, ServerProcess? server, LoadRunner? signedIn = null)
{
    private readonly List<VirtualUser> _users = signedIn?._users ?? [];

    public async Task SignInAsync()
    {
        for (var i = 0; i < options.Concurrency; i++)
        {
            var user = new VirtualUser(i + 1);
            await flow.SignInAsync(user).ConfigureAwait(false);
            _users.Add(user);
        }
    }

    public void GiveCookies(IReadOnlyList<string> cookies)
    {
        for (var i = 0; i < options.Concurrency; i++)
        {
            var user = new VirtualUser(i + 1);
            user.Jar.Add(cookies[i % cookies.Count]);
            _users.Add(user);
        }
    }

    public Task WarmUpAsync(double seconds) => seconds <= 0 ? Task.CompletedTask : RunAsync(seconds);

    public Task<RunResult> MeasureAsync() => RunAsync(options.Seconds);

    private sealed class Samples(int steps)
    {
        public readonly List<double> Flow = new(1 << 16);
        public readonly List<double>[] Step = [.. Enumerable.Range(0, steps).Select(_ => new List<double>(1 << 16))];
        public readonly Dictionary<string, long> Errors = new(StringComparer.Ordinal);
        public readonly List<Action> Checks = [];
        public long Verified;

        public void Count(Exception error)
        {
            var kind = error is FlowException ? error.Message : error.GetType().Name + ": " + error.Message;
            Errors[kind] = Errors.GetValueOrDefault(kind) + 1;
        }

        public void Check()
        {
            foreach (var check in Checks)
            {
                try
                {
                    check();
                    Verified++;
                }
                catch (Exception e) when (IsTheServers(e))
                {
                    Count(e);
                }
            }
        }
    }

    private async Task<RunResult> RunAsync(double seconds)
    {
        using var self = Process.GetCurrentProcess();
        var stepCount = flow.Steps.Count;
        var samples = _users.Select(_ => new Samples(stepCount)).ToArray();
        long ticket = 0;
        var selfBefore = self.TotalProcessorTime;
        var serverBefore = server?.CpuSeconds() ?? 0;
        var machineBefore = ServerProcess.MachineTicks();
        var clock = Stopwatch.StartNew();

        using var due = new SemaphoreSlim(0);
        double DueAt(long number) => number / options.Rate * 1000;

        // A thread, because the runtime's timers are late by up to 6 ms, which would count as the server's.
        void Pace()
        {
            for (var number = 1L; DueAt(number) < seconds * 1000; number++)
            {
                while (DueAt(number) - clock.Elapsed.TotalMilliseconds is > 0 and var left)
                {
                    if (left > 1.5) Thread.Sleep(1);
                    else Thread.Yield();
                }
                due.Release();
            }
            due.Release(_users.Count);
        }

        async Task Work(VirtualUser user, Samples mine)
        {
            var last = 0.0;
            void Mark(int step)
            {
                var now = clock.Elapsed.TotalMilliseconds;
                mine.Step[step].Add(now - last);
                last = now;
            }
            while (true)
            {
                if (options.Rate > 0)
                {
                    await due.WaitAsync().ConfigureAwait(false);
                }
                var number = Interlocked.Increment(ref ticket);
                var begin = options.Rate > 0 ? DueAt(number) : clock.Elapsed.TotalMilliseconds;
                if (begin >= seconds * 1000 || clock.Elapsed.TotalSeconds >= seconds || number > options.MaxFlows)
                {
                    return;
                }
                last = clock.Elapsed.TotalMilliseconds;
                var verify = flow.CanVerify && options.VerifyEvery > 0 && number % options.VerifyEvery == 0;
                try
                {
                    var check = await flow.RunAsync(user, verify, Mark).ConfigureAwait(false);
                    mine.Flow.Add(clock.Elapsed.TotalMilliseconds - begin);
                    if (check is not null) mine.Checks.Add(check);
                }
                catch (Exception e) when (IsTheServers(e))
                {
                    mine.Count(e);
                    if (mine.Errors.Values.Sum() > 1000)
                    {
                        return; // broken, not slow
                    }
                }
            }
        }

        var pace = options.Rate > 0 ? Task.Factory.StartNew(Pace, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default) : Task.CompletedTask;
        await Task.WhenAll(_users.Select((u, i) => Task.Run(() => Work(u, samples[i])))).ConfigureAwait(false);
        await pace.ConfigureAwait(false);
        var elapsed = clock.Elapsed.TotalSeconds;
        var serverCpu = (server?.CpuSeconds() ?? 0) - serverBefore;
        var driverCpu = (self.TotalProcessorTime - selfBefore).TotalSeconds;
        var machine = ServerProcess.MachineTicks();
        var (busy, stolen) = (machine.Busy - machineBefore.Busy, machine.Stolen - machineBefore.Stolen);
        foreach (var one in samples) one.Check();
        var all = samples.SelectMany(s => s.Flow).ToArray();
        Array.Sort(all);
        var errors = samples.SelectMany(s => s.Errors).GroupBy(e => e.Key).Select(g => (Kind: g.Key, Count: g.Sum(e => e.Value))).OrderByDescending(e => e.Count).ToList();
        return new RunResult
        {
            Flows = all.Length,
            Seconds = elapsed,
            P50 = Percentile(all, 0.50),
            P95 = Percentile(all, 0.95),
            P99 = Percentile(all, 0.99),
            Max = all.Length == 0 ? 0 : all[^1],
            StepP50 = [.. Enumerable.Range(0, stepCount).Select(i =>
            {
                var step = samples.SelectMany(s => s.Step[i]).ToArray();
                Array.Sort(step);
                return Percentile(step, 0.50);
            })],
            Errors = errors.Sum(e => e.Count),
            ErrorKinds = [.. errors.Take(5).Select(e => $"{e.Count} x {e.Kind}")],
            Verified = samples.Sum(s => s.Verified),
            ServerCpuMsPerFlow = all.Length == 0 ? 0 : serverCpu * 1000 / all.Length,
            ServerCpuPercent = serverCpu / elapsed * 100,
            DriverCpuPercent = driverCpu / elapsed * 100,
            StolenPercent = stolen == 0 ? 0 : stolen * 100.0 / (busy + stolen),
            RssMiB = (server?.RssKiB() ?? 0) / 1024,
        };
    }

    private static bool IsTheServers(Exception e) =>
        e is FlowException or HttpRequestException or OperationCanceledException or System.Text.Json.JsonException or KeyNotFoundException or FormatException;

    private static double Percentile(double[] sorted, double p) =>
        sorted.Length == 0 ? 0 : sorted[Math.Min(sorted.Length - 1, (int)Math.Ceiling(sorted.Length * p) - 1)];
}
