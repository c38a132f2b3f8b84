using Commerce.Kernel;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Federation;

/// <summary>The Federation module.</summary>
public sealed class FederationModule : IModule
{
    public string Name => "federation";

    public void Register(IServiceCollection services) => services.AddHandlersFrom<FederationModule>();

    public void Map(IEndpointRouteBuilder routes)
    {
    }
}
