using Commerce.Kernel;
using Microsoft.AspNetCore.Http;

namespace Commerce.Identity.Registration;

/// <summary>
/// Recognises the browser that registered. Its link needs one click; opened anywhere else it asks for the password too. So a registration
/// made with somebody else's address opens nothing for its maker when the owner clicks, and a mailed link cannot sign a stranger's
/// browser in (O18).
/// </summary>
internal sealed class RegisteringBrowser(HubSettings settings)
{
    private const string Cookie = "hub_registering";

    /// <summary>Leaves a fresh mark.</summary>
    /// <returns>Its hash.</returns>
    public byte[] Mark(HttpContext context)
    {
        var mark = Token.New();
        context.Response.Cookies.Append(Cookie, mark, Options(Links.MailedLink.Lifetime));
        return Token.Hash(mark);
    }

    public static bool Is(HttpContext context, string browser) =>
        context.Request.Cookies.TryGetValue(Cookie, out var mark) && mark is { Length: 43 } && Convert.ToHexStringLower(Token.Hash(mark)) == browser;

    public void Forget(HttpContext context) => context.Response.Cookies.Delete(Cookie, Options(null));

    private CookieOptions Options(TimeSpan? age) => new()
    {
        HttpOnly = true, SameSite = SameSiteMode.Lax, Path = "/confirm", MaxAge = age,
        Secure = settings.PublicOrigin.StartsWith("https://", StringComparison.Ordinal),
    };
}
