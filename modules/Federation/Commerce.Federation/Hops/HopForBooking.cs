using Commerce.Kernel;
using Commerce.Purchases.Contracts;
using MediatR;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.Hops;

/// <summary>Tells Purchases which order a partner's booking is for. A hop of another partner is refused like one that is not there.</summary>
internal sealed class HopForBookingHandler(FederationDb db) : IRequestHandler<HopForBooking, Result<BookableHop>>
{
    public async Task<Result<BookableHop>> Handle(HopForBooking request, CancellationToken cancellationToken)
    {
        if (!Guid.TryParseExact(request.Hop, "D", out var id)) return Refusals.UnknownHop;
        var found = await (
            from hop in db.Hops.AsNoTracking()
            join partner in db.Partners.AsNoTracking() on hop.Partner equals partner.Id
            where hop.Id == id && hop.Partner == request.Partner && hop.State == HopState.Landed && partner.IsActive
            select new { hop, partner.Name }).SingleOrDefaultAsync(cancellationToken);
        return found is null ? Refusals.UnknownHop
            : new BookableHop(found.hop.Id, found.hop.Customer, found.hop.OrderNumber, found.hop.Partner, found.Name, found.hop.Offer);
    }
}
