using Commerce.Federation.OpenIdConnect;
using Commerce.Federation.Saml;
using Commerce.Kernel;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Federation;

/// <summary>Partners, offers and hops; the OIDC provider and the SAML identity provider that carry them.</summary>
public sealed class FederationModule : IModule
{
    public string Name => "federation";

    public void Register(IServiceCollection services)
    {
        services.AddModuleDb<FederationDb>(Name).AddHandlersFrom<FederationModule>();
        services.AddSingleton<Connections>();
        services.AddScoped<ReleaseGate>().AddScoped<ReleaseValues>().AddScoped<ReleasedClaims>().AddScoped<SignInRelease>().AddScoped<RedeemHop>();
        OpenIdConnectProvider.Register(services);
        SamlIdentityProvider.Register(services);
    }

    public void Map(IEndpointRouteBuilder routes)
    {
        OpenIdConnectProvider.Map(routes);
        SamlIdentityProvider.Map(routes);
    }
}
