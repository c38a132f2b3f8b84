using Commerce.Purchases.Contracts;
using Microsoft.AspNetCore.WebUtilities;

namespace Commerce.Federation.Hops;

/// <summary>The way back to the shop that posted the order.</summary>
internal static class ShopReturn
{
    /// <summary>The shop's registered <c>hop_return_uri</c>, else its <c>client_uri</c>; null where the order was imported or the shop names none.</summary>
    public static async Task<string?> UrlAsync(Purchase purchase, Connections connections, CancellationToken stop) =>
        await connections.FindAsync(purchase.ApiClient, stop) is { IsActive: true, Oidc: { } shop } ? shop.HopReturnUri ?? shop.ClientUri : null;

    /// <summary>The same with the word that nothing left.</summary>
    public static string Denied(string url, string offer, string order) => QueryHelpers.AddQueryString(url, new Dictionary<string, string?>
    {
        ["hop"] = "denied",
        ["offer"] = offer,
        ["order"] = order,
    });
}
