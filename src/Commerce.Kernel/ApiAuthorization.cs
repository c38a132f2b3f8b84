using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;

namespace Commerce.Kernel;

public static class ApiAuthorization
{
    /// <summary>The endpoint takes an API client's access token that holds this scope; anything else is 401 or 403.</summary>
    public static TBuilder RequireApiScope<TBuilder>(this TBuilder endpoint, string scope) where TBuilder : IEndpointConventionBuilder =>
        endpoint.RequireAuthorization(new AuthorizationPolicyBuilder(HubSchemes.Api)
            .RequireAuthenticatedUser().RequireClaim(HubClaims.Scope, scope).Build());

    /// <summary>The endpoint needs a signed-in customer; a browser without a session is sent to the sign-in page and back.</summary>
    public static TBuilder RequireCustomer<TBuilder>(this TBuilder endpoint) where TBuilder : IEndpointConventionBuilder =>
        endpoint.RequireAuthorization(new AuthorizationPolicyBuilder(HubSchemes.Session)
            .RequireAuthenticatedUser().RequireClaim(HubClaims.Customer).Build());
}
