using Commerce.Kernel;
using Commerce.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Federation.Saml;

/// <summary>The hub as a SAML 2.0 identity provider.</summary>
internal static class SamlIdentityProvider
{
    public static void Register(IServiceCollection services)
    {
        services.AddSharedSecret(SamlParticipant.IndexSecret);
        services.AddSingleton(SamlIdentity.KeyPurpose).AddSingleton(SamlIdentity.CurvePurpose);
        services.AddSingleton<SamlIdentity>().AddSingleton<RefusedMessages>().AddSingleton<RefusalWriter>();
        services.AddHostedService(provider => provider.GetRequiredService<RefusalWriter>());
        services.AddSingleton(LogoutIdentity.DecryptionPurpose);
        services.AddSingleton<LogoutIdentity>().AddScoped<SamlParticipants>().AddScoped<SingleLogoutService>().AddScoped<SignOutByBrowser>();
        services.AddScoped<ArtifactResponses>().AddScoped<ArtifactResolutionService>();
        services.AddSingleton<CustomerName>().AddSingleton<SubjectIdentifiers>();
        services.AddSingleton<ResponseRows>().AddSingleton<OnwardPages>().AddScoped<FrozenRequests>().AddSingleton<IssueAssertion>().AddScoped<AnswerAuthnRequest>();
        services.AddScoped<SingleSignOn>().AddScoped<ResumeSingleSignOn>().AddScoped<HopByUnsolicitedResponse>();
        services.AddHostedService<SweepSamlRequests>();
    }

    public static void Map(IEndpointRouteBuilder routes)
    {
        Metadata.Map(routes);
        SingleSignOn.Map(routes);
        ResumeSingleSignOn.Map(routes);
        HopByUnsolicitedResponse.Map(routes);
        SingleLogoutService.Map(routes);
        SignOutByBrowser.Map(routes);
        ArtifactResolutionService.Map(routes);

        // The errorURL of our metadata: where a service provider sends a customer whose sign-in it cannot accept.
        routes.MapGet("/saml/error", () => Page.Of("/Saml/SamlRefused.cshtml", new SamlRefusedModel(null))).ExcludeFromDescription();
    }
}
