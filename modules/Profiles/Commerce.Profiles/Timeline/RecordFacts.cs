using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Commerce.Profiles.Contracts;
using Commerce.Profiles.Data;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Profiles.Timeline;

/// <summary>Puts what other modules tell onto the customer's timeline, each fact once by its id.</summary>
internal sealed class RecordFact(PersonalData personal) : IHandleEventHot<TimelineFact, TimelineEntry>
{
    private static readonly HotSql Insert = new("""
        INSERT INTO {schema}timeline ("Fact", "Customer", "At", "Kind", "Details") VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING
        """);

    public ValueTask<TimelineEntry?> PrepareAsync(TimelineFact message, Delivery delivery, CancellationToken stop) => Facts.SealAsync(message, personal, stop);

    public async ValueTask WriteAsync(HotWrite write, IReadOnlyList<TimelineEntry> ready)
    {
        foreach (var entry in ready) await write.ExecuteAsync(Insert, entry.Fact, entry.Customer, entry.At, entry.Kind, entry.Details);
    }
}

/// <summary>The same for an import's batch.</summary>
internal sealed class RecordFacts(ProfilesDb db, PersonalData personal) : IHandleEvent<TimelineFacts>
{
    public async Task Handle(TimelineFacts message, Delivery delivery, CancellationToken stop)
    {
        await personal.EnsureKeysAsync([.. message.Facts.Select(f => f.Customer).Distinct()], stop);
        await Facts.AddAsync(db, personal, message.Facts, stop);
    }
}

internal static class Facts
{
    public static async Task AddAsync(ProfilesDb db, PersonalData personal, IReadOnlyList<TimelineFact> facts, CancellationToken stop)
    {
        var ids = facts.Select(f => f.Fact).ToList();
        var known = (await db.Timeline.Where(t => ids.Contains(t.Fact)).Select(t => t.Fact).ToListAsync(stop)).ToHashSet();
        foreach (var fact in facts)
        {
            if (known.Add(fact.Fact) && await SealAsync(fact, personal, stop) is { } entry) db.Timeline.Add(entry);
        }
    }

    /// <summary>Null where the customer was erased between the fact and now: nothing more is kept about them.</summary>
    public static async ValueTask<TimelineEntry?> SealAsync(TimelineFact fact, PersonalData personal, CancellationToken stop)
    {
        try
        {
            var details = new TimelineDetails(fact.Summary, fact.Partner, fact.PartnerName, fact.Banner, fact.OrderNumber, fact.Receipt, fact.Hop, fact.Claims);
            return await TimelineEntry.NewAsync(fact.Fact, fact.Customer, fact.At, fact.Kind, details, personal, stop);
        }
        catch (CustomerErasedException)
        {
            return null;
        }
    }
}
