using System.Text;
using Commerce.Identity.Contracts;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Commerce.Profiles.Contracts;
using Commerce.Purchases.Api;
using Commerce.Purchases.Contracts;
using Commerce.Purchases.Data;
using MediatR;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Purchases.Orders;

/// <summary>Answers <see cref="ImportOrders"/>: one look at what is there, one question to Identity, one transaction.</summary>
internal sealed class TakeOrderBatch(PurchasesDb db, IMediator mediator, OrderSeal seal, PersonalData personal, LookupHash hash, TimeProvider clock)
    : IRequestHandler<ImportOrders, IReadOnlyList<OrderImportOutcome>>
{
    private const int FactsPerEvent = 500;

    public async Task<IReadOnlyList<OrderImportOutcome>> Handle(ImportOrders request, CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await TakeAsync(request, cancellationToken);
            }
            catch (Exception error) when (attempt < 3 && error.IsConflict())
            {
                db.ChangeTracker.Clear();   // a shop posted one of these orders at the same moment: look again at what is there
            }
        }
    }

    private async Task<IReadOnlyList<OrderImportOutcome>> TakeAsync(ImportOrders request, CancellationToken stop)
    {
        var outcomes = new OrderImportOutcome[request.Orders.Count];
        var right = new List<(int Index, CheckedOrder Order)>();
        var rules = new OrderRules(clock);
        for (var i = 0; i < outcomes.Length; i++)
        {
            var line = request.Orders[i];
            var read = ApiBody.Read<PostedOrder>(Encoding.UTF8.GetBytes(line.Json));
            if (!read.TryGet(out var posted, out var refusal) || !CheckedOrder.Of(posted, rules, hash).TryGet(out var order, out refusal))
                outcomes[i] = new OrderImportOutcome(line.Line, false, Sentence(refusal!));
            else right.Add((i, order));
        }

        var numbers = right.Select(r => r.Order.OrderNumber).ToHashSet();
        var seen = await db.Orders.AsNoTracking().Where(o => numbers.Contains(o.OrderNumber))
            .Select(o => new { o.OrderNumber, o.BodyHash }).ToDictionaryAsync(o => o.OrderNumber, o => o.BodyHash, stop);
        var fresh = new List<(CheckedOrder Order, Guid Id)>();
        var now = clock.GetUtcNow();
        foreach (var (index, order) in right)
        {
            var line = request.Orders[index].Line;
            if (seen.TryGetValue(order.OrderNumber, out var body))
            {
                outcomes[index] = new OrderImportOutcome(line, false, body.AsSpan().SequenceEqual(order.BodyHash) ? null : Refusals.OrderNumberTaken.Message);
                continue;
            }
            seen.Add(order.OrderNumber, order.BodyHash);
            fresh.Add((order, Guid.CreateVersion7(now)));
            outcomes[index] = new OrderImportOutcome(line, true, null);
        }
        if (fresh.Count > 0) await SaveAsync(fresh, now, stop);
        return outcomes;
    }

    private async Task SaveAsync(List<(CheckedOrder Order, Guid Id)> fresh, DateTimeOffset now, CancellationToken stop)
    {
        var emails = fresh.Select(f => f.Order.Contents.Email).Distinct().ToList();
        var customers = await mediator.Send(new CustomersWithEmail(emails, VerifiedOnly: true), stop);
        await personal.EnsureKeysAsync([.. fresh.Select(f => customers.TryGetValue(f.Order.Contents.Email, out var c) ? c : f.Id).Distinct()], stop);

        var facts = new List<TimelineFact>();
        db.ChangeTracker.AutoDetectChangesEnabled = false;
        foreach (var (order, id) in fresh)
        {
            Guid? customer = customers.TryGetValue(order.Contents.Email, out var known) ? known : null;
            (byte[] Contents, byte[] Fulfilment) sealedParts;
            try
            {
                sealedParts = await seal.SealAsync(customer ?? id, order.Contents, order.Fulfilment, stop);
            }
            catch (CustomerErasedException)
            {
                customer = null;
                sealedParts = await seal.SealAsync(id, order.Contents, order.Fulfilment, stop);
            }
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
                Contents = sealedParts.Contents,
                Fulfilment = sealedParts.Fulfilment,
                BodyHash = order.BodyHash,
            };
            db.Orders.Add(row);
            if (customer is { } owner) facts.Add(row.Purchased(owner, order.Contents));
        }
        foreach (var chunk in facts.Chunk(FactsPerEvent)) db.Publish(new TimelineFacts(chunk));
        await db.SaveChangesAsync(stop);
        db.ChangeTracker.Clear();
    }

    private static string Sentence(Refusal refusal) => refusal.Errors is { Count: > 0 } errors
        ? string.Join(" ", errors.Take(5).Select(e => e.Field.Length == 0 ? e.Message : $"{e.Field}: {e.Message}")) : refusal.Message;
}
