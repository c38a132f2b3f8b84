namespace Commerce.Saml;

/// <summary>The Single Logout Profile, SAML Profiles 4.4 and Core 3.7, for either side. Safe for concurrent use.</summary>
/// <param name="settings">Fixed for the lifetime of this instance; make another on key roll-over.</param>
/// <param name="clock">The time.</param>
public sealed class SingleLogout(SingleLogoutSettings settings, TimeProvider clock)
{
    public SingleLogoutSettings Settings { get; } = settings;

    internal Func<string> NewId { get; init; } = SamlId.New;

    private readonly SignerChoice signers = new(settings.SigningKey, settings.OtherSigningKeys);

    /// <summary>Parses a message through the gate. Look the sender up by <see cref="LogoutMessage.Issuer"/> and go on with a Validate.</summary>
    public static SamlResult<LogoutMessage> Read(ReceivedMessage message)
    {
        if (!ParsedMessage.Read(message, message.IsRequest ? "LogoutRequest" : "LogoutResponse").TryGet(out var parsed, out var fault)) return fault;
        if (parsed.Children.Count == 0) return new SamlFault(FaultCodes.IssuerInvalid, "There is no Issuer.");
        return MessageHeader.Issuer(parsed.Children[0]).TryGet(out var issuer, out fault) ? new LogoutMessage(message, parsed, issuer) : fault;
    }

    /// <summary>Checks everything of a request that its sender's record can check. A signature is always needed (S28).</summary>
    public SamlResult<ValidatedLogoutRequest> ValidateRequest(LogoutMessage message, LogoutPeer sender)
    {
        var now = clock.GetUtcNow();
        return !message.Received.IsRequest ? XmlRead.Structure("A response where a request belongs.")
            : Checked(message, sender, now) is { } fault ? fault
            : new LogoutReading(Settings, message).Request(now);
    }

    /// <summary>Checks a response to the request <paramref name="requestId"/> of ours.</summary>
    public SamlResult<ValidatedLogoutResponse> ValidateResponse(LogoutMessage message, LogoutPeer sender, string requestId)
    {
        if (message.Received.IsRequest) return XmlRead.Structure("A request where a response belongs.");
        if (Checked(message, sender, clock.GetUtcNow()) is { } fault) return fault;
        return message.Parsed.Root.Attr("InResponseTo") == requestId
            ? new LogoutReading(Settings, message).Response()
            : new SamlFault(FaultCodes.InResponseToInvalid, "InResponseTo is not the id of the request that was sent.");
    }

    /// <summary>Tells a participant that a session is over.</summary>
    /// <param name="binding">One for which it has an endpoint.</param>
    /// <param name="name">As it was given to the participant.</param>
    /// <param name="sessionIndex">As it was given to the participant; null where there was none.</param>
    public SamlResult<OutgoingLogout> CreateRequest(LogoutPeer to, string binding, NameId name, string? sessionIndex, string? relayState = null)
    {
        if (to.Endpoint(binding) is not { } endpoint) return NoEndpoint(binding);
        var (id, now) = (NewId(), clock.GetUtcNow());
        using var body = new Utf8XmlWriter(1024);
        body.Raw("<saml:NameID xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\""u8).OptionalAttribute("Format"u8, name.Format)
            .OptionalAttribute("NameQualifier"u8, name.NameQualifier).OptionalAttribute("SPNameQualifier"u8, name.SpNameQualifier).Raw(">"u8)
            .Text(name.Value).Raw("</saml:NameID>"u8);
        if (sessionIndex is not null) body.Raw("<samlp:SessionIndex>"u8).Text(sessionIndex).Raw("</samlp:SessionIndex>"u8);
        using var head = new Utf8XmlWriter(1024);
        head.Raw("<samlp:LogoutRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\""u8).OptionalAttribute("Destination"u8, endpoint.Location)
            .OptionalAttribute("ID"u8, id).Raw(" IssueInstant=\""u8).Instant(now).Raw("\" NotOnOrAfter=\""u8).Instant(now + TimeSpan.FromMinutes(5)).Raw("\" Version=\"2.0\">"u8);
        return Send(head, body, "</samlp:LogoutRequest>"u8, new Outgoing(binding, endpoint.Location, id, IsRequest: true, relayState, signers.For(to.SigningMethods)));
    }

