using System.Security.Cryptography;
using System.Text.Json;

namespace Commerce.Host.CommandLine.Imports;

/// <summary>
/// Which line had which key, to find a key that stands in the file twice. Keeps 16 bytes of hash per line, so that millions of lines fit.
/// </summary>
/// <param name="members">Names of the top-level members that make the key.</param>
internal sealed class SeenKeys(IReadOnlyList<string> members)
{
    private readonly Dictionary<UInt128, long> lines = [];

    /// <returns>The earlier line with the same key, or null where there is none, or no key.</returns>
    public long? Add(RawLine line)
    {
        if (KeyOf(line.Bytes) is not { } key || lines.TryAdd(key, line.Number)) return null;
        return lines[key];
    }

    /// <summary>Forgets a line that was rejected: a later one with its key may be the right one.</summary>
    public void Forget(RawLine line)
    {
        if (KeyOf(line.Bytes) is { } key && lines.TryGetValue(key, out var number) && number == line.Number) lines.Remove(key);
    }

    private UInt128? KeyOf(byte[] json)
    {
        var found = new string?[members.Count];
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 32 });
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var name = reader.GetString();
                reader.Read();
                if (reader.TokenType == JsonTokenType.String)
                {
                    for (var i = 0; i < members.Count; i++)
                    {
                        if (members[i] == name) found[i] = reader.GetString();
                    }
                }
                reader.Skip();
            }
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return null;    // the line's own check says what is wrong with it
        }
        if (found.Contains(null)) return null;
        var hash = SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(string.Join('\n', found)));
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(hash);
    }
}
