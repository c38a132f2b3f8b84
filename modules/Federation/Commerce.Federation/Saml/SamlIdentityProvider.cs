using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Federation.Saml;

/// <summary>The hub as a SAML 2.0 identity provider.</summary>
internal static class SamlIdentityProvider
{
    public static void Register(IServiceCollection services)
    {
    }

    public static void Map(IEndpointRouteBuilder routes)
    {
    }
}
