using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Kernel.Outbox;

/// <summary>One consumer as registered: which event it takes, and how to run it with its inbox.</summary>
internal abstract class EventConsumer
{
    public abstract string EventType { get; }
    public abstract string Name { get; }

    /// <summary>Runs the consumer once for this event: does nothing where its inbox has the event already.</summary>
    public abstract Task RunAsync(IServiceProvider services, byte[] body, Delivery delivery, CancellationToken stop);
}

internal sealed class EventConsumer<TEvent, THandler, TDb> : EventConsumer
    where TEvent : IIntegrationEvent where THandler : class, IHandleEvent<TEvent> where TDb : ModuleDb
{
    public override string EventType { get; } = EventTypes.NameOf(typeof(TEvent));
    public override string Name { get; } = typeof(THandler).FullName!;

    public override async Task RunAsync(IServiceProvider services, byte[] body, Delivery delivery, CancellationToken stop)
    {
        await using var scope = services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<TDb>();
        if (await db.Inbox.AsNoTracking().AnyAsync(e => e.Event == delivery.Event && e.Consumer == Name, stop)) return;

        var message = JsonSerializer.Deserialize<TEvent>(body, HubJson.Options) ?? throw new JsonException("An event is an object.");
        var handler = scope.ServiceProvider.GetRequiredService<THandler>();
        var clock = scope.ServiceProvider.GetRequiredService<TimeProvider>();
        await using var transaction = await db.Database.BeginTransactionAsync(stop);
        // The unique key is what makes the effect happen once; the look before is only cheaper.
        db.Inbox.Add(new InboxEntry { Event = delivery.Event, Consumer = Name, HandledAt = clock.GetUtcNow() });
        await handler.Handle(message, delivery, stop);
        await db.SaveChangesAsync(stop);
        await transaction.CommitAsync(stop);
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
}
