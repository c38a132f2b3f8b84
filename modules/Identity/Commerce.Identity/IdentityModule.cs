using Commerce.Kernel;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Identity;

/// <summary>The Identity module.</summary>
public sealed class IdentityModule : IModule
{
    public string Name => "identity";

    public void Register(IServiceCollection services) => services.AddHandlersFrom<IdentityModule>();

    public void Map(IEndpointRouteBuilder routes)
    {
    }
}
