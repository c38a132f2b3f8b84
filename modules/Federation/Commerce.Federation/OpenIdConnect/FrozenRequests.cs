using System.Security.Claims;
using System.Security.Cryptography;
using System.Text.Json;
using Commerce.Kernel;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>A request taken up again.</summary>
/// <param name="Before">The browser's session when the request came; null where that could not be seen (a post from another site).</param>
internal sealed record ThawedRequest(byte[] HandleHash, AuthorizeRequest Request, SessionBefore? Before, DateTimeOffset CreatedAt);

/// <summary>What a forced sign-in is held against: it must lead to another session, or to a later proof in the same one.</summary>
internal sealed record SessionBefore(Guid? Session, DateTimeOffset? AuthenticatedAt)
{
    public static SessionBefore Of(ClaimsPrincipal user) => new(user.SessionId(), user.AuthenticatedAt());
}

/// <summary>
/// Keeps an authorize request on the server while the customer signs in or answers the consent sheet. Pages carry the handle and nothing
/// else, so nothing of the request can be changed on the way (O08, O23). It can be opened until it is completed, which happens once.
/// </summary>
internal sealed class FrozenRequests(OnDemand<FederationDb> db, IDataProtectionProvider ring, Issuer issuer, TimeProvider clock)
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);
    // Made where it is needed, which is not in every request.
    private IDataProtector Protector => ring.CreateProtector("commerce.oidc-request.v1");

    private sealed record Kept(AuthorizeRequest Request, SessionBefore? Before);

    /// <summary>Stores the request and binds it to this browser with a cookie of its own.</summary>
    /// <param name="handle">From <see cref="Token.New"/>.</param>
    public async Task FreezeAsync(HttpContext context, string handle, AuthorizeRequest request, SessionBefore? before, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        var browser = Token.New();
        db.Value.Add(new FrozenRequest
        {
            HandleHash = Token.Hash(handle),
            BrowserHash = Token.Hash(browser),
            Sealed = Protector.Protect(JsonSerializer.SerializeToUtf8Bytes(new Kept(request, before), HubJson.Options)),
            CreatedAt = now,
            ExpiresAt = now + Lifetime,
        });
        await db.Value.SaveChangesAsync(stop);
        context.Response.Cookies.Append(CookieOf(handle), browser, Cookie(Lifetime));
    }

    /// <summary>The request behind the handle; null where it is unknown, expired, completed, or was begun in another browser.</summary>
    public async Task<ThawedRequest?> OpenAsync(HttpContext context, string? handle, CancellationToken stop)
    {
        if (handle is not { Length: 43 } || context.Request.Cookies[CookieOf(handle)] is not { Length: 43 } browser) return null;
        var hash = Token.Hash(handle);
        var now = clock.GetUtcNow();
        var row = await db.Value.Set<FrozenRequest>().AsNoTracking().SingleOrDefaultAsync(r => r.HandleHash == hash && r.CompletedAt == null && r.ExpiresAt > now, stop);
        if (row is null || !CryptographicOperations.FixedTimeEquals(row.BrowserHash, Token.Hash(browser))) return null;
        var kept = JsonSerializer.Deserialize<Kept>(Protector.Unprotect(row.Sealed), HubJson.Options)!;
        return new ThawedRequest(hash, kept.Request, kept.Before, row.CreatedAt);
    }

    /// <summary>Ends the request. True for the one caller that did it; run it in the transaction of what completes it.</summary>
    public async Task<bool> CompleteAsync(byte[] handleHash, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        return await db.Value.Set<FrozenRequest>().Where(r => r.HandleHash == handleHash && r.CompletedAt == null)
            .ExecuteUpdateAsync(row => row.SetProperty(r => r.CompletedAt, now), stop) == 1;
    }

    public void ForgetBrowser(HttpContext context, string handle) => context.Response.Cookies.Delete(CookieOf(handle), Cookie(null));

    // One cookie for each request: two tabs do not disturb each other. The name gives away a few bits of a handle that the browser holds anyway.
    private static string CookieOf(string handle) => $"authorize-{Convert.ToHexStringLower(Token.Hash(handle).AsSpan(0, 6))}";

    private CookieOptions Cookie(TimeSpan? age) => new()
    {
        HttpOnly = true, SameSite = SameSiteMode.Lax, Secure = issuer.IsHttps, Path = Issuer.AuthorizePath, MaxAge = age, IsEssential = true,
    };
}
