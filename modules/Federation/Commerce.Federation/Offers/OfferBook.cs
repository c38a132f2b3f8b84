using Commerce.Kernel;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Federation.Offers;

/// <param name="Connection">Where its hops lead.</param>
/// <param name="Purpose">What values leave for, from the data contract in force.</param>
internal sealed record OpenOffer(Offer Offer, Connection Connection, ContractPurpose Purpose);

/// <summary>The offers whose hops can be made now, from memory: as fresh as the <see cref="Connections"/>.</summary>
internal sealed class OfferBook(IServiceScopeFactory scopes, Connections connections, TimeProvider clock)
{
    private sealed record Held(IReadOnlyDictionary<string, (Offer Offer, IReadOnlyList<string> Connections)> Offers, long Generation, long At);

    private Held? held;

    /// <summary>The offer, if its partner, a connection and the contract let it be made now.</summary>
    public async ValueTask<OpenOffer?> FindAsync(string id, CancellationToken stop) =>
        (await AllAsync(stop)).Offers.TryGetValue(id, out var known) ? await OpenAsync(known.Offer, known.Connections, stop) : null;

    /// <summary>Offers for an order, by id. Rows and connections come from memory.</summary>
    public async Task<IReadOnlyList<OpenOffer>> MatchAsync(string banner, string? country, IReadOnlyList<string> categories, CancellationToken stop)
    {
        var matching = new List<OpenOffer>();
        foreach (var (offer, ids) in (await AllAsync(stop)).Offers.Values.OrderBy(o => o.Offer.Id, StringComparer.Ordinal))
        {
            if (offer.When.FitsShop(banner, country) && categories.Any(offer.When.FitsLine) && await OpenAsync(offer, ids, stop) is { } open) matching.Add(open);
        }
        return matching;
    }

    /// <summary>Of a partner's connections the one that a hop takes: first one on the target's own host, then the oldest that can start a sign-in.</summary>
    public static Connection? Choose(Offer offer, IEnumerable<Connection> connections)
    {
        var able = connections.Where(c => c.IsActive && c.TakesCustomers && (c.Saml is not null || c.Oidc?.InitiateLoginUri is not null)).ToList();
        var host = new Uri(offer.TargetUrl).Host;
        return able.Find(c => c.LandingHost == host) ?? able.FirstOrDefault();
    }

    private async Task<OpenOffer?> OpenAsync(Offer offer, IReadOnlyList<string> ids, CancellationToken stop)
    {
        var known = new List<Connection>(ids.Count);
        foreach (var id in ids)
        {
            if (await connections.FindAsync(id, stop) is { } connection) known.Add(connection);
        }
        return Choose(offer, known) is { } chosen && chosen.Contract?.Purpose(offer.Purpose) is { } purpose ? new OpenOffer(offer, chosen, purpose) : null;
    }

    private async ValueTask<Held> AllAsync(CancellationToken stop)
    {
        var generation = connections.Generation;
        if (held is { } known && known.Generation == generation && clock.GetElapsedTime(known.At) < Connections.Freshness) return known;
        var at = clock.GetTimestamp();
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<FederationDb>();
        var rows = await db.Offers.AsNoTracking().ToListAsync(stop);
        var partners = rows.Select(r => r.Partner).Distinct().ToList();
        var ids = (await db.Connections.AsNoTracking().Where(c => partners.Contains(c.Partner)).OrderBy(c => c.AddedAt).ThenBy(c => c.Id)
            .Select(c => new { c.Partner, c.Id }).ToListAsync(stop)).ToLookup(c => c.Partner, c => c.Id);
        // Addresses were checked when the offer came in; a row that this version cannot read is no offer.
        var offers = rows.Select(r => (r.Partner, Offer: OfferJson.Read(r.Json, development: true))).Where(r => r.Offer.IsOk)
            .ToDictionary(r => r.Offer.Value.Id, r => (r.Offer.Value, (IReadOnlyList<string>)[.. ids[r.Partner]]), StringComparer.Ordinal);
        return held = new Held(offers, generation, at);
    }
}
