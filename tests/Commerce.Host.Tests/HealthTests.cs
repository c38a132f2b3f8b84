using System.Net;
using Commerce.Kernel;
using Commerce.Testing;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Xunit;

namespace Commerce.Host.Tests;

public sealed class HealthTests
{
    [Fact]
    public async Task Ready_names_the_module_whose_database_does_not_answer_and_live_stays_live()
    {
        await using var hub = await TestHub.StartAsync();
        Assert.Equal("""{"status":"ready"}""", await hub.Http.GetStringAsync("/health/ready", TestContext.Current.CancellationToken));

        await using (var file = new SqliteConnection($"Data Source={hub.PathOf("purchases")};Pooling=false"))
        {
            await file.OpenAsync(TestContext.Current.CancellationToken);
            await using var rename = file.CreateCommand();
            rename.CommandText = "ALTER TABLE migrations RENAME TO lost";
            await rename.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        using var answer = await hub.Http.GetAsync("/health/ready", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Equal("""{"status":"not ready","down":["purchases"]}""", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal("""{"status":"live"}""", await hub.Http.GetStringAsync("/health/live", TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task It_is_not_ready_before_it_has_started_whole_though_it_answers()
    {
        var during = new Asking();
        await using var hub = await TestHub.StartAsync(configure: services => services.AddSingleton<IHostedService>(provider =>
        {
            during.Settings = provider.GetRequiredService<HubSettings>();
            return during;
        }));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, """{"status":"starting"}"""), during.Answer);
        Assert.Equal("""{"status":"ready"}""", await hub.Http.GetStringAsync("/health/ready", TestContext.Current.CancellationToken));
    }

    /// <summary>Asks when everything listens and the start is not over.</summary>
    private sealed class Asking : IHostedLifecycleService
    {
        public HubSettings? Settings { get; set; }
        public (HttpStatusCode, string) Answer { get; private set; }

        public async Task StartedAsync(CancellationToken cancellationToken)
        {
            using var client = new HttpClient();
            using var answer = await client.GetAsync(new Uri($"{Settings!.PublicOrigin}/health/ready"), cancellationToken);
            Answer = (answer.StatusCode, await answer.Content.ReadAsStringAsync(cancellationToken));
        }

        public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
        public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
        public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    [Fact]
    public async Task Ready_asks_postgresql_too()
    {
        await using var hub = await TestHub.StartAsync(postgres: await (await PostgresServer.SharedAsync()).NewDatabaseAsync());
        Assert.Equal("""{"status":"ready"}""", await hub.Http.GetStringAsync("/health/ready", TestContext.Current.CancellationToken));
    }

    // A thread that wakes and pushes the running one aside cost a code flow an eighth of its processor time (docs/performance.md).
    [Fact]
    public async Task Requests_wait_for_their_turn_at_the_processor_and_writers_go_first()
    {
        const string batch = "3", other = "0";
        using var data = new TempFolder();
        var origin = $"http://localhost:{TestHub.FreePort()}";
        using var hub = await HubProcess.StartAsync(data.Path, origin);
        using var client = new HttpClient();
        await client.GetStringAsync(new Uri($"{origin}/signin"), TestContext.Current.CancellationToken);

        await Wait.UntilAsync(() => AreAll("writer of", other), "the writers go first");
        await Wait.UntilAsync(() => AreAll(".NET TP Worker", batch), "the threads of requests wait for their turn");

        bool AreAll(string thread, string policy) => hub.PoliciesOf(thread) is { Count: > 0 } policies && policies.All(p => p == policy);
    }

    // What a context brings along made the start three times as long and a third larger (docs/performance.md).
    [Fact]
    public async Task A_start_that_has_nothing_to_migrate_makes_no_context()
    {
        using var data = new TempFolder();
        var origin = $"http://localhost:{TestHub.FreePort()}";
        using (var first = await HubProcess.StartAsync(data.Path, origin))
        {
            Assert.True(first.HasLoaded("Microsoft.EntityFrameworkCore.Sqlite.dll"));
            using var client = new HttpClient();
            await client.GetStringAsync(new Uri($"{origin}/connect/jwks"), TestContext.Current.CancellationToken);     // its keys are made
            await first.KillAsync();
        }
        using var second = await HubProcess.StartAsync(data.Path, origin);
        using var partner = new HttpClient();
        await partner.GetStringAsync(new Uri($"{origin}/connect/jwks"), TestContext.Current.CancellationToken);
        Assert.False(second.HasLoaded("Microsoft.EntityFrameworkCore.Sqlite.dll"));
    }
}
