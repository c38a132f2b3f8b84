using System.Globalization;
using Commerce.Federation.Data;
using Commerce.Federation.Hops;
using Commerce.Federation.OpenIdConnect;
using Commerce.Federation.Saml;
using Commerce.Kernel;
using Commerce.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Commerce.Federation.Tests;

/// <summary>Every table that is swept, on both engines: what had its day goes, what has it ahead stays.</summary>
public sealed class SweepTests
{
    private static readonly Dictionary<string, string> EndOf = new()
    {
        ["oidc_requests"] = "ExpiresAt", ["oidc_used_assertions"] = "ExpiresAt", ["oidc_agreed_purchases"] = "ExpiresAt", ["oidc_device_codes"] = "ExpiresAt",
        ["oidc_initial_tokens"] = "ExpiresAt", ["oidc_revoked_tokens"] = "ExpiresAt", ["oidc_grants"] = "EndsAt", ["oidc_pushed_requests"] = "ExpiresAt",
        ["oidc_logout_deliveries"] = "FinishedAt", ["saml_requests"] = "ExpiresAt", ["saml_answered"] = "ForgetAt", ["saml_participants"] = "FirstAt", ["saml_artifacts"] = "ExpiresAt",
        ["saml_refusals"] = "At", ["oidc_guesses"] = "Since",
    };

    [Theory, InlineData("sqlite"), InlineData("postgresql")]
    public async Task What_had_its_day_goes_and_what_has_it_ahead_stays(string engine)
    {
        var clock = FakeClock.AtNoon();
        var neighbours = new Neighbours(clock);
        await using var hub = await TestHub.StartAsync([new FederationModule()], configure: services => neighbours.Register(services),
            postgres: await PostgresServer.DatabaseForAsync(engine, Assert.Skip), clock: clock);
        var store = hub.Services.GetRequiredService<HotStore<FederationDb>>();
        var now = clock.GetUtcNow();
        var tables = await hub.WithDbAsync<FederationDb, List<IEntityType>>(db => Task.FromResult(db.Model.GetEntityTypes().Where(t => EndOf.ContainsKey(t.GetTableName()!)).ToList()));
        Assert.Equal(EndOf.Count, tables.Count);
        foreach (var table in tables)
        {
            await InsertAsync(store, table, 1, now.AddYears(-1));
            await InsertAsync(store, table, 2, now.AddYears(1));
        }

        await Sweep.SweepAsync(store, now, default);
        await SweepSamlRequests.SweepAsync(store, now, default);
        await SweepHops.SweepAsync(store, now, default);

        foreach (var (table, end) in EndOf)
        {
            var left = await store.ReadAsync(read => read.ListAsync(new HotSql($$"""SELECT "{{end}}" FROM {schema}{{table}}"""), row => row.GetInstant(0)));
            Assert.True(left is [var one] && one == now.AddYears(1), $"{table}: {string.Join(", ", left)}");
        }
    }

    private static async Task InsertAsync(HotStore store, IEntityType table, int number, DateTimeOffset end)
    {
        var columns = table.GetProperties().Where(p => !p.IsNullable || p.GetColumnName() == EndOf[table.GetTableName()!]).ToList();
        var sql = new HotSql($$"""
            INSERT INTO {schema}{{table.GetTableName()}} ({{string.Join(", ", columns.Select(c => $"\"{c.GetColumnName()}\""))}})
            VALUES ({{string.Join(", ", columns.Select((_, at) => $"${at + 1}"))}})
            """);
        Assert.Equal(1, await store.WriteAsync(write => write.ExecuteAsync(sql, [.. columns.Select(c => c.GetColumnName() == EndOf[table.GetTableName()!] ? end : ValueFor(c, number))])));
    }

    private static object ValueFor(IProperty column, int number)
    {
        var type = Nullable.GetUnderlyingType(column.ClrType) ?? column.ClrType;
        if (type == typeof(Guid)) return new Guid(number, 0, 0, new byte[8]);
        if (type == typeof(byte[])) return new byte[] { (byte)number };
        if (type == typeof(DateTimeOffset)) return new DateTimeOffset(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);
        if (type == typeof(bool)) return false;
        if (type == typeof(string)) return number.ToString(CultureInfo.InvariantCulture);
        return type.IsEnum ? Enum.ToObject(type, 0) : Convert.ChangeType(number, type, CultureInfo.InvariantCulture);
    }
}
