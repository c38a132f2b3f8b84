using System.Text.Json;
using Commerce.Consent.Contracts;
using Commerce.Kernel;
using Commerce.Purchases.Contracts;
using MediatR;

namespace Commerce.Federation.Hops;

/// <summary>Everything that one customer's hop from one order to one offer is about, as it stands now.</summary>
/// <param name="Consent">The standing consent for the purpose; null where there is none.</param>
internal sealed record HopOccasion(Offer Offer, Connection Connection, ContractPurpose Purpose, Purchase Purchase, HopScope Scope, Guid Customer, ConsentRecord? Consent)
{
    public DataContract Contract => Connection.Contract!;

    public bool IsCovered => ClaimsRelease.Covers(Consent, Contract, Purpose, Purpose.Claims);

    /// <summary>Origins that the browser may pass through after the sheet is answered.</summary>
    public IEnumerable<string> Origins => PartnerOrigins.Of(Connection).Append(PartnerUrl.Origin(Offer.TargetUrl)).Distinct(StringComparer.Ordinal);
}

/// <summary>Gathers a <see cref="HopOccasion"/> from the modules that know. Every reason to say no gives the same answer.</summary>
internal sealed class HopOccasions(OfferBook offers, ReleaseGate gate, ReleaseValues values, IMediator mediator)
{
    public async Task<Result<HopOccasion>> FindAsync(string? offer, string? order, Guid customer, Guid session, CancellationToken stop)
    {
        if (string.IsNullOrEmpty(offer) || string.IsNullOrEmpty(order) || offer.Length > Lengths.Offer || order.Length > Lengths.OrderNumber) return Refusals.OfferUnavailable;
        if (await offers.FindAsync(offer, stop) is not { } open) return Refusals.OfferUnavailable;
        if (!(await mediator.Send(new PurchaseOf(customer, order), stop)).TryGet(out var purchase, out _)) return Refusals.OfferUnavailable;

        var country = purchase.Fulfilment.Address?.Country ?? purchase.Vehicle?.Country;
        if (!open.Offer.When.FitsShop(purchase.Banner, country)) return Refusals.OfferUnavailable;
        var lines = purchase.Lines.Where(l => open.Offer.When.FitsLine(l.Category)).Select(l => l.Line).ToList();
        if (lines.Count == 0) return Refusals.OfferUnavailable;

        if (!(await gate.CheckAsync(open.Connection.Id, customer, session, null, stop)).TryGet(out _, out var no))
            return no == Refusals.SessionOver ? no : Refusals.OfferUnavailable;
        var consent = open.Purpose.NeedsConsent ? await mediator.Send(new CurrentConsent(customer, open.Connection.Partner, open.Purpose.Id), stop) : null;
        return new HopOccasion(open.Offer, open.Connection, open.Purpose, purchase, new HopScope(purchase.OrderNumber, lines), customer, consent);
    }

    /// <summary>What would leave if the customer agreed to everything the contract names.</summary>
    public Task<IReadOnlyList<KeyValuePair<string, JsonElement>>> MostAsync(HopOccasion hop, CancellationToken stop) =>
        values.GatherAsync(hop.Customer, [.. hop.Purpose.Claims.SelectMany(c => ClaimCatalogue.With(c.Name)).Distinct()], hop.Purchase, hop.Scope.Lines, stop);

    /// <summary>What leaves under this consent.</summary>
    public Task<IReadOnlyList<KeyValuePair<string, JsonElement>>> UnderAsync(HopOccasion hop, ConsentRecord? consent, CancellationToken stop)
    {
        var decision = ClaimsRelease.Decide(hop.Contract, hop.Purpose.Id, consent, hop.Scope, null);
        return values.GatherAsync(hop.Customer, decision.Names, hop.Purchase, decision.Lines, stop);
    }
}

/// <summary>Where a browser goes on its way into a partner: browsers hold a page's form-action directive against each of these.</summary>
internal static class PartnerOrigins
{
    public static IEnumerable<string> Of(Connection connection) => (connection.Saml is { } saml
        ? saml.AssertionConsumerServices.Select(acs => acs.Location).Append(saml.RequestInitiatorUrl)
        : (connection.Oidc?.RedirectUris ?? []).Append(connection.Oidc?.InitiateLoginUri))
        .OfType<string>().Where(url => Uri.IsWellFormedUriString(url, UriKind.Absolute)).Select(PartnerUrl.Origin).Distinct(StringComparer.Ordinal);
}
