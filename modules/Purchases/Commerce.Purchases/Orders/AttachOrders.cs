using Commerce.Identity.Contracts;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Commerce.Purchases.Data;
using MediatR;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Purchases.Orders;

/// <summary>
/// Gives orders without a customer to the account that has their e-mail address. Only a verified address counts: otherwise anybody could
/// register somebody else's address and read what they bought.
/// </summary>
internal sealed class AttachOrders(PurchasesDb db, IMediator mediator, OrderSeal seal, PersonalData personal, LookupHash hash)
{
    /// <summary>
    /// Attaches every waiting order of this address, sealed anew under the customer's key. Runs in the caller's transaction; the caller
    /// saves the timeline facts that it publishes.
    /// </summary>
    public async Task ToAsync(Guid customer, byte[] emailHash, CancellationToken stop)
    {
        var waiting = await db.Orders.AsNoTracking().Where(o => o.Customer == null && o.EmailHash == emailHash).OrderBy(o => o.PlacedAt).ToListAsync(stop);
        if (waiting.Count == 0 || await SealableAsync(customer, stop) is null) return;
        foreach (var order in waiting)
        {
            if (await seal.OpenAsync(order, stop) is not { } open) continue;
            var (contents, fulfilment) = await seal.SealAsync(customer, open.Contents, open.Fulfilment, stop);
            var attached = await db.Orders.Where(o => o.Id == order.Id && o.Customer == null).ExecuteUpdateAsync(row => row
                .SetProperty(o => o.Customer, customer)
                .SetProperty(o => o.Contents, contents)
                .SetProperty(o => o.Fulfilment, fulfilment), stop);
            if (attached == 1) db.Publish(order.Purchased(customer, open.Contents));
        }
    }

    /// <summary>
    /// Attaches in a transaction of its own where an account has the address by now: a confirmation that came between the look-up and
    /// the save found no order yet.
    /// </summary>
    public async Task CatchUpAsync(string email, byte[] emailHash, CancellationToken stop)
    {
        if (await mediator.Send(new CustomerWithEmail(email, VerifiedOnly: true), stop) is { } customer) await NowAsync(customer, emailHash, stop);
    }

    /// <summary>Attaches what waits for this customer's verified address. For an order that is asked for and has no customer yet.</summary>
    public async Task<bool> OwnAsync(Guid customer, byte[] emailHash, CancellationToken stop)
    {
        if (await mediator.Send(new AccountOf(customer), stop) is not { EmailVerified: true } account) return false;
        if (!CheckedOrder.EmailHashOf(hash, account.Email).AsSpan().SequenceEqual(emailHash)) return false;
        await NowAsync(customer, emailHash, stop);
        return true;
    }

    /// <summary>The customer, or null where they have been erased and nothing may be written about them.</summary>
    public async Task<Guid?> SealableAsync(Guid customer, CancellationToken stop)
    {
        try
        {
            await personal.ProtectAsync(customer, "purchases.probe", [], stop);
            return customer;
        }
        catch (CustomerErasedException)
        {
            return null;
        }
    }

    private async Task NowAsync(Guid customer, byte[] emailHash, CancellationToken stop)
    {
        db.ChangeTracker.Clear();
        await using var transaction = await db.Database.BeginTransactionAsync(stop);
        await ToAsync(customer, emailHash, stop);
        await db.SaveChangesAsync(stop);
        await transaction.CommitAsync(stop);
    }

    internal sealed class WhenEmailIsConfirmed(AttachOrders attach, LookupHash hash) : IHandleEvent<EmailConfirmed>
    {
        public Task Handle(EmailConfirmed message, Delivery delivery, CancellationToken stop) =>
            attach.ToAsync(message.Customer, CheckedOrder.EmailHashOf(hash, message.Email), stop);
    }

    /// <summary>Imported accounts begin with a verified address and never confirm it.</summary>
    internal sealed class WhenCustomerIsRegistered(AttachOrders attach, IMediator mediator, LookupHash hash) : IHandleEvent<CustomerRegistered>
    {
        public async Task Handle(CustomerRegistered message, Delivery delivery, CancellationToken stop)
        {
            if (await mediator.Send(new AccountOf(message.Customer), stop) is { EmailVerified: true } account)
                await attach.ToAsync(message.Customer, CheckedOrder.EmailHashOf(hash, account.Email), stop);
        }
    }
}
