using System.Globalization;
using System.Security.Claims;

namespace Commerce.Kernel;

/// <summary>Authentication schemes of the hub. Identity owns the first, Federation the second; other modules only name them.</summary>
public static class HubSchemes
{
    /// <summary>A customer's browser session (cookie). The default scheme.</summary>
    public const string Session = "session";

    /// <summary>An API client's access token (RFC 6750, RFC 9068): the scheme of PartnerKit's <c>AddCommerceApi</c>, by its name.</summary>
    public const string Api = "commerce.api";
}

/// <summary>OAuth scopes of the hub's own API.</summary>
public static class ApiScopes
{
    public const string WriteOrders = "orders:write";
    public const string WriteBookings = "bookings:write";

    // FAPI Grant Management §6.2 and §6.3 fix these two names.
    public const string QueryGrants = "grant_management_query";
    public const string RevokeGrants = "grant_management_revoke";
}

/// <summary>Claim types in the hub's own principals.</summary>
public static class HubClaims
{
    public const string Customer = "sub";
    public const string Session = "sid";
    public const string AuthenticatedAt = "auth_time";
    public const string Amr = "amr";
    public const string Acr = "acr";
    public const string ClientId = "client_id";
    public const string Partner = "partner";
    public const string Scope = "scope";
}

/// <summary>Authentication context classes: how sure the hub is of who signed in.</summary>
public static class HubAcr
{
    /// <summary>A password alone.</summary>
    public const string Password = "urn:commerce:acr:password";
}

public static class HubPrincipal
{
    /// <summary>The signed-in customer, or null.</summary>
    public static Guid? CustomerId(this ClaimsPrincipal user) =>
        Guid.TryParseExact(user.FindFirstValue(HubClaims.Customer), "D", out var id) ? id : null;

    /// <summary>The browser session's id, or null where nobody is signed in.</summary>
    public static Guid? SessionId(this ClaimsPrincipal user) =>
        Guid.TryParseExact(user.FindFirstValue(HubClaims.Session), "D", out var id) ? id : null;

    /// <summary>When the customer last proved who they are in this session. Whole seconds (OpenID Connect Core §2, auth_time).</summary>
    public static DateTimeOffset? AuthenticatedAt(this ClaimsPrincipal user) =>
        long.TryParse(user.FindFirstValue(HubClaims.AuthenticatedAt), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;

    /// <summary>How the customer proved it (RFC 8176), such as <c>pwd</c>.</summary>
    public static IReadOnlyList<string> Amr(this ClaimsPrincipal user) => [.. user.FindAll(HubClaims.Amr).Select(c => c.Value)];

    public static string? Acr(this ClaimsPrincipal user) => user.FindFirstValue(HubClaims.Acr);

    /// <summary>The API client that called, or null.</summary>
    public static string? ApiClientId(this ClaimsPrincipal user) => user.FindFirstValue(HubClaims.ClientId);

    /// <summary>The partner that the API client belongs to, or null.</summary>
    public static string? PartnerId(this ClaimsPrincipal user) => user.FindFirstValue(HubClaims.Partner);
}
