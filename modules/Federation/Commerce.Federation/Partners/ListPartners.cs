using Commerce.Federation.Contracts;
using MediatR;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.Partners;

/// <summary>Every connection with its partner, in the order in which they were added.</summary>
internal sealed class ListPartnersHandler(FederationDb db) : IRequestHandler<ListPartners, IReadOnlyList<PartnerSummary>>
{
    public async Task<IReadOnlyList<PartnerSummary>> Handle(ListPartners request, CancellationToken cancellationToken)
    {
        var versions = await db.Contracts.AsNoTracking().GroupBy(c => c.Partner).Select(g => new { g.Key, Version = g.Max(c => c.Version) })
            .ToDictionaryAsync(g => g.Key, g => g.Version, cancellationToken);
        var offers = (await db.Offers.AsNoTracking().Select(o => new { o.Partner, o.Id }).ToListAsync(cancellationToken)).ToLookup(o => o.Partner, o => o.Id);
        var rows = await (
            from connection in db.Connections.AsNoTracking()
            join partner in db.Partners.AsNoTracking() on connection.Partner equals partner.Id
            orderby partner.AddedAt, partner.Id, connection.AddedAt, connection.Id
            select new { connection.Id, connection.Protocol, connection.AddedAt, IsActive = connection.IsActive && partner.IsActive, Partner = partner.Id, partner.Name })
            .ToListAsync(cancellationToken);
        return [.. rows.Select(r => new PartnerSummary(r.Partner, r.Name, r.Protocol.Word(), r.Id, r.IsActive,
            versions.TryGetValue(r.Partner, out var version) ? version : null, [.. offers[r.Partner].Order(StringComparer.Ordinal)], r.AddedAt))];
    }
}

internal static class ProtocolWords
{
    /// <summary><c>oidc</c> or <c>saml</c>, as contracts and events say it.</summary>
    public static string Word(this Protocol protocol) => protocol == Protocol.Saml ? "saml" : "oidc";
}
