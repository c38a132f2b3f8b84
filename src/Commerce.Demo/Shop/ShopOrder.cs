namespace Commerce.Demo.Shop;

/// <summary>An order as the shop keeps it for its own pages.</summary>
/// <param name="Body">What is posted to the hub, byte for byte the same at every attempt.</param>
/// <param name="Offers">What the hub answered; null until it did.</param>
internal sealed record ShopOrder(
    string Number, string Email, IReadOnlyList<ShopLine> Lines, string Registration, string Language, HubOrder Body, IReadOnlyList<ShopOffer>? Offers)
{
    public decimal Total => Lines.Sum(l => l.Quantity * l.Price);
}

internal sealed record ShopLine(string Name, int Quantity, decimal Price);

internal sealed record ShopOffer(string Offer, string Partner, string Title, string? Body, string HopUrl);

/// <summary>The hub's order, as <c>POST /api/orders</c> takes it; written in snake_case.</summary>
internal sealed record HubOrder(
    string OrderNumber, string Banner, HubOrderCustomer Customer, DateTimeOffset PlacedAt, string Currency, IReadOnlyList<HubOrderLine> Lines,
    HubOrderVehicle? Vehicle, HubOrderFulfilment Fulfilment);

internal sealed record HubOrderCustomer(string Email);

internal sealed record HubOrderLine(
    int Line, string Gtin, string Sku, string Description, string Category, int Quantity, string UnitPrice, System.Text.Json.JsonElement Properties);

internal sealed record HubOrderVehicle(string Registration, string Country, string? Make, string? Model, int? Year, string? TireSize);

internal sealed record HubOrderFulfilment(string Method, HubOrderAddress Address);

internal sealed record HubOrderAddress(string StreetAddress, string PostalCode, string Locality, string Country);

/// <summary>What the shop knows about its own customers, by verified e-mail address.</summary>
internal sealed record ShopCustomer(
    string Email, string Registration, string Country, string? Make, string? Model, int? Year, string? TireSize,
    string StreetAddress, string PostalCode, string Locality);
