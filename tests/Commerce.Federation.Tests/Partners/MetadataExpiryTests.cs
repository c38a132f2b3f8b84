using Commerce.Federation.Contracts;
using Commerce.Federation.Data;
using Commerce.Federation.Partners;
using Commerce.Federation.Tests.Saml;
using Commerce.Kernel;
using Commerce.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Commerce.Federation.Tests.Partners;

/// <summary>What of the SAML partners ends soon, on both engines: what a feed renews is left out, and the log says it once a day.</summary>
public sealed class MetadataExpiryTests
{
    private const string Sp = "https://ending.example/sp";

    [Theory, InlineData("sqlite"), InlineData("postgresql")]
    public async Task The_date_of_metadata_counts_unless_a_feed_in_order_renews_it(string engine)
    {
        await using var hub = await StartAsync(engine);
        Assert.Equal(["signing certificate", "metadata"], await EndingAsync(hub));

        await FollowAsync(hub);
        Assert.Equal(["signing certificate"], await EndingAsync(hub));

        await hub.WithDbAsync<FederationDb, int>(db => db.Set<MetadataSource>().ExecuteUpdateAsync(row => row.SetProperty(s => s.Failures, 1)));
        Assert.Equal(["signing certificate", "metadata"], await EndingAsync(hub));

        await hub.WithDbAsync<FederationDb, int>(db => db.Set<MetadataSource>().ExecuteUpdateAsync(row => row.SetProperty(s => s.Failures, 0)));
        await hub.WithDbAsync<FederationDb, int>(db => db.Set<FollowedEntity>().ExecuteUpdateAsync(row => row.SetProperty(e => e.Pending, "{}")));
        Assert.Equal(["signing certificate", "metadata"], await EndingAsync(hub));

        await hub.WithDbAsync<FederationDb, int>(db => db.Connections.ExecuteUpdateAsync(row => row.SetProperty(c => c.IsActive, false)));
        Assert.Empty(await EndingAsync(hub));
    }

    [Fact]
    public async Task The_log_says_what_ends_once_a_day()
    {
        await using var hub = await StartAsync("sqlite");
        using var log = new LogLines();
        using var logs = new LoggerFactory([log]);
        using var refresher = new MetadataRefresher(hub.Services.GetRequiredService<IServiceScopeFactory>(), hub.Clock, logs.CreateLogger<MetadataRefresher>());
        Assert.Equal(2, await SaidAsync());
        Assert.Contains(log.Lines, line => line.Contains($"The metadata of {Sp}", StringComparison.Ordinal) && line.Contains("ends in 45 days", StringComparison.Ordinal));
        hub.Clock.Advance(TimeSpan.FromHours(23));
        Assert.Equal(2, await SaidAsync());
        hub.Clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(4, await SaidAsync());

        async Task<int> SaidAsync()
        {
            await refresher.WarnDailyAsync(hub.Services.GetRequiredService<HotStore<FederationDb>>(), hub.Clock.GetUtcNow(), TestContext.Current.CancellationToken);
            return log.Lines.Count;
        }
    }

    private static async Task<TestHub> StartAsync(string engine)
    {
        var clock = FakeClock.AtNoon();
        var hub = await TestHub.StartAsync([new FederationModule()], configure: new Neighbours(clock).Register,
            postgres: await PostgresServer.DatabaseForAsync(engine, Assert.Skip), development: true, clock: clock);
        var metadata = MetadataFeedTests.Entity(Sp, key: MetadataFeedTests.KeyTwo, validUntil: clock.GetUtcNow().AddDays(45));
        Assert.Equal(Sp, (await hub.AskAsync(new AddSamlPartner(metadata, null, null))).Value.Connection);
        return hub;
    }

    private static async Task<IReadOnlyList<string>> EndingAsync(TestHub hub) => [.. (await hub.AskAsync(new ListExpiring())).Select(one => one.What)];

    private static Task<int> FollowAsync(TestHub hub) => hub.WithDbAsync<FederationDb, int>(db =>
    {
        var now = hub.Clock.GetUtcNow();
        db.Add(new MetadataSource { Id = "feed", Url = "https://feed.example/md", AddedAt = now, NextAt = now.AddDays(1) });
        db.Add(new FollowedEntity { Connection = Sp, Source = "feed", SeenAt = now });
        return db.SaveChangesAsync();
    });
}
