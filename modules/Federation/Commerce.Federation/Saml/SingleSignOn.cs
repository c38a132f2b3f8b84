using Commerce.Federation.Partners;
using Commerce.Kernel;
using Commerce.Saml;
using Commerce.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Commerce.Federation.Saml;

/// <summary>The single sign-on service: takes AuthnRequests by HTTP-Redirect and by HTTP-POST.</summary>
/// <remarks>SAML Profiles 4.1.3.3, Bindings 3.4 and 3.5. Until the assertion consumer service is proven registered, whatever is wrong is
/// shown here and nothing is sent there.</remarks>
internal sealed class SingleSignOn(SamlIdentity identity, Connections connections, RefusedMessages refused, AnswerAuthnRequest answer, FrozenRequests frozen)
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/saml/sso", (HttpContext context, SingleSignOn sso, CancellationToken stop) => sso.RedirectAsync(context, stop)).ExcludeFromDescription();
        routes.MapPost("/saml/sso", (HttpContext context, SingleSignOn sso, CancellationToken stop) => sso.PostAsync(context, stop))
            .DisableAntiforgery().ExcludeFromDescription();
    }

    private async Task<IResult> RedirectAsync(HttpContext context, CancellationToken stop)
    {
        // The raw query: the signature is over its octets as they came.
        var (request, no) = await ValidateAsync(context, RedirectBinding.Read(context.Request.QueryString.Value), stop);
        return request is null ? no! : await answer.AnswerAsync(context, request, kept: null, stop);
    }

    private async Task<IResult> PostAsync(HttpContext context, CancellationToken stop)
    {
        var (request, no) = await ValidateAsync(context, await SamlForm.ReadAsync(context, stop), stop);
        if (request is null) return no!;

        // The browser leaves its session cookie at home when another site posts (SameSite=Lax). It brings it to the address we send it to.
        var handle = Token.New();
        return await frozen.KeepAsync(request, handle, stop)
            ? new SeeOther(ResumeSingleSignOn.Path(handle))
            : refused.Page(context, FaultCodes.Replayed, $"Request {request.Id} was answered already.", request.ServiceProvider.EntityId);
    }

    private async Task<(ValidatedAuthnRequest? Request, IResult? No)> ValidateAsync(HttpContext context, SamlResult<ReceivedMessage> received, CancellationToken stop)
    {
        var provider = identity.Provider;
        if (!received.Then(provider.Read).TryGet(out var read, out var fault)) return (null, refused.Page(context, fault, null));
        if (await connections.FindAsync(read.Issuer, stop) is not { Saml: { } serviceProvider } connection)
            return (null, refused.Page(context, FaultCodes.IssuerInvalid, $"There is no service provider {read.Issuer}.", null));
        if (!connection.IsActive) return (null, refused.Page(context, Refusals.PartnerOff.Code, "The partner or its connection is switched off.", connection.Id));
        if (!provider.Validate(read, serviceProvider).TryGet(out var request, out fault)) return (null, refused.Page(context, fault, connection.Id));
        return request.Id.Length <= FrozenRequests.LongestId ? (request, null)
            : (null, refused.Page(context, FaultCodes.IdInvalid, "The ID is too long.", connection.Id));
    }
}
