using Commerce.Kernel;

namespace Commerce.Purchases;

/// <summary>Every way this module says no.</summary>
internal static class Refusals
{
    public static readonly Refusal KeyMissing = new("purchases.idempotency_key_missing", 400,
        "Send an Idempotency-Key header of 1 to 128 visible ASCII characters, a new one for each order or booking.");

    public static readonly Refusal KeyReused = new("purchases.idempotency_key_reused", 422,
        "This Idempotency-Key was used with another body. Repeat the first body to get its answer, or take a new key.");

    public static readonly Refusal NotJson = new("purchases.not_json", 415, "Send the body as application/json.");
    public static readonly Refusal Malformed = new("purchases.malformed", 400, "The body does not have the expected shape.");
    public static readonly Refusal InvalidOrder = new("purchases.invalid_order", 422, "The order is not complete and right.");
    public static readonly Refusal InvalidBooking = new("purchases.invalid_booking", 422, "The booking is not complete and right.");
    public static readonly Refusal OrderNumberTaken = new("purchases.order_number_taken", 409, "Another order has this order number.");
    public static readonly Refusal ReferenceTaken = new("purchases.reference_taken", 409, "Another booking of yours has this reference.");
    public static readonly Refusal NoClient = new("purchases.no_client", 403, "The access token names no API client.");
    public static readonly Refusal NoPartner = new("purchases.no_partner", 403, "The access token belongs to no partner.");

    /// <summary>No such order, or somebody else's: nobody can tell the two apart.</summary>
    public static readonly Refusal UnknownOrder = new("purchases.unknown_order", 404, "There is no such order.");
}
