using Commerce.Kernel;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Profiles;

/// <summary>The Profiles module.</summary>
public sealed class ProfilesModule : IModule
{
    public string Name => "profiles";

    public void Register(IServiceCollection services) => services.AddHandlersFrom<ProfilesModule>();

    public void Map(IEndpointRouteBuilder routes)
    {
    }
}
