using Commerce.Kernel;
using MediatR;

namespace Commerce.Federation.Contracts;

/// <summary>Adds service providers from an address and follows it from then on: the hub fetches it again on a schedule.</summary>
/// <param name="Url">Where the metadata stands, or with <paramref name="IsQuery"/> the base address of a metadata query service (MDQ).</param>
/// <param name="IsQuery">Ask for <paramref name="EntityId"/> by the Metadata Query Protocol.</param>
/// <param name="SignedBy">Certificates that sign the document, PEM; null: it is taken on the word of the channel, and later changes of endpoints and keys wait for an operator.</param>
/// <param name="EntityId">Which entity of an aggregate; null where the document holds one, or for all.</param>
/// <param name="All">Every SAML 2.0 service provider of the aggregate.</param>
public sealed record FollowMetadata(string Url, bool IsQuery, string? SignedBy, string? EntityId, bool All, string? Contract) : IRequest<Result<FollowedMetadata>>;

/// <param name="Source">Id of the feed, as in the list of feeds.</param>
public sealed record FollowedMetadata(string Source, IReadOnlyList<AddedPartner> Added, IReadOnlyList<SkippedEntity> Skipped);

public sealed record ListMetadataFeeds : IRequest<IReadOnlyList<MetadataFeed>>;

/// <param name="Entities">How many connections it keeps up to date.</param>
/// <param name="Waiting">Connections with a change that waits for an operator's approval.</param>
/// <param name="ValidUntil">Of the document last read; null where it says nothing.</param>
/// <param name="Failures">Refreshes in a row that failed; <paramref name="Problem"/> says how the last one did.</param>
public sealed record MetadataFeed(
    string Id, string Url, bool IsSigned, int Entities, int Waiting, DateTimeOffset? FetchedAt, DateTimeOffset NextAt, DateTimeOffset? ValidUntil, int Failures, string? Problem);

/// <summary>Fetches feeds now instead of when they are due.</summary>
/// <param name="Source">One feed, or null for all.</param>
public sealed record RefreshMetadata(string? Source) : IRequest<Result<IReadOnlyList<MetadataRefreshed>>>;

/// <param name="Changed">Connections that took a change in.</param>
/// <param name="Waiting">Connections whose change waits for approval.</param>
/// <param name="Problem">Null where the feed was read.</param>
public sealed record MetadataRefreshed(string Source, IReadOnlyList<string> Changed, IReadOnlyList<string> Waiting, string? Problem);

/// <summary>What waits for an operator: per connection, what the new metadata changes.</summary>
/// <param name="Of">A connection or a partner; null for all.</param>
public sealed record PendingMetadata(string? Of) : IRequest<IReadOnlyList<PendingChange>>;

/// <param name="Changes">Sentences; those that made it wait come first.</param>
public sealed record PendingChange(string Connection, string Partner, string Source, DateTimeOffset Since, IReadOnlyList<string> Changes);

/// <summary>Takes a waiting change in, or drops it. Whoever approves has asked the partner by another way.</summary>
public sealed record DecidePendingMetadata(string Connection, bool Approve) : IRequest<Result<PendingChange>>;

/// <summary>Metadata and certificates that end within 60 days, soonest first.</summary>
public sealed record ListExpiring : IRequest<IReadOnlyList<Expiring>>;

/// <param name="What"><c>metadata</c>, <c>signing certificate</c>, <c>encryption certificate</c>.</param>
/// <param name="DaysLeft">Whole days; negative where it is over.</param>
/// <param name="Threshold">The warning it has reached: 60, 30, 7, or 0 where it is over.</param>
public sealed record Expiring(string Connection, string Partner, string What, DateTimeOffset Until, int DaysLeft, int Threshold);
