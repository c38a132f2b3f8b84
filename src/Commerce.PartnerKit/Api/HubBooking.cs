namespace Commerce.PartnerKit;

/// <summary>A booking as the hub takes it.</summary>
/// <param name="Hop">The <see cref="HopArrival.Id"/> with which the customer came.</param>
/// <param name="StartsAt">When the service begins, with the offset of the place.</param>
/// <param name="Services">What was booked, in your own short words, such as <c>fitting</c> and <c>air-conditioning</c>. At least one.</param>
public sealed record HubBooking(string Hop, DateTimeOffset StartsAt, IReadOnlyList<string> Services);
