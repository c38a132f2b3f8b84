namespace Commerce.Kernel.Outbox;

/// <summary>
/// The events that this process told a moment ago, as they were told: what the relay finds of them in the outbox it need not open and parse. A
/// table of fixed size; an event that another pushed out, or that another process told, is read from its row, and so is one that is tried again.
/// </summary>
internal sealed class RecentEvents
{
    // Some four hundred wait on a busy hub: one in eighty finds its place taken before its turn. With 4,096 places it would be one in twenty.
    private const int Places = 16_384;
    private readonly Told?[] places = new Told?[Places];

    private sealed record Told(Guid Row, IReadOnlyList<IIntegrationEvent> Events);

    /// <param name="row">Id of the row, which need not be committed: the relay asks only for what it found in the outbox.</param>
    public void Keep(Guid row, IReadOnlyList<IIntegrationEvent> events) => Volatile.Write(ref PlaceOf(row), new Told(row, events));

    /// <returns>Null where they are to be read from the row. They are not kept any longer.</returns>
    public IReadOnlyList<IIntegrationEvent>? Take(Guid row)
    {
        ref var place = ref PlaceOf(row);
        if (Volatile.Read(ref place) is not { } told || told.Row != row) return null;
        Interlocked.CompareExchange(ref place, null, told);
        return told.Events;
    }

    private ref Told? PlaceOf(Guid row) => ref places[row.GetHashCode() & (Places - 1)];
}
