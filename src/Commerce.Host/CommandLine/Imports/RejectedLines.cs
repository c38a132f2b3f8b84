using System.Text.Json;
using Commerce.Kernel;

namespace Commerce.Host.CommandLine.Imports;

/// <summary>One line of FILE.rejected.</summary>
/// <param name="Line">Line number in the imported file, from 1.</param>
/// <param name="Reason">Why it was not taken, in a sentence.</param>
internal sealed record RejectedLine(long Line, string Reason);

/// <summary>FILE.rejected: JSON Lines beside the imported file, each with line number and reason. There is none where nothing was rejected.</summary>
internal sealed class RejectedLines : IDisposable
{
    private readonly string path;
    private FileStream? file;

    private RejectedLines(string path) => this.path = path;

    public long Length => file?.Length ?? 0;

    /// <param name="length">How much of an earlier run's file stands; the rest is done again.</param>
    public static RejectedLines Open(string path, long length)
    {
        var lines = new RejectedLines(path);
        if (length == 0) File.Delete(path);
        else
        {
            lines.file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read);
            if (lines.file.Length < length) throw new VerbFault($"{path} is shorter than the interrupted import left it. Put it back, or delete the folder 'imports' in the data folder to begin again.");
            lines.file.SetLength(length);
            lines.file.Position = length;
        }
        return lines;
    }

    /// <summary>Numbers of the lines that were rejected so far.</summary>
    public IReadOnlySet<long> Numbers()
    {
        if (file is null) return new HashSet<long>();
        return LineReader.Read(file, 0, 0).Select(line => JsonSerializer.Deserialize<RejectedLine>(line.Bytes, HubJson.Options)!.Line).ToHashSet();
    }

    public void Append(IReadOnlyCollection<RejectedLine> lines)
    {
        if (lines.Count == 0) return;
        file ??= new FileStream(path, FileMode.Create, FileAccess.ReadWrite, FileShare.Read);
        file.Position = file.Length;
        foreach (var line in lines)
        {
            JsonSerializer.Serialize(file, line, HubJson.Options);
            file.WriteByte((byte)'\n');
        }
        file.Flush(flushToDisk: true);
    }

    public void Dispose() => file?.Dispose();
}
