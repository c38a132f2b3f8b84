using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Commerce.Profiles.Contracts;
using Commerce.Purchases.Api;
using Commerce.Purchases.Contracts;
using Commerce.Purchases.Data;
using Commerce.Purchases.Orders;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Purchases.Bookings;

/// <summary>Takes a booking from a partner to whom a hop brought the customer, and sends the order there where the partner asks for it.</summary>
internal static class PostBooking
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapPost("/api/bookings", async (HttpContext context, IMediator mediator, CancellationToken stop) =>
    {
        if (context.User.PartnerId() is not { Length: > 0 } partner) return Problem.From(Refusals.NoPartner);
        var read = await ApiBody.ReadAsync<PostedBooking>(context);
        return read.TryGet(out var body, out var refusal)
            ? (await mediator.Send(new Request(body, partner), stop)).Match(answer => Results.Json(answer, statusCode: StatusCodes.Status201Created), Problem.From)
            : Problem.From(refusal);
    }).RequireApiScope(ApiScopes.WriteBookings).DisableAntiforgery()
        .Accepts<PostedBooking>("application/json").Produces<Answer>(StatusCodes.Status201Created).ProducesProblem(StatusCodes.Status422UnprocessableEntity)
        .WithSummary("Tell the retailer what was booked after a hop, and where the goods should go.")
        .WithDescription("Needs the scope bookings:write and an Idempotency-Key header of 1 to 128 visible ASCII characters. The hop is the id in the hop claim; its customer has landed.");

    internal sealed record Request(ApiBody<PostedBooking> Body, string Partner) : IRequest<Result<Answer>>;

    internal sealed record Answer(Guid Booking, string OrderNumber, OrderFulfilment Fulfilment);

    internal sealed class Handler(PurchasesDb db, IMediator mediator, OrderSeal orderSeal, BookingSeal seal, LookupHash hash, TimeProvider clock)
        : IRequestHandler<Request, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Request request, CancellationToken stop)
        {
            var (posted, partner) = (request.Body.Value, request.Partner);
            if (new BookingRules(clock).Validate(posted) is { IsValid: false } result) return Refusals.InvalidBooking.With(result.Errors());
            var bodyHash = hash.Of("booking-body", Convert.ToHexString(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(posted, HubJson.Options))));
            if (await AnsweredAsync(request, bodyHash, stop) is { } before) return before;

            if (!(await mediator.Send(new HopForBooking(posted.Hop!, partner), stop)).TryGet(out var hop, out var refusal)) return refusal;
            try
            {
                return await BookAsync(request, hop, bodyHash, stop);
            }
            catch (DbUpdateException)
            {
                db.ChangeTracker.Clear();   // the same post arrived twice at this moment
                if (await AnsweredAsync(request, bodyHash, stop) is { } other) return other;
                throw;
            }
        }

        private async Task<Result<Answer>> BookAsync(Request request, BookableHop hop, byte[] bodyHash, CancellationToken stop)
        {
            var posted = request.Body.Value;
            // Of two bookings at once that both send the order somewhere, the later save decides, and each was answered what it had asked for.
            var order = await db.Orders.SingleOrDefaultAsync(o => o.OrderNumber == hop.OrderNumber && o.Customer == hop.Customer, stop);
            if (order is null || await orderSeal.OpenFulfilmentAsync(order, stop) is not { } fulfilment) return Refusals.UnknownOrder;

            var now = clock.GetUtcNow();
            Check.TryInstant(posted.StartsAt, out var startsAt);
            var services = posted.Services!.Select(s => new BookedService(s!.Code!, s.Title!, s.Quantity ?? 1, s.Price)).ToList();
            if (posted.ShipTo is { } to)
            {
                var address = new OrderAddress(to.StreetAddress, to.PostalCode, to.Locality, null, to.Country);
                fulfilment = new OrderFulfilment("ship_to_partner", address, request.Partner, to.Name);
                order.Fulfilment = await orderSeal.SealAsync(hop.Customer, fulfilment, stop);
                db.Publish(new TimelineFact(Guid.CreateVersion7(now), hop.Customer, now, "fulfilment",
                    Summary: $"{to.Name}, {to.StreetAddress}, {to.PostalCode} {to.Locality}", Partner: request.Partner, PartnerName: hop.PartnerName,
                    Banner: order.Banner, OrderNumber: order.OrderNumber, Hop: posted.Hop));
            }
            var booking = new Booking
            {
                Id = Guid.CreateVersion7(now),
                Order = order.Id,
                Customer = hop.Customer,
                Partner = request.Partner,
                PartnerName = hop.PartnerName,
                Hop = hop.Hop,
                Reference = posted.Reference!,
                MadeAt = now,
                Details = await seal.SealAsync(hop.Customer, new BookingDetails(startsAt, services, fulfilment), stop),
                ApiClient = request.Body.Client,
                IdempotencyKey = request.Body.Key,
                BodyHash = bodyHash,
            };
            db.Bookings.Add(booking);
            db.Publish(new TimelineFact(booking.Id, hop.Customer, now, "booking", Summary: Summary(services, startsAt), Partner: request.Partner,
                PartnerName: hop.PartnerName, Banner: order.Banner, OrderNumber: order.OrderNumber, Hop: posted.Hop));
            db.Publish(new BookingMade(booking.Id, hop.Hop, request.Partner, order.OrderNumber, hop.Customer, startsAt, [.. services.Select(s => s.Title)], now));
            await db.SaveChangesAsync(stop);
            return new Answer(booking.Id, order.OrderNumber, fulfilment);
        }

        /// <summary>What was answered before under this key or reference, or null where both are new.</summary>
        private async Task<Result<Answer>?> AnsweredAsync(Request request, byte[] bodyHash, CancellationToken stop)
        {
            var (client, key, reference) = (request.Body.Client, request.Body.Key, request.Body.Value.Reference);
            var known = await db.Bookings.AsNoTracking()
                .Where(b => (b.ApiClient == client && b.IdempotencyKey == key) || (b.Partner == request.Partner && b.Reference == reference)).ToListAsync(stop);
            if (known.Count == 0) return null;
            var sameKey = known.Find(b => b.ApiClient == client && b.IdempotencyKey.AsSpan().SequenceEqual(key));
            var found = sameKey ?? known[0];
            if (found.Partner != request.Partner || !found.BodyHash.AsSpan().SequenceEqual(bodyHash)) return sameKey is null ? Refusals.ReferenceTaken : Refusals.KeyReused;
            if (await seal.OpenAsync(found, stop) is not { } details) return Refusals.UnknownOrder;
            var number = await db.Orders.Where(o => o.Id == found.Order).Select(o => o.OrderNumber).SingleAsync(stop);
            return new Answer(found.Id, number, details.Answered);
        }

        /// <summary>"Tire fitting, Air conditioning service · 2026-10-12 09:30": no word that would need a language.</summary>
        private static string Summary(List<BookedService> services, DateTimeOffset startsAt) =>
            $"{string.Join(", ", services.Take(10).Select(s => s.Title))} · {startsAt.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)}";
    }
}
