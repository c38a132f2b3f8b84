using System.Xml;

namespace Commerce.Saml;

/// <summary>What a logout message says, in the schema's order and nothing beside it. SAML Core 3.7.1 and 3.7.2.</summary>
internal sealed class LogoutReading(SingleLogoutSettings settings, LogoutMessage message)
{
    private const int MostSessions = 16;
    private const string Saml = SamlNamespaces.Assertion, Samlp = SamlNamespaces.Protocol, Ds = SamlNamespaces.XmlSignature;

    public SamlResult<ValidatedLogoutRequest> Request(DateTimeOffset now)
    {
        var parsed = message.Parsed;
        if (parsed.Root.Attr("NotOnOrAfter") is { } until)
        {
            if (XmlRead.Instant(until) is not { } end) return new SamlFault(FaultCodes.InstantInvalid, "NotOnOrAfter is no instant.");
            if (now - settings.ClockSkew >= end) return new SamlFault(FaultCodes.Expired, $"The request ended {end:O}.");
        }
        var rest = Rest(out var extensions);
        if (rest is [] || !(rest[0].Is(Saml, "NameID") || rest[0].Is(Saml, "EncryptedID")))
            return new SamlFault(FaultCodes.SubjectInvalid, "There is neither NameID nor EncryptedID.");
        if (!(rest[0].LocalName == "NameID" ? NameIdElement.Read(rest[0]) : AssertionEncryption.ReadNameId(rest[0], settings.DecryptionKeys)).TryGet(out var name, out var fault)) return fault;
        if (rest.Count - 1 > MostSessions) return XmlRead.Structure($"More than {MostSessions} sessions.");
        var sessions = new List<string>();
        foreach (var element in rest.Skip(1))
        {
            if (!element.Is(Samlp, "SessionIndex")) return XmlRead.Structure($"{element.LocalName} is not expected there.");
            if (!element.TextOnly().TryGet(out var index, out fault)) return fault;
            if (index.Length is 0 or > 256) return new SamlFault(FaultCodes.ValueInvalid, "A SessionIndex is empty or too long.");
            sessions.Add(index);
        }
        return new ValidatedLogoutRequest
        {
            Id = parsed.Header.Id,
            ExpiresAt = parsed.Header.IssueInstant + settings.ClockSkew,
            Issuer = message.Issuer,
            Name = name,
            SessionIndexes = sessions,
            Binding = message.Received.Binding,
            RelayState = message.Received.RelayState,
            IsAsynchronous = extensions?.Child(SamlNamespaces.AsynchronousLogout, "Asynchronous") is not null,
        };
    }

    public SamlResult<ValidatedLogoutResponse> Response()
    {
        if (Rest(out _) is not [var status] || !status.Is(Samlp, "Status")) return XmlRead.Structure("There is not one Status.");
        if (!status.ElementsOnly().TryGet(out var children, out var fault)) return fault;
        if (children is not [var code, ..] || !code.Is(Samlp, "StatusCode") || code.Attr("Value") is not { Length: > 0 } value) return XmlRead.Structure("Status has no StatusCode.");
        var inner = code.Children(Samlp, "StatusCode").ToList();
        return inner.Count > 1 ? XmlRead.Structure("More than one nested StatusCode.")
            : new ValidatedLogoutResponse(message.Issuer, new SamlStatus(value, inner.Count == 0 ? null : inner[0].Attr("Value")), message.Received.RelayState);
    }

    /// <summary>The children after Issuer, Signature and Extensions. Each of those three comes at most once, in this order.</summary>
    private List<XmlElement> Rest(out XmlElement? extensions)
    {
        var children = message.Parsed.Children;
        var at = 1;    // the Issuer was read already
        if (at < children.Count && children[at].Is(Ds, "Signature")) at++;
        extensions = at < children.Count && children[at].Is(Samlp, "Extensions") ? children[at++] : null;
        return [.. children.Skip(at)];
    }
}
