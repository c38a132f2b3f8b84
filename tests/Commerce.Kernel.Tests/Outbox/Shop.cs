using Commerce.Kernel.Outbox;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Commerce.Kernel.Tests.Outbox;

/// <summary>Two small databases that tell each other things: counters publish, a diary writes down what arrives and echoes it.</summary>
internal static class Shop
{
    public static ServiceProvider Build(string folder, TimeProvider clock, Trouble? trouble = null, string? postgres = null)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton(clock);
        services.AddSingleton(trouble ?? new Trouble()).AddSingleton<IEventSource, CountersToldAgain>();
        services.AddKernel(new HubSettings { DataDirectory = folder, PublicOrigin = "http://localhost", Postgres = postgres });
        services.AddModuleDb<CountersDb>("counters").AddModuleDb<DiaryDb>("diary");
        services.AddEventHandler<Counted, WriteDown, DiaryDb>();
        services.AddEventHandler<WrittenDown, Echo, CountersDb>();
        return services.BuildServiceProvider();
    }

    /// <summary>Counts one aggregate up and tells about it, in one transaction. Returns the number that now stands.</summary>
    public static async Task<int> CountAsync(IServiceProvider services, string aggregate, CancellationToken stop = default)
    {
        await using var scope = services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<CountersDb>();
        var counter = await db.Counters.SingleOrDefaultAsync(c => c.Aggregate == aggregate, stop);
        if (counter is null) db.Counters.Add(counter = new Counter { Aggregate = aggregate });
        counter.Value++;
        db.Publish(new Counted(aggregate, counter.Value));
        await db.SaveChangesAsync(stop);
        return counter.Value;
    }

    /// <summary>The same by the hot store.</summary>
    public static async Task<int> CountHotAsync(IServiceProvider services, string aggregate, CancellationToken stop = default)
    {
        var store = services.GetRequiredService<HotStore<CountersDb>>();
        return await store.WriteAsync(async write =>
        {
            var value = await write.FirstAsync(CountUp, row => row.GetInt32(0), aggregate);
            foreach (var draft in store.Drafts(new Counted(aggregate, value))) await write.PublishAsync(draft);
            return value;
        }, stop);
    }

    private static readonly HotSql CountUp = new("""
        INSERT INTO {schema}counters ("Aggregate", "Value") VALUES ($1, 1) ON CONFLICT ("Aggregate") DO UPDATE SET "Value" = counters."Value" + 1 RETURNING "Value"
        """);
}

/// <summary>What a test lets go wrong.</summary>
internal sealed class Trouble
{
    /// <summary>Asked before a number is written down; an exception is what the consumer throws.</summary>
    public Func<Counted, Delivery, Exception?> WhenWritingDown { get; set; } = (_, _) => null;

    /// <summary>What a row tells when it is asked again.</summary>
    public Func<Guid, IReadOnlyList<IIntegrationEvent>?> WhenToldAgain { get; set; } = _ => throw new InvalidOperationException("Nobody was to ask.");
}

/// <summary>The rows whose events the outbox does not hold.</summary>
internal sealed class CountersToldAgain(Trouble trouble) : IEventSource
{
    public string Name => "counter";

    public ValueTask<IReadOnlyList<IIntegrationEvent>?> TellAgainAsync(Guid row, DateTimeOffset at, CancellationToken stop) => new(trouble.WhenToldAgain(row));
}

public sealed record Counted(string Name, int Number) : IIntegrationEvent
{
    string IIntegrationEvent.Aggregate => Name;
}

public sealed record WrittenDown(string Name, int Number) : IIntegrationEvent
{
    string IIntegrationEvent.Aggregate => Name;
}

internal sealed class WriteDown(DiaryDb db, Trouble trouble) : IHandleEvent<Counted>
{
    public Task Handle(Counted message, Delivery delivery, CancellationToken stop)
    {
        db.Entries.Add(new Entry { Aggregate = message.Name, Number = message.Number });
        db.Publish(new WrittenDown(message.Name, message.Number));
        // After the change was made, so that a failure must undo it.
        return trouble.WhenWritingDown(message, delivery) is { } error ? Task.FromException(error) : Task.CompletedTask;
    }
}

internal sealed class Echo(CountersDb db) : IHandleEvent<WrittenDown>
{
    public Task Handle(WrittenDown message, Delivery delivery, CancellationToken stop)
    {
        db.Echoes.Add(new Entry { Aggregate = message.Name, Number = message.Number });
        return Task.CompletedTask;
    }
}

internal sealed class CountersDb(DbContextOptions<CountersDb> options) : ModuleDb(options)
{
    public override string ModuleName => "counters";
    public DbSet<Counter> Counters => Set<Counter>();
    public DbSet<Entry> Echoes => Set<Entry>();

    protected override void Build(ModelBuilder model)
    {
        model.Entity<Counter>().ToTable("counters").HasKey(c => c.Aggregate);
        model.Entity<Entry>().ToTable("echoes").HasKey(e => e.Id);
    }
}

internal sealed class DiaryDb(DbContextOptions<DiaryDb> options) : ModuleDb(options)
{
    public override string ModuleName => "diary";
    public DbSet<Entry> Entries => Set<Entry>();

    protected override void Build(ModelBuilder model) => model.Entity<Entry>().ToTable("entries").HasKey(e => e.Id);
}

internal sealed class Counter
{
    public required string Aggregate { get; init; }
    public int Value { get; set; }
}

/// <summary>No key but a running one: an effect that happened twice would be seen.</summary>
internal sealed class Entry
{
    public long Id { get; init; }
    public required string Aggregate { get; init; }
    public int Number { get; init; }
}

[DbContext(typeof(CountersDb)), Migration("2026112201_counters")]
internal sealed class CountersMigration() : ModuleMigration("counters")
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        CreateOutboxAndInbox(migrationBuilder);
        IndexEventsHeldBack(migrationBuilder);
        migrationBuilder.CreateTable("counters", table => new { Aggregate = table.Column<string>(), Value = table.Column<int>() },
            Schema, table => table.PrimaryKey("PK_counters", row => row.Aggregate));
        migrationBuilder.CreateTable("echoes", table => new { Id = AutoIncrement(table.Column<long>()), Aggregate = table.Column<string>(), Number = table.Column<int>() },
            Schema, table => table.PrimaryKey("PK_echoes", row => row.Id));
    }
}

[DbContext(typeof(DiaryDb)), Migration("2026112201_diary")]
internal sealed class DiaryMigration() : ModuleMigration("diary")
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        CreateOutboxAndInbox(migrationBuilder);
        IndexEventsHeldBack(migrationBuilder);
        migrationBuilder.CreateTable("entries", table => new { Id = AutoIncrement(table.Column<long>()), Aggregate = table.Column<string>(), Number = table.Column<int>() },
            Schema, table => table.PrimaryKey("PK_entries", row => row.Id));
    }
}
