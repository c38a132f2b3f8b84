using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Commerce.Federation.Saml;

/// <summary>Publishes what service providers must know of the hub: endpoints, certificates of today and tomorrow, name.</summary>
/// <remarks>SAML Metadata 2.4.3 and 4.1. Signed, so that a copy that travelled can still be checked.</remarks>
internal static class Metadata
{
    public const string MediaType = "application/samlmetadata+xml";

    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/saml/metadata", (HttpContext context, SamlIdentity identity) =>
    {
        context.Response.Headers.CacheControl = "public, max-age=300";
        return Results.Bytes(identity.Metadata(), MediaType);
    }).ExcludeFromDescription();
}
