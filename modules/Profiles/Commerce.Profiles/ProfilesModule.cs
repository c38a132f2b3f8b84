using Commerce.Identity.Contracts;
using Commerce.Kernel;
using Commerce.Kernel.Outbox;
using Commerce.Profiles.Account;
using Commerce.Profiles.Attributes;
using Commerce.Profiles.Contracts;
using Commerce.Profiles.Data;
using Commerce.Profiles.Timeline;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Profiles;

/// <summary>The Profiles module: the single customer view, vehicles, the timeline, and the customer's own pages.</summary>
public sealed class ProfilesModule : IModule
{
    public string Name => "profiles";

    public void Register(IServiceCollection services) => services
        .AddModuleDb<ProfilesDb>(Name)
        .AddScoped<ReadTimeline>()
        .AddHandlersFrom<ProfilesModule>()
        .AddEventHandler<CustomerRegistered, KeepRegisteredName, ProfilesDb>()
        .AddHotEventHandler<TimelineFact, TimelineEntry, RecordFact, ProfilesDb>()
        .AddEventHandler<TimelineFacts, RecordFacts, ProfilesDb>();

    public void Map(IEndpointRouteBuilder routes)
    {
        ShowAccount.Map(routes);
        EditProfile.Map(routes);
        EditVehicles.Map(routes);
    }
}
