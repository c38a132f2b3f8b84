using Commerce.Federation.OpenIdConnect;
using Commerce.Federation.Releases;
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
        services.AddSharedSecret(PairwiseSubject.Salt);
        services.AddSingleton<Connections>().AddSingleton<OfferBook>().AddSingleton<SectorIdentifier>();
        services.AddScoped<PartnerBook>().AddScoped<SamlPartnerBook>();
        PartnerHttp.Register(services);
        MetadataFeeds.Register(services);
        services.AddSingleton<StandingValues>().AddSingleton<HopRows>().AddSingleton<HopCookie>().AddSingleton<IEventSource, ReleasesToldAgain>();
        services.AddScoped<ReleaseGate>().AddScoped<ReleaseValues>().AddSingleton<ReleasedClaims>().AddScoped<SignInRelease>().AddScoped<RedeemHop>();
        services.AddHostedService<SweepHops>();
        services.AddScoped<HopOccasions>().AddScoped<SendHop>().AddScoped<ConsentSheet>();
        services.AddScoped<OpenHop.Handler>().AddScoped<StartHop.Handler>().AddScoped<SignInSheet.Handler>();
        OpenIdConnectProvider.Register(services);
        SamlIdentityProvider.Register(services);
    }

    public void Map(IEndpointRouteBuilder routes)
    {
        OpenHop.Map(routes);
        StartHop.Map(routes);
        SignInSheet.Map(routes);
        OpenIdConnectProvider.Map(routes);
        SamlIdentityProvider.Map(routes);
    }
}
