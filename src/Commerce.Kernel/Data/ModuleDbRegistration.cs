using System.Data.Common;
using System.Reflection;
using Commerce.Kernel.Outbox;
using Commerce.Kernel.Secrets;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Kernel;

public static class ModuleDbRegistration
{
    private static readonly HotSql MigrationsHad = new("""SELECT "MigrationId" FROM migrations""");

    /// <summary>Adds the module's database on the engine of <see cref="HubSettings"/>, and the relay that empties its outbox.</summary>
    public static IServiceCollection AddModuleDb<TDb>(this IServiceCollection services, string module) where TDb : ModuleDb
    {
        // From a pool: a context with options of its own took a fifth of a request.
        services.AddDbContextPool<TDb>((provider, options) =>
        {
            var settings = provider.GetRequiredService<HubSettings>();
            if (settings.Postgres is { } postgres)
            {
                options.UseNpgsql(postgres, npgsql => npgsql.MigrationsHistoryTable("migrations", module));
            }
            else
            {
                options.UseSqlite(SqliteFile.Connection(SqliteFile.Of(settings, module)), sqlite => sqlite.MigrationsHistoryTable("migrations"));
                options.AddInterceptors(DurableSqlite.Instance);
            }
            // Migrations are written by hand and a test holds them against the model, so there is no snapshot to compare with.
            options.ConfigureWarnings(warnings => warnings.Ignore(RelationalEventId.PendingModelChangesWarning));
            options.AddInterceptors(provider.GetRequiredService<OutboxSignal>());
        });
        services.AddSingleton(provider => new HotStore<TDb>(module, provider.GetRequiredService<HubSettings>(), provider.GetRequiredService<HotPostgres>(),
            provider.GetRequiredService<OutboxSeal>(), provider.GetRequiredService<RecentEvents>(), provider.GetRequiredService<OutboxSignal>(),
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(new ModuleDbType(module, typeof(TDb)) { HotStore = provider => provider.GetRequiredService<HotStore<TDb>>() });
        return services;
    }

    /// <summary>Creates and migrates every registered module's database. Runs before the first request.</summary>
    /// <remarks>
    /// Where nothing is to be done no context is made: its model and the code around it take two seconds of a slow core and 40 MiB, and the
    /// paths that carry every hop never need them.
    /// </remarks>
    public static async Task MigrateModulesAsync(this IServiceProvider services, CancellationToken stop = default)
    {
        var settings = services.GetRequiredService<HubSettings>();
        Directory.CreateDirectory(settings.DataDirectory);
        foreach (var type in services.GetServices<ModuleDbType>())
        {
            if (await IsUpToDateAsync(settings, type, services)) continue;
            await using var scope = services.CreateAsyncScope();
            await ((ModuleDb)scope.ServiceProvider.GetRequiredService(type.Type)).Database.MigrateAsync(stop);
        }
        await services.GetRequiredService<SharedSecrets>().LoadAsync();
    }

    /// <summary>
    /// True where the file has had every migration. The migrator finds that out too, by a dozen queries and commits of its own lock on each file.
    /// On PostgreSQL, where another process may be migrating, its lock is what counts.
    /// </summary>
    private static async Task<bool> IsUpToDateAsync(HubSettings settings, ModuleDbType type, IServiceProvider services)
    {
        if (settings.Postgres is not null || !File.Exists(SqliteFile.Of(settings, type.Module))) return false;
        try
        {
            var had = await type.HotStore(services).ReadAsync(read => read.ListAsync(MigrationsHad, row => row.GetString(0)));
            return type.Type.Assembly.GetTypes()
                .Where(t => t.GetCustomAttribute<DbContextAttribute>()?.ContextType == type.Type)
                .Select(t => t.GetCustomAttribute<MigrationAttribute>()!.Id)
                .All(had.ToHashSet(StringComparer.Ordinal).Contains);
        }
        catch (SqliteException)
        {
            return false;   // a file without the table: the migrator makes it, or says what is wrong
        }
    }
}

/// <summary>One registered module database.</summary>
/// <param name="Module">The module's name.</param>
/// <param name="Type">Its context, derived from <see cref="ModuleDb"/>.</param>
public sealed record ModuleDbType(string Module, Type Type)
{
    private static readonly HotSql Ping = new("""SELECT 1 FROM {schema}migrations LIMIT 1""");

    /// <summary>True where the database is there and answers.</summary>
    public async Task<bool> AnswersAsync(IServiceProvider services, CancellationToken stop)
    {
        try
        {
            return await HotStore(services).ReadAsync(read => read.FirstAsync(Ping, row => row.GetInt32(0)), stop) == 1;
        }
        catch (DbException)
        {
            return false;
        }
    }

    internal Func<IServiceProvider, HotStore> HotStore { get; init; } = _ => throw new InvalidOperationException("Registered by AddModuleDb.");
}
