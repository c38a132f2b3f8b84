using System.Globalization;
using System.Xml;

namespace Commerce.Saml;

/// <summary>Every check of an AuthnRequest against its sender's record, in the order in which they must happen: who, unaltered, when, where to, and only then what is asked.</summary>
/// <remarks>SAML Core 3.4.1, Bindings 3.4.5.2 and 3.5.5.2, Profiles 4.1.4.1.</remarks>
internal sealed class AuthnRequestValidation(IdentityProviderSettings settings, ServiceProvider serviceProvider, ParsedMessage message, ReceivedMessage received)
{
    private static readonly string[] Order =
        ["Issuer", "Signature", "Extensions", "Subject", "NameIDPolicy", "Conditions", "RequestedAuthnContext", "Scoping"];

    private readonly Dictionary<string, XmlElement> parts = new(StringComparer.Ordinal);
    private SamlStatus? mustAnswer;

    public SamlResult<ValidatedAuthnRequest> Run(DateTimeOffset now)
    {
        var root = message.Root;
        if (Sort() is { } disorder) return disorder;
        if (!CheckSignature().TryGet(out var isSigned, out var fault)) return fault;
        if (Age(now) is { } untimely) return untimely;
        if (Destination(isSigned) is { } astray) return astray;
        if (!ChooseAcs(root).TryGet(out var acs, out fault)) return fault;

        if (!root.Flag("ForceAuthn").TryGet(out var force, out fault) && fault is not null) return fault;
        if (!root.Flag("IsPassive").TryGet(out var passive, out fault) && fault is not null) return fault;
        if (!NamePolicy().TryGet(out var policy, out fault)) return fault;
        if (!Contexts().TryGet(out var contexts, out fault)) return fault;
        var subject = Subject();
        if (subject.Fault is { } wrongSubject) return wrongSubject;
        var ticket = HopTicket();
        if (ticket.Fault is { } wrongTicket) return wrongTicket;
        var requested = RequestedAttributes(root);
        return new ValidatedAuthnRequest
        {
            Id = message.Header.Id,
            ServiceProvider = serviceProvider,
            AssertionConsumerService = acs,
            IssueInstant = message.Header.IssueInstant,
            ExpiresAt = message.Header.IssueInstant + settings.RequestLifetime + settings.ClockSkew,
            IsSigned = isSigned,
            ForceAuthn = force ?? false,
            IsPassive = passive ?? false,
            NameIdFormat = policy.Format,
            AllowCreate = policy.AllowCreate,
            AcceptableContexts = contexts,
            Subject = subject.Value,
            RequestedAttributes = requested,
            ProviderName = root.Attr("ProviderName") is { Length: > 0 and <= 256 } name ? name : null,
            RelayState = received.RelayState,
            HopTicket = ticket.Value,
            MustAnswer = mustAnswer,
        };
    }

    /// <summary>The children are the schema's, in its order, each at most once.</summary>
    private SamlFault? Sort()
    {
        var last = -1;
        foreach (var child in message.Children)
        {
            var at = Array.IndexOf(Order, child.LocalName);
            var ns = child.LocalName switch
            {
                "Issuer" or "Subject" or "Conditions" => SamlNamespaces.Assertion,
                "Signature" => SamlNamespaces.XmlSignature,
                _ => SamlNamespaces.Protocol,
            };
            if (at <= last || child.NamespaceURI != ns) return XmlRead.Structure($"{child.LocalName} is not expected there.");
            last = at;
            parts.Add(child.LocalName, child);
        }
        return null;
    }

    private SamlResult<bool> CheckSignature()
    {
        var embedded = parts.ContainsKey("Signature");
        if (received.Binding == SamlBindings.HttpRedirect)
        {
            // Bindings 3.4.4.1: a signature inside must have been removed. One that nobody verifies is not carried along.
            if (embedded) return new SamlFault(FaultCodes.SignatureShape, "A Signature inside a message that came by HTTP-Redirect.");
            if (received.Signature is not { } query) return Unsigned();
            if (serviceProvider.SigningKeys.Count == 0) return new SamlFault(FaultCodes.NoUsableKey, "The request is signed and its sender has no usable key.");
            foreach (var key in serviceProvider.SigningKeys)
                if (key.Verifies(query.Algorithm, query.SignedOctets, query.Value)) return true;
            return new SamlFault(FaultCodes.SignatureInvalid, $"None of {serviceProvider.SigningKeys.Count} pinned keys verifies the query's signature.");
        }
        if (!embedded) return Unsigned();

        // Signed and wrong is refused even where unsigned would do (S03).
        return XmlSignature.Verify(message.Root, serviceProvider.SigningKeys).Then<bool>(verified =>
            ReferenceEquals(verified.Element, message.Root) ? true : new SamlFault(FaultCodes.SignatureShape, "Another element is signed."));
    }

