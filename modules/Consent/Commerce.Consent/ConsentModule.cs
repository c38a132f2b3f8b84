using Commerce.Kernel;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Consent;

/// <summary>The Consent module.</summary>
public sealed class ConsentModule : IModule
{
    public string Name => "consent";

    public void Register(IServiceCollection services) => services.AddHandlersFrom<ConsentModule>();

    public void Map(IEndpointRouteBuilder routes)
    {
    }
}
