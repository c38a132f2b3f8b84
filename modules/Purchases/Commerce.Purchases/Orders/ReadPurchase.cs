using Commerce.Kernel;
using Commerce.Purchases.Contracts;
using Commerce.Purchases.Data;
using MediatR;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Purchases.Orders;

/// <summary>Answers <see cref="PurchaseOf"/>.</summary>
internal sealed class ReadPurchase(PurchasesDb db, OrderSeal seal, AttachOrders attach) : IRequestHandler<PurchaseOf, Result<Purchase>>
{
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

    private Task<Order?> FindAsync(string number, CancellationToken stop) =>
        db.Orders.AsNoTracking().SingleOrDefaultAsync(o => o.OrderNumber == number, stop);
}
