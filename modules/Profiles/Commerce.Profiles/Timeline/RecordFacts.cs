using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Commerce.Profiles.Contracts;
using Commerce.Profiles.Data;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Profiles.Timeline;

/// <summary>Puts what other modules tell onto the customer's timeline, each fact once by its id.</summary>
internal sealed class RecordFact(ProfilesDb db, PersonalData personal) : IHandleEvent<TimelineFact>
{
    public Task Handle(TimelineFact message, Delivery delivery, CancellationToken stop) => Facts.AddAsync(db, personal, [message], stop);
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
            if (!known.Add(fact.Fact)) continue;
            try
            {
                var details = new TimelineDetails(
                    fact.Summary, fact.Partner, fact.PartnerName, fact.Banner, fact.OrderNumber, fact.Receipt, fact.Hop, fact.Claims);
                db.Timeline.Add(await TimelineEntry.NewAsync(fact.Fact, fact.Customer, fact.At, fact.Kind, details, personal, stop));
            }
            catch (CustomerErasedException)
            {
                // erased between the fact and now: nothing more is kept about them
            }
        }
    }
}
