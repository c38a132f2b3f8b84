using System.Text.Json;
using Commerce.Kernel;
using Commerce.Purchases.Contracts;

namespace Commerce.Federation.Releases;

/// <summary>The <c>purchase</c> claim: an order narrowed to some of its lines. Delivery address and vehicle are claims of their own and not part of it.</summary>
internal sealed record PurchaseClaim(
    string OrderNumber, string Banner, DateTimeOffset PlacedAt, string Currency, IReadOnlyList<PurchaseLine> Lines, PurchaseFulfilment Fulfilment)
{
    public static JsonElement Of(Purchase purchase, IReadOnlyList<int> lines) => JsonSerializer.SerializeToElement(
        new PurchaseClaim(purchase.OrderNumber, purchase.Banner, purchase.PlacedAt, purchase.Currency,
            [.. purchase.Lines.Where(l => lines.Contains(l.Line)).Select(l => new PurchaseLine(l.Gtin, l.Sku, l.Description, l.Category, l.Quantity, l.UnitPrice, l.Properties))],
            new PurchaseFulfilment(purchase.Fulfilment.Method, purchase.Fulfilment.Partner)),
        HubJson.Options);
}

internal sealed record PurchaseLine(string? Gtin, string Sku, string Description, string Category, int Quantity, string UnitPrice, JsonElement Properties);

internal sealed record PurchaseFulfilment(string Method, string? Partner);
