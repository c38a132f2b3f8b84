using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace Commerce.Benchmarks;

/// <summary>The pieces of a hop in process, each beside the platform call that is its floor.</summary>
internal static class Pieces
{
    public static int Run(string[] args)
    {
        // Warm for long: on one core the compiler's second translation comes late.
        var config = DefaultConfig.Instance.AddJob(Job.Default.WithWarmupCount(20).WithIterationCount(15).WithToolchain(InProcessEmitToolchain.Instance));
        return BenchmarkSwitcher.FromAssembly(typeof(Pieces).Assembly).Run(args.Length == 0 ? ["--filter", "*"] : args, config).Any() ? 0 : 1;
    }
}
