using Commerce.Kernel.Outbox;
using Commerce.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Commerce.Kernel.Tests.Outbox;

/// <summary>The relay by hand and by a clock that stands still: what is due, what waits, what is dead.</summary>
public sealed class Relay : IAsyncLifetime
{
    private readonly TempFolder folder = new();
    private readonly FakeClock clock = FakeClock.AtNoon();
    private readonly Trouble trouble = new();
    private ServiceProvider services = null!;

    public async ValueTask InitializeAsync()
    {
        services = Shop.Build(folder.Path, clock, trouble);
        await services.MigrateModulesAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await services.DisposeAsync();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        folder.Dispose();
    }

    [Fact]
    public async Task An_event_is_delivered_once_and_its_row_goes()
    {
        await Shop.CountAsync(services, "a");
        Assert.Equal(1, await DeliverAsync());
        Assert.Equal(0, await DeliverAsync());
        Assert.Equal([1], await WrittenDownAsync("a"));
        Assert.Equal(0, await LeftAsync());
    }

    [Fact]
    public async Task A_change_that_is_not_saved_tells_nothing()
    {
        await using (var scope = services.CreateAsyncScope())
        {
            scope.ServiceProvider.GetRequiredService<CountersDb>().Publish(new Counted("a", 1));
        }
        Assert.Equal(0, await DeliverAsync());
    }

    [Fact]
    public async Task The_same_event_delivered_again_has_no_second_effect()
    {
        await Shop.CountAsync(services, "a");
        var row = await WithAsync<CountersDb, OutboxMessage>(db => db.Outbox.AsNoTracking().SingleAsync());
        await DeliverAsync();
        await WithAsync<CountersDb, int>(db =>
        {
            db.Outbox.Add(new OutboxMessage { Id = row.Id, Aggregate = row.Aggregate, Type = row.Type, Body = row.Body, CreatedAt = row.CreatedAt, NextAttemptAt = row.NextAttemptAt });
            return db.SaveChangesAsync();
        });
        Assert.Equal(1, await DeliverAsync());
        Assert.Equal([1], await WrittenDownAsync("a"));
        Assert.Equal(0, await LeftAsync());
    }

