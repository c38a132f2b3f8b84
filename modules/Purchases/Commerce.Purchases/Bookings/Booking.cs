using Commerce.Kernel.Secrets;
using Commerce.Purchases.Orders;

namespace Commerce.Purchases.Bookings;

/// <summary>A service that a partner booked for an order, after the customer landed there.</summary>
internal sealed class Booking
{
    public required Guid Id { get; init; }
    public required Guid Order { get; init; }
    public required Guid Customer { get; init; }
    public required string Partner { get; init; }
    public required string PartnerName { get; init; }
    public required Guid Hop { get; init; }

    /// <summary>The partner's own number of the booking; unique per partner.</summary>
    public required string Reference { get; init; }
    public required DateTimeOffset MadeAt { get; init; }

    /// <summary><see cref="BookingDetails"/>, sealed for the customer.</summary>
    public required byte[] Details { get; init; }
    public required string ApiClient { get; init; }

    /// <summary>SHA-256 of the Idempotency-Key it came under.</summary>
    public required byte[] IdempotencyKey { get; init; }

    /// <summary>Keyed hash of the canonical body: tells a repetition from another booking.</summary>
    public required byte[] BodyHash { get; init; }
}

/// <param name="StartsAt">With the offset of the partner.</param>
/// <param name="Answered">The order's fulfilment as this booking left it, to be answered again at a repetition.</param>
internal sealed record BookingDetails(DateTimeOffset StartsAt, IReadOnlyList<BookedService> Services, OrderFulfilment Answered);

/// <param name="Price">Decimal as text in the order's currency, or null.</param>
internal sealed record BookedService(string Code, string Title, int Quantity, string? Price);

internal sealed class BookingSeal(PersonalData personal)
{
    private const string DetailsUse = "purchases.booking.details";

    public ValueTask<byte[]> SealAsync(Guid customer, BookingDetails details, CancellationToken stop) =>
        personal.ProtectJsonAsync(customer, DetailsUse, details, stop);

    /// <returns>Null where the customer has been erased.</returns>
    public ValueTask<BookingDetails?> OpenAsync(Booking booking, CancellationToken stop) =>
        personal.UnprotectJsonAsync<BookingDetails>(booking.Customer, DetailsUse, booking.Details, stop);
}
