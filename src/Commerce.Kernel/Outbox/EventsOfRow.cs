using System.Text;

namespace Commerce.Kernel;

/// <summary>
/// Events that say what a row of the module's own tables says. The outbox keeps the row's id in place of them: they are delivered as they were
/// told, and made anew from the row only where the process that told them stopped before.
/// </summary>
/// <param name="Source">Name of the <see cref="IEventSource"/> that makes them anew.</param>
/// <param name="Row">Id of the row. It has to stand when the events are committed, and to stay until they are delivered: a day, where a consumer fails.</param>
/// <param name="At">When they happened, which is when the outbox records them.</param>
/// <param name="Events">In the order in which they are told; of one aggregate.</param>
public sealed record EventsOfRow(string Source, Guid Row, DateTimeOffset At, IReadOnlyList<IIntegrationEvent> Events);

/// <summary>Makes the events of a row anew, as they were told. Registered as a singleton, as this interface.</summary>
public interface IEventSource
{
    /// <summary>Its name in the outbox, at most 32 characters of ASCII. While events wait for it, it may not change.</summary>
    string Name { get; }

    /// <returns>The same events in the same order; null where the row is gone. They are then tried again, and at last wait for an operator.</returns>
    ValueTask<IReadOnlyList<IIntegrationEvent>?> TellAgainAsync(Guid row, DateTimeOffset at, CancellationToken stop);
}

/// <summary>A row whose events wait in the outbox is gone, or tells other events than it did.</summary>
internal sealed class EventRowChangedException(string source, Guid row) : Exception($"Row {row} of {source} does not tell the events that wait for delivery.");

/// <summary>How the outbox's body names a row: 1 byte version (4), 16 bytes id, the source's name. No secret, so it is not sealed; a sealed body has another first byte.</summary>
internal static class EventRowBody
{
    private const byte Version = 4;
    private const int Header = 1 + 16;

    public static byte[] Of(EventsOfRow told)
    {
        var body = new byte[Header + told.Source.Length];
        body[0] = Version;
        told.Row.TryWriteBytes(body.AsSpan(1));
        Encoding.ASCII.GetBytes(told.Source, body.AsSpan(Header));
        return body;
    }

    public static bool TryRead(ReadOnlySpan<byte> body, out string source, out Guid row)
    {
        var isRow = body.Length > Header && body[0] == Version;
        (source, row) = isRow ? (Encoding.ASCII.GetString(body[Header..]), new Guid(body[1..Header])) : ("", default);
        return isRow;
    }
}
