using System.Text.Json;
using Commerce.Kernel;
using Commerce.Saml;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Commerce.Federation.Partners;

/// <summary>An address whose metadata the hub follows: one service provider, a federation's aggregate, or an entity at a query service.</summary>
internal sealed class MetadataSource
{
    public const int LongestId = 80;
    public const int LongestProblem = 500;

    /// <summary>Host and a mark of the address, for people to type.</summary>
    public required string Id { get; init; }
    public required string Url { get; init; }

    /// <summary>The one entity taken from it; null for all that are known from it.</summary>
    public string? EntityId { get; init; }

    /// <summary>JSON list of the keys that may have signed it; null: nothing is signed.</summary>
    public string? Signers { get; set; }
    public DateTimeOffset AddedAt { get; init; }

    /// <summary>When it is fetched next.</summary>
    public DateTimeOffset NextAt { get; set; }

    /// <summary>When it was read last with success.</summary>
    public DateTimeOffset? FetchedAt { get; set; }
    public DateTimeOffset? ValidUntil { get; set; }

    /// <summary>Failed refreshes in a row.</summary>
    public int Failures { get; set; }

    /// <summary>How the last one failed; null after a success.</summary>
    public string? Problem { get; set; }

    /// <summary>By how many seconds the publisher's clock was ahead of ours when it answered; null where it did not say.</summary>
    public int? ClockAhead { get; set; }

    public IReadOnlyList<TrustedKey>? Keys => Signers is null ? null : JsonSerializer.Deserialize<List<TrustedKey>>(Signers, HubJson.Options);
}

/// <summary>A connection that a feed keeps up to date.</summary>
internal sealed class FollowedEntity
{
    public required string Connection { get; init; }
    public required string Source { get; set; }

    /// <summary>When the feed last held it.</summary>
    public DateTimeOffset SeenAt { get; set; }

    /// <summary>JSON of a <see cref="ServiceProvider"/> that waits for an operator; null where nothing does.</summary>
    public string? Pending { get; set; }
    public DateTimeOffset? PendingAt { get; set; }
}

internal sealed class MetadataSourceMap : IEntityTypeConfiguration<MetadataSource>
{
    public void Configure(EntityTypeBuilder<MetadataSource> source)
    {
        source.ToTable("metadata_sources").HasKey(s => s.Id);
        source.Property(s => s.Id).HasMaxLength(MetadataSource.LongestId);
        source.Property(s => s.Url).HasMaxLength(PartnerUrl.Longest);
        source.Property(s => s.EntityId).HasMaxLength(Lengths.Connection);
        source.Property(s => s.Problem).HasMaxLength(MetadataSource.LongestProblem);
        source.Ignore(s => s.Keys);
        source.HasIndex(s => s.NextAt);
    }
}

internal sealed class FollowedEntityMap : IEntityTypeConfiguration<FollowedEntity>
{
    public void Configure(EntityTypeBuilder<FollowedEntity> entity)
    {
        entity.ToTable("followed_entities").HasKey(e => e.Connection);
        entity.Property(e => e.Connection).HasMaxLength(Lengths.Connection);
        entity.Property(e => e.Source).HasMaxLength(MetadataSource.LongestId);
        entity.HasIndex(e => e.Source);
    }
}
