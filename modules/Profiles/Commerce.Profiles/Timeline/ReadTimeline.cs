using Commerce.Kernel.Secrets;
using Commerce.Profiles.Contracts;
using Commerce.Profiles.Data;
using MediatR;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Profiles.Timeline;

/// <summary>Reads a customer's timeline: what the modules told, and the sign-ins at partners that the ledger knows.</summary>
internal sealed class ReadTimeline(ProfilesDb db, PersonalData personal, IMediator mediator)
{
    private const string ConsentGiven = "consent_given", ConsentWithdrawn = "consent_withdrawn";

    /// <summary>The newest facts, and every consent beyond them: a consent that still stands must stay in reach, however old it is.</summary>
    public async Task<IReadOnlyList<ShownFact>> OfAsync(Guid customer, int atMost, CancellationToken stop)
    {
        var told = await ToldAsync(customer, atMost, stop);
        var known = told.Select(t => t.Fact).ToHashSet();       // an earlier version told the timeline of sign-ins as well
        var signIns = (await mediator.Send(new SignInsAtPartners(customer, atMost), stop)).Where(s => known.Add(s.Fact)).ToList();
        var names = signIns.Count == 0 ? new Dictionary<string, string>()
            : await mediator.Send(new PartnerNames([.. signIns.Select(s => s.Partner!).Distinct()]), stop);

        var all = signIns.Select(s => new ShownFact(s.At, s.Kind, new TimelineDetails(
            Partner: s.Partner, PartnerName: names.GetValueOrDefault(s.Partner!), Receipt: s.Receipt, Claims: s.Claims))).ToList();
        foreach (var entry in told)
        {
            if (await entry.ReadAsync(personal, stop) is { } fact) all.Add(fact);
        }
        return [.. all.OrderByDescending(f => f.At).Where((fact, place) => place < atMost || fact.Kind is ConsentGiven or ConsentWithdrawn)];
    }

    private async Task<List<TimelineEntry>> ToldAsync(Guid customer, int atMost, CancellationToken stop)
    {
        var newest = await db.Timeline.AsNoTracking().Where(t => t.Customer == customer).OrderByDescending(t => t.At).ThenByDescending(t => t.Fact).Take(atMost).ToListAsync(stop);
        if (newest.Count < atMost) return newest;
        var seen = newest.Select(t => t.Fact).ToHashSet();
        var consents = await db.Timeline.AsNoTracking()
            .Where(t => t.Customer == customer && (t.Kind == ConsentGiven || t.Kind == ConsentWithdrawn)).OrderByDescending(t => t.At).ToListAsync(stop);
        return [.. newest, .. consents.Where(t => !seen.Contains(t.Fact))];
    }
}

/// <summary>A fact as the customer's page shows it.</summary>
internal sealed record ShownFact(DateTimeOffset At, string Kind, TimelineDetails Details);
