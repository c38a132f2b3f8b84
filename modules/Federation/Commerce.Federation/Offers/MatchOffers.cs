using Commerce.Kernel;
using Commerce.Purchases.Contracts;
using MediatR;

namespace Commerce.Federation.Offers;

/// <summary>Which partner services fit an order, in the customer's language, each with the address of its hop.</summary>
internal sealed class MatchOffersHandler(OfferBook offers, HubSettings settings) : IRequestHandler<MatchOffers, IReadOnlyList<MatchedOffer>>
{
    public async Task<IReadOnlyList<MatchedOffer>> Handle(MatchOffers request, CancellationToken cancellationToken)
    {
        var matching = await offers.MatchAsync(request.Banner, request.Country, request.Categories, cancellationToken);
        return [.. matching.Select(open =>
        {
            var text = open.Offer.TextIn(request.Language);
            return new MatchedOffer(open.Offer.Id, open.Connection.Partner, open.Connection.Protocol.Word(), text.Title, text.Body,
                $"{settings.PublicOrigin}{OpenHop.PathOf(open.Offer.Id, request.OrderNumber)}");
        })];
    }
}
