using System.Net;
using Commerce.Conformance.Tests.Suite;
using Commerce.Testing;
using Npgsql;

namespace Commerce.Conformance.Tests.Races;

/// <summary>The database is away for a moment, or has no connection to give: whoever asks is told to come again, and nothing is used up.</summary>
public sealed class DatabaseAwayTests(PostgresRaceHub hub) : IClassFixture<PostgresRaceHub>
{
    [Fact]
    public async Task A_refresh_token_sent_while_the_database_is_away_is_answered_503_and_works_when_it_is_back()
    {
        if (hub.Missing is { } missing) Assert.Skip(missing);
        var rp = await hub.AddAsync("contract");
        rp.UsePkce();
        var tokens = await rp.SignInAsync(hub.Hub.NewBrowser(), ("scope", "openid offline_access"));
        var connection = new NpgsqlConnectionStringBuilder(hub.Hub.Settings.Postgres);
        var database = connection.Database!;
        connection.Database = "postgres";
        await using var beside = new NpgsqlConnection(connection.ToString());
        await beside.OpenAsync(TestContext.Current.CancellationToken);

        await RunAsync(beside, $"ALTER DATABASE {database} ALLOW_CONNECTIONS false");
        await RunAsync(beside, $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'");
        await Wait.UntilAsync(async () => await CountAsync(beside, $"SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}'") == 0, "the hub has no connection left");
        var away = await rp.RefreshAsync(tokens.Refresh!);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "hub.busy"), (away.Status, away.Json.GetProperty("code").GetString()));
        Assert.Equal("2", away.Headers["Retry-After"]);

        await RunAsync(beside, $"ALTER DATABASE {database} ALLOW_CONNECTIONS true");
        Answer? back = null;
        // As it was told to. A connection of before may come out of the pool first; that costs another answer like the one above, and no token.
        await Wait.UntilAsync(async () => (back = await rp.RefreshAsync(tokens.Refresh!)).Status != HttpStatusCode.ServiceUnavailable, "the hub has a connection again");
        Assert.True(back!.Status == HttpStatusCode.OK, back.Body);
    }

    private static async Task<long> CountAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (long)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}
