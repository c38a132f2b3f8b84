using Commerce.Profiles.Contracts;
using MediatR;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.Partners;

/// <summary>Answers <see cref="PartnerNames"/>.</summary>
internal sealed class NamePartners(FederationDb db) : IRequestHandler<PartnerNames, IReadOnlyDictionary<string, string>>
{
    public async Task<IReadOnlyDictionary<string, string>> Handle(PartnerNames request, CancellationToken cancellationToken) =>
        await db.Partners.AsNoTracking().Where(p => request.Partners.Contains(p.Id)).ToDictionaryAsync(p => p.Id, p => p.Name, cancellationToken);
}
