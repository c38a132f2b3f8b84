using System.Security.Claims;
using System.Text.Encodings.Web;
using Commerce.Kernel;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Commerce.Testing;

/// <summary>
/// Stand-ins for the session cookie and the API's access tokens, for a module that is booted without the modules that own them: a header
/// says who calls.
/// </summary>
public static class TestSchemes
{
    /// <summary>Says who calls: a scheme, then each claim, with semicolons between.</summary>
    public const string Header = "X-Test-Caller";

    public static IServiceCollection AddTestSchemes(this IServiceCollection services)
    {
        services.AddAuthentication().AddScheme<AuthenticationSchemeOptions, Handler>(HubSchemes.Session, null)
            .AddScheme<AuthenticationSchemeOptions, Handler>(HubSchemes.Api, null);
        return services;
    }

    /// <summary>Every request of this client comes from an API client with these scopes.</summary>
    public static HttpClient AsApiClient(this HttpClient http, string client, string scope, string? partner = null)
    {
        http.DefaultRequestHeaders.Remove(Header);
        http.DefaultRequestHeaders.Add(Header, $"{HubSchemes.Api};{HubClaims.ClientId}={client};{HubClaims.Scope}={scope}" + (partner is null ? "" : $";{HubClaims.Partner}={partner}"));
        return http;
    }

    /// <summary>Every request of this browser comes from a session of this customer.</summary>
    public static TestBrowser AsCustomer(this TestBrowser browser, Guid customer)
    {
        browser.Http.DefaultRequestHeaders.Remove(Header);
        browser.Http.DefaultRequestHeaders.Add(Header, $"{HubSchemes.Session};{HubClaims.Customer}={customer:D}");
        return browser;
    }

    private sealed class Handler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory log, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, log, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            var parts = Request.Headers[Header].ToString().Split(';');
            if (parts[0] != Scheme.Name) return Task.FromResult(AuthenticateResult.NoResult());
            var claims = parts.Skip(1).Select(part => part.Split('=', 2)).Select(pair => new Claim(pair[0], pair[1]));
            var identity = new ClaimsIdentity(claims, Scheme.Name, HubClaims.Customer, null);
            return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Scheme.Name)));
        }
    }
}
