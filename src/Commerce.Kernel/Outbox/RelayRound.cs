using System.Data.Common;

namespace Commerce.Kernel.Outbox;

/// <summary>One event that is due, as it lies in the outbox.</summary>
internal sealed class DueEvent
{
    public required long Sequence { get; init; }
    public required Guid Id { get; init; }
    public required string Aggregate { get; init; }
    public required string Type { get; init; }

    /// <summary>The events themselves where this process told them a moment ago: then there is no need to read <see cref="Body"/>.</summary>
    public required IReadOnlyList<IIntegrationEvent>? Told { get; init; }

    /// <summary>Sealed; empty where <see cref="Told"/> has them.</summary>
    public required byte[] Body { get; init; }
    public required long CreatedAt { get; init; }
    public required int Attempts { get; init; }

    /// <summary>How many consumers have not handled it yet in this round.</summary>
    public int ConsumersLeft { get; set; }

    public static DueEvent Of(DbDataReader row, RecentEvents recent)
    {
        var id = row.GetGuid(1);
        var told = recent.Take(id);
        return new()
        {
            Sequence = row.GetInt64(0), Id = id, Aggregate = row.GetString(2), Type = row.GetString(3), Told = told,
            Body = told is null ? row.GetFieldValue<byte[]>(4) : [], CreatedAt = row.GetInt64(5), Attempts = row.GetInt32(6),
        };
    }
}

/// <summary>One event on its way to one consumer.</summary>
internal sealed record OneDelivery(DueEvent Message, EventConsumer Consumer, Incoming Incoming);

/// <summary>What is due, and what became of it.</summary>
internal sealed class RelayRound(List<DueEvent> due)
{
    private readonly Dictionary<string, long> heldFrom = [];
    private readonly Dictionary<DueEvent, Exception> failed = [];

    public List<DueEvent> Due => due;
    public IReadOnlyDictionary<DueEvent, Exception> Failed => failed;

    /// <summary>Those that every consumer has handled; so has one that nobody consumes.</summary>
    public IEnumerable<DueEvent> Delivered => due.Where(m => m.ConsumersLeft == 0 && !failed.ContainsKey(m));

    /// <summary>The event itself or an earlier one of its aggregate has failed.</summary>
    public bool IsHeld(DueEvent message) => heldFrom.TryGetValue(message.Aggregate, out var first) && first <= message.Sequence;

    public void Fail(DueEvent message, Exception error)
    {
        failed[message] = error;
        heldFrom[message.Aggregate] = heldFrom.TryGetValue(message.Aggregate, out var first) ? Math.Min(first, message.Sequence) : message.Sequence;
    }
}
