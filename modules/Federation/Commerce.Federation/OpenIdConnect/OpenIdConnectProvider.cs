using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>The hub as an OpenID provider.</summary>
internal static class OpenIdConnectProvider
{
    public static void Register(IServiceCollection services)
    {
    }

    public static void Map(IEndpointRouteBuilder routes)
    {
    }
}
