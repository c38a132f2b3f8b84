using Commerce.Federation.Data;
using Commerce.Federation.Partners;
using Commerce.Identity.Contracts;
using Commerce.Kernel;
using Commerce.Saml;
using Commerce.Web;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.Saml;

/// <summary>The single logout service: a service provider ends the customer's session, by HTTP-Redirect, HTTP-POST or SOAP.</summary>
/// <remarks>
/// SAML Profiles 4.4.3. The session is found by what the signed request says and not by the browser's cookie, which another site's post does
/// not bring. It ends here first; then everybody else in it hears of it through the outbox, and the answer says truthfully who did.
/// </remarks>
internal sealed class SingleLogoutService(
    FederationDb db, LogoutIdentity identity, Connections connections, SamlParticipants participants, RefusedMessages refused, SignOutByBrowser byBrowser,
    IMediator mediator, TimeProvider clock)
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(LogoutIdentity.Path, (HttpContext context, SingleLogoutService slo, CancellationToken stop) =>
            slo.AnswerAsync(context, RedirectBinding.Read(context.Request.QueryString.Value), stop)).ExcludeFromDescription();
        routes.MapPost(LogoutIdentity.Path, async (HttpContext context, SingleLogoutService slo, CancellationToken stop) =>
            await slo.AnswerAsync(context, await SamlForm.ReadAsync(context, stop), stop)).DisableAntiforgery().ExcludeFromDescription();
        routes.MapPost(LogoutIdentity.SoapPath, (HttpContext context, SingleLogoutService slo, CancellationToken stop) =>
            slo.SoapAsync(context, stop)).DisableAntiforgery().ExcludeFromDescription();
    }

    private async Task<IResult> AnswerAsync(HttpContext context, SamlResult<ReceivedMessage> received, CancellationToken stop)
    {
        var (message, connection, no) = await SenderAsync(context, received, stop);
        if (message is null || connection is null) return refused.Page(context, no!.Code, no.Detail, connection?.Id);
        if (!message.IsRequest) return await byBrowser.ReturnAsync(context, message, connection, stop);

        var peer = LogoutPeer.Of(connection.Saml!);
        if (!identity.Current.ValidateRequest(message, peer).TryGet(out var request, out var fault)) return refused.Page(context, fault, connection.Id);
        var ended = await EndAsync(request, connection, context.User.SessionId(), stop);
        if (ended is null) return refused.Page(context, FaultCodes.Replayed, $"Logout request {request.Id} was answered already.", connection.Id);
        if (ended.Count == 0) refused.Note(context, FaultCodes.SessionUnknown, "The logout request names no session that its sender takes part in.", connection.Id);

        var status = ended.Count == 0 ? SamlStatus.UnknownPrincipal : await participants.StatusAsync(ended, stop);
        if (request.IsAsynchronous || SingleLogout.AnswerBinding(peer, request.Binding) is not { } binding) return SignOutByBrowser.SignedOut();
        if (!identity.Current.CreateResponse(peer, binding, request.Id, status, request.RelayState).TryGet(out var answer, out fault))
            return refused.Page(context, fault, connection.Id);
        return answer.Form is { } form ? new PostedResponse(form) : new SeeOther(answer.Url!);
    }

    private async Task<IResult> SoapAsync(HttpContext context, CancellationToken stop)
    {
        var (message, connection, no) = await SenderAsync(context, await SoapBody.ReadAsync(context, stop), stop);
        if (message is null || connection is null) return Refuse(context, no!, connection);
        if (!identity.Current.ValidateRequest(message, LogoutPeer.Of(connection.Saml!)).TryGet(out var request, out var fault)) return Refuse(context, fault, connection);
        var ended = await EndAsync(request, connection, browserSession: null, stop);
        if (ended is null) return Refuse(context, new SamlFault(FaultCodes.Replayed, $"Logout request {request.Id} was answered already."), connection);
        if (ended.Count == 0) refused.Note(context, FaultCodes.SessionUnknown, "The logout request names no session that its sender takes part in.", connection.Id);
        var status = ended.Count == 0 ? SamlStatus.UnknownPrincipal : await participants.StatusAsync(ended, stop);
        return identity.Current.CreateResponse(LogoutPeer.Of(connection.Saml!), SamlBindings.Soap, request.Id, status).Match<IResult>(
            answer => Results.Bytes(answer.Envelope.ToArray(), SoapBinding.MediaType), cannot => Refuse(context, cannot, connection));
    }

    private SoapFault Refuse(HttpContext context, SamlFault fault, Connection? connection)
    {
        refused.Note(context, fault.Code, fault.Detail, connection?.Id);
        return new SoapFault();
    }

    private async Task<(LogoutMessage? Message, Connection? Connection, SamlFault? No)> SenderAsync(HttpContext context, SamlResult<ReceivedMessage> received, CancellationToken stop)
    {
        if (!received.Then(SingleLogout.Read).TryGet(out var message, out var fault)) return (null, null, fault);
        if (await connections.FindAsync(message.Issuer, stop) is not { Saml: not null } connection)
            return (null, null, new SamlFault(FaultCodes.IssuerInvalid, $"There is no service provider {message.Issuer}."));
        return connection.IsActive ? (message, connection, null)
            : (null, connection, new SamlFault(Refusals.PartnerOff.Code, "The partner or its connection is switched off."));
    }

    /// <summary>Uses the request up, then ends the sessions it means.</summary>
    /// <returns>The sender's part in each of them; empty where it means none; null where the request was used before.</returns>
    private async Task<IReadOnlyList<SamlParticipant>?> EndAsync(ValidatedLogoutRequest request, Connection connection, Guid? browserSession, CancellationToken stop)
    {
        var meant = await participants.MeantByAsync(request, connection, browserSession, stop);
        await using (var transaction = await db.Database.BeginTransactionAsync(stop))
        {
            // Its own kind of id: an AuthnRequest's never has a colon in it.
            db.Add(new SamlRequest
            {
                Connection = connection.Id, RequestId = "logout:" + request.Id, ContentHash = [], Frozen = [], ReceivedAt = clock.GetUtcNow(),
                ExpiresAt = request.ExpiresAt + TimeSpan.FromMinutes(1), AnsweredAt = clock.GetUtcNow(),
            });
            try
            {
                await db.SaveChangesAsync(stop);
            }
            catch (DbUpdateException)
            {
                db.ChangeTracker.Clear();
                return null;
            }
            foreach (var participant in meant) await participants.MarkOutAsync(participant.Session, connection.Id, stop);
            await transaction.CommitAsync(stop);
        }
        foreach (var participant in meant) await mediator.Send(new EndSession(participant.Session), stop);
        return meant;
    }
}

