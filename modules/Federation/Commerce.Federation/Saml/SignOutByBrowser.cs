using Commerce.Federation.Data;
using Commerce.Federation.Logout;
using Commerce.Federation.Partners;
using Commerce.Kernel.Secrets;
using Commerce.Saml;
using Commerce.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.Saml;

/// <summary>
/// Service providers without a SOAP endpoint can only be told by the customer's browser. The signed-out page links to each; the customer is
/// out here already, so one that is down costs nothing but its own line on that page.
/// </summary>
/// <remarks>SAML Profiles 4.4.3.3. A link for each, and no chain of redirects: in a chain the first dead link would hold the customer.</remarks>
internal sealed class SignOutByBrowser(
    FederationDb db, LogoutIdentity identity, Connections connections, SamlParticipants participants, RefusedMessages refused, SealedState state)
{
    private const string Use = "saml-slo", OnwardUse = "saml-slo-onward", TellPath = "/saml/slo/tell";
    private const int LongestOnward = 4000;     // characters: with a longer address a link would not fit where addresses go
    private static readonly TimeSpan LinkLifetime = TimeSpan.FromHours(1);

    private sealed record Link(Guid Session, string Connection, Onward? Onward);

    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet(TellPath,
        (HttpContext context, string? to, SignOutByBrowser slo, CancellationToken stop) => slo.TellAsync(context, to, stop)).ExcludeFromDescription();

    public static IResult SignedOut() => Page.Of("/Logout/SignedOut.cshtml", new SignedOutModel());

    /// <summary>
    /// The signed-out page, with a link for each service provider of the session that the browser has to tell, and at its end the one onward.
    /// Where nobody has to be told (any more), the browser is sent onward at once.
    /// </summary>
    /// <param name="onward">Where the relying party that asked for the sign-out wants the customer; null where nobody said.</param>
    public async Task<IResult> SignedOutAsync(Guid session, Onward? onward, CancellationToken stop)
    {
        var open = await participants.ByBrowserAsync(session, stop);
        if (open.Count == 0 && onward is not null) return new SeeOther(onward.Address);
        var kept = onward?.Address.Length <= LongestOnward ? onward : null;
        return Page.Of("/Logout/SignedOut.cshtml", new SignedOutModel
        {
            Onward = onward,
            ByBrowser = [.. open.Select(p => new SignOutLink(p.Connection.PartnerName, $"{TellPath}?to={state.Seal(Use, new Link(session, p.Connection.Id, kept), LinkLifetime)}"))],
        });
    }

    private async Task<IResult> TellAsync(HttpContext context, string? to, CancellationToken stop)
    {
        if (!state.TryOpen<Link>(Use, to, out var link)) return refused.Page(context, FaultCodes.Expired, "The link is too old or not ours.", null);
        var participant = (await participants.OpenAsync(link.Session, stop)).Find(p => p.Connection == link.Connection);
        if (participant is null) return await SignedOutAsync(link.Session, link.Onward, stop);
        if (await connections.FindAsync(link.Connection, stop) is not { IsActive: true, Saml: { } sp } connection)
            return refused.Page(context, Refusals.PartnerOff.Code, "The partner or its connection is switched off.", link.Connection);
        var peer = LogoutPeer.Of(sp);
        if (SamlParticipants.FrontBinding(peer) is not { } binding || await participants.NameOfAsync(participant, connection, null, stop) is not { } name)
            return await SignedOutAsync(link.Session, link.Onward, stop);
        if (!identity.Current.CreateRequest(peer, binding, name, participant.SessionIndex, relayState: participant.SessionIndex).TryGet(out var request, out var fault))
            return refused.Page(context, fault, connection.Id);
        var onward = link.Onward is { } there ? state.Seal(OnwardUse, there, LinkLifetime) : null;
        await db.Set<SamlParticipant>().Where(p => p.Session == participant.Session && p.Connection == participant.Connection)
            .ExecuteUpdateAsync(row => row.SetProperty(p => p.LogoutRequestId, request.Id).SetProperty(p => p.Onward, onward), stop);
        return request.Form is { } form ? new PostedResponse(form) : new SeeOther(request.Url!);
    }

    /// <summary>The browser comes back from a service provider with its LogoutResponse.</summary>
    public async Task<IResult> ReturnAsync(HttpContext context, LogoutMessage message, Connection connection, CancellationToken stop)
    {
        var index = message.RelayState ?? "";
        var participant = await db.Set<SamlParticipant>().AsNoTracking().SingleOrDefaultAsync(p => p.SessionIndex == index && p.Connection == connection.Id, stop);
        if (participant?.LogoutRequestId is not { } id) return refused.Page(context, FaultCodes.InResponseToInvalid, "No logout request waits for this response.", connection.Id);
        if (!identity.Current.ValidateResponse(message, LogoutPeer.Of(connection.Saml!), id).TryGet(out var response, out var fault)) return refused.Page(context, fault, connection.Id);
        if (response.IsComplete) await participants.MarkOutAsync(participant.Session, connection.Id, stop);
        return await SignedOutAsync(participant.Session, state.TryOpen<Onward>(OnwardUse, participant.Onward, out var onward) ? onward : null, stop);
    }
}
