using System.Security.Cryptography;
using BenchmarkDotNet.Attributes;
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
        var config = DefaultConfig.Instance.AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance));
        return BenchmarkSwitcher.FromAssembly(typeof(Pieces).Assembly).Run(args.Length == 0 ? ["--filter", "*"] : args, config).Any() ? 0 : 1;
    }
}

[MemoryDiagnoser]
public class SignatureFloor : IDisposable
{
    private readonly RSA rsa = RSA.Create(2048);
    private readonly ECDsa ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly byte[] hash = SHA256.HashData([1, 2, 3]);

    [Benchmark] public byte[] Rsa2048() => rsa.SignHash(hash, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
    [Benchmark] public byte[] EcdsaP256() => ecdsa.SignHash(hash);

    public void Dispose()
    {
        rsa.Dispose();
        ecdsa.Dispose();
        GC.SuppressFinalize(this);
    }
}
