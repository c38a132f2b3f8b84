using Commerce.Kernel;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.Data;

/// <summary>The module's own database. Each capability maps its tables in its own file; this one only gathers the maps.</summary>
internal sealed class FederationDb(DbContextOptions<FederationDb> options) : ModuleDb(options)
{
    public override string ModuleName => "federation";
    public DbSet<Partner> Partners => Set<Partner>();
    public DbSet<DataContractRow> Contracts => Set<DataContractRow>();
    public DbSet<ConnectionRow> Connections => Set<ConnectionRow>();
    public DbSet<OfferRow> Offers => Set<OfferRow>();
    public DbSet<Hop> Hops => Set<Hop>();
    public DbSet<Release> Releases => Set<Release>();

    protected override void Build(ModelBuilder model) => model.ApplyConfigurationsFromAssembly(typeof(FederationDb).Assembly);
}
