using System.Text;
using Commerce.Saml;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Logging;

namespace Commerce.PartnerKit.Saml;

/// <summary>Single logout of a SAML site: the hub ends sessions here by HTTP-Redirect, HTTP-POST or SOAP, and a customer who signs out here is signed out at the hub.</summary>
/// <remarks>SAML Profiles 4.4. Every message is signed, so a site without <see cref="CommerceHopOptions.SamlSigningKey"/> does not offer it.</remarks>
internal sealed class SamlLogout(
    CommerceHopOptions options, HubMetadata metadata, PartnerSessions sessions, OneTime oneTime, IDistributedCache cache, TimeProvider clock, ILogger<SamlLogout> log)
{
    internal const string NameFormat = "saml_name_format";
    private static readonly TimeSpan RequestLifetime = TimeSpan.FromMinutes(15);

    private readonly SingleLogout? logout = options.SamlSigningKey is not { } key ? null : new SingleLogout(new SingleLogoutSettings
    {
        EntityId = options.OwnEntityId,
        Addresses = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [SamlBindings.HttpRedirect] = options.BaseUrl + HopPaths.SingleLogout,
            [SamlBindings.HttpPost] = options.BaseUrl + HopPaths.SingleLogout,
            [SamlBindings.Soap] = options.BaseUrl + HopPaths.SingleLogoutSoap,
        },
        SigningKey = key,
        DecryptionKeys = [.. options.SamlDecryptionKeys],
    }, clock);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(HopPaths.SingleLogout, (HttpContext context, SamlLogout slo) =>
            slo.AnswerAsync(context, RedirectBinding.Read(context.Request.QueryString.Value))).ExcludeFromDescription();
        routes.MapPost(HopPaths.SingleLogout, async (HttpContext context, SamlLogout slo) => await slo.AnswerAsync(context,
            context.Request.HasFormContentType ? PostBinding.Read(await context.Request.ReadFormAsync(context.RequestAborted)) : NoForm)).DisableAntiforgery().ExcludeFromDescription();
        routes.MapPost(HopPaths.SingleLogoutSoap, (HttpContext context, SamlLogout slo) => slo.SoapAsync(context)).DisableAntiforgery().ExcludeFromDescription();
    }

    /// <summary>The address at the hub that ends the customer's session there too; null where that cannot be asked for.</summary>
    public async Task<string?> StartAsync(AuthenticateResult ticket, CancellationToken stop)
    {
        if (logout is null || ticket.Principal?.FindFirst("sub")?.Value is not { } subject || await metadata.GetAsync(fresh: false, stop) is not { } hub) return null;
        var format = ticket.Properties?.GetString(NameFormat) ?? NameIdFormats.Persistent;
        var isQualified = format is NameIdFormats.Persistent or NameIdFormats.Transient;
        var name = new NameId(subject, format, isQualified ? hub.EntityId : null, isQualified ? options.OwnEntityId : null);
        var handle = OneTime.NewHandle();
        if (!logout.CreateRequest(LogoutPeer.Of(hub), SamlBindings.HttpRedirect, name, ticket.Properties?.GetString(PartnerSessions.HubSession), handle).TryGet(out var request, out var fault))
        {
            log.LogWarning("Single logout cannot be asked for: {Code}", fault.Code);
            return null;
        }
        await cache.SetStringAsync(Key(handle), request.Id, new DistributedCacheEntryOptions { AbsoluteExpirationRelativeToNow = RequestLifetime }, stop);
        return request.Url;
    }

    private async Task<IResult> AnswerAsync(HttpContext context, SamlResult<ReceivedMessage> received)
    {
        var stop = context.RequestAborted;
        if (!received.Then(SingleLogout.Read).TryGet(out var message, out var fault)) return Refuse(fault);
        if (!message.IsRequest) return await ReturnAsync(message, stop);
        if (!(await EndAsync(message, stop)).TryGet(out var done, out fault)) return Refuse(fault);
        var (hub, request) = done;
        if (SingleLogout.AnswerBinding(hub, request.Binding) is not { } binding || request.IsAsynchronous) return new SeeOther(options.LandingPath);
        return logout!.CreateResponse(hub, binding, request.Id, SamlStatus.Success, request.RelayState).Match(
            answer => answer.Form is { } form ? new FormPage(form) : new SeeOther(answer.Url!), Refuse);
    }

    private async Task<IResult> SoapAsync(HttpContext context)
    {
        var stop = context.RequestAborted;
        using var body = new MemoryStream();
        var chunk = new byte[8192];
        int read;
        while ((read = await context.Request.Body.ReadAsync(chunk, stop)) > 0 && body.Length <= SoapBinding.MaxLength) body.Write(chunk, 0, read);
        if (!SoapBinding.Read(body.ToArray(), isRequest: true).Then(SingleLogout.Read).TryGet(out var message, out var fault)) return Fault(fault);
        if (!(await EndAsync(message, stop)).TryGet(out var done, out fault)) return Fault(fault);
        return logout!.CreateResponse(done.Hub, SamlBindings.Soap, done.Request.Id, SamlStatus.Success).Match(
            answer => Results.Bytes(answer.Envelope.ToArray(), SoapBinding.MediaType), Fault);
    }

    /// <summary>Ends the sessions that a request of the hub names: by the session's name, or all of the customer's where it names none (Core 3.7.3.2).</summary>
    private async Task<SamlResult<(LogoutPeer Hub, ValidatedLogoutRequest Request)>> EndAsync(LogoutMessage message, CancellationToken stop)
    {
        if (logout is null || await metadata.GetAsync(fresh: false, stop) is not { } hub) return new SamlFault(FaultCodes.MetadataInvalid, "There is no single logout here, or no metadata of the hub.");
        var checkedRequest = logout.ValidateRequest(message, LogoutPeer.Of(hub));
        if (checkedRequest.Fault is { Code: FaultCodes.SignatureInvalid } && await metadata.GetAsync(fresh: true, stop) is { } newer && newer != hub)
            checkedRequest = logout.ValidateRequest(message, LogoutPeer.Of(hub = newer));
        if (!checkedRequest.TryGet(out var request, out var fault)) return fault;
        if (!await oneTime.ConsumeAsync($"logout:{request.Id}", request.ExpiresAt, stop)) return new SamlFault(FaultCodes.Replayed, "The request was used before.");
        foreach (var session in request.SessionIndexes) await sessions.EndAsync("sid", session, clock.GetUtcNow(), stop);
        if (request.SessionIndexes.Count == 0) await sessions.EndAsync("sub", request.Name.Value, clock.GetUtcNow(), stop);
        return (LogoutPeer.Of(hub), request);
    }

    /// <summary>The browser comes back from the hub. The customer is out here whatever it says; the log says what went wrong.</summary>
    private async Task<IResult> ReturnAsync(LogoutMessage message, CancellationToken stop)
    {
        var id = message.RelayState is { Length: <= 80 } handle ? await cache.GetStringAsync(Key(handle), stop) : null;
        if (id is null || logout is null || await metadata.GetAsync(fresh: false, stop) is not { } hub) return Refuse(new SamlFault(FaultCodes.InResponseToInvalid, "No logout request waits for this response."));
        await cache.RemoveAsync(Key(message.RelayState!), stop);
        if (!logout.ValidateResponse(message, LogoutPeer.Of(hub), id).TryGet(out var response, out var fault)) return Refuse(fault);
        if (!response.IsComplete) log.LogWarning("Signed out at the hub, but not everywhere: {Status} {SubStatus}", response.Status.Code, response.Status.SubCode);
        return new SeeOther(options.LandingPath);
    }

    private IResult Refuse(SamlFault fault)
    {
        log.LogWarning("A SAML logout message was refused: {Code}", fault.Code);
        return SignInFailure.Answer(options, FailureReason.Failed);
    }

    private IResult Fault(SamlFault fault)
    {
        log.LogWarning("A SAML logout message was refused: {Code}", fault.Code);
        return Results.Content(Encoding.UTF8.GetString(SoapBinding.Fault), SoapBinding.MediaType, Encoding.UTF8, Microsoft.AspNetCore.Http.StatusCodes.Status400BadRequest);
    }

    private static SamlResult<ReceivedMessage> NoForm => PostBinding.Read([]);

    private static string Key(string handle) => $"commerce:saml-logout:{handle}";

    private sealed class FormPage(PostForm form) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            var response = httpContext.Response;
            response.ContentType = "text/html; charset=utf-8";
            response.Headers.CacheControl = "no-store";
            response.Headers.ContentSecurityPolicy = $"default-src 'none'; script-src {PostForm.ScriptHash}; frame-ancestors 'none'; base-uri 'none'";
            return response.WriteAsync(form.ToHtml(), httpContext.RequestAborted);
        }
    }
}
