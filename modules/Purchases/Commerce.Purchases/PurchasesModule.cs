using Commerce.Kernel;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Purchases;

/// <summary>The Purchases module.</summary>
public sealed class PurchasesModule : IModule
{
    public string Name => "purchases";

    public void Register(IServiceCollection services) => services.AddHandlersFrom<PurchasesModule>();

    public void Map(IEndpointRouteBuilder routes)
    {
    }
}
