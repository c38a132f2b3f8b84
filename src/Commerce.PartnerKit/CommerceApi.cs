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
        services.TryAddSingleton(TimeProvider.System);
        services.AddHttpClient(HttpClient, client =>
        {
            client.Timeout = TimeSpan.FromSeconds(15);
            client.MaxResponseContentBufferSize = 1024 * 1024;
        }).ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
        services.AddSingleton(options);
        services.AddSingleton<ApiAccessTokens>();
        services.AddSingleton<ApiProofs>();
        services.AddAuthentication().AddScheme<AuthenticationSchemeOptions, ApiTokenHandler>(Scheme, null);
        services.AddAuthorization();
        return services;
    }

    /// <summary>The endpoint takes an access token that holds this scope; without a good token it answers 401, without the scope 403.</summary>
    public static TBuilder RequireScope<TBuilder>(this TBuilder endpoint, string scope) where TBuilder : IEndpointConventionBuilder
    {
        endpoint.WithMetadata(new RequiredScope(scope));
        return endpoint.RequireAuthorization(new AuthorizationPolicyBuilder(Scheme).RequireAuthenticatedUser().RequireClaim(ScopeClaim, scope).Build());
    }
}

/// <summary>Settings of <see cref="CommerceApi.AddCommerceApi"/>.</summary>
public sealed class CommerceApiOptions
{
    /// <summary>The hub's issuer, without a slash at the end.</summary>
    public string Issuer { get; set; } = "";

    /// <summary>This API's identifier.</summary>
    public string Audience { get; set; } = "";

    /// <summary>
    /// Public origin of this API, such as <c>https://api.partner.example</c>: what a DPoP proof names (RFC 9449 §4.3). Null to take it from
    /// the request, which is right only where no proxy rewrites the host.
    /// </summary>
    public string? BaseUrl { get; set; }

    /// <summary>Refuse bearer tokens: every client has to prove that it holds the token's key.</summary>
    public bool RequireBoundTokens { get; set; }

    /// <summary>The hub may be on http. For one's own machine only.</summary>
    public bool AllowHttp { get; set; }

    /// <summary>
    /// "Add if absent" for ids that count once (DPoP proofs), shared by all servers behind one name: id, until when, true where it was new.
    /// Null to remember them in this process.
    /// </summary>
    public Func<string, DateTimeOffset, CancellationToken, ValueTask<bool>>? ConsumeOnce { get; set; }

    internal void Check()
    {
        var secure = Issuer.StartsWith("https://", StringComparison.Ordinal) || (AllowHttp && Issuer.StartsWith("http://", StringComparison.Ordinal));
        if (!secure || Issuer.EndsWith('/')) throw new ArgumentException("The issuer is the hub's https address without a slash at the end.");
        if (string.IsNullOrWhiteSpace(Audience)) throw new ArgumentException("The audience is this API's identifier.");
    }
}

/// <summary>Tells the challenge which scope an endpoint asks for.</summary>
internal sealed record RequiredScope(string Scope);
