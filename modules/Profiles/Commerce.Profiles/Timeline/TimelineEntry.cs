using Commerce.Kernel.Secrets;
using Commerce.Profiles.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Commerce.Profiles.Timeline;

/// <summary>One thing that happened, as the customer sees it. Only when, what kind and whose stand in clear.</summary>
internal sealed class TimelineEntry
{
    private const string Purpose = "profiles.timeline";

    /// <summary>The fact's own id, from whoever told it: the key that keeps it from being shown twice.</summary>
    public required Guid Fact { get; init; }

    public required Guid Customer { get; init; }
    public DateTimeOffset At { get; init; }

    /// <summary>See <see cref="Contracts.TimelineFact"/>.</summary>
    public required string Kind { get; init; }

    public required byte[] Details { get; init; }

    public static async ValueTask<TimelineEntry> NewAsync(
        Guid fact, Guid customer, DateTimeOffset at, string kind, TimelineDetails details, PersonalData personal, CancellationToken stop) => new()
        {
            Fact = fact, Customer = customer, At = at, Kind = kind,
            Details = await personal.ProtectJsonAsync(customer, Purpose, details, stop),
        };

    public async ValueTask<ShownFact?> ReadAsync(PersonalData personal, CancellationToken stop) =>
        await personal.UnprotectJsonAsync<TimelineDetails>(Customer, Purpose, Details, stop) is { } details ? new ShownFact(At, Kind, details) : null;
}

/// <summary>The sealed part of a fact.</summary>
internal sealed record TimelineDetails(
    string? Summary = null, string? Partner = null, string? PartnerName = null, string? Banner = null, string? OrderNumber = null,
    string? Receipt = null, string? Hop = null, IReadOnlyList<string>? Claims = null);

internal sealed class TimelineEntryMap : IEntityTypeConfiguration<TimelineEntry>
{
    public void Configure(EntityTypeBuilder<TimelineEntry> entry)
    {
        entry.ToTable("timeline").HasKey(t => t.Fact);
        entry.Property(t => t.Fact).ValueGeneratedNever();
        entry.Property(t => t.Kind).HasMaxLength(32);
        entry.HasIndex(t => new { t.Customer, t.At });      // a customer's newest facts
    }
}
