using System.Buffers.Text;
using Commerce.Kernel;
using Microsoft.AspNetCore.Http;

namespace Commerce.Identity.Sessions;

/// <summary>The cookie of a session: the session's id, by which the row is found, and the token, which proves the browser.</summary>
/// <remarks>
/// It lives as long as the browser's own session. Over https its name begins with <c>__Host-</c>, so that no neighbouring host can set it.
/// Lax, because partners lead browsers here by ordinary links and redirects.
/// </remarks>
internal sealed class SessionCookie(HubSettings settings)
{
    private const int IdLength = 22;
    private const int TokenLength = 43;
    private readonly bool secure = settings.PublicOrigin.StartsWith("https://", StringComparison.Ordinal);

    public string Name => secure ? "__Host-hub_session" : "hub_session";

    public void Set(HttpResponse response, Guid session, string token) =>
        response.Cookies.Append(Name, $"{Base64Url.EncodeToString(session.ToByteArray())}.{token}", Options());

    public void Clear(HttpResponse response) => response.Cookies.Delete(Name, Options());

    public bool TryRead(HttpRequest request, out Guid session, out string token)
    {
        (session, token) = (default, "");
        if (!request.Cookies.TryGetValue(Name, out var value) || value is not { Length: IdLength + 1 + TokenLength } || value[IdLength] != '.') return false;
        Span<byte> id = stackalloc byte[18];
        try
        {
            if (!Base64Url.TryDecodeFromChars(value.AsSpan(0, IdLength), id, out var length) || length != 16) return false;
        }
        catch (FormatException)
        {
            return false;
        }
        (session, token) = (new Guid(id[..16]), value[(IdLength + 1)..]);
        return true;
    }

    private CookieOptions Options() => new() { HttpOnly = true, SameSite = SameSiteMode.Lax, Secure = secure, Path = "/", IsEssential = true };
}
