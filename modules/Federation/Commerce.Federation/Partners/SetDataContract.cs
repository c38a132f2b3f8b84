using Commerce.Federation.Contracts;
using Commerce.Kernel;
using MediatR;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.Partners;

/// <summary>Puts a new version of a partner's data contract in force. Customers are asked again: a consent is for the version they saw.</summary>
internal sealed class SetDataContractHandler(FederationDb db, PartnerBook book, Connections connections) : IRequestHandler<SetDataContract, Result<int>>
{
    public async Task<Result<int>> Handle(SetDataContract request, CancellationToken cancellationToken)
    {
        if (!DataContractJson.Read(request.Contract).TryGet(out var contract, out var no)) return no;
        if (!await db.Partners.AnyAsync(p => p.Id == contract.Partner, cancellationToken)) return Refusals.UnknownPartner;
        if (!(await book.ContractAsync(contract, request.Contract, cancellationToken)).TryGet(out var version, out no)) return no;
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateException)
        {
            return Refusals.ContractVersion;    // the same version came from elsewhere at the same moment
        }
        connections.Forget();
        return version;
    }
}
