using System.Data.Common;
using System.Runtime.CompilerServices;
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
            await db.Database.MigrateAsync(stop);
        }
        await services.GetRequiredService<SharedSecrets>().LoadAsync();
    }

    /// <summary>Write-ahead log with a flush at each commit: what was acknowledged survives a power cut.</summary>
    private sealed class DurableSqlite : DbConnectionInterceptor
    {
        public static readonly DurableSqlite Instance = new();

        // The settings hold as long as the connection to the file, which the pool keeps open; EF opens and closes around every command.
        private readonly ConditionalWeakTable<SQLitePCL.sqlite3, object> prepared = [];

        public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData) => Set(connection);

        public override Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
        {
            Set(connection);
            return Task.CompletedTask;
        }

        private void Set(DbConnection connection)
        {
            if (((SqliteConnection)connection).Handle is not { } file || prepared.TryGetValue(file, out _)) return;
            using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=30000;";
            command.ExecuteNonQuery();
            prepared.AddOrUpdate(file, this);
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
