namespace Commerce.PartnerKit;

/// <summary>A booking as the hub takes it.</summary>
/// <param name="Hop">The <see cref="HopArrival.Id"/> with which the customer came.</param>
/// <param name="StartsAt">When the service begins, with the offset of the place.</param>
/// <param name="Services">What was booked, 1 to 50.</param>
/// <param name="Reference">Your own number of the booking, at most 64 characters. One number is one booking.</param>
/// <param name="ShipTo">Where the retailer should send the goods instead, or null to leave that as it is.</param>
public sealed record HubBooking(
    string Hop, DateTimeOffset StartsAt, IReadOnlyList<HubBookedService> Services, string Reference, HubShipTo? ShipTo = null);

/// <param name="Code">Your own short code, such as <c>fitting</c>.</param>
/// <param name="Title">As the customer reads it on their timeline.</param>
/// <param name="Quantity">Null for one.</param>
/// <param name="Price">Decimal as text with a point, such as <c>59.00</c>, or null.</param>
public sealed record HubBookedService(string Code, string Title, int? Quantity = null, string? Price = null);

/// <param name="Name">Of your place, as it stands on a parcel.</param>
/// <param name="Country">ISO 3166-1 alpha-2.</param>
public sealed record HubShipTo(string Name, string StreetAddress, string PostalCode, string Locality, string Country);
