using Commerce.PartnerKit.OpenIdConnect;
using Commerce.PartnerKit.Saml;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Commerce.PartnerKit;

/// <summary>
/// Receives customers of a Commerce hub already signed in. Two lines: <c>builder.Services.AddCommerceHop(…)</c> and
/// <c>app.MapCommerceHop()</c>; then <c>HttpContext.GetCommerceCustomer()</c> says who is there and <c>GetHop()</c> what they bought.
/// </summary>
public static class CommerceHop
{
    /// <summary>Authentication scheme of the customer's session on this site (a cookie).</summary>
    public const string Scheme = "commerce";

    internal const string OidcScheme = "commerce.oidc";
    internal const string HubClient = "commerce.hub";

    /// <summary>Adds the session cookie, the chosen protocol and <see cref="HubApi"/>.</summary>
    /// <param name="configure">At least the hub, this site's own address and the credentials; see <see cref="CommerceHopOptions"/>.</param>
    /// <exception cref="OptionsValidationException">At start, when a setting is missing or wrong; the message says which.</exception>
    public static IServiceCollection AddCommerceHop(this IServiceCollection services, Action<CommerceHopOptions> configure)
    {
        services.AddOptions<CommerceHopOptions>().Configure(configure).ValidateOnStart();
        services.AddSingleton<IValidateOptions<CommerceHopOptions>, ValidateHopOptions>();
        services.AddSingleton(provider => provider.GetRequiredService<IOptions<CommerceHopOptions>>().Value);
        services.TryAddSingleton(TimeProvider.System);
        services.AddDistributedMemoryCache();
        services.AddDataProtection();
        services.AddHttpClient(HubClient, client =>
        {
            client.Timeout = TimeSpan.FromSeconds(30);
            client.MaxResponseContentBufferSize = 1024 * 1024;
        }).ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
        services.AddSingleton<HubDiscovery>();
        services.AddSingleton<TokenEndpoint>();
        services.AddSingleton(provider => new HubApi(provider.GetRequiredService<CommerceHopOptions>(), provider.GetRequiredService<TokenEndpoint>(),
            provider.GetRequiredService<IHttpClientFactory>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<PartnerSessions>();
        services.AddSingleton<OneTime>();
        services.AddSingleton<UserInfo>();
        services.AddSingleton<LogoutTokens>();
        services.AddSingleton<HubMetadata>();
        services.AddSingleton<SamlSignIn>();
        services.AddSingleton<SamlLogout>();

        var authentication = services.AddAuthentication(Scheme).AddCookie(Scheme);
        services.AddOptions<CookieAuthenticationOptions>(Scheme).Configure<CommerceHopOptions, PartnerSessions>(ConfigureCookie);
        services.AddOptions<OpenIdConnectOptions>(OidcScheme)
            .Configure<CommerceHopOptions, HubDiscovery, TokenEndpoint, UserInfo>(OidcSignIn.Configure);
        var probe = new CommerceHopOptions();
        configure(probe);
        if (probe.Protocol == HopProtocol.OpenIdConnect) authentication.AddOpenIdConnect(OidcScheme, _ => { });
        services.AddAuthorization();
        return services;
    }

    /// <summary>Adds the addresses of <see cref="HopPaths"/> for the chosen protocol.</summary>
    public static IEndpointRouteBuilder MapCommerceHop(this IEndpointRouteBuilder routes)
    {
        var options = routes.ServiceProvider.GetRequiredService<CommerceHopOptions>();
        SignOut.Map(routes);
        if (options.Protocol == HopProtocol.Saml)
        {
            SamlEndpoints.Map(routes);
        }
        else
        {
            OidcSignIn.Map(routes);
            BackChannelLogout.Map(routes);
        }
        return routes;
    }

    private static void ConfigureCookie(CookieAuthenticationOptions cookie, CommerceHopOptions options, PartnerSessions sessions)
    {
        cookie.Cookie.Name = CookieName(options, "commerce");
        cookie.Cookie.HttpOnly = true;
        cookie.Cookie.SameSite = SameSiteMode.Lax;
        cookie.Cookie.SecurePolicy = SecurePolicy(options);
        cookie.ExpireTimeSpan = options.SessionLifetime;
        cookie.SlidingExpiration = false;
        cookie.LoginPath = HopPaths.SignIn;
        cookie.ReturnUrlParameter = "return";
        cookie.SessionStore = sessions;
    }

    internal static CookieSecurePolicy SecurePolicy(CommerceHopOptions options) =>
        options.AllowHttp ? CookieSecurePolicy.SameAsRequest : CookieSecurePolicy.Always;

    /// <summary>On https the name takes the prefix that keeps other hosts of the same domain from setting the cookie (RFC 6265bis §4.1.3).</summary>
    internal static string CookieName(CommerceHopOptions options, string name) =>
        options.BaseUrl.StartsWith("https:", StringComparison.Ordinal) ? $"__Host-{name}" : name;

    internal static Task SignInAsync(HttpContext context, CommerceCustomer customer, AuthenticationProperties properties) =>
        context.SignInAsync(Scheme, new System.Security.Claims.ClaimsPrincipal(customer.ToIdentity(Scheme)), properties);
}
