using System.Globalization;
using System.Text.Json;
using Commerce.Identity.Contracts;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Commerce.Purchases.Api;
using Commerce.Purchases.Contracts;
using Commerce.Purchases.Data;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Purchases.Orders;

/// <summary>Takes a paid order from a shop and answers with the partner services that fit it.</summary>
internal static class PostOrder
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapPost("/api/orders", async (HttpContext context, IMediator mediator, CancellationToken stop) =>
    {
        var read = await ApiBody.ReadAsync<PostedOrder>(context);
        if (!read.TryGet(out var body, out var refusal)) return Problem.From(refusal);
        var language = CultureInfo.CurrentUICulture.TwoLetterISOLanguageName;   // from Accept-Language
        return (await mediator.Send(new Request(body, language), stop)).Match(taken =>
        {
            context.Response.Headers.Location = $"/api/orders/{taken.OrderNumber}";
            return Results.Text(taken.Json, "application/json", statusCode: StatusCodes.Status201Created);
        }, Problem.From);
    }).RequireApiScope(ApiScopes.WriteOrders).DisableAntiforgery()
        .Accepts<PostedOrder>("application/json").Produces<Answer>(StatusCodes.Status201Created).ProducesProblem(StatusCodes.Status422UnprocessableEntity)
        .WithSummary("Post a paid order and learn which partner services fit it.")
        .WithDescription("Needs the scope orders:write and an Idempotency-Key header of 1 to 128 visible ASCII characters. The same key with the same order gets the same answer.");

    internal sealed record Request(ApiBody<PostedOrder> Body, string Language) : IRequest<Result<Taken>>;

    /// <param name="Json">The same text at every repetition.</param>
    internal sealed record Taken(string OrderNumber, string Json);

    internal sealed record Answer(string OrderNumber, IReadOnlyList<MatchedOffer> Offers);

    internal sealed class Handler(PurchasesDb db, IMediator mediator, OrderSeal seal, AttachOrders attach, LookupHash hash, TimeProvider clock)
        : IRequestHandler<Request, Result<Taken>>
    {
        public async Task<Result<Taken>> Handle(Request request, CancellationToken stop)
        {
            var body = request.Body;
            if (!CheckedOrder.Of(body.Value, new OrderRules(clock), hash).TryGet(out var order, out var refusal)) return refusal;
            if (await AnsweredAsync(body, order, stop) is { } before) return before;

            var customer = await mediator.Send(new CustomerWithEmail(order.Contents.Email, VerifiedOnly: true), stop);
            var account = customer is { } known ? await mediator.Send(new AccountOf(known), stop) : null;
            var offers = await mediator.Send(new MatchOffers(order.OrderNumber, order.Banner, order.Country,
                [.. order.Contents.Lines.Select(l => l.Category).Distinct()], account?.Locale is { Length: >= 2 } locale ? locale[..2] : request.Language), stop);

            var now = clock.GetUtcNow();
            var id = Guid.CreateVersion7(now);
            if (customer is not null) customer = await attach.SealableAsync(customer.Value, stop);
            var (contents, fulfilment) = await seal.SealAsync(customer ?? id, order.Contents, order.Fulfilment, stop);
            var row = new Order
            {
                Id = id,
                OrderNumber = order.OrderNumber,
                Banner = order.Banner,
                PlacedAt = order.Contents.PlacedAt,
                ReceivedAt = now,
                Currency = order.Currency,
                Customer = customer,
                EmailHash = order.EmailHash,
                Contents = contents,
                Fulfilment = fulfilment,
                ApiClient = body.Client,
                IdempotencyKey = body.Key,
                BodyHash = order.BodyHash,
                Answer = JsonSerializer.Serialize(new Answer(order.OrderNumber, offers), HubJson.Options),
            };
            db.Orders.Add(row);
            if (customer is { } owner) db.Publish(row.Purchased(owner, order.Contents));
            try
            {
                await db.SaveChangesAsync(stop);
            }
            catch (DbUpdateException)
            {
                db.ChangeTracker.Clear();   // the same post arrived twice at this moment: the unique keys let one through, and its answer is ours
                if (await AnsweredAsync(body, order, stop) is { } other) return other;
                throw;
            }
            if (customer is null) await attach.CatchUpAsync(order.Contents.Email, order.EmailHash, stop);
            return new Taken(row.OrderNumber, row.Answer);
        }

        /// <summary>What was answered before under this key or order number, or null where both are new.</summary>
        private async Task<Result<Taken>?> AnsweredAsync(ApiBody<PostedOrder> body, CheckedOrder order, CancellationToken stop)
        {
            var known = await db.Orders.AsNoTracking()
                .Where(o => (o.ApiClient == body.Client && o.IdempotencyKey == body.Key) || o.OrderNumber == order.OrderNumber)
                .Select(o => new { o.OrderNumber, o.ApiClient, o.IdempotencyKey, o.BodyHash, o.Answer }).ToListAsync(stop);
            if (known.Count == 0) return null;
            if (known.Find(o => o.ApiClient == body.Client && o.IdempotencyKey.AsSpan().SequenceEqual(body.Key)) is { } sameKey)
                return sameKey.BodyHash.AsSpan().SequenceEqual(order.BodyHash) ? new Taken(sameKey.OrderNumber, sameKey.Answer!) : Refusals.KeyReused;
            // A shop that lost its key may post the order again; another shop learns nothing but that the number is taken.
            var sameNumber = known[0];
            return sameNumber.ApiClient == body.Client && sameNumber.Answer is not null && sameNumber.BodyHash.AsSpan().SequenceEqual(order.BodyHash)
                ? new Taken(sameNumber.OrderNumber, sameNumber.Answer) : Refusals.OrderNumberTaken;
        }
    }
}
