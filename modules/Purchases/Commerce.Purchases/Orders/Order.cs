using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Commerce.Profiles.Contracts;
using Commerce.Purchases.Contracts;

namespace Commerce.Purchases.Orders;

/// <summary>One order. What was bought, by whom and where it goes is sealed; the row shows numbers, times and who posted it.</summary>
internal sealed class Order
{
    public required Guid Id { get; init; }
    public required string OrderNumber { get; init; }
    public required string Banner { get; init; }
    public required DateTimeOffset PlacedAt { get; init; }
    public required DateTimeOffset ReceivedAt { get; init; }
    public required string Currency { get; init; }

    /// <summary>Whose order it is; null until an account has the order's e-mail address verified.</summary>
    public Guid? Customer { get; set; }

    /// <summary>Keyed hash of the order's e-mail address.</summary>
    public required byte[] EmailHash { get; init; }

    /// <summary><see cref="OrderContents"/>, sealed for <see cref="KeyOwner"/>.</summary>
    public required byte[] Contents { get; set; }

    /// <summary><see cref="OrderFulfilment"/>, sealed for <see cref="KeyOwner"/>; a partner's booking may change it.</summary>
    public required byte[] Fulfilment { get; set; }

    /// <summary>The shop that posted it, or null for imported orders.</summary>
    public string? ApiClient { get; init; }

    /// <summary>SHA-256 of the Idempotency-Key it came under, or null for imported orders.</summary>
    public byte[]? IdempotencyKey { get; init; }

    /// <summary>Keyed hash of the canonical body: tells a repetition from another order.</summary>
    public required byte[] BodyHash { get; init; }

    /// <summary>The JSON that the shop was answered, to be given again; null for imported orders. Holds no personal data.</summary>
    public string? Answer { get; init; }

    /// <summary>Under whose key the contents are sealed: the customer's, or the order's own until it has one.</summary>
    public Guid KeyOwner => Customer ?? Id;

    /// <summary>What the customer's timeline says about it. The order's id is the fact's, so that it shows once.</summary>
    public TimelineFact Purchased(Guid customer, OrderContents contents) =>
        new(Id, customer, PlacedAt, "purchase", Summary: contents.Summary(), Banner: Banner, OrderNumber: OrderNumber);
}

/// <param name="PlacedAt">With the offset of the shop.</param>
internal sealed record OrderContents(string Email, DateTimeOffset PlacedAt, IReadOnlyList<OrderLine> Lines, OrderVehicle? Vehicle)
{
    private const int LongestSummary = 200;

    /// <summary>"4 × Winter tire 205/55 R16 94T, 1 × Rubber floor mats", cut with an ellipsis where it is long.</summary>
    public string Summary()
    {
        var text = string.Join(", ", Lines.Take(20).Select(line => $"{line.Quantity} × {line.Description}"));
        if (text.Length <= LongestSummary) return text;
        var end = char.IsHighSurrogate(text[LongestSummary - 2]) ? LongestSummary - 2 : LongestSummary - 1;
        return text[..end] + "…";
    }
}

/// <param name="Name">Name of the place, where the goods go to a partner.</param>
internal sealed record OrderFulfilment(string Method, OrderAddress? Address, string? Partner, string? Name);

/// <summary>Seals and opens the two sealed parts of an order.</summary>
internal sealed class OrderSeal(PersonalData personal)
{
    private const string ContentsUse = "purchases.order.contents";
    private const string FulfilmentUse = "purchases.order.fulfilment";

    public async ValueTask<(byte[] Contents, byte[] Fulfilment)> SealAsync(Guid owner, OrderContents contents, OrderFulfilment fulfilment, CancellationToken stop) =>
        (await personal.ProtectJsonAsync(owner, ContentsUse, contents, stop), await SealAsync(owner, fulfilment, stop));

    public ValueTask<byte[]> SealAsync(Guid owner, OrderFulfilment fulfilment, CancellationToken stop) =>
        personal.ProtectJsonAsync(owner, FulfilmentUse, fulfilment, stop);

    /// <returns>Null where the customer has been erased.</returns>
    public async ValueTask<(OrderContents Contents, OrderFulfilment Fulfilment)?> OpenAsync(Order order, CancellationToken stop) =>
        await personal.UnprotectJsonAsync<OrderContents>(order.KeyOwner, ContentsUse, order.Contents, stop) is { } contents
        && await OpenFulfilmentAsync(order, stop) is { } fulfilment ? (contents, fulfilment) : null;

    public ValueTask<OrderFulfilment?> OpenFulfilmentAsync(Order order, CancellationToken stop) =>
        personal.UnprotectJsonAsync<OrderFulfilment>(order.KeyOwner, FulfilmentUse, order.Fulfilment, stop);
}
