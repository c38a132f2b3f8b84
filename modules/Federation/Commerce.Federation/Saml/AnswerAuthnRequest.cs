using Commerce.Federation.Data;
using Commerce.Federation.Hops;
using Commerce.Federation.Partners;
using Commerce.Federation.Releases;
using Commerce.Identity.Contracts;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Commerce.Saml;
using Commerce.Web;
using MediatR;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.Saml;

/// <summary>
/// Answers a request that was in order: by an assertion, by an error status, or first by the sign-in page or the consent sheet, after which
/// the browser comes back with a handle. Using the request up, using a hop's ticket up and putting the release on record are one commit.
/// </summary>
/// <remarks>SAML Profiles 4.1.3.4 and 4.1.3.5; Core 3.4.1.4 and 3.2.2.2 (what the error statuses mean).</remarks>
internal sealed class AnswerAuthnRequest(
    OnDemand<FederationDb> db, SamlIdentity identity, Connections connections, FrozenRequests frozen, RedeemHop redeem, HopCookie hops, SignInRelease signIn, IssueAssertion issue,
    CustomerName names, ArtifactResponses responses, RefusedMessages refused, IMediator mediator, SealedState state)
{
    /// <param name="kept">Set where the browser came back with a handle.</param>
    public async Task<IResult> AnswerAsync(HttpContext context, ValidatedAuthnRequest request, KeptRequest? kept, CancellationToken stop)
    {
        if (await connections.FindAsync(request.ServiceProvider.EntityId, stop) is not { IsActive: true } connection) return Off(context, request);
        if (CustomerName.FormatFor(request.NameIdFormat, connection) is not { } format)
            return await RefuseAsync(context, request, SamlStatus.InvalidNameIdPolicy, "The data contract does not give the name asked for.", kept is not null, stop);
        var asked = new Asked(context, request, kept, connection, format);
        var customer = SignedInCustomer.Of(context.User);
        var step = request.Next(customer is null ? null : await StateAsync(asked, customer, stop));
        if (step.Status is { } status) return await RefuseAsync(context, request, status, "The request's own conditions.", kept is not null, stop);
        return step.NeedsChallenge || customer is null ? await ChallengeAsync(asked, customer, stop) : await ReleaseAsync(asked, customer, stop);
    }

    /// <summary>The request is in order and is not granted: an error status to the proven endpoint, and the request is used up.</summary>
    public async Task<IResult> RefuseAsync(
        HttpContext context, ValidatedAuthnRequest request, SamlStatus status, string reason, bool wasKept, CancellationToken stop)
    {
        var connection = request.ServiceProvider.EntityId;
        if (!identity.Provider.RespondError(request, status).TryGet(out var response, out var fault)) return refused.Page(context, fault, connection);
        if (!await frozen.UseUpAsync(request, wasKept, stop)) return Answered(context, request);
        refused.Note(context, status.SubCode ?? status.Code, reason, connection);
        return await responses.SendAsync(response, request.AssertionConsumerService, connection, request.RelayState, stop);
    }

    private async Task<IResult> ChallengeAsync(Asked asked, SignedInCustomer? customer, CancellationToken stop)
    {
        var (context, request, kept, connection, _) = asked;
        if (request.IsPassive) return await RefuseAsync(context, request, SamlStatus.NoPassive, "The customer has to sign in.", kept is not null, stop);

        // A hop's ticket is good in the browser session that made it, and in none that begins now.
        if (request.HopTicket is not null && customer is null)
            return await RefuseAsync(context, request, SamlStatus.AuthnFailed, "A hop ticket without the session it was made in.", kept is not null, stop);

        var handle = kept?.Handle ?? Token.New();
        if (kept is null && !await frozen.KeepAsync(request, handle, stop)) return Answered(context, request);
        return new SeeOther(state.SignInPath(new SignInRequest(ResumeSingleSignOn.Path(handle)) { Again = true, For = connection.PartnerName }));
    }

    private async Task<IResult> ReleaseAsync(Asked asked, SignedInCustomer customer, CancellationToken stop)
    {
        var (context, request, kept, connection, format) = asked;
        var waiting = request.HopTicket is { } ticket
            ? await redeem.FindAsync(ticket, connection.Id, customer.Id, customer.Session, stop)
            : hops.IsSet(context.Request) ? await redeem.FindPendingAsync(connection.Id, customer.Id, customer.Session, stop) : null;
        if (waiting is not { } hop) return await SignInAsync(asked, customer, stop);

        // A ticket that fails is never turned into an ordinary sign-in: the partner would take it for the hop.
        return hop.TryGet(out var found, out var no)
            ? await IssueAsync(asked, new Leaving(connection, found.Release, found) { NameFormat = format }, customer, stop)
            : await RefuseAsync(context, request, SamlStatus.RequestDenied, no.Code, kept is not null, stop);
    }

    private async Task<IResult> SignInAsync(Asked asked, SignedInCustomer customer, CancellationToken stop)
    {
        var (context, request, kept, connection, format) = asked;
        var handle = new Lazy<string>(() => kept?.Handle ?? Token.New());
        var decided = await signIn.DecideAsync(connection, customer.Id, customer.Session, AskedAttributes.Of(request, format),
            () => new SheetPaths(ResumeSingleSignOn.Path(handle.Value), ResumeSingleSignOn.DeniedPath(handle.Value)), forceAsk: false, stop);
        if (!decided.TryGet(out var answer, out var no))
        {
            return no == Refusals.SessionOver ? await ChallengeAsync(asked, null, stop)
                : no == Refusals.PartnerOff ? Off(context, request)
                : await RefuseAsync(context, request, SamlStatus.RequestDenied, no.Code, kept is not null, stop);
        }
        if (answer.Release is { } leaving)
            return await IssueAsync(asked, new Leaving(connection, leaving, null) { NameFormat = format, IsNew = answer.IsNew }, customer, stop);

        if (request.IsPassive) return await RefuseAsync(context, request, SamlStatus.NoPassive, "The customer has to be asked.", kept is not null, stop);
        if (kept is null && !await frozen.KeepAsync(request, handle.Value, stop)) return Answered(context, request);
        return new SeeOther(answer.SheetPath!);
    }

    private async Task<IResult> IssueAsync(Asked asked, Leaving leaving, SignedInCustomer customer, CancellationToken stop)
    {
        var (context, request, kept, connection, _) = asked;
        if (await issue.ContentAsync(leaving, customer, stop) is not { } content)
            return await RefuseAsync(context, request, SamlStatus.RequestDenied, "The customer was erased, or has no name of the format asked for.", kept is not null, stop);
        if (!identity.Provider.Prepare(request, content).TryGet(out var prepared, out var fault))
            return await RefuseAsync(context, request, new SamlStatus(Commerce.Saml.StatusCodes.Responder), fault.Code, kept is not null, stop);
        using (prepared)
        {
            // The record waits for the disk and the signature for the processor, so they are made together; nothing is sent before both are done.
            // The signature comes first where it may fail, in a hardware module, and where that would cost the customer a hop.
            var signed = leaving.Hop is not null || identity.SignsInHardware ? prepared.Sign() : null;
            var recorded = issue.CommitAsync(leaving, customer, content.SessionIndex, frozen.Use(request, kept is not null), stop);
            var response = signed ?? prepared.Sign();
            return await recorded
                ? await responses.SendAsync(response, request.AssertionConsumerService, connection.Id, request.RelayState, stop)
                : Answered(context, request);
        }
    }

    private async Task<SignInState> StateAsync(Asked asked, SignedInCustomer customer, CancellationToken stop)
    {
        var (_, request, kept, connection, _) = asked;

        // The cookie knows whole seconds; whether the credential was given after the request came needs the session's own record.
        var fresh = request.ForceAuthn && kept is not null
            && await mediator.Send(new SessionOf(customer.Session), stop) is { } session && session.AuthenticatedAt >= kept.ReceivedAt;

        // Nearly every request takes whatever name there is. Else: a pair of customer and service provider exists once the customer agreed to be
        // known there, in a sign-in before or by the hop that waits.
        var isAsked = !request.AllowCreate || request.Subject is not null;
        var isKnown = isAsked
            && (await db.Value.Set<KnownName>().AnyAsync(n => n.Customer == customer.Id && n.Connection == connection.Id, stop)
            || await db.Value.Hops.AnyAsync(h => h.Session == customer.Session && h.Connection == connection.Id && h.Customer == customer.Id && h.Release != null, stop));
        return new SignInState(AcrLadder.SamlClassOf(customer.Acr), fresh, isKnown ? await NameAsync(asked, customer, stop) : null);
    }

    /// <summary>The customer's name, in the format in which the request's Subject gives one.</summary>
    private async Task<NameId?> NameAsync(Asked asked, SignedInCustomer customer, CancellationToken stop)
    {
        var format = asked.Request.Subject is { Format: NameIdFormats.Transient or NameIdFormats.EmailAddress } wanted
            ? CustomerName.FormatFor(wanted.Format, asked.Connection) ?? NameIdFormats.Persistent : NameIdFormats.Persistent;
        var email = format == NameIdFormats.EmailAddress ? (await mediator.Send(new AccountOf(customer.Id), stop))?.Email : null;
        return names.Of(format, customer.Id, customer.Session, asked.Connection, email);
    }

    private IResult Answered(HttpContext context, ValidatedAuthnRequest request) =>
        refused.Page(context, FaultCodes.Replayed, $"Request {request.Id} was answered already.", request.ServiceProvider.EntityId);

    private IResult Off(HttpContext context, ValidatedAuthnRequest request) =>
        refused.Page(context, Refusals.PartnerOff.Code, "The partner or its connection is switched off.", request.ServiceProvider.EntityId);

    private sealed record Asked(HttpContext Context, ValidatedAuthnRequest Request, KeptRequest? Kept, Connection Connection, string NameFormat);
}
