using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Commerce.Saml.Tests.Fuzz;

/// <summary>What a run over one entry point saw.</summary>
/// <param name="Took">Processor time of the run, all in all.</param>
/// <param name="Sending">Of that, what the receiver used.</param>
internal sealed record FuzzReport(string Entry, long Count, TimeSpan Took, TimeSpan Sending, long Taken, TimeSpan Slowest, long LargestAllocation, IReadOnlyDictionary<string, long> Refused, IReadOnlyList<string> Failures)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Entry}: {Count:N0} in {Took.TotalSeconds:0.0} s of one core ({Count / Took.TotalSeconds:N0}/s, {Count / Sending.TotalSeconds:N0}/s without making them), {Taken:N0} taken with the genuine meaning, slowest {Slowest.TotalMilliseconds:0.0} ms, largest allocation {LargestAllocation / 1024:N0} KiB, {Failures.Count} failures")
        + string.Concat(Refused.OrderByDescending(code => code.Value).Select(code => string.Create(CultureInfo.InvariantCulture, $"\n    {code.Value,9:N0} {code.Key}")));
}

/// <summary>Sends seeded mutations to an entry point and fails on a crash, a hang, unbounded memory, or a message taken for what it is not.</summary>
internal static class FuzzRun
{
    /// <summary>No message may keep the receiver longer, in processor time. A slow one is sent again and its fastest of four counts: code warms up, memory is swept.</summary>
    public static readonly TimeSpan Hang = TimeSpan.FromMilliseconds(50);

    /// <summary>Largest sum of allocations for one message: the gate's caps leave room for a few copies of the largest message as a tree.</summary>
    public const long MaxAllocation = 32L * 1024 * 1024;

    private const int MaxFailures = 20;

    /// <param name="name">One of <see cref="FuzzEntries.Names"/>.</param>
    /// <param name="seed">With the same seed the same changes are made again; keys and signatures differ from run to run.</param>
    /// <param name="first">Number of the first message.</param>
    /// <param name="count">How many.</param>
    public static FuzzReport Run(string name, int seed, long first, long count)
    {
        var entry = FuzzEntries.Open(name);
        var failures = new List<string>();
        foreach (var genuine in entry.Genuine)
            if (entry.Send(genuine) is { Fault: not null } or { Wrong: not null }) failures.Add($"{name}: the genuine message {genuine.Seed} is refused: {entry.Send(genuine).Fault}");
        var refused = new Dictionary<string, long>(StringComparer.Ordinal);
        long taken = 0, largest = 0, sent = 0;
        var slowest = TimeSpan.Zero;
        var began = Processor.Now;
        var sending = TimeSpan.Zero;
        for (var number = first; number < first + count && failures.Count < MaxFailures; number++, sent++)
        {
            var mutant = entry.Make(new Random(HashCode(seed, number)));
            var allocated = GC.GetAllocatedBytesForCurrentThread();
            var started = Processor.Now;
            Verdict verdict;
            try
            {
                verdict = entry.Send(mutant);
            }
            catch (Exception crash)
            {
                failures.Add(Failure(name, seed, number, mutant, $"crash: {crash}"));
                continue;
            }
            var took = Processor.Now - started;
            sending += took;
            allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
            for (var again = 0; took > Hang && again < 3; again++)
            {
                started = Processor.Now;
                entry.Send(mutant);
                took = Min(took, Processor.Now - started);
            }
            slowest = took > slowest ? took : slowest;
            largest = Math.Max(largest, allocated);
            if (took > Hang) failures.Add(Failure(name, seed, number, mutant, $"hang: {took.TotalMilliseconds:0} ms"));
            if (allocated > MaxAllocation) failures.Add(Failure(name, seed, number, mutant, $"memory: {allocated:N0} bytes"));
            if (verdict.Wrong is { } wrong) failures.Add(Failure(name, seed, number, mutant, wrong));
            if (verdict.Fault is { Code: FaultCodes.Internal } fault) failures.Add(Failure(name, seed, number, mutant, fault.ToString()));
            if (verdict.Fault is null) taken++;
            else refused[verdict.Fault.Code] = refused.GetValueOrDefault(verdict.Fault.Code) + 1;
        }
        return new FuzzReport(name, sent, Processor.Now - began, sending, taken, slowest, largest, refused, failures);
    }

    /// <summary>The command: <c>fuzz [ENTRY …] [--count N] [--seed N] [--threads N]</c>.</summary>
    /// <returns>0 where nothing failed.</returns>
    public static int Command(string[] arguments)
    {
        long Number(string option, long otherwise) =>
            Array.IndexOf(arguments, option) is var at and >= 0 && at + 1 < arguments.Length ? long.Parse(arguments[at + 1], CultureInfo.InvariantCulture) : otherwise;
        var count = Number("--count", 1_000_000);
        var seed = (int)Number("--seed", 1);
        var threads = (int)Math.Clamp(Number("--threads", 1), 1, 64);
        var named = FuzzEntries.Names.Where(arguments.Contains).ToList();
        var failed = false;
        foreach (var name in named.Count > 0 ? named : FuzzEntries.Names)
        {
            var share = (count + threads - 1) / threads;
            var reports = new FuzzReport[threads];
            Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, part => reports[part] = Run(name, seed, part * share, Math.Min(share, count - (part * share))));
            foreach (var report in reports)
            {
                Console.WriteLine(report);
                foreach (var failure in report.Failures) Console.WriteLine(failure);
                failed |= report.Failures.Count > 0;
            }
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Peak working set {Process.GetCurrentProcess().PeakWorkingSet64 / 1024 / 1024:N0} MiB."));
        return failed ? 1 : 0;
    }

    /// <summary>The whole message stands in the report, because signatures differ from run to run.</summary>
    private static string Failure(string name, int seed, long number, Mutant mutant, string what) =>
        $"{name} --seed {seed} number {number}, message {mutant.Seed}: {what}\n    {(mutant.Sent.Length <= 20_000 ? mutant.Sent : mutant.Sent[..20_000] + "…")}";

    private static int HashCode(int seed, long number) => unchecked((int)((((ulong)seed * 0x9E3779B97F4A7C15UL) + (ulong)number) * 0xD6E8FEB86659FD93UL >> 33));

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;
}

/// <summary>Processor time of the current thread: on a busy machine the clock on the wall says nothing about the code.</summary>
internal static class Processor
{
    private const int ThreadTime = 3;    // CLOCK_THREAD_CPUTIME_ID of Linux

    public static TimeSpan Now => OperatingSystem.IsLinux() && Read(ThreadTime, out var time) == 0
        ? TimeSpan.FromTicks((time.Seconds * TimeSpan.TicksPerSecond) + (time.Nanoseconds / 100))
        : Stopwatch.GetElapsedTime(0);

    [StructLayout(LayoutKind.Sequential)]
    private struct Time
    {
        public nint Seconds;
        public nint Nanoseconds;
    }

    [DllImport("libc", EntryPoint = "clock_gettime")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Read(int clock, out Time time);
}
