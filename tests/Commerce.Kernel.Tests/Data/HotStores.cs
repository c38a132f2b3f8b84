using Commerce.Kernel.Tests.Outbox;
using Commerce.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Commerce.Kernel.Tests.Data;

/// <summary>Writes that share a commit: what one does wrong hurts nobody else, and what was answered is there.</summary>
public sealed class HotStores : IAsyncDisposable
{
    private static readonly HotSql
        Put = new("""INSERT INTO {schema}counters ("Aggregate", "Value") VALUES ($1, $2)"""),
        Take = new("""UPDATE {schema}counters SET "Value" = 0 WHERE "Aggregate" = $1 AND "Value" > 0"""),
        Get = new("""SELECT "Value" FROM {schema}counters WHERE "Aggregate" = $1"""),
        All = new("""SELECT "Aggregate" FROM {schema}counters WHERE "Value" > $1 ORDER BY "Aggregate" """),
        Wrong = new("""INSERT INTO {schema}no_such_table VALUES ($1)""");

    private readonly TempFolder folder = new();
    private readonly List<ServiceProvider> processes = [];

    public static TheoryData<string> Engines => ["sqlite", "postgresql"];

    public async ValueTask DisposeAsync()
    {
        foreach (var process in processes) await process.DisposeAsync();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        folder.Dispose();
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task A_write_is_there_when_it_is_answered_and_its_event_is_delivered(string engine)
    {
        var services = await StartAsync(engine);
        Assert.Equal(1, await Shop.CountHotAsync(services, "a"));
        Assert.Equal(2, await Shop.CountAsync(services, "a"));      // the module's context sees it
        Assert.Equal(3, await Shop.CountHotAsync(services, "a"));   // and the other way round
        var relay = services.GetRequiredService<Kernel.Outbox.OutboxRelay>();
        await relay.StartAsync(default);
        await using var scope = services.CreateAsyncScope();
        var diary = scope.ServiceProvider.GetRequiredService<DiaryDb>();
        await Wait.UntilAsync(() => diary.Entries.CountAsync().ContinueWith(n => n.Result == 3, TaskScheduler.Default), "three numbers are written down");
        Assert.Equal([1, 2, 3], await diary.Entries.OrderBy(e => e.Id).Select(e => e.Number).ToListAsync());
        await relay.StopAsync(default);
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task Events_of_a_row_are_delivered_without_asking_the_row(string engine)
    {
        var services = await StartAsync(engine);
        var store = services.GetRequiredService<HotStore<CountersDb>>();
        var drafts = store.Drafts(new EventsOfRow("counter", Guid.NewGuid(), DateTimeOffset.UtcNow, [new Counted("a", 1)]));
        await store.WriteAsync(async write =>
        {
            foreach (var draft in drafts) await write.PublishAsync(draft);
            return true;
        });
        var relay = services.GetRequiredService<Kernel.Outbox.OutboxRelay>();
        await relay.StartAsync(default);
        await using var scope = services.CreateAsyncScope();
        var diary = scope.ServiceProvider.GetRequiredService<DiaryDb>();
        await Wait.UntilAsync(() => diary.Entries.AnyAsync(), "the number is written down");     // the row cannot be asked, see Trouble
        await relay.StopAsync(default);
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task One_that_fails_leaves_nothing_and_hurts_no_other_of_the_same_commit(string engine)
    {
        var store = await StoreAsync(engine);
        await store.WriteAsync(write => write.ExecuteAsync(Put, "taken", 1));
        var good = new List<Task<int>>();
        var bad = new List<Task<int>>();
        for (var i = 0; i < 10; i++)
        {
            var (name, wrong) = ($"n{i}", i % 2 == 0 ? Put : Wrong);
            good.Add(store.WriteAsync(write => write.ExecuteAsync(Put, name, 7)));
            bad.Add(store.WriteAsync(async write =>
            {
                await write.ExecuteAsync(Put, $"bad-{name}", 7);
                return await write.ExecuteAsync(wrong, "taken", 8);      // a key that is taken, or no statement at all
            }));
            bad.Add(store.WriteAsync<int>(_ => throw new InvalidOperationException("before anything")));
        }
        Assert.All(await Task.WhenAll(good), changed => Assert.Equal(1, changed));
        foreach (var one in bad) await Assert.ThrowsAnyAsync<Exception>(() => one);
        Assert.Equal([.. Enumerable.Range(0, 10).Select(i => $"n{i}"), "taken"], await NamesAsync(store));
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task An_undone_write_is_answered_and_leaves_nothing(string engine)
    {
        var store = await StoreAsync(engine);
        var before = store.WriteAsync(write => write.ExecuteAsync(Put, "stays", 1));
        var undone = store.WriteAsync(async write =>
        {
            await write.ExecuteAsync(Put, "goes", 1);
            write.Undo();
            return "no";
        });
        var after = store.WriteAsync(write => write.ExecuteAsync(Put, "stays too", 1));
        await Task.WhenAll(before, after);
        Assert.Equal("no", await undone);
        Assert.Equal(["stays", "stays too"], await NamesAsync(store));
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task Of_two_hundred_that_take_one_thing_in_two_processes_one_has_it(string engine)
    {
        var postgres = await PostgresServer.DatabaseForAsync(engine, Assert.Skip);
        HotStore[] stores = [(await StartAsync(postgres)).GetRequiredService<HotStore<CountersDb>>(), (await StartAsync(postgres)).GetRequiredService<HotStore<CountersDb>>()];
        await stores[0].WriteAsync(write => write.ExecuteAsync(Put, "code", 1));
        var took = await Task.WhenAll(Enumerable.Range(0, 200).Select(n => stores[n % 2].WriteAsync(write => write.ExecuteAsync(Take, "code"))));
        Assert.Equal(1, took.Sum());
    }

    [Fact]
    public async Task Writes_run_in_the_order_in_which_they_were_asked_for()
    {
        var store = await StoreAsync("sqlite");
        var order = new List<int>();
        await Task.WhenAll(Enumerable.Range(0, 500).Select(n => store.WriteAsync(write =>
        {
            order.Add(n);       // one at a time, or this list would break
            return ValueTask.FromResult(n);
        })));
        Assert.Equal(Enumerable.Range(0, 500), order);
    }

    [Fact]
    public async Task A_caller_who_gave_up_before_its_turn_writes_nothing_and_delays_nobody()
    {
        var store = await StoreAsync("sqlite");
        using var begun = new ManualResetEventSlim();
        using var go = new ManualResetEventSlim();
        using var patience = new CancellationTokenSource();
        var first = store.WriteAsync(write =>
        {
            begun.Set();
            go.Wait();
            return write.ExecuteAsync(Put, "first", 1);
        });
        begun.Wait();
        var second = store.WriteAsync(write => write.ExecuteAsync(Put, "second", 1), patience.Token);
        var third = store.WriteAsync(write => write.ExecuteAsync(Put, "third", 1));
        await patience.CancelAsync();
        go.Set();
        await Task.WhenAll(first, third);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        Assert.Equal(["first", "third"], await NamesAsync(store));
    }

    [Fact]
    public async Task A_caller_who_gives_up_while_its_work_runs_is_answered_all_the_same()
    {
        var store = await StoreAsync("sqlite");
        using var patience = new CancellationTokenSource();
        Assert.Equal(1, await store.WriteAsync(async write =>
        {
            await patience.CancelAsync();
            return await write.ExecuteAsync(Put, "done", 1);
        }, patience.Token));
        Assert.Equal(["done"], await NamesAsync(store));
    }

    [Fact]
    public async Task A_writer_elsewhere_is_waited_for()
    {
        var services = await StartAsync("sqlite");
        var store = services.GetRequiredService<HotStore<CountersDb>>();
        await using var scope = services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<CountersDb>();
        await using var other = await db.Database.BeginTransactionAsync();
        db.Counters.Add(new Counter { Aggregate = "theirs", Value = 1 });
        await db.SaveChangesAsync();
        var mine = store.WriteAsync(write => write.ExecuteAsync(Put, "mine", 1));
        Assert.Empty(await NamesAsync(store));      // a reader waits for nobody
        Assert.False(mine.IsCompleted);
        await other.CommitAsync();
        Assert.Equal(1, await mine);
        Assert.Equal(["mine", "theirs"], await NamesAsync(store));
    }

    [Fact]
    public async Task A_write_inside_a_write_is_a_mistake_that_is_told_at_once()
    {
        var store = await StoreAsync("sqlite");
        await Assert.ThrowsAsync<InvalidOperationException>(() => store.WriteAsync(async _ =>
            await store.WriteAsync(write => write.ExecuteAsync(Put, "inner", 1))));
    }

    [Fact]
    public async Task What_was_handed_over_before_the_end_is_written()
    {
        var services = await StartAsync("sqlite");
        var store = services.GetRequiredService<HotStore<CountersDb>>();
        var writes = Enumerable.Range(0, 50).Select(n => store.WriteAsync(write => write.ExecuteAsync(Put, $"n{n}", 1))).ToList();
        store.Dispose();
        Assert.Equal(50, (await Task.WhenAll(writes)).Sum());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => store.WriteAsync(write => write.ExecuteAsync(Put, "late", 1)));
    }

    [Fact]
    public async Task Every_commit_waits_for_the_disk()
    {
        var store = await StoreAsync("sqlite");
        // synchronous=FULL is 2; NORMAL, which loses the last commits at a power cut, is 1.
        Assert.Equal(2L, await store.WriteAsync(write => write.FirstAsync(new HotSql("PRAGMA synchronous"), row => row.GetInt64(0))));
        Assert.Equal("wal", await store.WriteAsync(write => write.FirstAsync(new HotSql("PRAGMA journal_mode"), row => row.GetString(0))));
        // 2: what a savepoint would put back stays in memory, and goes into no temporary file.
        Assert.Equal(2L, await store.WriteAsync(write => write.FirstAsync(new HotSql("PRAGMA temp_store"), row => row.GetInt64(0))));
    }

    public static IEnumerable<object?[]> Values =>
        from value in new object?[]
        {
            null, "", "a", "Äänekoski 😀", new string('ö', 170), new string('ö', 171), new string('x', 5000), Guid.Parse("0a1b2c3d-4e5f-6789-abcd-ef0123456789"),
            Array.Empty<byte>(), new byte[] { 0, 1, 255 }, 7, 7L, long.MinValue, true, false, new DateTimeOffset(2026, 11, 22, 10, 0, 0, TimeSpan.FromHours(2)), DayOfWeek.Friday,
        }
        select new[] { value };

    [Theory, MemberData(nameof(Values))]
    public async Task A_statement_keeps_a_value_as_the_driver_would(object? value)
    {
        var store = await StoreAsync("sqlite");
        await store.WriteAsync(write => write.ExecuteAsync(new HotSql("CREATE TABLE kinds (kind)")));
        await store.WriteAsync(write => write.ExecuteAsync(new HotSql("INSERT INTO kinds VALUES ($1)"), value));
        var kept = await store.ReadAsync(read => read.FirstAsync(new HotSql("SELECT typeof(kind), quote(kind) FROM kinds"), TwoTexts));
        var driver = await store.ReadAsync(read => read.FirstAsync(new HotSql("SELECT typeof($1), quote($1)"), TwoTexts, value));
        Assert.Equal(driver, kept);

        static (string, string) TwoTexts(System.Data.Common.DbDataReader row) => (row.GetString(0), row.GetString(1));
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task Values_are_known_by_their_number_wherever_they_stand(string engine)
    {
        var store = await StoreAsync(engine);
        await store.WriteAsync(write => write.ExecuteAsync(new HotSql("""INSERT INTO {schema}counters ("Value", "Aggregate") VALUES ($2, $1)"""), "a", 7));
        Assert.Equal(1, await store.WriteAsync(write => write.ExecuteAsync(
            new HotSql("""UPDATE {schema}counters SET "Value" = $3 + $3 WHERE "Value" = $2 AND "Aggregate" = $1"""), "a", 7, 4)));
        Assert.Equal(8, await store.ReadAsync(read => read.FirstAsync(Get, row => row.GetInt32(0), "a")));
    }

    [Fact]
    public async Task A_statement_that_failed_runs_again_and_remembers_no_value()
    {
        var store = await StoreAsync("sqlite");
        Assert.Equal(1, await store.WriteAsync(write => write.ExecuteAsync(Put, "once", 1)));
        var error = await Assert.ThrowsAsync<Microsoft.Data.Sqlite.SqliteException>(() => store.WriteAsync(write => write.ExecuteAsync(Put, "once", 2)));
        Assert.Equal(19, error.SqliteErrorCode);        // SQLITE_CONSTRAINT, with the driver's own words
        Assert.Contains("counters.Aggregate", error.Message);
        Assert.Equal(1, await store.WriteAsync(write => write.ExecuteAsync(Put, "twice", 2)));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => store.WriteAsync(write => write.ExecuteAsync(Put, "thrice", 1.5m)));
        Assert.Equal(["once", "twice"], await NamesAsync(store));
    }

    [Theory, MemberData(nameof(Engines))]
    public Task A_sweep_takes_what_is_old_however_much_it_is_and_nothing_else(string engine) => SweepsAsync(engine, hasIndex: true);

    [Theory, MemberData(nameof(Engines))]
    public Task A_sweep_that_goes_through_the_whole_table_takes_the_same(string engine) => SweepsAsync(engine, hasIndex: false);

    private async Task SweepsAsync(string engine, bool hasIndex)
    {
        var store = await StoreAsync(engine);
        await store.WriteAsync(async write =>
        {
            for (var i = 1; i <= 1_000; i++) await write.ExecuteAsync(Put, $"n{i}", i);
            return true;
        });
        var old = new HotSweep("counters", """ "Value" < $1 """) { HasIndex = hasIndex };
        Assert.Equal(901, await store.SweepAsync(old, new DateTimeOffset(902, TimeSpan.Zero)));     // four steps and a half
        Assert.Equal(99, (await NamesAsync(store)).Count);
        Assert.Equal(902, await store.ReadAsync(read => read.FirstAsync(Get, row => row.GetInt32(0), "n902")));
        Assert.Equal(0, await store.SweepAsync(old, new DateTimeOffset(902, TimeSpan.Zero)));
    }

    private static async Task<List<string>> NamesAsync(HotStore store) => await store.ReadAsync(read => read.ListAsync(All, row => row.GetString(0), 0));

    private async Task<HotStore> StoreAsync(string engine) => (await StartAsync(await PostgresServer.DatabaseForAsync(engine, Assert.Skip))).GetRequiredService<HotStore<CountersDb>>();

    private async Task<ServiceProvider> StartAsync(string? postgres)
    {
        if (postgres is "sqlite" or "postgresql") postgres = await PostgresServer.DatabaseForAsync(postgres, Assert.Skip);
        var services = Shop.Build(folder.Path, TimeProvider.System, postgres: postgres);
        processes.Add(services);
        await services.MigrateModulesAsync();
        return services;
    }
}
