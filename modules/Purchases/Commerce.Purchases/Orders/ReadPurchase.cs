using System.Data.Common;
using Commerce.Kernel;
using Commerce.Purchases.Contracts;
using Commerce.Purchases.Data;
using MediatR;

namespace Commerce.Purchases.Orders;

/// <summary>Answers <see cref="PurchaseOf"/>. Every hop asks it, so it reads by the hot store.</summary>
internal sealed class ReadPurchase(HotStore<PurchasesDb> store, OrderSeal seal, AttachOrders attach) : IRequestHandler<PurchaseOf, Result<Purchase>>
{
    private static readonly HotSql ByNumber = new("""
        SELECT "Id", "OrderNumber", "Banner", "PlacedAt", "ReceivedAt", "Currency", "Customer", "EmailHash", "Contents", "Fulfilment", "ApiClient", "BodyHash"
        FROM {schema}orders WHERE "OrderNumber" = $1
        """);

    public async Task<Result<Purchase>> Handle(PurchaseOf request, CancellationToken cancellationToken)
    {
        var order = await FindAsync(request.OrderNumber, cancellationToken);
        if (order is { Customer: null } && await attach.OwnAsync(request.Customer, order.EmailHash, cancellationToken))
            order = await FindAsync(request.OrderNumber, cancellationToken);
        if (order is null || order.Customer != request.Customer) return Refusals.UnknownOrder;
        if (await seal.OpenAsync(order, cancellationToken) is not { } open) return Refusals.UnknownOrder;
        return new Purchase(order.OrderNumber, order.Banner, open.Contents.PlacedAt, order.Currency, open.Contents.Lines, open.Contents.Vehicle,
            new Fulfilment(open.Fulfilment.Method, open.Fulfilment.Address, open.Fulfilment.Partner), order.ApiClient);
    }

    private ValueTask<Order?> FindAsync(string number, CancellationToken stop) => store.ReadAsync(read => read.FirstAsync(ByNumber, Of, number), stop);

    private static Order Of(DbDataReader row) => new()
    {
        Id = row.GetGuid(0),
        OrderNumber = row.GetString(1),
        Banner = row.GetString(2),
        PlacedAt = row.GetInstant(3),
        ReceivedAt = row.GetInstant(4),
        Currency = row.GetString(5),
        Customer = row.IsDBNull(6) ? null : row.GetGuid(6),
        EmailHash = row.GetFieldValue<byte[]>(7),
        Contents = row.GetFieldValue<byte[]>(8),
        Fulfilment = row.GetFieldValue<byte[]>(9),
        ApiClient = row.GetStringOrNull(10),
        BodyHash = row.GetFieldValue<byte[]>(11),
    };
}
