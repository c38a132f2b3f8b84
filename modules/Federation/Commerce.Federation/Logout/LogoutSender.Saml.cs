using System.Net.Sockets;
using Commerce.Federation.Saml;
using Commerce.Saml;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Commerce.Federation.Logout;

/// <summary>Single logout by SOAP: the same queue and the same back-off as for logout tokens, with a signed LogoutRequest made afresh for each attempt.</summary>
/// <remarks>SAML Profiles 4.4.3.3 and Bindings 3.2.</remarks>
internal sealed partial class LogoutSender
{
    private async Task AttemptSamlAsync(LogoutDelivery delivery, CancellationToken stop)
    {
        var attempt = delivery.Attempts + 1;
        await using var scope = scopes.CreateAsyncScope();
        var participants = scope.ServiceProvider.GetRequiredService<SamlParticipants>();
        var logout = scope.ServiceProvider.GetRequiredService<LogoutIdentity>().Current;
        var participant = await scope.ServiceProvider.GetRequiredService<FederationDb>().Set<SamlParticipant>().AsNoTracking()
            .SingleOrDefaultAsync(p => p.Session == delivery.SamlSession && p.Connection == delivery.Connection, stop);
        if (participant is null || await connections.FindAsync(delivery.Connection, stop) is not { IsActive: true, Saml: { } sp } connection
            || await participants.NameOfAsync(participant, connection, null, stop) is not { } name
            || !logout.CreateRequest(LogoutPeer.Of(sp), SamlBindings.Soap, name, participant.SessionIndex).TryGet(out var request, out _))
        {
            await NoteAsync(delivery, DeliveryState.Dropped, null, null, stop);
            return;
        }
        var (state, status, fault) = (attempt > Waits.Count ? DeliveryState.Dead : DeliveryState.Waiting, (int?)null, (string?)null);
        try
        {
            (status, var body) = await http.PostSoapAsync(request.Address, request.Envelope, stop);
            var answer = SoapBinding.Read(body, isRequest: false).Then(SingleLogout.Read).Then(read => logout.ValidateResponse(read, LogoutPeer.Of(sp), request.Id));
            fault = answer.Fault?.Code;
            // A participant that no longer knows the customer has nothing to end; whatever else it says in order is its last word.
            if (answer.IsSuccess) state = answer.Value.IsComplete ? DeliveryState.Delivered : DeliveryState.Refused;
        }
        catch (Exception error) when (error is HttpRequestException or SocketException or IOException or OperationCanceledException)
        {
            if (stop.IsCancellationRequested) return;   // not the partner's fault: the row comes due again after its lease
            fault = error is OperationCanceledException ? "timeout" : error is HttpRequestException { InnerException: AddressRefusedException } ? "address refused" : error.GetType().Name;
        }
        if (state == DeliveryState.Delivered) await participants.MarkOutAsync(participant.Session, participant.Connection, stop);
        await NoteAsync(delivery, state, status, fault, stop, attempt);
        if (state != DeliveryState.Delivered)
            log.LogWarning("Logout of a session was not taken by {Client} at attempt {Attempt}: {Status} {Fault}; now {State}.", connection.Id, attempt, status, fault, state);
    }
}
