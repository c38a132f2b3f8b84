using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace Commerce.Benchmarks;

/// <summary>
/// The hub beside a well-known server of others, in turns in one run, by the same driver on the same two cores: npm oidc-provider for OpenID
/// Connect, npm samlp for SAML. The peers keep everything in memory; the hub makes every one-time use durable first. A bare Kestrel server
/// that answers as many requests with nothing takes its turn too: it says how fast the machine is in those minutes.
/// </summary>
internal static class PeerBench
{
    private const string PeerHost = "http://127.0.0.1:5191", FloorHost = "http://127.0.0.1:5192";

    public static async Task<int> RunAsync(string[] options)
    {
        if (options is not ["oidc" or "saml", ..])
        {
            Console.Error.WriteLine("peers oidc, or peers saml?");
            return 2;
        }
        var isOidc = options[0] == "oidc";
        var users = options.SkipWhile(o => o != "--users").Skip(1).Select(int.Parse).FirstOrDefault(8);
        string[] rest = [.. new[] { "--warmup", "45", "--seconds", "10", "--runs", "3", "--open", "200" }.Chunk(2).Where(p => !options.Contains(p[0])).SelectMany(p => p), .. options[1..]];
        var folder = Directory.CreateTempSubdirectory("commerce-peers-");
        try
        {
            var peers = await InstallAsync();
            var (clientId, secret) = await HopBench.PrepareAsync(folder.FullName, users);
            var hub = isOidc ? HopBench.Oidc(clientId, secret, hop: false) : HopBench.Saml(hop: false);
            hub["server"] = HopBench.HubProcess(folder.FullName, options);
            var peer = isOidc ? OidcPeer(peers) : SamlPeer(peers, folder.FullName);
            var floor = Floor(isOidc ? ["/away", "/", "/"] : ["/"]);

            var results = Path.Combine(folder.FullName, "results.jsonl");
            var files = new List<string>();
            foreach (var (name, config) in new[] { ("floor", floor), ("peer", peer), ("hub", hub) })
            {
                files.Add(Path.Combine(folder.FullName, $"{name}.json"));
                await File.WriteAllTextAsync(files[^1], JsonSerializer.Serialize(config));
            }
            var code = await HopBench.DriveAsync([.. files], users, [.. rest, "--out", results]);
            if (code == 0) Report(isOidc ? "oidc-provider" : "samlp", await File.ReadAllLinesAsync(results));
            return code;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static Dictionary<string, object> Floor(string[] paths) => new()
    {
        ["name"] = $"bare Kestrel, {paths.Length} GET", ["kind"] = "http", ["urls"] = paths.Select(p => FloorHost + p).ToArray(),
        ["server"] = new
        {
            command = new[] { "dotnet", typeof(PeerBench).Assembly.Location, "hello", "--port", "5192" }, workingDirectory = AppContext.BaseDirectory,
            environment = new Dictionary<string, string>(), readyUrl = $"{FloorHost}/",
        },
    };

    private static Dictionary<string, object> OidcPeer(string peers) => new()
    {
        ["name"] = "npm oidc-provider (authorize, token, userinfo)", ["kind"] = "oidc",
        ["issuer"] = PeerHost, ["clientId"] = "bench", ["clientSecret"] = "bench-secret-0123456789abcdef", ["redirectUri"] = HopBench.Callback,
        ["loginFields"] = new Dictionary<string, string> { ["username"] = "bench{n}" },
        ["server"] = new
        {
            command = new[] { "node", "oidc-provider.js", "5191", "bench", "bench-secret-0123456789abcdef", HopBench.Callback }, workingDirectory = peers,
            environment = new Dictionary<string, string> { ["NODE_ENV"] = "production" }, readyUrl = $"{PeerHost}/.well-known/openid-configuration",
        },
    };

    private static Dictionary<string, object> SamlPeer(string peers, string folder)
    {
        using var key = RSA.Create(2048);
        using var certificate = new CertificateRequest("CN=bench", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(Path.Combine(folder, "peer.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(folder, "peer.key"), key.ExportPkcs8PrivateKeyPem());
        return new()
        {
            ["name"] = "npm samlp (SSO)", ["kind"] = "saml", ["ssoUrl"] = $"{PeerHost}/sso", ["spEntityId"] = HopBench.SpEntity, ["acsUrl"] = HopBench.SpAcs,
            ["certificateUrl"] = $"{PeerHost}/certificate", ["cookies"] = new[] { "user=bench1", "user=bench2", "user=bench3", "user=bench4" },
            ["server"] = new
            {
                command = new[] { "node", "samlp.js", "5191", HopBench.SpAcs, Path.Combine(folder, "peer.pem"), Path.Combine(folder, "peer.key") }, workingDirectory = peers,
                environment = new Dictionary<string, string> { ["NODE_ENV"] = "production" }, readyUrl = $"{PeerHost}/certificate",
            },
        };
    }

    /// <summary>Installs the pinned packages where they are not there yet.</summary>
    /// <returns>The folder with the peers.</returns>
    private static async Task<string> InstallAsync()
    {
        var root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "Commerce.sln"))) root = Path.GetDirectoryName(root) ?? throw new InvalidOperationException("This is not the repository.");
        var peers = Path.Combine(root, "tests/Commerce.Benchmarks/peers");
        if (Directory.Exists(Path.Combine(peers, "node_modules"))) return peers;
        using var npm = Process.Start(new ProcessStartInfo("npm", "ci --no-audit --no-fund --loglevel=error") { WorkingDirectory = peers })!;
        await npm.WaitForExitAsync();
        return npm.ExitCode == 0 ? peers : throw new InvalidOperationException("npm ci failed: the peers could not be installed.");
    }

    private static void Report(string peerName, string[] lines)
    {
        JsonElement[] all = [.. lines.Select(l => JsonDocument.Parse(l).RootElement)];
        static string Cell(JsonElement of, string format) => of.ValueKind == JsonValueKind.Number ? of.GetDouble().ToString(format, CultureInfo.InvariantCulture) : "-";
        static JsonElement At(JsonElement from, string path) => path.Split('.').Aggregate(from, (at, name) => at.ValueKind == JsonValueKind.Object ? at.GetProperty(name) : default);
        Console.WriteLine();
        Console.WriteLine($"| | {peerName} | hub | hub / {peerName} |");
        Console.WriteLine("|---|---|---|---|");
        foreach (var (words, path, format) in new[]
        {
            ("flows a second", "median.flowsPerSecond", "0"), ("p50 ms", "median.p50", "0.00"), ("p95 ms", "median.p95", "0.00"), ("p99 ms", "median.p99", "0.00"),
            ("server CPU ms a flow", "median.serverCpuMsPerFlow", "0.000"), ("open loop p50 ms", "open.p50", "0.00"), ("open loop p95 ms", "open.p95", "0.00"),
            ("open loop p99 ms", "open.p99", "0.00"), ("open loop CPU ms a flow", "open.serverCpuMsPerFlow", "0.000"), ("ready after ms", "readyMs", "0"),
            ("idle memory MiB", "idleRssMiB", "0"), ("peak memory MiB", "peakRssMiB", "0"),
        })
        {
            var (peer, hub) = (At(all[1], path), At(all[2], path));
            var ratio = peer.ValueKind == JsonValueKind.Number && peer.GetDouble() > 0 ? (hub.GetDouble() / peer.GetDouble()).ToString("0.00", CultureInfo.InvariantCulture) : "-";
            Console.WriteLine($"| {words} | {Cell(peer, format)} | {Cell(hub, format)} | {ratio} |");
        }
        var (floor, ofPeer, ofHub) = (Cpu(all[0]), Cpu(all[1]), Cpu(all[2]));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| in bare Kestrel exchanges of {floor:0.000} CPU ms | {ofPeer / floor:0.0} | {ofHub / floor:0.0} | {ofHub / ofPeer:0.00} |"));

        static double Cpu(JsonElement of) => At(of, "median.serverCpuMsPerFlow").GetDouble();
    }
}
