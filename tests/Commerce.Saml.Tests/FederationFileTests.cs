using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace Commerce.Saml.Tests;

/// <summary>A real federation's metadata, read where it is at hand.</summary>
public sealed class FederationFileTests
{
    [Fact]
    public void Of_the_real_federation_file_108_service_providers_import_and_29_are_named_with_a_reason()
    {
        var entries = ReadAll(requireHttps: false);
        Assert.Equal(175, entries.Count);
        Assert.Equal(137, entries.Count(e => e.HasServiceProviderRole));
        Assert.Equal(108, entries.Count(e => e.ServiceProvider is not null));
        var skipped = entries.Where(e => e.HasServiceProviderRole && e.ServiceProvider is null).ToList();
        Assert.Equal(29, skipped.Count);
        Assert.All(skipped, e => Assert.Contains("SAML 2.0", e.SkipReason, StringComparison.Ordinal));
        Assert.All(entries, e => Assert.NotEmpty(e.EntityId));
    }

    [Fact]
    public void X17_where_https_is_required_two_service_providers_on_http_are_named_with_a_reason()
    {
        var entries = ReadAll(requireHttps: true);
        Assert.Equal(106, entries.Count(e => e.ServiceProvider is not null));
        Assert.Equal(2, entries.Count(e => e.ServiceProvider is null && e.SkipReason!.Contains("not on https", StringComparison.Ordinal)));
    }

    [Fact]
    public void Every_imported_record_survives_json()
    {
        foreach (var sp in ReadAll(requireHttps: false).Select(e => e.ServiceProvider).OfType<ServiceProvider>())
        {
            var json = JsonSerializer.Serialize(sp);
            Assert.Equal(json, JsonSerializer.Serialize(JsonSerializer.Deserialize<ServiceProvider>(json)));
        }
    }

    [Fact]
    public void The_federation_file_signed_verifies_and_reads_within_a_second_and_100_megabytes()
    {
        var xml = System.IO.File.ReadAllText(Outside.File("data/saml-metadata/swamid-1.0.xml"));
        var root = Attack.Load(xml).DocumentElement!;
        Attack.Unsign(root);
        root.SetAttribute("ID", "_swamid");
        XmlSignature.Sign(root, root.FirstChild, Keys.Idp);
        var signed = Encoding.UTF8.GetBytes(root.OuterXml);

        ReadSigned(signed);     // warm
        var (started, allocated) = (Fuzz.Processor.Now, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal(108, ReadSigned(signed));
        Assert.InRange(Fuzz.Processor.Now - started, TimeSpan.Zero, TimeSpan.FromSeconds(1));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 1, 100 * 1024 * 1024);
        TestContext.Current.SendDiagnosticMessage($"{signed.Length:N0} bytes: {(Fuzz.Processor.Now - started).TotalMilliseconds:0} ms, {(GC.GetAllocatedBytesForCurrentThread() - allocated) / 1024:N0} KiB");

        signed[^40] ^= 1;
        Assert.False(MetadataSignature.Verify(new MemoryStream(signed), [TrustedKey.Of(Keys.Idp)]).IsSuccess);
    }

    private static int ReadSigned(byte[] document)
    {
        Assert.True(MetadataSignature.Verify(new MemoryStream(document), [TrustedKey.Of(Keys.Idp)]).IsSuccess);
        return SpMetadataReader.Read(new MemoryStream(document), new SpMetadataOptions { RequireHttps = false }, new FixedClock()).Count(entry => entry.Value.ServiceProvider is not null);
    }

    private static List<SpMetadataEntry> ReadAll(bool requireHttps)
    {
        var file = Outside.File("data/saml-metadata/swamid-1.0.xml");
        using var stream = File.OpenRead(file);
        return [.. SpMetadataReader.Read(stream, new SpMetadataOptions { RequireHttps = requireHttps }, new FixedClock()).Select(entry => entry.Value)];
    }
}

/// <summary>Files and programs that a machine may lack. A test that needs one says by name that it did not run.</summary>
internal static class Outside
{
    public static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !System.IO.File.Exists(Path.Combine(folder.FullName, "Commerce.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("The tests do not run inside the repository.");
    }

    /// <summary>A file of the shared folder beside the repository, or of one of the folders above it.</summary>
    public static string File(string path)
    {
        for (var folder = new DirectoryInfo(Root()).Parent; folder is not null; folder = folder.Parent)
        {
            var file = Path.Combine(folder.FullName, "shared", path);
            if (System.IO.File.Exists(file)) return file;
        }
        Assert.Skip($"shared/{path} is not beside the repository.");
        return "";
    }

    public static string Program(string name)
    {
        var found = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder => Path.Combine(folder, name)).FirstOrDefault(System.IO.File.Exists);
        if (found is null) Assert.Skip($"{name} is not installed.");
        return found!;
    }

    public static (int ExitCode, string Output) Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + error.Result);
    }
}
