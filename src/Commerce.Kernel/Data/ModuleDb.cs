using System.Text.Json;
using Commerce.Kernel.Outbox;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace Commerce.Kernel;

/// <summary>A module's own database: an SQLite file or a PostgreSQL schema of its own, with an outbox and an inbox beside its tables.</summary>
public abstract class ModuleDb(DbContextOptions options) : DbContext(options)
{
    /// <summary>The module's name; also the schema on PostgreSQL.</summary>
    public abstract string ModuleName { get; }

    /// <summary>Maps the module's own tables.</summary>
    protected abstract void Build(ModelBuilder model);

    internal DbSet<OutboxMessage> Outbox => Set<OutboxMessage>();
    internal DbSet<InboxEntry> Inbox => Set<InboxEntry>();

    /// <summary>
    /// Tells the other modules. The event is stored with the change that <c>SaveChangesAsync</c> saves: both stand or both fall.
    /// </summary>
    /// <remarks>At least once and in order per <see cref="IIntegrationEvent.Aggregate"/>; consumers' inboxes make it once.</remarks>
    public void Publish(IIntegrationEvent message)
    {
        var clock = this.GetService<TimeProvider>();
        var now = clock.GetUtcNow();
        Outbox.Add(new OutboxMessage
        {
            Id = Guid.CreateVersion7(now),
            Aggregate = message.Aggregate,
            Type = EventTypes.NameOf(message.GetType()),
            Body = this.GetService<OutboxSeal>().Seal(JsonSerializer.SerializeToUtf8Bytes(message, message.GetType(), HubJson.Options)),
            CreatedAt = now,
            NextAttemptAt = now,
        });
    }

    protected sealed override void OnModelCreating(ModelBuilder modelBuilder)
    {
        if (Database.ProviderName == Engines.Npgsql) modelBuilder.HasDefaultSchema(ModuleName);
        modelBuilder.Entity<OutboxMessage>(message =>
        {
            message.ToTable("outbox").HasKey(m => m.Sequence);
            message.Property(m => m.Sequence).ValueGeneratedOnAdd();
            message.Property(m => m.Aggregate).HasMaxLength(128);
            message.Property(m => m.Type).HasMaxLength(OutboxParcel.LongestType);
            message.Property(m => m.LastError).HasMaxLength(512);
            message.HasIndex(m => new { m.Aggregate, m.Sequence }).HasFilter(OutboxMessage.IsHeldBack);     // is an earlier event of the aggregate waiting?
        });
        modelBuilder.Entity<InboxEntry>(entry =>
        {
            entry.ToTable("inbox").HasKey(e => new { e.Event, e.Consumer });
            entry.Property(e => e.Consumer).HasMaxLength(128);
            entry.HasIndex(e => e.HandledAt);                           // old entries are swept
        });
        Build(modelBuilder);
    }

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder) =>
        configurationBuilder.Properties<DateTimeOffset>().HaveConversion<UtcTicks>();   // SQLite cannot sort a DateTimeOffset

    private sealed class UtcTicks() : ValueConverter<DateTimeOffset, long>(t => t.UtcTicks, t => new DateTimeOffset(t, TimeSpan.Zero));
}

internal static class Engines
{
    public const string Npgsql = "Npgsql.EntityFrameworkCore.PostgreSQL";
    public const string Sqlite = "Microsoft.EntityFrameworkCore.Sqlite";
}