    private SamlResult<bool> Unsigned() => serviceProvider.AuthnRequestsSigned
        ? new SamlFault(FaultCodes.SignatureMissing, "The service provider's metadata says that its requests are signed; this one is not.")
        : false;

    private SamlFault? Age(DateTimeOffset now)
    {
        var issued = message.Header.IssueInstant;
        if (issued > now + settings.ClockSkew) return new SamlFault(FaultCodes.InstantInvalid, $"Issued {issued:O}, which is in the future.");
        return issued < now - settings.RequestLifetime - settings.ClockSkew ? new SamlFault(FaultCodes.Expired, $"Issued {issued:O}, too long ago.") : null;
    }

    private SamlFault? Destination(bool isSigned)
    {
        var here = received.Binding == SamlBindings.HttpRedirect ? settings.SsoRedirectUrl : settings.SsoPostUrl;
        if (message.Header.Destination is { } destination)
            return destination == here ? null : new SamlFault(FaultCodes.DestinationInvalid, $"Destination is {destination}.");
        return isSigned ? new SamlFault(FaultCodes.DestinationInvalid, "A signed message without Destination.") : null;
    }

    /// <summary>The address the answer goes to, out of the record and never out of the request.</summary>
    private SamlResult<AssertionConsumerService> ChooseAcs(XmlElement root)
    {
        var (url, index, binding) = (root.Attr("AssertionConsumerServiceURL"), root.Attr("AssertionConsumerServiceIndex"), root.Attr("ProtocolBinding"));
        if (index is not null && (url is not null || binding is not null)) return Acs("An index together with an address or a binding.");
        if (binding is not (null or SamlBindings.HttpPost) && !(settings.OffersArtifacts && binding == SamlBindings.HttpArtifact)) return Acs($"Binding {binding}.");

        // Where a binding is not named, one address may have both: then it is posted.
        var usable = serviceProvider.AssertionConsumerServices.Where(acs => (binding ?? acs.Binding) == acs.Binding
            && (acs.Binding == SamlBindings.HttpPost || (settings.OffersArtifacts && acs.Binding == SamlBindings.HttpArtifact)))
            .OrderBy(acs => acs.Binding != SamlBindings.HttpPost);
        AssertionConsumerService? chosen;
        if (url is not null) chosen = usable.FirstOrDefault(acs => acs.Location == url);
        else if (index is null) chosen = binding == SamlBindings.HttpArtifact ? usable.FirstOrDefault() : serviceProvider.DefaultAssertionConsumerService();
        else if (!ushort.TryParse(index, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return Acs("The index is no number.");
        else chosen = usable.FirstOrDefault(acs => acs.Index == number);
        return chosen is null ? Acs($"{url ?? index ?? "The default"} is not registered with HTTP-POST.") : chosen;
    }

    private SamlResult<(string? Format, bool AllowCreate)> NamePolicy()
    {
        if (!parts.TryGetValue("NameIDPolicy", out var policy)) return ((string?)null, true);
        var allow = policy.Flag("AllowCreate");
        if (allow.Fault is { } fault) return fault;
        var format = policy.Attr("Format");
        if (format is null or NameIdFormats.Unspecified) format = null;
        else if (!settings.NameIdFormats.Contains(format, StringComparer.Ordinal)) Answer(SamlStatus.InvalidNameIdPolicy);
        if (policy.Attr("SPNameQualifier") is { } qualifier && qualifier != serviceProvider.EntityId) Answer(SamlStatus.InvalidNameIdPolicy);

        // A transient name belongs to nobody beforehand, so there is nothing to be allowed.
        return (format, format == NameIdFormats.Transient || (allow.Value ?? false));
    }

    /// <summary>The rungs of our ladder that satisfy RequestedAuthnContext, SAML Core 3.3.2.2.1.</summary>
    private SamlResult<IReadOnlyList<string>> Contexts()
    {
        if (!parts.TryGetValue("RequestedAuthnContext", out var requested)) return SamlResult.Of<IReadOnlyList<string>>([]);
        if (!requested.ElementsOnly().TryGet(out var children, out var fault)) return fault;
        var comparison = requested.Attr("Comparison") ?? "exact";
        if (comparison is not ("exact" or "minimum" or "maximum" or "better") || children.Count == 0)
            return new SamlFault(FaultCodes.AuthnContextInvalid, "RequestedAuthnContext has an unknown Comparison or asks for nothing.");
        var name = children[0].LocalName;
        if (name is not ("AuthnContextClassRef" or "AuthnContextDeclRef") || children.Exists(child => !child.Is(SamlNamespaces.Assertion, name)))
            return new SamlFault(FaultCodes.AuthnContextInvalid, "RequestedAuthnContext holds neither class nor declaration references.");

        var ladder = settings.ContextClasses;
        var rungs = new List<int>();
        foreach (var child in children)
        {
            if (!child.TextOnly().TryGet(out var reference, out fault)) return fault;
            for (var rung = 0; name == "AuthnContextClassRef" && rung < ladder.Count; rung++)
                if (ladder[rung] == reference.Trim()) rungs.Add(rung);
        }
        List<string> acceptable = rungs.Count == 0 ? [] : comparison switch
        {
            "exact" => [.. rungs.Distinct().Select(rung => ladder[rung])],
            "minimum" => [.. ladder.Skip(rungs.Min())],
            "maximum" => [.. ladder.Take(rungs.Max() + 1)],
            _ => [.. ladder.Skip(rungs.Max() + 1)],
        };
        if (acceptable.Count == 0) Answer(SamlStatus.NoAuthnContext);
        return acceptable;
    }

    private SamlResult<NameId?> Subject()
    {
        if (!parts.TryGetValue("Subject", out var subject)) return (NameId?)null;
        if (!subject.ElementsOnly().TryGet(out var children, out var fault)) return fault;
        if (children is not [var only] || !only.Is(SamlNamespaces.Assertion, "NameID"))
        {
            Answer(SamlStatus.RequestUnsupported);    // never ignored: someone in particular was meant (S15)
            return (NameId?)null;
        }
        return NameIdElement.Read(only).Then<NameId?>(name => name);
    }

    private SamlResult<string?> HopTicket()
    {
        if (!parts.TryGetValue("Extensions", out var extensions)) return (string?)null;
        var tickets = extensions.Children(SamlNamespaces.Hop, "HopTicket").ToList();
        if (tickets.Count == 0) return (string?)null;
        if (tickets.Count > 1) return XmlRead.Structure("More than one HopTicket.");
        if (!tickets[0].TextOnly().TryGet(out var ticket, out var fault)) return fault;
        return Saml.HopTicket.IsWellFormed(ticket) ? ticket : new SamlFault(FaultCodes.ValueInvalid, "The HopTicket is not 1 to 128 URL-safe characters.");
    }

    private IReadOnlyList<RequestedAttribute> RequestedAttributes(XmlElement root)
    {
        var services = serviceProvider.AttributeConsumingServices;
        if (root.Attr("AttributeConsumingServiceIndex") is not { } index)
            return (services.FirstOrDefault(s => s.IsDefault == true) ?? services.FirstOrDefault(s => s.IsDefault is null) ?? services.FirstOrDefault(s => s.IsDefault == false))?.RequestedAttributes ?? [];
        var chosen = services.FirstOrDefault(s => s.Index.ToString(CultureInfo.InvariantCulture) == index);
        if (chosen is null) Answer(SamlStatus.RequestUnsupported);
        return chosen?.RequestedAttributes ?? [];
    }

    /// <summary>The first reason stands.</summary>
    private void Answer(SamlStatus status) => mustAnswer ??= status;

    private static SamlFault Acs(string detail) => new(FaultCodes.AcsInvalid, detail);
}

/// <summary>The one-time reference that carries a hop through the browser, as an element of Extensions.</summary>
internal static class HopTicket
{
    public static bool IsWellFormed(string ticket) =>
        ticket.Length is > 0 and <= 128 && ticket.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
}

internal static class NameIdElement
{
    /// <summary>SAML Core 2.2.3.</summary>
    public static SamlResult<NameId> Read(XmlElement element)
    {
        if (!element.TextOnly().TryGet(out var value, out var fault)) return fault;
        return value.Length is 0 or > 1024
            ? new SamlFault(FaultCodes.SubjectInvalid, "The NameID is empty or too long.")
            : new NameId(value, element.Attr("Format") ?? NameIdFormats.Unspecified, element.Attr("NameQualifier"), element.Attr("SPNameQualifier"));
    }
}
