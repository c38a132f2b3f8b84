using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;

namespace Commerce.Consent.Ledger;

/// <summary>One point of the chain as it stood at a time.</summary>
/// <param name="Number">Number of the entry; 0 for the beginning, before there was any.</param>
/// <param name="Hash">The entry's hash, lower-case hexadecimal.</param>
/// <param name="Mac">HMAC-SHA256 over the other three with a key of the hub: a line cannot be made without it.</param>
internal sealed record AnchorPoint(long Number, string Hash, DateTimeOffset At, string Mac);

/// <summary>
/// <c>ledger-anchor.jsonl</c> in the data folder: points of the chain kept outside the database, so that a tail cut off or a chain
/// written anew is found. Appended only. Ship it to another machine, and whoever owns this one cannot undo it either.
/// </summary>
internal sealed class AnchorFile(HubSettings settings, SharedSecrets secrets)
{
    public const string Secret = "ledger-anchor";

    private byte[]? key;

    public string Path { get; } = System.IO.Path.Combine(settings.DataDirectory, "ledger-anchor.jsonl");

    public bool Exists => File.Exists(Path);

    /// <summary>Writes one line and waits until it is on the disk.</summary>
    /// <exception cref="IOException">The disk is full, or another process writes a line at this moment.</exception>
    public void Append(long number, byte[] hash, DateTimeOffset at)
    {
        var hex = Convert.ToHexStringLower(hash);
        var line = JsonSerializer.Serialize(new AnchorPoint(number, hex, at, MacOf(number, hex, at)), HubJson.Options) + "\n";
        using var file = new FileStream(Path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        if (file.Length > 0)
        {
            file.Seek(-1, SeekOrigin.End);
            if (file.ReadByte() != '\n') line = "\n" + line;     // a crash cut the line before this one short
        }
        file.Seek(0, SeekOrigin.End);
        file.Write(Encoding.UTF8.GetBytes(line));
        file.Flush(flushToDisk: true);
    }

    /// <summary>Every whole line in order. A line that was cut short by a crash is passed over; a line that was edited is not.</summary>
    /// <exception cref="InvalidDataException">A line is not one that the hub wrote. The message says which.</exception>
    public IReadOnlyList<AnchorPoint> Read()
    {
        if (!Exists) return [];
        using var file = new FileStream(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(file, Encoding.UTF8);
        var points = new List<AnchorPoint>();
        for (var number = 1; reader.ReadLine() is { } line; number++)
        {
            if (line.Length == 0) continue;
            if (!line.EndsWith('}')) continue;   // cut short: it was never acknowledged
            AnchorPoint? point = null;
            try
            {
                point = JsonSerializer.Deserialize<AnchorPoint>(line, HubJson.Options);
            }
            catch (JsonException)
            {
                // answered below
            }
            if (point is null || !CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(point.Mac), Encoding.UTF8.GetBytes(MacOf(point.Number, point.Hash, point.At))))
                throw new InvalidDataException($"Line {number} of the anchor file was edited.");
            points.Add(point);
        }
        return points;
    }

    private string MacOf(long number, string hash, DateTimeOffset at) => Convert.ToHexStringLower(HMACSHA256.HashData(
        key ??= secrets.Get(Secret), Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{number}\n{hash}\n{at.UtcTicks}"))));
}
