using System.Security.Cryptography;
using System.Text.Json;
using Commerce.Kernel;

namespace Commerce.Host.CommandLine.Imports;

/// <summary>How far an import has come. Written whole after each batch, so that a killed import goes on where it stood.</summary>
/// <param name="File">What tells that it is still the same file: length, and hash of its beginning and end.</param>
/// <param name="Offset">Byte offset of the first line that is not done.</param>
/// <param name="Line">Number of lines before it.</param>
/// <param name="RejectedLength">Length of FILE.rejected at that point; what stands behind it belongs to a batch that will be done again.</param>
internal sealed record Checkpoint(string File, long Offset, long Line, long RejectedLength, long Added, long Known, long Rejected)
{
    private const int Part = 64 * 1024;

    public static Checkpoint Start(string file) => new(file, 0, 0, 0, 0, 0, 0);

    /// <summary>Where the checkpoint of an import of this file lies. One path, one checkpoint.</summary>
    public static string PathFor(string dataDirectory, string what, string file) => Path.Combine(dataDirectory, "imports",
        $"{what}-{Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(Path.GetFullPath(file))))[..16]}.json");

    public static string IdentityOf(Stream file)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[Part];
        foreach (var start in new[] { 0, Math.Max(0, file.Length - Part) })
        {
            file.Position = start;
            hash.AppendData(buffer, 0, file.ReadAtLeast(buffer, Part, throwOnEndOfStream: false));
        }
        return $"{file.Length}-{Convert.ToHexStringLower(hash.GetHashAndReset())}";
    }

    /// <summary>The checkpoint of an unfinished import of the same file, or the start.</summary>
    public static Checkpoint Load(string path, string identity)
    {
        try
        {
            var kept = JsonSerializer.Deserialize<Checkpoint>(System.IO.File.ReadAllBytes(path), HubJson.Options);
            return kept is not null && kept.File == identity ? kept : Start(identity);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException or JsonException)
        {
            return Start(identity);
        }
    }

    public void Save(string path)
    {
        var beside = $"{path}.new";
        using (var file = new FileStream(beside, FileMode.Create, FileAccess.Write))
        {
            JsonSerializer.Serialize(file, this, HubJson.Options);
            file.Flush(flushToDisk: true);
        }
        System.IO.File.Move(beside, path, overwrite: true);
    }
}
