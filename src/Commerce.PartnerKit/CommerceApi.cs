using Commerce.PartnerKit.Api;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Commerce.PartnerKit;

/// <summary>
/// Protects an API with access tokens of a Commerce hub. One line in the services, <c>AddCommerceApi(issuer, audience)</c>, and one for an
/// endpoint, <c>RequireScope("calendar:read")</c>.
/// </summary>
public static class CommerceApi
{
    /// <summary>Authentication scheme of access tokens.</summary>
    public const string Scheme = "commerce.api";

    /// <summary>Claim type of a granted scope; one claim for each.</summary>
    public const string ScopeClaim = "scope";

    internal const string HttpClient = "commerce.api";

    /// <summary>Adds the validation of access tokens by the hub's discovery document and published keys (RFC 9068 §4).</summary>
    /// <param name="issuer">The hub's issuer, byte for byte, such as <c>https://id.retailer.example</c>.</param>
    /// <param name="audience">This API's identifier, as the hub's operator registered it (<c>api add</c>).</param>
    public static IServiceCollection AddCommerceApi(this IServiceCollection services, string issuer, string audience, Action<CommerceApiOptions>? configure = null)
    {
        var options = new CommerceApiOptions { Issuer = issuer, Audience = audience };
        configure?.Invoke(options);
        options.Check();
        return services.AddSingleton(options).AddScheme();
    }

    /// <summary>The same where settings are known only when the site runs, or come from its services. Nothing happens before the first request for this API.</summary>
    /// <param name="configure">Fills in issuer, audience and the rest, once. It gets the root container: what is scoped comes from a request's own.</param>
    public static IServiceCollection AddCommerceApi(this IServiceCollection services, Action<IServiceProvider, CommerceApiOptions> configure) => services.AddSingleton(provider =>
    {
        var options = new CommerceApiOptions();
        configure(provider, options);
        options.Check();
        return options;
    }).AddScheme();

    /// <summary>The endpoint takes an access token that holds this scope; without a good token it answers 401, without the scope 403.</summary>
    public static TBuilder RequireScope<TBuilder>(this TBuilder endpoint, string scope) where TBuilder : IEndpointConventionBuilder =>
        endpoint.RequireAuthorization(new AuthorizationPolicyBuilder(Scheme).RequireAuthenticatedUser().RequireClaim(ScopeClaim, scope).Build());

    private static IServiceCollection AddScheme(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddHttpClient(HttpClient, client =>
        {
            client.Timeout = TimeSpan.FromSeconds(15);
            client.MaxResponseContentBufferSize = 1024 * 1024;
        }).ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
        services.AddSingleton<ApiAccessTokens>();
        services.AddSingleton<ApiProofs>();
        services.AddAuthentication().AddScheme<AuthenticationSchemeOptions, ApiTokenHandler>(Scheme, null);
        services.AddAuthorization();
        return services;
    }
}
