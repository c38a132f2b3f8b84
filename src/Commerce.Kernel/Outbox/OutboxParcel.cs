using System.Buffers;
using System.Collections.Concurrent;
using System.Text.Json;

namespace Commerce.Kernel.Outbox;

/// <summary>
/// What one row of the outbox holds: one event, or several of one aggregate that were told in one write. They share the row's fate: each is
/// delivered to its own consumers, and the row goes when all have handled theirs.
/// </summary>
/// <remarks>Type: the names of the events' types, a space between two. Body: the events' JSON, a line each. For one event that is its name and its JSON.</remarks>
internal static class OutboxParcel
{
    /// <summary>As long as the column.</summary>
    public const int LongestType = 128;
    private static readonly ConcurrentDictionary<string, string[]> Types = new(StringComparer.Ordinal);

    /// <summary>Parts the events of one write: neighbours of one aggregate together, as far as their types' names fit.</summary>
    public static IEnumerable<IReadOnlyList<IIntegrationEvent>> Of(IEnumerable<IIntegrationEvent> events)
    {
        var parcel = new List<IIntegrationEvent>();
        var length = 0;     // of the parcel's type, and of the space behind it
        foreach (var message in events)
        {
            var name = EventTypes.NameOf(message.GetType());
            if (parcel.Count > 0 && (length + name.Length > LongestType || message.Aggregate != parcel[0].Aggregate))
            {
                yield return parcel;
                (parcel, length) = ([], 0);
            }
            parcel.Add(message);
            length += name.Length + 1;
        }
        if (parcel.Count > 0) yield return parcel;
    }

    public static string TypeOf(IReadOnlyList<IIntegrationEvent> parcel) =>
        string.Join(' ', parcel.Select(message => EventTypes.NameOf(message.GetType())));

    public static byte[] BodyOf(IReadOnlyList<IIntegrationEvent> parcel)
    {
        if (parcel.Count == 1) return JsonSerializer.SerializeToUtf8Bytes(parcel[0], parcel[0].GetType(), HubJson.Options);
        var body = new ArrayBufferWriter<byte>(1024);
        using var json = new Utf8JsonWriter(body, new JsonWriterOptions { Encoder = HubJson.Options.Encoder });
        foreach (var message in parcel)
        {
            if (body.WrittenCount > 0) body.Write("\n"u8);
            JsonSerializer.Serialize(json, message, message.GetType(), HubJson.Options);
            json.Flush();
            json.Reset();
        }
        return body.WrittenSpan.ToArray();
    }

    /// <summary>The names of the types in a row's type.</summary>
    public static IReadOnlyList<string> TypesIn(string type) => Types.GetOrAdd(type, static type => type.Split(' '));

    /// <summary>The events' JSON in a row's body: JSON has no line break outside of its texts, nor in them.</summary>
    public static ReadOnlyMemory<byte> EventIn(byte[] body, int number)
    {
        ReadOnlyMemory<byte> rest = body;
        for (; number > 0; number--) rest = rest[(rest.Span.IndexOf((byte)'\n') + 1)..];
        return rest.Span.IndexOf((byte)'\n') is >= 0 and var end ? rest[..end] : rest;
    }

    /// <summary>The id of the event with this number, from 0; the same at every delivery. The first has its row's.</summary>
    public static Guid IdOf(Guid row, int number)
    {
        if (number == 0) return row;
        Span<byte> id = stackalloc byte[16];
        row.TryWriteBytes(id);
        id[15] ^= (byte)number;
        return new Guid(id);
    }
}
