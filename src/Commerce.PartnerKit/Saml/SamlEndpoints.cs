using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Commerce.PartnerKit.Saml;

internal static class SamlEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        SamlLogout.Map(routes);
        routes.MapGet(HopPaths.SamlMetadata, (SamlSignIn saml) => Results.Bytes(saml.WriteMetadata(), "application/samlmetadata+xml")).ExcludeFromDescription();

        routes.MapGet(HopPaths.SignIn, (string? @return, HttpContext context, CommerceHopOptions options, SamlSignIn saml) =>
            saml.BeginAsync(context, options.OwnPath(@return) ?? options.LandingPath, null, null)).ExcludeFromDescription();

        // Service Provider Request Initiation Protocol 1.0: entityID and target; hop is ours.
        routes.MapGet(HopPaths.Hop, async (string? entityID, string? target, string? hop, HttpContext context, CommerceHopOptions options, SamlSignIn saml) =>
        {
            var path = string.IsNullOrEmpty(target) ? options.LandingPath : options.OwnPath(target);
            return entityID is null || path is null || hop is { Length: > 512 }
                ? SignInFailure.Answer(options, FailureReason.Failed)
                : await saml.BeginAsync(context, path, entityID, hop);
        }).ExcludeFromDescription();

        routes.MapPost(HopPaths.AssertionConsumer, (HttpContext context, SamlSignIn saml) => saml.ConsumeAsync(context)).DisableAntiforgery().ExcludeFromDescription();

        routes.MapGet(HopPaths.SamlArrived, (string? arrival, HttpContext context, SamlSignIn saml) => saml.ArriveAsync(context, arrival)).ExcludeFromDescription();
    }
}
