using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Kernel.Outbox;

/// <summary>One event on its way to its consumers.</summary>
/// <param name="Told">The event itself where this process told it a moment ago; else it is read from <paramref name="Body"/>.</param>
/// <param name="Body">Its JSON.</param>
internal sealed record Incoming(string Type, IIntegrationEvent? Told, ReadOnlyMemory<byte> Body, Delivery Delivery);

/// <summary>One consumer as registered: which event it takes, and how to run it with its inbox.</summary>
internal abstract class EventConsumer
{
    public abstract string EventType { get; }
    public abstract string Name { get; }

    /// <summary>The consuming module's database.</summary>
    public abstract Type Db { get; }

    /// <summary>How many events it takes in one transaction: others wait as long for the same database.</summary>
    public abstract int AtMost { get; }

    /// <summary>Runs the consumer for these events in order and in one transaction, passing over those that it has handled already. All or none.</summary>
    public abstract Task RunAsync(IServiceProvider services, IReadOnlyList<Incoming> events, CancellationToken stop);

    protected static TEvent Read<TEvent>(Incoming incoming) where TEvent : IIntegrationEvent => incoming.Told is TEvent told ? told
        : JsonSerializer.Deserialize<TEvent>(incoming.Body.Span, HubJson.Options) ?? throw new JsonException("An event is an object.");
}

internal sealed class EventConsumer<TEvent, THandler, TDb> : EventConsumer
    where TEvent : IIntegrationEvent where THandler : class, IHandleEvent<TEvent> where TDb : ModuleDb
{
    public override string EventType { get; } = EventTypes.NameOf(typeof(TEvent));
    public override string Name { get; } = typeof(THandler).FullName!;
    public override Type Db => typeof(TDb);
    public override int AtMost => 32;

    public override async Task RunAsync(IServiceProvider services, IReadOnlyList<Incoming> events, CancellationToken stop)
    {
        await using var scope = services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<TDb>();
        var ids = events.Select(e => e.Delivery.Event).ToList();
        var handled = (await db.Inbox.AsNoTracking().Where(e => e.Consumer == Name && ids.Contains(e.Event)).Select(e => e.Event).ToListAsync(stop)).ToHashSet();
        if (handled.Count == ids.Count) return;

        var handler = scope.ServiceProvider.GetRequiredService<THandler>();
        var clock = scope.ServiceProvider.GetRequiredService<TimeProvider>();
        await using var transaction = await db.Database.BeginTransactionAsync(stop);
        foreach (var incoming in events)
        {
            if (!handled.Add(incoming.Delivery.Event)) continue;
            // The unique key is what makes the effect happen once; the look before is only cheaper.
            db.Inbox.Add(new InboxEntry { Event = incoming.Delivery.Event, Consumer = Name, HandledAt = clock.GetUtcNow() });
            await handler.Handle(Read<TEvent>(incoming), incoming.Delivery, stop);
            await db.SaveChangesAsync(stop);
            db.ChangeTracker.Clear();
        }
        await transaction.CommitAsync(stop);
    }
}

internal sealed class HotEventConsumer<TEvent, TReady, THandler, TDb> : EventConsumer
    where TEvent : IIntegrationEvent where TReady : class where THandler : class, IHandleEventHot<TEvent, TReady> where TDb : ModuleDb
{
    public override string EventType { get; } = EventTypes.NameOf(typeof(TEvent));
    public override string Name { get; } = typeof(THandler).FullName!;
    public override Type Db => typeof(TDb);
    public override int AtMost => 512;

    public override async Task RunAsync(IServiceProvider services, IReadOnlyList<Incoming> events, CancellationToken stop)
    {
        var handler = services.GetRequiredService<THandler>();
        var ready = new List<TReady>(events.Count);
        for (var at = 0; at < events.Count; at++)
        {
            // Requests that came meanwhile go first: on one core a hundred events in a row would make them wait for milliseconds.
            if (at % 8 == 7) await Task.Yield();
            if (await handler.PrepareAsync(Read<TEvent>(events[at]), events[at].Delivery, stop) is { } one) ready.Add(one);
        }
        if (ready.Count == 0) return;
        await services.GetRequiredService<HotStore<TDb>>().WriteAsync(async write =>
        {
            await handler.WriteAsync(write, ready);
            return true;
        }, stop);
    }
}

public static class EventConsumerRegistration
{
    /// <summary>Registers a consumer whose effect and inbox live in <typeparamref name="TDb"/>.</summary>
    public static IServiceCollection AddEventHandler<TEvent, THandler, TDb>(this IServiceCollection services)
        where TEvent : IIntegrationEvent where THandler : class, IHandleEvent<TEvent> where TDb : ModuleDb
    {
        services.AddScoped<THandler>();
        services.AddSingleton<EventConsumer>(new EventConsumer<TEvent, THandler, TDb>());
        return services;
    }

    /// <summary>The same for a consumer that writes by the hot store and knows by its own key what it has written. It is one for the process.</summary>
    public static IServiceCollection AddHotEventHandler<TEvent, TReady, THandler, TDb>(this IServiceCollection services)
        where TEvent : IIntegrationEvent where TReady : class where THandler : class, IHandleEventHot<TEvent, TReady> where TDb : ModuleDb
    {
        services.AddSingleton<THandler>();
        services.AddSingleton<EventConsumer>(new HotEventConsumer<TEvent, TReady, THandler, TDb>());
        return services;
    }
}
