using Commerce.Federation.Data;
using Commerce.Kernel;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Commerce.Federation.Hops;

/// <summary>Closes hops for which no partner came in time, and deletes the values that waited for it: they never left.</summary>
internal sealed class SweepHops(IServiceScopeFactory scopes, TimeProvider clock, ILogger<SweepHops> log) : PeriodicWork(TimeSpan.FromMinutes(5), scopes, clock, log)
{
    private static readonly HotSql
        Overdue = new("""SELECT "Id", "Release" FROM {schema}hops WHERE "State" IN (0, 1) AND "ExpiresAt" <= $1 LIMIT 200"""),     // as the index is made
        Close = new("""UPDATE {schema}hops SET "State" = $2 WHERE "Id" = $1 AND "State" IN (0, 1)"""),
        Empty = new("""DELETE FROM {schema}releases WHERE "Id" = $1""");

    protected override Task RunAsync(IServiceProvider services, DateTimeOffset now, CancellationToken stop) =>
        SweepAsync(services.GetRequiredService<HotStore<FederationDb>>(), now, stop);

    internal static async Task SweepAsync(HotStore<FederationDb> store, DateTimeOffset now, CancellationToken stop)
    {
        List<(Guid Id, Guid? Release)> overdue;
        do
        {
            overdue = await store.ReadAsync(read => read.ListAsync(Overdue, row => (row.GetGuid(0), row.IsDBNull(1) ? (Guid?)null : row.GetGuid(1)), now), stop);
            var found = overdue;
            if (found.Count > 0) await store.WriteAsync(write => CloseAsync(write, found), stop);
        }
        while (overdue.Count > 0);
    }

    private static async ValueTask<bool> CloseAsync(HotWrite write, List<(Guid Id, Guid? Release)> overdue)
    {
        foreach (var (id, release) in overdue)
        {
            if (await write.ExecuteAsync(Close, id, HopState.Expired) == 1 && release is { } values) await write.ExecuteAsync(Empty, values);
        }
        return true;
    }
}

/// <summary>Sweeping looks for hops that are open past their time: an index of open hops alone stays small, where all hops would be read.</summary>
[DbContext(typeof(FederationDb)), Migration("2026112402_open_hops")]
internal sealed class OpenHops() : ModuleMigration("federation")
{
    protected override void Up(MigrationBuilder migrationBuilder) =>
        migrationBuilder.CreateIndex("IX_hops_ExpiresAt", "hops", "ExpiresAt", Schema, filter: HopMap.IsOpen);
}
