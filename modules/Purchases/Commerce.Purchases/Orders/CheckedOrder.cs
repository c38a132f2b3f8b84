using System.Security.Cryptography;
using System.Text.Json;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Commerce.Purchases.Api;
using Commerce.Purchases.Contracts;

namespace Commerce.Purchases.Orders;

/// <summary>An order that has passed <see cref="OrderRules"/>: later code takes only this.</summary>
/// <param name="BodyHash">Keyed: an order has few unknowns, and a plain hash could be tried out against guesses.</param>
internal sealed record CheckedOrder(
    string OrderNumber, string Banner, string Currency, OrderContents Contents, OrderFulfilment Fulfilment, byte[] EmailHash, byte[] BodyHash)
{
    private static readonly JsonElement NoProperties = JsonElement.Parse("{}");

    /// <summary>Where the goods go, else where the vehicle is registered.</summary>
    public string? Country => Fulfilment.Address?.Country ?? Contents.Vehicle?.Country;

    public static Result<CheckedOrder> Of(PostedOrder posted, OrderRules rules, LookupHash hash)
    {
        var result = rules.Validate(posted);
        if (!result.IsValid) return Refusals.InvalidOrder.With(result.Errors());

        Check.TryInstant(posted.PlacedAt, out var placedAt);
        var lines = posted.Lines!.Select(l => new OrderLine(
            l!.Line!.Value, l.Gtin, l.Sku!, l.Description!, l.Category!, l.Quantity!.Value, l.UnitPrice!, l.Properties ?? NoProperties));
        var vehicle = posted.Vehicle is { } v ? new OrderVehicle(v.Registration!, v.Country!, v.Make, v.Model, v.Year, v.TireSize) : null;
        var address = posted.Fulfilment!.Address is { } a ? new OrderAddress(a.StreetAddress, a.PostalCode, a.Locality, a.Region, a.Country) : null;
        return new CheckedOrder(
            posted.OrderNumber!, posted.Banner!, posted.Currency!, new OrderContents(posted.Customer!.Email!, placedAt, [.. lines], vehicle),
            new OrderFulfilment(posted.Fulfilment.Method!, address, null, null), EmailHashOf(hash, posted.Customer.Email!),
            hash.Of("order-body", Convert.ToHexString(SHA256.HashData(posted.Canonical()))));
    }

    public static byte[] EmailHashOf(LookupHash hash, string email) => hash.Of("purchases-email", EmailAddress.Normalise(email));
}
