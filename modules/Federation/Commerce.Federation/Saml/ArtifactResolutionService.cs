using Commerce.Federation.Partners;
using Commerce.Saml;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Commerce.Federation.Saml;

/// <summary>The artifact resolution service: a service provider fetches its response by SOAP.</summary>
/// <remarks>SAML Core 3.5, Bindings 3.6. Whoever is refused before being proven gets the one fault; who asks for an artifact that is used, old or
/// another's gets an empty Success, as Core 3.5.3 has it.</remarks>
internal sealed class ArtifactResolutionService(SamlIdentity identity, Connections connections, ArtifactResponses artifacts, RefusedMessages refused, TimeProvider clock)
{
    public const string Path = "/saml/artifact";

    public static void Map(IEndpointRouteBuilder routes) => routes.MapPost(Path,
        (HttpContext context, ArtifactResolutionService service, CancellationToken stop) => service.AnswerAsync(context, stop)).DisableAntiforgery().ShortCircuit().ExcludeFromDescription();

    private async Task<IResult> AnswerAsync(HttpContext context, CancellationToken stop)
    {
        var resolution = new ArtifactResolution(identity.Provider.Settings, identity.Origin + Path, clock);
        if (!(await SoapBody.ReadAsync(context, stop)).Then(ArtifactResolution.Read).TryGet(out var message, out var fault)) return Refuse(context, fault, null);
        if (await connections.FindAsync(message.Issuer, stop) is not { Saml: { } sp } connection)
            return Refuse(context, new SamlFault(FaultCodes.IssuerInvalid, $"There is no service provider {message.Issuer}."), null);
        if (!connection.IsActive) return Refuse(context, new SamlFault(Refusals.PartnerOff.Code, "The partner or its connection is switched off."), connection);
        if (!resolution.Validate(message, sp).TryGet(out var request, out fault)) return Refuse(context, fault, connection);
        var response = await artifacts.TakeAsync(request.Artifact, connection.Id, stop);
        if (response is null) refused.Note(context, FaultCodes.Replayed, "The artifact is unknown, used, too old, or another service provider's.", connection.Id);
        context.Response.Headers.CacheControl = "no-store";
        return Results.Bytes(resolution.Respond(request.Id, sp, response ?? []), SoapBinding.MediaType);
    }

    private SoapFault Refuse(HttpContext context, SamlFault fault, Connection? connection)
    {
        refused.Note(context, fault.Code, fault.Detail, connection?.Id);
        return new SoapFault();
    }
}
