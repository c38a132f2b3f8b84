using System.Security.Claims;
using Commerce.Kernel;
using Commerce.Purchases.Bookings;
using Commerce.Purchases.Data;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Purchases.Orders;

/// <summary>Tells a shop how its order reaches the customer by now, and what partners have booked for it.</summary>
internal static class ShowOrder
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/api/orders/{orderNumber}",
        async (string orderNumber, ClaimsPrincipal user, IMediator mediator, CancellationToken stop) =>
            (await mediator.Send(new Request(user.ApiClientId(), orderNumber), stop)).Match(order => Results.Json(order), Problem.From))
        .RequireApiScope(ApiScopes.WriteOrders).Produces<Answer>().ProducesProblem(StatusCodes.Status404NotFound)
        .WithSummary("See an order of your own: where it goes and what was booked for it.");

    internal sealed record Request(string? ApiClient, string OrderNumber) : IRequest<Result<Answer>>;

    internal sealed record Answer(
        string OrderNumber, string Banner, DateTimeOffset PlacedAt, OrderFulfilment Fulfilment, IReadOnlyList<ShownBooking> Bookings);

    internal sealed record ShownBooking(
        Guid Booking, string Partner, string PartnerName, string Reference, DateTimeOffset StartsAt, IReadOnlyList<BookedService> Services, DateTimeOffset MadeAt);

    internal sealed class Handler(PurchasesDb db, OrderSeal seal, BookingSeal bookingSeal) : IRequestHandler<Request, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Request request, CancellationToken cancellationToken)
        {
            if (request.ApiClient is null) return Refusals.NoClient;
            var order = await db.Orders.AsNoTracking()
                .SingleOrDefaultAsync(o => o.OrderNumber == request.OrderNumber && o.ApiClient == request.ApiClient, cancellationToken);
            if (order is null || await seal.OpenAsync(order, cancellationToken) is not { } open) return Refusals.UnknownOrder;

            var bookings = new List<ShownBooking>();
            foreach (var row in await db.Bookings.AsNoTracking().Where(b => b.Order == order.Id).OrderBy(b => b.MadeAt).ToListAsync(cancellationToken))
            {
                if (await bookingSeal.OpenAsync(row, cancellationToken) is not { } details) continue;
                bookings.Add(new ShownBooking(row.Id, row.Partner, row.PartnerName, row.Reference, details.StartsAt, details.Services, row.MadeAt));
            }
            return new Answer(order.OrderNumber, order.Banner, open.Contents.PlacedAt, open.Fulfilment, bookings);
        }
    }
}
