using Commerce.Federation.Contracts;
using Commerce.Kernel;
using MediatR;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.Partners;

/// <summary>Switches a partner off or on. From the next request on, the gate refuses what is off.</summary>
internal sealed class SwitchPartnerHandler(FederationDb db, Connections connections) : IRequestHandler<SwitchPartner, Result<bool>>
{
    public async Task<Result<bool>> Handle(SwitchPartner request, CancellationToken cancellationToken)
    {
        var changed = await db.Partners.Where(p => p.Id == request.Partner)
            .ExecuteUpdateAsync(row => row.SetProperty(p => p.IsActive, request.Active), cancellationToken);
        connections.Forget();
        return changed == 1 ? request.Active : Refusals.UnknownPartner;
    }
}

/// <summary>Removes a partner with its connections and offers. Contracts and releases stay: consents and ledger entries refer to them.</summary>
internal sealed class RemovePartnerHandler(FederationDb db, Connections connections) : IRequestHandler<RemovePartner, Result<bool>>
{
    public async Task<Result<bool>> Handle(RemovePartner request, CancellationToken cancellationToken)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await db.Offers.Where(o => o.Partner == request.Partner).ExecuteDeleteAsync(cancellationToken);
        await db.Connections.Where(c => c.Partner == request.Partner).ExecuteDeleteAsync(cancellationToken);
        var removed = await db.Partners.Where(p => p.Id == request.Partner).ExecuteDeleteAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        connections.Forget();
        return removed == 1 ? true : Refusals.UnknownPartner;
    }
}
