using Commerce.Federation.Data;
using Commerce.Federation.Hops;
using Commerce.Federation.Offers;
using Commerce.Federation.Partners;
using Commerce.Kernel;
using Commerce.Saml;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.Saml;

/// <summary>
/// Carries a hop to a service provider that cannot be asked to start the sign-in itself: one unsolicited response, bound to the one-time
/// ticket and to the browser session that the hop began in.
/// </summary>
/// <remarks>SAML Profiles 4.1.5. There is no other way to an unsolicited response: without a ticket this address answers nobody.</remarks>
internal sealed class HopByUnsolicitedResponse(
    FederationDb db, HubSettings settings, SamlIdentity identity, Connections connections, RedeemHop redeem, IssueAssertion issue, RefusedMessages refused)
{
    public static string Path(string ticket) => "/saml/hop?ticket=" + ticket;

    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/saml/hop",
        (HttpContext context, string? ticket, HopByUnsolicitedResponse hop, CancellationToken stop) => hop.GoAsync(context, ticket, stop)).ExcludeFromDescription();

    private async Task<IResult> GoAsync(HttpContext context, string? ticket, CancellationToken stop)
    {
        if (SignedInCustomer.Of(context.User) is not { } customer) return refused.Page(context, Refusals.SessionOver.Code, "Nobody is signed in.", null);
        if (ticket is not { Length: > 0 and <= 128 }) return refused.Page(context, Refusals.TicketInvalid.Code, "There is no ticket.", null);

        var hash = Token.Hash(ticket);
        var entity = await db.Hops.Where(h => h.TicketHash == hash).Select(h => h.Connection).SingleOrDefaultAsync(stop);
        if (await connections.FindAsync(entity, stop) is not { IsActive: true, Saml: { } serviceProvider } connection)
            return refused.Page(context, Refusals.TicketInvalid.Code, "The ticket is unknown, or its partner is no SAML service provider that is switched on.", entity);

        // One that can start the sign-in itself is answered, never surprised: its requests protect it against a response that was stolen.
        if (serviceProvider.RequestInitiatorUrl is not null)
            return refused.Page(context, FaultCodes.InResponseToInvalid, "The service provider starts the sign-in itself.", connection.Id);
        if (serviceProvider.DefaultAssertionConsumerService() is not { } acs)
            return refused.Page(context, FaultCodes.AcsInvalid, "No endpoint with HTTP-POST.", connection.Id);

        if (!(await redeem.FindAsync(ticket, connection.Id, customer.Id, customer.Session, stop)).TryGet(out var hop, out var no))
            return refused.Page(context, no.Code, "The hop was refused.", connection.Id);
        var leaving = new Leaving(connection, hop.Release, hop) { NameFormat = CustomerName.FormatFor(null, connection)! };
        if (await issue.ContentAsync(leaving, customer, stop) is not { } content)
            return refused.Page(context, Refusals.NothingAgreed.Code, "The customer was erased.", connection.Id);

        var target = await db.Offers.Where(o => o.Id == hop.Hop.Offer).Select(o => o.Json).SingleOrDefaultAsync(stop);
        var relayState = target is null ? null : OfferJson.Read(target, settings.IsDevelopment).Match(offer => offer.TargetUrl, _ => null!);
        if (!identity.Provider.RespondUnsolicited(serviceProvider, acs, relayState, content).TryGet(out var response, out var fault))
            return refused.Page(context, fault, connection.Id);
        return await issue.CommitAsync(leaving, customer, content.SessionIndex, request: null, stop)
            ? new PostedResponse(response)
            : refused.Page(context, Refusals.TicketInvalid.Code, "The ticket was used meanwhile.", connection.Id);
    }
}
