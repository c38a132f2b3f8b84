using Commerce.Federation.Contracts;
using Commerce.Kernel;
using MediatR;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.Offers;

/// <summary>Adds an offer, or replaces the one with its id.</summary>
internal sealed class PutOfferHandler(FederationDb db, Connections connections, HubSettings settings, TimeProvider clock) : IRequestHandler<PutOffer, Result<string>>
{
    public async Task<Result<string>> Handle(PutOffer request, CancellationToken cancellationToken)
    {
        if (!OfferJson.Read(request.Offer, settings.IsDevelopment).TryGet(out var offer, out var no)) return no;
        if (!await db.Partners.AnyAsync(p => p.Id == offer.Partner, cancellationToken))
            return Refusals.OfferInvalid.With(new FieldError("partner", "There is no such partner. Add the partner first."));
        var json = await db.Contracts.Where(c => c.Partner == offer.Partner).OrderByDescending(c => c.Version).Select(c => c.Json).FirstOrDefaultAsync(cancellationToken);
        if (json is null) return Refusals.OfferInvalid.With(new FieldError("purpose", "The partner has no data contract yet."));
        var contract = DataContractJson.Read(json).Value;
        if (contract.Purpose(offer.Purpose) is null)
            return Refusals.OfferInvalid.With(new FieldError("purpose", $"The data contract has: {string.Join(", ", contract.Purposes.Select(p => p.Id))}."));

        var known = await db.Offers.SingleOrDefaultAsync(o => o.Id == offer.Id, cancellationToken);
        if (known is null) db.Offers.Add(new OfferRow { Id = offer.Id, Partner = offer.Partner, Json = request.Offer, AddedAt = clock.GetUtcNow() });
        else if (known.Partner != offer.Partner) return Refusals.OfferInvalid.With(new FieldError("id", $"This id belongs to an offer of {known.Partner}."));
        else known.Json = request.Offer;
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateException)
        {
            return Refusals.OfferInvalid.With(new FieldError("id", "An offer with this id was added at the same moment. Try again."));
        }
        connections.Forget();
        return offer.Id;
    }
}
