using System.Collections.Concurrent;

namespace Commerce.Kernel;

/// <summary>Something that happened in one module and that others may want to know. Lives in the Contracts of the module that declares it.</summary>
public interface IIntegrationEvent
{
    /// <summary>
    /// Events of one aggregate arrive in the order they were published, such as all of one hop; at most 128 characters.
    /// Implement it explicitly, so that it stays out of the JSON.
    /// </summary>
    string Aggregate { get; }
}

/// <summary>
/// Handles one kind of event. The handler changes its own module's database and does not save: the kernel saves the change together
/// with the inbox entry, in one transaction, so that the effect happens once however often the event is delivered.
/// </summary>
/// <remarks>An effect outside the database (an HTTP call) must bear repetition.</remarks>
public interface IHandleEvent<in TEvent> where TEvent : IIntegrationEvent
{
    Task Handle(TEvent message, Delivery delivery, CancellationToken stop);
}

/// <summary>
/// Handles one kind of event with statements of the hot store, many events in one transaction: for events that every hop tells. Registered by
/// <c>AddHotEventHandler</c>.
/// </summary>
/// <remarks>
/// It has no inbox: an event may come again, and the handler's row is unique by something that the event names, so that it is written once.
/// An inbox row beside it cost three changed index pages an event.
/// </remarks>
/// <typeparam name="TEvent">The event.</typeparam>
/// <typeparam name="TReady">What an event comes to once everything is computed and sealed.</typeparam>
public interface IHandleEventHot<in TEvent, TReady> where TEvent : IIntegrationEvent where TReady : class
{
    /// <summary>Computes and seals; writes nothing. Null where there is nothing to write.</summary>
    ValueTask<TReady?> PrepareAsync(TEvent message, Delivery delivery, CancellationToken stop);

    /// <summary>Writes all of them, in this order, or finds of each that it was written before.</summary>
    ValueTask WriteAsync(HotWrite write, IReadOnlyList<TReady> ready);
}

/// <param name="Event">The event's own id: the same at every delivery.</param>
/// <param name="PublishedAt">When the publisher's transaction recorded it.</param>
/// <param name="Attempt">1 for the first delivery.</param>
public sealed record Delivery(Guid Event, DateTimeOffset PublishedAt, int Attempt);

/// <summary>Events are named by their record's full name; only types that a consumer registered can be read back.</summary>
internal static class EventTypes
{
    private static readonly ConcurrentDictionary<Type, string> Names = new();

    public static string NameOf(Type type) => Names.GetOrAdd(type, t => t.FullName!);
}