/// <summary>The body of a SOAP request.</summary>
internal static class SoapBody
{
    public static async Task<SamlResult<ReceivedMessage>> ReadAsync(HttpContext context, CancellationToken stop)
    {
        if (context.Request.ContentType?.StartsWith("text/xml", StringComparison.OrdinalIgnoreCase) != true) return new SamlFault(FaultCodes.BindingInvalid, "The body is not text/xml.");
        using var body = new MemoryStream();
        var chunk = new byte[8192];
        try
        {
            int read;
            while ((read = await context.Request.Body.ReadAsync(chunk, stop)) > 0)
            {
                body.Write(chunk, 0, read);
                if (body.Length > SoapBinding.MaxLength) return new SamlFault(FaultCodes.BindingInvalid, "The envelope is too long.");
            }
        }
        catch (Exception unreadable) when (unreadable is BadHttpRequestException or IOException)
        {
            return new SamlFault(FaultCodes.BindingInvalid, "The body cannot be read.");
        }
        var received = SoapBinding.Read(body.ToArray(), isRequest: true);
        if (received.IsSuccess) context.Items[typeof(SoapBody)] = received.Value;
        return received;
    }

    /// <summary>What was read of this HTTP request; null where it is none by SOAP.</summary>
    public static ReceivedMessage? Of(HttpContext context) => context.Items[typeof(SoapBody)] as ReceivedMessage;
}

/// <summary>The same answer to every SOAP message that is refused (X23).</summary>
internal sealed class SoapFault : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = RefusedMessages.Refused.Status;
        httpContext.Response.ContentType = SoapBinding.MediaType;
        httpContext.Response.Headers.CacheControl = "no-store";
        return httpContext.Response.Body.WriteAsync(SoapBinding.Fault.ToArray(), httpContext.RequestAborted).AsTask();
    }
}
