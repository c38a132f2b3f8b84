namespace Commerce.Host.CommandLine.Imports;

/// <param name="Number">From 1.</param>
/// <param name="Bytes">Without the line end; empty where the line is longer than the import takes.</param>
/// <param name="Next">Byte offset of the line after it.</param>
internal sealed record RawLine(long Number, byte[] Bytes, long Next, bool IsTooLong);

/// <summary>Reads a file line by line from a known place, however large the file is.</summary>
internal static class LineReader
{
    /// <summary>Longest line in bytes. An order with hundreds of lines has some tens of thousands.</summary>
    public const int MaxLength = 1024 * 1024;

    /// <param name="offset">Where to begin: 0, or the <see cref="RawLine.Next"/> of an earlier run.</param>
    /// <param name="lines">How many lines come before it.</param>
    /// <returns>Every line that is not blank.</returns>
    public static IEnumerable<RawLine> Read(Stream file, long offset, long lines)
    {
        file.Position = offset;
        var buffer = new byte[256 * 1024];
        var line = new MemoryStream();
        var (number, at, tooLong) = (lines, offset, false);
        while (true)
        {
            var read = file.Read(buffer);
            if (read == 0) break;
            var rest = buffer.AsMemory(0, read);
            while (rest.Span.IndexOf((byte)'\n') is >= 0 and var end)
            {
                Take(rest[..end]);
                at += end + 1;
                rest = rest[(end + 1)..];
                number++;
                if (Finish() is { } found) yield return found;
            }
            Take(rest);
            at += rest.Length;
        }
        number++;
        if (Finish() is { } last) yield return last;

        void Take(ReadOnlyMemory<byte> part)
        {
            tooLong |= line.Length + part.Length > MaxLength;
            if (!tooLong) line.Write(part.Span);
        }

        RawLine? Finish()
        {
            var bytes = line.GetBuffer().AsSpan(0, (int)line.Length);
            if (number == 1 && bytes.StartsWith("\uFEFF"u8)) bytes = bytes[3..];
            if (bytes.EndsWith("\r"u8)) bytes = bytes[..^1];
            var found = tooLong ? new RawLine(number, [], at, true) : bytes.Trim(" \t"u8).IsEmpty ? null : new RawLine(number, bytes.ToArray(), at, false);
            line.SetLength(0);
            tooLong = false;
            return found;
        }
    }
}
