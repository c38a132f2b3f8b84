using System.Text.Json;
using Commerce.Federation.Contracts;
using Commerce.Kernel;
using Commerce.Saml;
using MediatR;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.Partners;

/// <summary>Shows what waits for an operator, as differences in sentences.</summary>
internal sealed class PendingMetadataHandler(FederationDb db) : IRequestHandler<PendingMetadata, IReadOnlyList<PendingChange>>
{
    public async Task<IReadOnlyList<PendingChange>> Handle(PendingMetadata request, CancellationToken cancellationToken)
    {
        var waiting = await (
            from entity in db.Set<FollowedEntity>().AsNoTracking()
            join row in db.Connections.AsNoTracking() on entity.Connection equals row.Id
            where entity.Pending != null && (request.Of == null || row.Id == request.Of || row.Partner == request.Of)
            orderby entity.PendingAt
            select new { Entity = entity, Row = row }).ToListAsync(cancellationToken);
        return [.. waiting.Select(one => Describe(one.Row, one.Entity))];
    }

    public static PendingChange Describe(ConnectionRow row, FollowedEntity entity) => new(row.Id, row.Partner, entity.Source, entity.PendingAt!.Value,
        [.. MetadataChange.Between(Read(row.Metadata), Read(entity.Pending!)).OrderByDescending(change => change.IsSensitive).Select(change => change.Sentence)]);

    public static ServiceProvider Read(string json) => JsonSerializer.Deserialize<ServiceProvider>(json, HubJson.Options)!;
}

/// <summary>Takes a waiting change in, or drops it. Dropped, it waits again when the feed still says so at the next refresh.</summary>
internal sealed class DecidePendingMetadataHandler(FederationDb db, Connections connections) : IRequestHandler<DecidePendingMetadata, Result<PendingChange>>
{
    public async Task<Result<PendingChange>> Handle(DecidePendingMetadata request, CancellationToken cancellationToken)
    {
        var entity = await db.Set<FollowedEntity>().SingleOrDefaultAsync(e => e.Connection == request.Connection && e.Pending != null, cancellationToken);
        var row = await db.Connections.SingleOrDefaultAsync(c => c.Id == request.Connection, cancellationToken);
        if (entity is null || row is null) return Refusals.NothingPending;
        var change = PendingMetadataHandler.Describe(row, entity);
        if (request.Approve) SamlPartnerBook.Replace(row, PendingMetadataHandler.Read(entity.Pending!));
        (entity.Pending, entity.PendingAt) = (null, null);
        await db.SaveChangesAsync(cancellationToken);
        connections.Forget();
        return change;
    }
}

/// <summary>The feeds and how they do.</summary>
internal sealed class ListMetadataFeedsHandler(FederationDb db) : IRequestHandler<ListMetadataFeeds, IReadOnlyList<MetadataFeed>>
{
    public async Task<IReadOnlyList<MetadataFeed>> Handle(ListMetadataFeeds request, CancellationToken cancellationToken)
    {
        var counts = await db.Set<FollowedEntity>().AsNoTracking().GroupBy(e => e.Source)
            .Select(g => new { Source = g.Key, All = g.Count(), Waiting = g.Count(e => e.Pending != null) }).ToDictionaryAsync(c => c.Source, cancellationToken);
        var sources = await db.Set<MetadataSource>().AsNoTracking().OrderBy(s => s.Id).ToListAsync(cancellationToken);
        return [.. sources.Select(s => new MetadataFeed(s.Id, s.Url, s.Signers is not null, counts.GetValueOrDefault(s.Id)?.All ?? 0, counts.GetValueOrDefault(s.Id)?.Waiting ?? 0,
            s.FetchedAt, s.NextAt, s.ValidUntil, s.Failures, s.Problem))];
    }
}
