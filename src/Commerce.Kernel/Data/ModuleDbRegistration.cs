using Commerce.Kernel.Outbox;
using Commerce.Kernel.Secrets;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Kernel;

public static class ModuleDbRegistration
{
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
                var file = Path.Combine(settings.DataDirectory, $"{module}.db");
                options.UseSqlite(new SqliteConnectionStringBuilder { DataSource = file, DefaultTimeout = 30, ForeignKeys = true }.ToString(),
                    sqlite => sqlite.MigrationsHistoryTable("migrations"));
                options.AddInterceptors(DurableSqlite.Instance);
            }
            // Migrations are written by hand and a test holds them against the model, so there is no snapshot to compare with.
            options.ConfigureWarnings(warnings => warnings.Ignore(RelationalEventId.PendingModelChangesWarning));
            options.AddInterceptors(provider.GetRequiredService<OutboxSignal>());
        });
        services.AddSingleton(provider => new HotStore<TDb>(module, provider.GetRequiredService<HubSettings>(), provider.GetRequiredService<HotPostgres>(),
            provider.GetRequiredService<OutboxSeal>(), provider.GetRequiredService<OutboxSignal>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(new ModuleDbType(module, typeof(TDb)) { HotStore = provider => provider.GetRequiredService<HotStore<TDb>>() });
        return services;
    }

    /// <summary>Creates and migrates every registered module's database. Runs before the first request.</summary>
    public static async Task MigrateModulesAsync(this IServiceProvider services, CancellationToken stop = default)
    {
        Directory.CreateDirectory(services.GetRequiredService<HubSettings>().DataDirectory);
        foreach (var type in services.GetServices<ModuleDbType>())
        {
            await using var scope = services.CreateAsyncScope();
            var db = (ModuleDb)scope.ServiceProvider.GetRequiredService(type.Type);
            if (await IsUpToDateAsync(db, stop)) _ = db.Model;     // built here and not by the first request
            else await db.Database.MigrateAsync(stop);
        }
        await services.GetRequiredService<SharedSecrets>().LoadAsync();
    }

    /// <summary>
    /// True where the file has had every migration. The migrator finds that out too, by a dozen queries and commits of its own lock on each file.
    /// On PostgreSQL, where another process may be migrating, its lock is what counts.
    /// </summary>
    private static async Task<bool> IsUpToDateAsync(ModuleDb db, CancellationToken stop)
    {
        if (db.Database.ProviderName != Engines.Sqlite) return false;
        var connection = (SqliteConnection)db.Database.GetDbConnection();
        if (!File.Exists(connection.DataSource)) return false;
        await connection.OpenAsync(stop);
        try
        {
            await using var command = connection.CreateCommand();
            command.CommandText = """SELECT "MigrationId" FROM migrations""";
            var had = new HashSet<string>(StringComparer.Ordinal);
            await using var rows = await command.ExecuteReaderAsync(stop);
            while (await rows.ReadAsync(stop)) had.Add(rows.GetString(0));
            return db.Database.GetMigrations().All(had.Contains);
        }
        catch (SqliteException)
        {
            return false;   // a file without the table: the migrator makes it, or says what is wrong
        }
        finally
        {
            await connection.CloseAsync();
        }
    }
}

/// <summary>One registered module database.</summary>
/// <param name="Module">The module's name.</param>
/// <param name="Type">Its context, derived from <see cref="ModuleDb"/>.</param>
public sealed record ModuleDbType(string Module, Type Type)
{
    internal Func<IServiceProvider, HotStore> HotStore { get; init; } = _ => throw new InvalidOperationException("Registered by AddModuleDb.");
}
