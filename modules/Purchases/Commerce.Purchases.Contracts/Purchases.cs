using System.Text.Json;
using Commerce.Kernel;
using MediatR;

namespace Commerce.Purchases.Contracts;

/// <summary>The customer's own order. An order of somebody else is refused in the same words as an order that is not there.</summary>
public sealed record PurchaseOf(Guid Customer, string OrderNumber) : IRequest<Result<Purchase>>;

/// <param name="ApiClient">Client id of the shop that posted it; the way back after a hop leads there. Null for imported orders.</param>
public sealed record Purchase(
    string OrderNumber, string Banner, DateTimeOffset PlacedAt, string Currency, IReadOnlyList<OrderLine> Lines, OrderVehicle? Vehicle,
    Fulfilment Fulfilment, string? ApiClient);

/// <param name="Line">Line number within the order, from 1.</param>
/// <param name="Gtin">GTIN-13 with a right check digit (GS1 General Specifications §7.9), or null.</param>
/// <param name="Category">Path such as <c>tires/winter</c>.</param>
/// <param name="Quantity">1 or more.</param>
/// <param name="UnitPrice">Decimal as text with a point, such as <c>129.90</c>, in the order's currency.</param>
/// <param name="Properties">A JSON object of the product's own properties.</param>
public sealed record OrderLine(
    int Line, string? Gtin, string Sku, string Description, string Category, int Quantity, string UnitPrice, JsonElement Properties);

public sealed record OrderVehicle(string Registration, string Country, string? Make, string? Model, int? Year, string? TireSize);

/// <param name="Method"><c>home_delivery</c>, <c>store_pickup</c> or <c>ship_to_partner</c>.</param>
/// <param name="Partner">Set where the goods go to a partner.</param>
public sealed record Fulfilment(string Method, OrderAddress? Address, string? Partner = null);

public sealed record OrderAddress(string? StreetAddress, string? PostalCode, string? Locality, string? Region, string? Country);

/// <summary>
/// Which partner services fit an order. Asked by Purchases and answered by Federation, which owns the offers: declared here because
/// Federation already asks Purchases, and modules' questions must not run in a ring.
/// </summary>
/// <param name="Country">ISO 3166-1 alpha-2: where the goods go, else the vehicle's country.</param>
/// <param name="Language">Two letters.</param>
public sealed record MatchOffers(string OrderNumber, string Banner, string? Country, IReadOnlyList<string> Categories, string Language)
    : IRequest<IReadOnlyList<MatchedOffer>>;

/// <param name="Protocol"><c>oidc</c> or <c>saml</c>.</param>
/// <param name="HopUrl">Absolute URL that the shop puts behind its button.</param>
public sealed record MatchedOffer(string Offer, string Partner, string Protocol, string Title, string? Body, string HopUrl);

/// <summary>
/// The hop that a booking refers to, if it belongs to this partner and the customer has landed. Asked by Purchases, answered by
/// Federation (see <see cref="MatchOffers"/> for why it is declared here).
/// </summary>
public sealed record HopForBooking(string Hop, string Partner) : IRequest<Result<BookableHop>>;

public sealed record BookableHop(Guid Hop, Guid Customer, string OrderNumber, string Partner, string PartnerName, string Offer);

/// <summary>Takes one batch of orders in one transaction. Repeating a batch changes nothing: the order number is the key.</summary>
public sealed record ImportOrders(IReadOnlyList<ImportedOrder> Orders) : IRequest<IReadOnlyList<OrderImportOutcome>>;

/// <param name="Line">Line number in the file, from 1.</param>
/// <param name="Json">The order as <c>POST /api/orders</c> takes it.</param>
public sealed record ImportedOrder(long Line, string Json);

/// <param name="IsNew">False where an earlier run had taken the line already.</param>
/// <param name="Reason">Why the line was refused, in a sentence, or null.</param>
public sealed record OrderImportOutcome(long Line, bool IsNew, string? Reason);

/// <summary>A partner booked a service for an order.</summary>
public sealed record BookingMade(
    Guid Booking, Guid Hop, string Partner, string OrderNumber, Guid Customer, DateTimeOffset StartsAt, IReadOnlyList<string> Services, DateTimeOffset At) : IIntegrationEvent
{
    string IIntegrationEvent.Aggregate => $"customer:{Customer:N}";
}
