using Commerce.Kernel;
using Microsoft.AspNetCore.Http;

namespace Commerce.Federation.Hops;

/// <summary>
/// Tells that this browser was sent on a hop a moment ago, so that only then a sign-in without a ticket looks whether a hop waits for it: that
/// look took a twentieth of what an ordinary sign-in over SAML takes beside its signature. It proves nothing and opens nothing.
/// </summary>
/// <remarks>A browser that loses it, and not its session, signs in at the partner as it would without the hop.</remarks>
internal sealed class HopCookie(HubSettings settings)
{
    private readonly bool secure = settings.PublicOrigin.StartsWith("https://", StringComparison.Ordinal);

    private string Name => secure ? "__Host-hub_hop" : "hub_hop";

    /// <summary>Over OpenID Connect every request brings its ticket.</summary>
    public void Set(HttpResponse response, Connection connection)
    {
        if (connection.Saml is null) return;
        response.Cookies.Append(Name, "1", new CookieOptions
        {
            HttpOnly = true, SameSite = SameSiteMode.Lax, Secure = secure, Path = "/", MaxAge = 2 * Hop.TicketLifetime, IsEssential = true,
        });
    }

    public bool IsSet(HttpRequest request) => request.Cookies.ContainsKey(Name);
}