    [Fact]
    public async Task A_failing_event_waits_longer_each_time_and_its_change_is_undone()
    {
        var fails = true;
        trouble.WhenWritingDown = (_, _) => fails ? new InvalidOperationException("aino@example.com is not for the log") : null;
        await Shop.CountAsync(services, "a");
        var expected = new[] { 2, 8, 32, 128, 512, 2048, 8192, 21600, 21600, 21600 };
        foreach (var seconds in expected)
        {
            Assert.Equal(1, await DeliverAsync());
            Assert.Equal(0, await DeliverAsync());      // not yet due
            clock.Advance(TimeSpan.FromSeconds(seconds - 1));
            Assert.Equal(0, await DeliverAsync());
            clock.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.Empty(await WrittenDownAsync("a"));
        Assert.Equal("InvalidOperationException", await WithAsync<CountersDb, string?>(db => db.Outbox.Select(m => m.LastError).SingleAsync()));
        fails = false;
        Assert.Equal(1, await DeliverAsync());
        Assert.Equal([1], await WrittenDownAsync("a"));
    }

    [Fact]
    public async Task An_aggregate_waits_behind_its_failing_event_while_others_go_on()
    {
        trouble.WhenWritingDown = (message, _) => message is { Name: "a", Number: 2 } ? new InvalidOperationException() : null;
        for (var i = 0; i < 3; i++)
        {
            await Shop.CountAsync(services, "a");
            await Shop.CountAsync(services, "b");
        }
        await DeliverAllAsync();
        Assert.Equal([1], await WrittenDownAsync("a"));
        Assert.Equal([1, 2, 3], await WrittenDownAsync("b"));
        trouble.WhenWritingDown = (_, _) => null;
        clock.Advance(TimeSpan.FromSeconds(2));
        await DeliverAllAsync();
        Assert.Equal([1, 2, 3], await WrittenDownAsync("a"));
    }

    [Fact]
    public async Task More_failing_aggregates_than_a_batch_holds_do_not_stop_the_others()
    {
        trouble.WhenWritingDown = (message, _) => message.Name.StartsWith("bad", StringComparison.Ordinal) ? new InvalidOperationException() : null;
        for (var i = 0; i < 70; i++) await Shop.CountAsync(services, $"bad{i}");
        await Shop.CountAsync(services, "good");
        await DeliverAllAsync();
        Assert.Equal([1], await WrittenDownAsync("good"));
    }

    [Fact]
    public async Task An_event_that_used_up_its_attempts_is_dead_and_an_operator_can_retry_it()
    {
        var letters = await DieAsync("a");
        var dead = Assert.Single(letters);
        Assert.Equal(("counters", typeof(Counted).FullName, "InvalidOperationException", 1), (dead.Module, dead.Type, dead.LastError, dead.Waiting));
        clock.Advance(TimeSpan.FromDays(10));
        await DeliverAllAsync();
        Assert.Empty(await WrittenDownAsync("a"));     // neither the dead one nor the one behind it

        trouble.WhenWritingDown = (_, _) => null;
        Assert.True(await services.GetRequiredService<DeadLetters>().RetryAsync(dead.Event));
        await DeliverAllAsync();
        Assert.Equal([1, 2], await WrittenDownAsync("a"));
        Assert.Empty(await services.GetRequiredService<DeadLetters>().ListAsync());
    }

    [Fact]
    public async Task A_dropped_dead_letter_lets_the_later_ones_go()
    {
        var dead = Assert.Single(await DieAsync("a"));
        trouble.WhenWritingDown = (_, _) => null;
        Assert.True(await services.GetRequiredService<DeadLetters>().DropAsync(dead.Event));
        await DeliverAllAsync();
        Assert.Equal([2], await WrittenDownAsync("a"));
    }

    [Fact]
    public async Task Only_dead_letters_can_be_retried_or_dropped()
    {
        await Shop.CountAsync(services, "a");
        var living = await WithAsync<CountersDb, Guid>(db => db.Outbox.Select(m => m.Id).SingleAsync());
        var letters = services.GetRequiredService<DeadLetters>();
        Assert.False(await letters.RetryAsync(living));
        Assert.False(await letters.DropAsync(living));
        Assert.False(await letters.DropAsync(Guid.NewGuid()));
        Assert.Equal(1, await LeftAsync());
    }

    [Fact]
    public async Task A_body_that_cannot_be_read_dies_instead_of_stopping_the_relay()
    {
        await WithAsync<CountersDb, int>(db =>
        {
            db.Outbox.Add(new OutboxMessage
            {
                Id = Guid.CreateVersion7(), Aggregate = "x", Type = typeof(Counted).FullName!, Body = [1, 2, 3], CreatedAt = clock.GetUtcNow(), NextAttemptAt = clock.GetUtcNow(),
            });
            return db.SaveChangesAsync();
        });
        await Shop.CountAsync(services, "a");
        for (var i = 0; i < OutboxRelay.MaxAttempts; i++)
        {
            await DeliverAllAsync();
            clock.Advance(TimeSpan.FromHours(7));
        }
        Assert.Equal([1], await WrittenDownAsync("a"));
        Assert.Equal("CryptographicException", Assert.Single(await services.GetRequiredService<DeadLetters>().ListAsync()).LastError);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]      // which reads them from their rows
    public async Task Events_told_in_one_write_share_rows_and_each_reaches_its_consumers_in_order(bool byAnotherProcess)
    {
        await TellAsync(new Counted("a", 1), new Counted("a", 2), new WrittenDown("a", 7), new Counted("b", 1), new Counted("a", 3), new Counted("a", 4), new Counted("a", 5), new Counted("a", 6));
        Assert.Equal(4, await LeftAsync());     // neighbours of one aggregate, as far as the names of their types fit
        await using var other = Shop.Build(folder.Path, clock, trouble);
        var relay = (byAnotherProcess ? other : services).GetRequiredService<OutboxRelay>();
        Assert.Equal(4, await relay.DeliverDueAsync(services.GetServices<ModuleDbType>().Single(m => m.Module == "counters"), default));
        Assert.Equal([1, 2, 3, 4, 5, 6], await WrittenDownAsync("a"));
        Assert.Equal([1], await WrittenDownAsync("b"));
        Assert.Equal([7], await WithAsync<CountersDb, List<int>>(db => db.Echoes.Select(e => e.Number).ToListAsync()));
        Assert.Equal(0, await LeftAsync());
    }

    [Fact]
    public async Task Of_events_that_share_a_row_one_that_fails_is_tried_again_and_the_others_have_no_second_effect()
    {
        trouble.WhenWritingDown = (message, _) => message.Number == 2 ? new InvalidOperationException() : null;
        await TellAsync(new Counted("a", 1), new Counted("a", 2), new Counted("a", 3));
        await DeliverAllAsync();
        Assert.Equal([1], await WrittenDownAsync("a"));
        Assert.Equal(1, await LeftAsync());
        trouble.WhenWritingDown = (_, _) => null;
        clock.Advance(TimeSpan.FromSeconds(2));
        await DeliverAllAsync();
        Assert.Equal([1, 2, 3], await WrittenDownAsync("a"));
        Assert.Equal(0, await LeftAsync());
    }

    [Fact]
    public async Task Events_of_a_row_are_not_in_the_outbox_and_arrive_as_they_were_told()
    {
        await TellAsync(OfRow(new Counted("a", 1), new WrittenDown("a", 7)));
        var waiting = await WithAsync<CountersDb, OutboxMessage>(db => db.Outbox.AsNoTracking().SingleAsync());
        Assert.Equal(1 + 16 + "counter".Length, waiting.Body.Length);
        Assert.Equal(clock.GetUtcNow().AddSeconds(-5), waiting.CreatedAt);
        Assert.Equal(1, await DeliverAsync());      // nobody asks the row, see Trouble
        Assert.Equal([1], await WrittenDownAsync("a"));
        Assert.Equal([7], await WithAsync<CountersDb, List<int>>(db => db.Echoes.Select(e => e.Number).ToListAsync()));
        Assert.Equal(0, await LeftAsync());
    }

    [Fact]
    public async Task Events_of_a_row_that_another_process_told_are_made_anew_and_so_are_those_that_are_tried_again()
    {
        var told = OfRow(new Counted("a", 1), new WrittenDown("a", 7));
        await TellAsync(told);
        var fails = true;
        trouble.WhenWritingDown = (_, _) => fails ? new InvalidOperationException() : null;
        trouble.WhenToldAgain = row => row == told.Row ? told.Events : null;
        await using var other = Shop.Build(folder.Path, clock, trouble);
        for (var attempt = 1; attempt <= 2; attempt++)
        {
            Assert.Equal(1, await other.GetRequiredService<OutboxRelay>().DeliverDueAsync(services.GetServices<ModuleDbType>().Single(m => m.Module == "counters"), default));
            fails = false;
            clock.Advance(TimeSpan.FromSeconds(2));
        }
        Assert.Equal([1], await WrittenDownAsync("a"));
        Assert.Equal([7], await WithAsync<CountersDb, List<int>>(db => db.Echoes.Select(e => e.Number).ToListAsync()));
        Assert.Equal(0, await LeftAsync());
    }

    [Theory]
    [InlineData("gone", nameof(EventRowChangedException))]
    [InlineData("others", nameof(EventRowChangedException))]
    [InlineData("no source", nameof(EventRowChangedException))]
    [InlineData("fails", nameof(TimeoutException))]
    public async Task A_row_that_does_not_tell_what_it_told_stops_nobody_else_and_waits_for_an_operator(string why, string error)
    {
        var told = OfRow(new Counted("a", 1)) with { Source = why == "no source" ? "nobody" : "counter" };
        await TellAsync(told);
        trouble.WhenToldAgain = _ => why == "fails" ? throw new TimeoutException() : why == "gone" ? null : [new WrittenDown("a", 1)];
        await Shop.CountAsync(services, "b");
        await using var other = Shop.Build(folder.Path, clock, trouble);
        for (var i = 0; i < OutboxRelay.MaxAttempts; i++)
        {
            await other.GetRequiredService<OutboxRelay>().DeliverDueAsync(services.GetServices<ModuleDbType>().Single(m => m.Module == "counters"), default);
            clock.Advance(TimeSpan.FromHours(7));
        }
        Assert.Equal([1], await WrittenDownAsync("b"));
        var dead = Assert.Single(await services.GetRequiredService<DeadLetters>().ListAsync());
        Assert.Equal((typeof(Counted).FullName, error), (dead.Type, dead.LastError));
        Assert.Empty(await WrittenDownAsync("a"));
    }

    [Fact]
    public async Task The_running_relay_delivers_through_both_databases_and_stops_when_told()
    {
        var relay = services.GetRequiredService<OutboxRelay>();
        await relay.StartAsync(default);
        await Shop.CountAsync(services, "a");
        await Wait.UntilAsync(() => WithAsync<CountersDb, bool>(db => db.Echoes.AnyAsync()), "the echo came back");
        await relay.StopAsync(default);
        await Shop.CountAsync(services, "a");
        Assert.Equal(1, await LeftAsync());
    }

    private async Task<IReadOnlyList<DeadLetter>> DieAsync(string aggregate)
    {
        trouble.WhenWritingDown = (_, _) => new InvalidOperationException();
        await Shop.CountAsync(services, aggregate);
        await Shop.CountAsync(services, aggregate);
        for (var i = 0; i < OutboxRelay.MaxAttempts; i++)
        {
            Assert.Empty(await services.GetRequiredService<DeadLetters>().ListAsync());
            await DeliverAllAsync();
            clock.Advance(TimeSpan.FromHours(6));
        }
        return await services.GetRequiredService<DeadLetters>().ListAsync();
    }

    private Task<int> DeliverAsync() => services.GetRequiredService<OutboxRelay>().DeliverDueAsync(services.GetServices<ModuleDbType>().Single(m => m.Module == "counters"), default);

    private Task<bool> TellAsync(params IIntegrationEvent[] events) => TellAsync(store => store.Drafts(events));

    private Task<bool> TellAsync(EventsOfRow told) => TellAsync(store => store.Drafts(told));

    private EventsOfRow OfRow(params IIntegrationEvent[] events) => new("counter", Guid.NewGuid(), clock.GetUtcNow().AddSeconds(-5), events);

    private Task<bool> TellAsync(Func<HotStore, IReadOnlyList<OutboxDraft>> draft)
    {
        var store = services.GetRequiredService<HotStore<CountersDb>>();
        var drafts = draft(store);
        return store.WriteAsync(async write =>
        {
            foreach (var draft in drafts) await write.PublishAsync(draft);
            return true;
        });
    }

    private async Task DeliverAllAsync()
    {
        while (await DeliverAsync() > 0) { }
    }

    private Task<List<int>> WrittenDownAsync(string aggregate) =>
        WithAsync<DiaryDb, List<int>>(db => db.Entries.Where(e => e.Aggregate == aggregate).OrderBy(e => e.Id).Select(e => e.Number).ToListAsync());

    private Task<int> LeftAsync() => WithAsync<CountersDb, int>(db => db.Outbox.CountAsync());

    private async Task<T> WithAsync<TDb, T>(Func<TDb, Task<T>> work) where TDb : ModuleDb
    {
        await using var scope = services.CreateAsyncScope();
        return await work(scope.ServiceProvider.GetRequiredService<TDb>());
    }
}