    /// <summary>The answer to a request.</summary>
    /// <param name="binding">Of the answer; for SOAP it goes back on the same connection, and no endpoint is needed.</param>
    public SamlResult<OutgoingLogout> CreateResponse(LogoutPeer to, string binding, string inResponseTo, SamlStatus status, string? relayState = null)
    {
        var address = binding == SamlBindings.Soap ? null : to.Endpoint(binding) is { } endpoint ? endpoint.ResponseLocation ?? endpoint.Location : null;
        if (address is null && binding != SamlBindings.Soap) return NoEndpoint(binding);
        var id = NewId();
        using var body = new Utf8XmlWriter(512);
        body.Raw("<samlp:Status><samlp:StatusCode Value=\""u8).Attribute(status.Code).Raw("\">"u8);
        if (status.SubCode is { } sub) body.Raw("<samlp:StatusCode Value=\""u8).Attribute(sub).Raw("\"></samlp:StatusCode>"u8);
        body.Raw("</samlp:StatusCode></samlp:Status>"u8);
        using var head = new Utf8XmlWriter(1024);
        head.Raw("<samlp:LogoutResponse xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\""u8).OptionalAttribute("Destination"u8, address)
            .OptionalAttribute("ID"u8, id).OptionalAttribute("InResponseTo"u8, inResponseTo).Raw(" IssueInstant=\""u8).Instant(clock.GetUtcNow()).Raw("\" Version=\"2.0\">"u8);
        return Send(head, body, "</samlp:LogoutResponse>"u8, new Outgoing(binding, address ?? "", id, IsRequest: false, relayState, signers.For(to.SigningMethods)));
    }

    /// <summary>Where the answer to a request goes: by the binding it came with, else by another that the sender has. Null where it has none.</summary>
    public static string? AnswerBinding(LogoutPeer sender, string binding) => binding == SamlBindings.Soap || sender.Endpoint(binding) is not null
        ? binding : new[] { SamlBindings.HttpRedirect, SamlBindings.HttpPost }.FirstOrDefault(other => sender.Endpoint(other) is not null);

    private sealed record Outgoing(string Binding, string Address, string Id, bool IsRequest, string? RelayState, SigningKey Signer);

    private SamlResult<OutgoingLogout> Send(Utf8XmlWriter head, Utf8XmlWriter body, ReadOnlySpan<byte> end, Outgoing to)
    {
        using var whole = new Utf8XmlWriter(4096);
        whole.Raw(head.Written).Raw("<saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">"u8).Text(Settings.EntityId).Raw("</saml:Issuer>"u8);
        var split = whole.Length;
        whole.Raw(body.Written).Raw(end);
        if (whole.SawIllegal || head.SawIllegal || body.SawIllegal) return new SamlFault(FaultCodes.ValueInvalid, "A value holds a character that XML cannot carry.");
        if (to.Binding == SamlBindings.HttpRedirect)
        {
            var url = RedirectBinding.Write(to.Address, to.IsRequest, whole.Written, to.RelayState, to.Signer);
            return new OutgoingLogout(to.Id, to.Binding, to.Address, url, null, default);
        }
        using var signature = new Utf8XmlWriter(4096);
        XmlSignature.Write(signature, whole.Written, to.Id, to.Signer);
        byte[] signed = [.. whole.Written[..split], .. signature.Written, .. whole.Written[split..]];
        return to.Binding == SamlBindings.Soap
            ? new OutgoingLogout(to.Id, to.Binding, to.Address, null, null, SoapBinding.Write(signed))
            : new OutgoingLogout(to.Id, to.Binding, to.Address, null, PostBinding.Write(to.Address, to.IsRequest, signed, to.RelayState), default);
    }

    /// <summary>Who, unaltered, when, where to: SAML Core 3.2.1 and 3.2.2, Bindings 3.4.5.2 and 3.5.5.2, Profiles 4.4.4.</summary>
    private SamlFault? Checked(LogoutMessage message, LogoutPeer sender, DateTimeOffset now)
    {
        if (sender.EntityId != message.Issuer) return new SamlFault(FaultCodes.IssuerInvalid, "The record is another entity's.");
        if (sender.ValidUntil <= now) return new SamlFault(FaultCodes.MetadataInvalid, "The sender's metadata is no longer valid.");
        if (MessageSignature.Required(message.Parsed, message.Received, sender.SigningKeys) is { } unsigned) return unsigned;
        var header = message.Parsed.Header;
        if (header.IssueInstant > now + Settings.ClockSkew) return new SamlFault(FaultCodes.InstantInvalid, $"Issued {header.IssueInstant:O}, which is in the future.");
        if (header.IssueInstant < now - Settings.ClockSkew) return new SamlFault(FaultCodes.Expired, $"Issued {header.IssueInstant:O}, too long ago.");

        // By SOAP there is nobody in between who could have led it astray, and many leave Destination out; a wrong one is refused all the same.
        if (header.Destination is null && message.Received.Binding == SamlBindings.Soap) return null;
        return Settings.Addresses.TryGetValue(message.Received.Binding, out var here) && header.Destination == here
            ? null : new SamlFault(FaultCodes.DestinationInvalid, $"Destination is {header.Destination ?? "missing"}.");
    }

    private static SamlFault NoEndpoint(string binding) => new(FaultCodes.MetadataInvalid, $"The other side has no single logout endpoint for {binding}.");
}
