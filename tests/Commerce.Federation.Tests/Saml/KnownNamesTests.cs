using Commerce.Federation.Data;
using Commerce.Federation.Partners;
using Commerce.Federation.Saml;
using Commerce.Kernel;
using Commerce.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Commerce.Federation.Tests.Saml;

/// <summary>A hub of an older version knew its pairs of customer and service provider by their releases: none is forgotten on the way.</summary>
public sealed class KnownNamesTests
{
    private static readonly HotSql
        Connect = new("""
            INSERT INTO {schema}connections ("Id", "Partner", "Protocol", "Name", "Metadata", "IsActive", "AddedAt") VALUES ($1, 'kolari-auto', $2, 'Kolari', '', $3, 0)
            """),
        Release = new("""
            INSERT INTO {schema}releases ("Id", "Customer", "Session", "Partner", "Connection", "Purpose", "ContractVersion", "ClaimNames", "Values", "ValuesHash", "CreatedAt")
            VALUES ($1, $2, $1, 'kolari-auto', $3, '', 1, '', $4, '', 0)
            """);

    [Theory, InlineData("sqlite"), InlineData("postgresql")]
    public async Task Whoever_had_a_release_over_saml_is_known_there_after_the_migration(string engine)
    {
        using var folder = new TempFolder();
        var settings = new HubSettings { DataDirectory = folder.Path, PublicOrigin = "http://localhost", Postgres = await PostgresServer.DatabaseForAsync(engine, Assert.Skip) };
        await using var services = new ServiceCollection().AddLogging().AddKernel(settings).AddModuleDb<FederationDb>("federation").BuildServiceProvider();
        await using var scope = services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<FederationDb>();
        await db.Database.MigrateAsync(TestContext.Current.CancellationToken);

        var (one, two) = (Guid.NewGuid(), Guid.NewGuid());
        await services.GetRequiredService<HotStore<FederationDb>>().WriteAsync(async write =>
        {
            await write.ExecuteAsync(Connect, "https://sp.example", Protocol.Saml, true);
            await write.ExecuteAsync(Connect, "client", Protocol.Oidc, true);
            foreach (var (customer, connection) in new[] { (one, "https://sp.example"), (one, "https://sp.example"), (two, "https://sp.example"), (two, "client") })
                await write.ExecuteAsync(Release, Guid.NewGuid(), customer, connection, new byte[] { 1 });
            return true;
        });
        await db.Database.ExecuteSqlRawAsync(KnownNames.FromReleases(db.Model.GetDefaultSchema()), TestContext.Current.CancellationToken);

        var known = await db.Set<KnownName>().AsNoTracking().ToListAsync(TestContext.Current.CancellationToken);
        Assert.Equal(new[] { one, two }.Order(), known.Select(n => n.Customer).Order());
        Assert.All(known, n => Assert.Equal("https://sp.example", n.Connection));
    }
}
