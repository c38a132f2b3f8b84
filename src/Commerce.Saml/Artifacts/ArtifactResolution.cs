using System.Xml;

namespace Commerce.Saml;

/// <summary>An ArtifactResolve that the gate let through; it only says who claims to ask.</summary>
public sealed class ArtifactResolve
{
    internal ArtifactResolve(ReceivedMessage received, ParsedMessage parsed, string issuer) => (Received, Parsed, Issuer) = (received, parsed, issuer);

    /// <summary>Unproven.</summary>
    public string Issuer { get; }

    internal ReceivedMessage Received { get; }

    internal ParsedMessage Parsed { get; }
}

/// <summary>An ArtifactResolve of a proven service provider.</summary>
/// <param name="Artifact">As it was sent; whether it is one of ours, and this service provider's, is the caller's to find out.</param>
public sealed record ValidatedArtifactResolve(string Id, string Issuer, string Artifact);

/// <summary>The artifact resolution protocol, SAML Core 3.5, on the identity provider's side.</summary>
/// <param name="settings">Entity id, key and clock skew.</param>
/// <param name="address">Of the resolution service.</param>
/// <param name="clock">The time.</param>
public sealed class ArtifactResolution(IdentityProviderSettings settings, string address, TimeProvider clock)
{
    private readonly SignerChoice signers = new(settings.SigningKey, settings.OtherSigningKeys);

    /// <summary>Parses a request through the gate.</summary>
    public static SamlResult<ArtifactResolve> Read(ReceivedMessage message)
    {
        if (message.Binding != SamlBindings.Soap) return XmlRead.Structure("Artifacts are resolved by SOAP.");
        if (!ParsedMessage.Read(message, "ArtifactResolve").TryGet(out var parsed, out var fault)) return fault;
        if (parsed.Children.Count == 0) return new SamlFault(FaultCodes.IssuerInvalid, "There is no Issuer.");
        return MessageHeader.Issuer(parsed.Children[0]).TryGet(out var issuer, out fault) ? new ArtifactResolve(message, parsed, issuer) : fault;
    }

    /// <summary>Always signed: the artifact travelled through a browser, and only its receiver may turn it in (Bindings 3.6.5.2).</summary>
    public SamlResult<ValidatedArtifactResolve> Validate(ArtifactResolve request, ServiceProvider sender)
    {
        var (parsed, now) = (request.Parsed, clock.GetUtcNow());
        if (sender.EntityId != request.Issuer) return new SamlFault(FaultCodes.IssuerInvalid, "The record is another service provider's.");
        if (sender.ValidUntil <= now) return new SamlFault(FaultCodes.MetadataInvalid, "The service provider's metadata is no longer valid.");
        if (MessageSignature.Required(parsed, request.Received, sender.SigningKeys) is { } unsigned) return unsigned;
        if (parsed.Header.IssueInstant > now + settings.ClockSkew) return new SamlFault(FaultCodes.InstantInvalid, "Issued in the future.");
        if (parsed.Header.IssueInstant < now - settings.ClockSkew) return new SamlFault(FaultCodes.Expired, "Issued too long ago.");
        if (parsed.Header.Destination is { } destination && destination != address) return new SamlFault(FaultCodes.DestinationInvalid, $"Destination is {destination}.");
        return Only(parsed).Then<ValidatedArtifactResolve>(artifact => new ValidatedArtifactResolve(parsed.Header.Id, request.Issuer, artifact));
    }

    /// <summary>Issuer, Signature, at most one Extensions, and the Artifact.</summary>
    private static SamlResult<string> Only(ParsedMessage parsed)
    {
        var rest = parsed.Children.Skip(1).SkipWhile(child => child.Is(SamlNamespaces.XmlSignature, "Signature")).ToList();
        if (rest.Count == 2 && rest[0].Is(SamlNamespaces.Protocol, "Extensions")) rest.RemoveAt(0);
        if (rest is not [var artifact] || !artifact.Is(SamlNamespaces.Protocol, "Artifact")) return XmlRead.Structure("There is not exactly one Artifact.");
        return artifact.TextOnly();
    }

    /// <summary>The signed answer in its envelope.</summary>
    /// <param name="inResponseTo">ID of the ArtifactResolve.</param>
    /// <param name="to">Who asked.</param>
    /// <param name="message">The message behind the artifact; empty where there is none for this service provider (Core 3.5.3: still a Success).</param>
    public byte[] Respond(string inResponseTo, ServiceProvider to, ReadOnlySpan<byte> message)
    {
        using var xml = new Utf8XmlWriter(16 * 1024);
        var id = SamlId.New();
        xml.Raw("<samlp:ArtifactResponse xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\""u8).OptionalAttribute("ID"u8, id).OptionalAttribute("InResponseTo"u8, inResponseTo)
            .Raw(" IssueInstant=\""u8).Instant(clock.GetUtcNow()).Raw("\" Version=\"2.0\"><saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">"u8).Text(settings.EntityId)
            .Raw("</saml:Issuer><samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"></samlp:StatusCode></samlp:Status>"u8)
            .Raw(message).Raw("</samlp:ArtifactResponse>"u8);
        var document = new XmlDocument { XmlResolver = null, PreserveWhitespace = true };
        using (var reader = XmlReader.Create(new MemoryStream(xml.Written.ToArray()), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null })) document.Load(reader);
        var root = document.DocumentElement!;
        XmlSignature.Sign(root, root.ChildNodes[1], signers.For(to.SigningMethods));
        using var canonical = new Utf8XmlWriter(16 * 1024);
        ExclusiveCanonicalizer.Write(root, canonical);
        return SoapBinding.Write(canonical.Written);
    }
}
