using Commerce.Host;
using Commerce.Kernel;
using Commerce.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Commerce.Architecture.Tests;

/// <summary>Migrations are written by hand: what they make must be what the model would make, on both engines.</summary>
public sealed class MigrationsMatchModels
{
    public static TheoryData<string> Modules() => ["kernel", .. Hub.AllModules.Select(m => m.Name)];

    [Theory]
    [MemberData(nameof(Modules))]
    public async Task A_migrated_sqlite_database_equals_its_model(string module)
    {
        using var folders = new TwoFolders();
        var (migrated, made) = await BothAsync(module, folders.Settings(0), folders.Settings(1), AddAll);
        Assert.Equal(made, migrated);
    }

    [Theory]
    [MemberData(nameof(Modules))]
    public async Task A_migrated_postgres_schema_equals_its_model(string module)
    {
        Assert.SkipWhen(PostgresServer.Missing is not null, PostgresServer.Missing ?? "");
        using var folders = new TwoFolders();
        var server = await PostgresServer.SharedAsync();
        var (migrated, made) = await BothAsync(module,
            folders.Settings(0) with { Postgres = await server.NewDatabaseAsync() }, folders.Settings(1) with { Postgres = await server.NewDatabaseAsync() }, AddAll);
        Assert.Equal(made, migrated);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_planted_migration_that_forgets_something_is_caught(bool postgres)
    {
        if (postgres) Assert.SkipWhen(PostgresServer.Missing is not null, PostgresServer.Missing ?? "");
        using var folders = new TwoFolders();
        var (one, two) = (folders.Settings(0), folders.Settings(1));
        if (postgres)
        {
            var server = await PostgresServer.SharedAsync();
            (one, two) = (one with { Postgres = await server.NewDatabaseAsync() }, two with { Postgres = await server.NewDatabaseAsync() });
        }
        var (migrated, made) = await BothAsync("forgetful", one, two, (services, settings) => services.AddLogging().AddKernel(settings).AddModuleDb<ForgetfulDb>("forgetful"));
        Assert.Contains(made.Except(migrated), line => line.Contains("Forgotten", StringComparison.Ordinal));
        Assert.Contains(made.Except(migrated), line => line.Contains("IX_things_Name", StringComparison.Ordinal));
        Assert.Contains(made.Except(migrated), line => line.StartsWith("things.MayBeNull", StringComparison.Ordinal));
        Assert.DoesNotContain(made.Except(migrated), line => line.Contains("outbox", StringComparison.Ordinal));
    }

    private static async Task<(IReadOnlyList<string> Migrated, IReadOnlyList<string> Made)> BothAsync(
        string module, HubSettings one, HubSettings two, Action<IServiceCollection, HubSettings> add)
    {
        var migrated = await WithAsync(module, one, add, async db =>
        {
            await db.Database.MigrateAsync();
            return await Schema.DescribeAsync(db);
        });
        var made = await WithAsync(module, two, add, async db =>
        {
            Schema.CreateFromModel(db);
            return await Schema.DescribeAsync(db);
        });
        return (migrated, made);
    }

    private static async Task<IReadOnlyList<string>> WithAsync(
        string module, HubSettings settings, Action<IServiceCollection, HubSettings> add, Func<ModuleDb, Task<IReadOnlyList<string>>> work)
    {
        var services = new ServiceCollection();
        add(services, settings);
        await using var provider = services.BuildServiceProvider();
        var type = provider.GetServices<ModuleDbType>().SingleOrDefault(m => m.Module == module);
        if (type is null) return [];    // a module without data
        await using var scope = provider.CreateAsyncScope();
        return await work((ModuleDb)scope.ServiceProvider.GetRequiredService(type.Type));
    }

    private static void AddAll(IServiceCollection services, HubSettings settings)
    {
        services.AddLogging();
        Hub.AddHub(services, settings, Hub.AllModules);
    }

    private sealed class TwoFolders : IDisposable
    {
        private readonly TempFolder[] folders = [new(), new()];

        public HubSettings Settings(int which) => new() { DataDirectory = folders[which].Path, PublicOrigin = "http://localhost", IsDevelopment = true };

        public void Dispose()
        {
            Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
            foreach (var folder in folders) folder.Dispose();
        }
    }
}

internal sealed class ForgetfulDb(DbContextOptions<ForgetfulDb> options) : ModuleDb(options)
{
    public override string ModuleName => "forgetful";

    protected override void Build(ModelBuilder model) => model.Entity<Thing>(thing =>
    {
        thing.ToTable("things").HasKey(t => t.Id);
        thing.Property(t => t.Name).HasMaxLength(20);
        thing.HasIndex(t => t.Name).IsUnique();
    });

    internal sealed class Thing
    {
        public Guid Id { get; init; }
        public required string Name { get; init; }
        public required string Forgotten { get; init; }
        public string? MayBeNull { get; init; }
    }
}

[DbContext(typeof(ForgetfulDb)), Migration("2026112201_forgetful")]
internal sealed class Forgetful() : ModuleMigration("forgetful")
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        CreateOutboxAndInbox(migrationBuilder);
        IndexEventsHeldBack(migrationBuilder);
        migrationBuilder.CreateTable("things", table => new
        {
            Id = table.Column<Guid>(),
            Name = table.Column<string>(maxLength: 20),
            MayBeNull = table.Column<string>(),
        }, Schema, table => table.PrimaryKey("PK_things", row => row.Id));
    }
}
