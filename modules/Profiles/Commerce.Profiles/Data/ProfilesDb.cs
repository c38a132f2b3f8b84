using Commerce.Kernel;
using Commerce.Profiles.Attributes;
using Commerce.Profiles.Timeline;
using Commerce.Profiles.Vehicles;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Profiles.Data;

/// <summary>What is known about each customer, where it came from, and what happened to it. Every value is sealed with the customer's key.</summary>
internal sealed class ProfilesDb(DbContextOptions<ProfilesDb> options) : ModuleDb(options)
{
    public override string ModuleName => "profiles";
    public DbSet<ProfileAttribute> Attributes => Set<ProfileAttribute>();
    public DbSet<KeptVehicle> Vehicles => Set<KeptVehicle>();
    public DbSet<TimelineEntry> Timeline => Set<TimelineEntry>();

    protected override void Build(ModelBuilder model) => model.ApplyConfigurationsFromAssembly(typeof(ProfilesDb).Assembly);
}
