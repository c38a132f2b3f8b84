using Commerce.Federation.Api;
using Commerce.Federation.Logout;
using Commerce.Federation.OpenIdConnect.ApiAccess;
using Commerce.Federation.OpenIdConnect.Devices;
using Commerce.Federation.OpenIdConnect.Exchange;
using Commerce.Federation.OpenIdConnect.GrantManagement;
using Commerce.Federation.OpenIdConnect.Jose;
using Commerce.Federation.OpenIdConnect.Registration;
using Commerce.Federation.OpenIdConnect.RichAuthorization;
using Commerce.Federation.OpenIdConnect.TokenStatus;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>The hub as an OpenID provider.</summary>
internal static class OpenIdConnectProvider
{
    public static void Register(IServiceCollection services)
    {
        services.AddSharedSecret(RefreshToken.Secret).AddSharedSecret(DpopNonces.Secret);
        services.AddSingleton<KeyPurpose>(TokenSigner.Es256).AddSingleton<KeyPurpose>(TokenSigner.Rs256).AddSingleton<KeyPurpose>(TokenSigner.Ps256);
        services.AddSingleton<OwnTokens>().AddSingleton<RecentGrants>().AddSingleton<GrantRows>().AddSingleton<Issuer>().AddSingleton<TokenSigner>().AddSingleton<Tokens>().AddSingleton<RefreshToken>().AddSingleton<AccessTokens>();
        services.AddScoped<ClientAuthentication>().AddScoped<AuthorizeValidation>().AddScoped<FrozenRequests>().AddScoped<AuthorizeFlow>();
        services.AddSingleton<GrantQueries>().AddScoped<Grants>().AddScoped<RedeemCode>().AddScoped<Refresh>().AddScoped<ClientCredentials>();
        services.AddScoped<ClientRequest>().AddScoped<PresentedTokens>().AddScoped<TokenState>();
        services.AddSingleton<ClientKeys>().AddScoped<RequestObjects>().AddHostedService<ClientKeysSchedule>();
        services.AddSingleton<OneTimeIds>().AddScoped<PushedRequests>().AddSingleton<DpopNonces>().AddScoped<DpopProofs>().AddScoped<SenderConstraint>();
        services.AddSingleton<ApiResources>().AddSingleton<ResourceChoice>().AddSingleton<ClientRates>();
        services.AddScoped<TokenExchange>().AddScoped<ReplacedGrants>();
        services.AddScoped<DeviceGrant>().AddScoped<DevicePages.Handler>().AddSingleton<Guesses>();
        services.AddScoped<PurchaseRelease>().AddScoped<PurchaseSheet.Handler>();
        services.AddScoped<ClientRegistration.Handler>().AddScoped<ClientManagement.Handler>();
        services.AddHostedService<Sweep>();
        ApiProtection.Register(services);
        BackChannelLogout.Register(services);
    }

    public static void Map(IEndpointRouteBuilder routes)
    {
        Discovery.Map(routes);
        Authorize.Map(routes);
        PushedAuthorization.Map(routes);
        TokenEndpoint.Map(routes);
        UserInfo.Map(routes);
        EndSessionEndpoint.Map(routes);
        Revocation.Map(routes);
        Introspection.Map(routes);
        PurchaseSheet.Map(routes);
        RetailPurchaseSchema.Map(routes);
        DeviceEndpoint.Map(routes);
        DevicePages.Map(routes);
        GrantManagementEndpoint.Map(routes);
        ClientRegistration.Map(routes);
        ClientManagement.Map(routes);
    }
}
