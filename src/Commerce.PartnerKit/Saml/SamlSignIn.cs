using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Commerce.Saml;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Logging;

namespace Commerce.PartnerKit.Saml;

/// <summary>Sign-in over SAML 2.0: AuthnRequest by redirect, response by POST, and a check that both belong to the same browser.</summary>
/// <remarks>
/// The response is posted by a page of the hub, another site, so this site's Lax cookies do not come with it. Therefore the response is
/// validated first and its outcome kept here for a minute under a one-time handle; the browser is sent on with GET, where the cookie set
/// at the start does come, and only the browser that started may collect the outcome (login CSRF: SAML Profiles 4.1.5 leaves it open).
/// </remarks>
internal sealed class SamlSignIn(
    CommerceHopOptions options, HubMetadata metadata, OneTime oneTime, IDistributedCache cache, IDataProtectionProvider ring, TimeProvider clock,
    ILogger<SamlSignIn> log)
{
    private static readonly TimeSpan RequestLifetime = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan OutcomeLifetime = TimeSpan.FromMinutes(1);
    private readonly IDataProtector seal = ring.CreateProtector("commerce.partnerkit.saml.v1");
    private readonly ServiceProviderSide side = SideOf(options, clock);

    public byte[] WriteMetadata() => side.WriteMetadata();

    public static ServiceProviderSide SideOf(CommerceHopOptions options, TimeProvider clock) => new(
        new ServiceProviderSettings
        {
            EntityId = options.OwnEntityId,
            AssertionConsumerServiceUrl = options.BaseUrl + HopPaths.AssertionConsumer,
            SigningKey = options.SamlSigningKey,
            SingleLogoutUrl = options.SamlSigningKey is null ? null : options.BaseUrl + HopPaths.SingleLogout,
            SingleLogoutSoapUrl = options.SamlSigningKey is null ? null : options.BaseUrl + HopPaths.SingleLogoutSoap,
            DecryptionKeys = [.. options.SamlDecryptionKeys],
            RequestInitiatorUrl = options.BaseUrl + HopPaths.Hop,
            DisplayNames = new Dictionary<string, string>(options.DisplayNames),
        }, clock);

    /// <param name="entityId">The hub's entity id as the hub wrote it, or null where this site starts.</param>
    public async Task<IResult> BeginAsync(HttpContext context, string target, string? entityId, string? ticket)
    {
        if (await metadata.GetAsync(fresh: false, context.RequestAborted) is not { } hub) return Refuse(FailureReason.Unavailable, "no metadata of the hub");
        if (entityId is not null && !string.Equals(entityId, hub.EntityId, StringComparison.Ordinal))
            return Refuse(FailureReason.Failed, "the request initiator was called for another identity provider");
        var handle = OneTime.NewHandle();
        var made = side.CreateAuthnRequest(hub, new AuthnRequestOptions { RelayState = handle, HopTicket = string.IsNullOrEmpty(ticket) ? null : ticket });
        if (!made.TryGet(out var request, out var fault)) return Refuse(FailureReason.Failed, fault.Code);

        var binding = OneTime.NewHandle();
        await PutAsync("request", handle, new Pending(request.Id, target, Hash(binding)), RequestLifetime, context.RequestAborted);
        context.Response.Cookies.Append(StateCookie(handle), binding, new CookieOptions
        {
            HttpOnly = true, SameSite = SameSiteMode.Lax, Secure = !options.AllowHttp, Path = "/saml", MaxAge = RequestLifetime, IsEssential = true,
        });
        return new SeeOther(request.Url);
    }

    /// <summary>Assertion consumer service: validates, keeps the outcome, sends the browser on.</summary>
    public async Task<IResult> ConsumeAsync(HttpContext context)
    {
        var stop = context.RequestAborted;
        if (!context.Request.HasFormContentType) return Refuse(FailureReason.Failed, "no form");
        var form = await context.Request.ReadFormAsync(stop);
        if (!PostBinding.Read(form).TryGet(out var message, out var unread)) return Refuse(FailureReason.Failed, unread.Code);

        // RelayState is only a handle of ours. Without a request behind it the response is one that nobody here asked for.
        var pending = message.RelayState is { Length: <= 80 } relay ? await TakeAsync<Pending>("request", relay, stop) : null;
        if (pending is null && !options.AllowUnsolicitedResponses)
            return Refuse(message.RelayState is null ? FailureReason.Failed : FailureReason.Expired, "no request of ours waits for this response");

        if (await metadata.GetAsync(fresh: false, stop) is not { } hub) return Refuse(FailureReason.Unavailable, "no metadata of the hub");
        var checkedResponse = await ValidateAsync(message, hub, pending, stop);
        if (checkedResponse.Fault is { Code: FaultCodes.SignatureInvalid } && await metadata.GetAsync(fresh: true, stop) is { } newer && newer != hub)
            checkedResponse = await ValidateAsync(message, newer, pending, stop);
        if (!checkedResponse.TryGet(out var assertion, out var fault))
            return Refuse(fault.Code == FaultCodes.StatusNotSuccess ? FailureReason.Denied : FailureReason.Failed, fault.Code);

        var target = pending?.Target ?? options.OwnPath(message.RelayState) ?? options.LandingPath;
        var arrival = OneTime.NewHandle();
        await PutAsync("arrival", arrival, new Arrived(
            assertion.Name.Value, assertion.SessionIndex, assertion.SessionNotOnOrAfter,
            [.. assertion.Attributes.Select(a => new Attribute(a.Name, [.. a.Values]))], target, message.RelayState, pending?.BindingHash, assertion.Name.Format), OutcomeLifetime, stop);
        return new SeeOther($"{HopPaths.SamlArrived}?arrival={arrival}");
    }

    /// <summary>The same browser collects the outcome: here its cookie is compared, and only here a session begins.</summary>
    public async Task<IResult> ArriveAsync(HttpContext context, string? arrival)
    {
        var stop = context.RequestAborted;
        if (arrival is not { Length: <= 80 } || await TakeAsync<Arrived>("arrival", arrival, stop) is not { } outcome)
            return Refuse(FailureReason.Expired, "no outcome waits under this handle");
        if (outcome.BindingHash is { } expected)
        {
            var cookie = StateCookie(outcome.Relay!);
            var shown = context.Request.Cookies[cookie];
            context.Response.Cookies.Delete(cookie, new CookieOptions { Path = "/saml", Secure = !options.AllowHttp, SameSite = SameSiteMode.Lax, HttpOnly = true });
            if (shown is null || !CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Hash(shown)), Encoding.ASCII.GetBytes(expected)))
                return Refuse(FailureReason.Failed, "another browser started this sign-in");
        }

        var claims = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var attribute in outcome.Attributes)
        {
            if (ClaimNames.ToClaim(attribute.Name) is not { } claim) continue;
            if (!ClaimNames.ToValue(claim, attribute.Values).TryGet(out var value, out var fault)) return Refuse(FailureReason.Failed, fault.Code);
            claims[claim] = value;
        }
        var now = clock.GetUtcNow();
        var ends = now + options.SessionLifetime;
        var properties = new AuthenticationProperties
        {
            IssuedUtc = now,
            ExpiresUtc = outcome.SessionEnds is { } hubEnds && hubEnds < ends ? hubEnds : ends,
        };
        properties.SetString(PartnerSessions.HubSession, outcome.SessionIndex);
        properties.SetString(SamlLogout.NameFormat, outcome.NameFormat);
        CommerceCustomer customer;
        try
        {
            customer = CommerceCustomer.From(outcome.Subject, claims);
        }
        catch (JsonException)
        {
            return Refuse(FailureReason.Failed, "an attribute does not have the shape of the hub's schema");
        }
        await CommerceHop.SignInAsync(context, customer, properties);
        return new SeeOther(outcome.Target);
    }

    private Task<SamlResult<ValidatedAssertion>> ValidateAsync(ReceivedMessage message, RemoteIdentityProvider hub, Pending? pending, CancellationToken stop) =>
        side.ValidateAsync(message, new ResponseExpectation(hub, pending?.RequestId, AllowUnsolicited: pending is null && options.AllowUnsolicitedResponses),
            (id, until, cancel) => oneTime.ConsumeAsync($"assertion:{id}", until, cancel), stop);

    private IResult Refuse(FailureReason reason, string why)
    {
        log.LogWarning("SAML sign-in refused: {Why}", why);
        return SignInFailure.Answer(options, reason);
    }

    private static string StateCookie(string handle) => $"commerce.saml.{handle[..16]}";

    private Task PutAsync<T>(string kind, string handle, T value, TimeSpan lifetime, CancellationToken stop) =>
        cache.SetAsync($"commerce:{kind}:{handle}", seal.Protect(JsonSerializer.SerializeToUtf8Bytes(value)),
            new DistributedCacheEntryOptions { AbsoluteExpirationRelativeToNow = lifetime }, stop);

    private async Task<T?> TakeAsync<T>(string kind, string handle, CancellationToken stop) where T : class
    {
        var key = $"commerce:{kind}:{handle}";
        if (await cache.GetAsync(key, stop) is not { } stored) return null;
        await cache.RemoveAsync(key, stop);
        return JsonSerializer.Deserialize<T>(seal.Unprotect(stored));
    }

    private static string Hash(string value) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(value)));

    private sealed record Pending(string RequestId, string Target, string BindingHash);

    private sealed record Arrived(
        string Subject, string? SessionIndex, DateTimeOffset? SessionEnds, IReadOnlyList<Attribute> Attributes, string Target, string? Relay, string? BindingHash,
        string NameFormat);

    private sealed record Attribute(string Name, IReadOnlyList<string> Values);
}
