using System.Text.Json;
using Commerce.Federation.Contracts;
using Commerce.Kernel;
using Commerce.Saml;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

namespace Commerce.Federation.Partners;

/// <summary>Fetches one feed again and takes in what changed.</summary>
/// <remarks>
/// What a signed feed says is taken. Without a signature, a change of endpoints or keys waits for an operator: whoever gets hold of the
/// partner's web server must not be able to lead its customers elsewhere. A feed that cannot be read, is not signed as it should be, or has
/// expired changes nothing; the records it gave end with their own validUntil.
/// </remarks>
internal sealed partial class MetadataRefresh(
    FederationDb db, MetadataFetch fetch, Connections connections, HubSettings settings, TimeProvider clock, ILogger<MetadataRefresh> log)
{
    private static readonly TimeSpan Usual = TimeSpan.FromHours(6);
    private static readonly TimeSpan Shortest = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan Longest = TimeSpan.FromHours(24);
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMinutes(5);

    public async Task<MetadataRefreshed> RunAsync(MetadataSource source, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        var fetched = await fetch.GetAsync(source.Url, stop);
        var problem = fetched.IsOk ? null : fetched.Refusal!.Errors![0].Message;
        List<string> changed = [], waiting = [];
        if (problem is null)
        {
            using var document = new MemoryStream(fetched.Value.Xml);
            problem = Check(source, document, now, out var header) ?? await TakeAsync(source, document, changed, waiting, now, stop);
            if (problem is null) Succeeded(source, header!, fetched.Value.ClockAhead, now);
        }
        if (problem is not null)
        {
            db.ChangeTracker.Entries().Where(entry => entry.State == EntityState.Modified && entry.Entity != source).ToList().ForEach(entry => entry.State = EntityState.Detached);
            changed.Clear();
            waiting.Clear();
            Failed(source, problem, now);
            LogFailed(log, source.Id, source.Failures, problem);
        }
        await db.SaveChangesAsync(stop);
        connections.Forget();
        foreach (var connection in changed) LogChanged(log, connection, source.Id);
        foreach (var connection in waiting) LogWaits(log, connection, source.Id);
        return new MetadataRefreshed(source.Id, changed, waiting, problem);
    }

    /// <summary>When the feed is looked at next: at the latest when its copy should no longer be kept, and well before it expires.</summary>
    public static void Succeeded(MetadataSource source, MetadataHeader header, int? clockAhead, DateTimeOffset now)
    {
        var wait = header.CacheDuration ?? Usual;
        if (header.ValidUntil is { } until && (until - now) / 2 < wait) wait = (until - now) / 2;
        wait = wait < Shortest ? Shortest : wait > Longest ? Longest : wait;
        (source.FetchedAt, source.ValidUntil, source.ClockAhead, source.NextAt, source.Failures, source.Problem) = (now, header.ValidUntil, clockAhead, now + wait, 0, null);
    }

    /// <summary>Tries again after 5, 10, 20 … minutes, at most half a day.</summary>
    public static void Failed(MetadataSource source, string problem, DateTimeOffset now)
    {
        source.Failures++;
        source.Problem = problem.Length <= MetadataSource.LongestProblem ? problem : problem[..MetadataSource.LongestProblem];
        var wait = FirstRetry * Math.Pow(2, Math.Min(source.Failures, 9) - 1);
        source.NextAt = now + (wait > Longest / 2 ? Longest / 2 : wait);
    }

    private static string? Check(MetadataSource source, MemoryStream document, DateTimeOffset now, out MetadataHeader? header)
    {
        header = null;
        if (source.Keys is { } keys && MetadataSigners.Fault(document, keys) is { } unsigned) return unsigned;
        if (!MetadataHeader.Read(document).TryGet(out header, out var fault)) return fault.Detail;
        document.Position = 0;
        if (header.ValidUntil <= now) return $"The document expired at {header.ValidUntil:u}.";
        // A signed document of last week is still signed; whoever brings it back would bring back the keys of that day.
        return source.Keys is not null && header.ValidUntil < source.ValidUntil
            ? $"The document is older than the last one: it ends at {header.ValidUntil:u}, that one at {source.ValidUntil:u}." : null;
    }

    private async Task<string?> TakeAsync(MetadataSource source, Stream document, List<string> changed, List<string> waiting, DateTimeOffset now, CancellationToken stop)
    {
        var followed = await db.Set<FollowedEntity>().Where(e => e.Source == source.Id).ToDictionaryAsync(e => e.Connection, StringComparer.Ordinal, stop);
        var rows = await (from entity in db.Set<FollowedEntity>() join row in db.Connections on entity.Connection equals row.Id where entity.Source == source.Id select row)
            .ToDictionaryAsync(row => row.Id, StringComparer.Ordinal, stop);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var read in SpMetadataReader.Read(document, new SpMetadataOptions { RequireHttps = !settings.IsDevelopment, EntityId = source.EntityId }, clock))
        {
            if (!read.TryGet(out var entry, out var fault)) return fault.Detail;
            if (entry.ServiceProvider is not { } provider || SamlPartnerBook.Fault(provider) is not null || !seen.Add(provider.EntityId)) continue;

            // Newcomers are added by an operator; whom the operator removed stays away.
            if (!followed.TryGetValue(provider.EntityId, out var entity) || !rows.TryGetValue(provider.EntityId, out var row)) continue;
            entity.SeenAt = now;
            var known = JsonSerializer.Deserialize<ServiceProvider>(row.Metadata, HubJson.Options)!;
            var changes = MetadataChange.Between(known, provider);
            if (source.Signers is null && changes.Any(change => change.IsSensitive))
            {
                var pending = JsonSerializer.Serialize(provider, HubJson.Options);
                if (entity.Pending is null || MetadataChange.Between(JsonSerializer.Deserialize<ServiceProvider>(entity.Pending, HubJson.Options)!, provider).Count > 0) entity.PendingAt = now;
                entity.Pending = pending;
                waiting.Add(provider.EntityId);
                continue;
            }
            (entity.Pending, entity.PendingAt) = (null, null);
            if (changes.Count == 0 && known.ValidUntil == provider.ValidUntil) continue;
            SamlPartnerBook.Replace(row, provider);
            if (changes.Count > 0) changed.Add(provider.EntityId);
        }
        return seen.Count == 0 ? "The document holds no service provider that can be used." : null;
    }

    [LoggerMessage(EventId = 3110, Level = LogLevel.Warning, Message = "Metadata feed {Source} could not be taken in, {Failures} times in a row: {Problem}")]
    private static partial void LogFailed(ILogger log, string source, int failures, string problem);

    [LoggerMessage(EventId = 3111, Level = LogLevel.Information, Message = "Metadata of {Connection} changed by feed {Source}")]
    private static partial void LogChanged(ILogger log, string connection, string source);

    [LoggerMessage(EventId = 3112, Level = LogLevel.Warning, Message = "A change of an endpoint or a key of {Connection} in feed {Source} waits for approval: partner metadata diff")]
    private static partial void LogWaits(ILogger log, string connection, string source);
}

/// <summary>The same at an operator's word.</summary>
internal sealed class RefreshMetadataHandler(FederationDb db, MetadataRefresh refresh) : IRequestHandler<RefreshMetadata, Result<IReadOnlyList<MetadataRefreshed>>>
{
    public async Task<Result<IReadOnlyList<MetadataRefreshed>>> Handle(RefreshMetadata request, CancellationToken cancellationToken)
    {
        var sources = await db.Set<MetadataSource>().Where(s => request.Source == null || s.Id == request.Source).OrderBy(s => s.Id).ToListAsync(cancellationToken);
        if (request.Source is not null && sources.Count == 0) return Refusals.UnknownFeed;
        var done = new List<MetadataRefreshed>();
        foreach (var source in sources) done.Add(await refresh.RunAsync(source, cancellationToken));
        return Result.Of<IReadOnlyList<MetadataRefreshed>>(done);
    }
}
