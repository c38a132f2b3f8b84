namespace Commerce.Saml;

/// <summary>A message as it came through a binding: decoded to XML text, not yet parsed, nothing about it trusted.</summary>
public sealed class ReceivedMessage
{
    internal ReceivedMessage(string binding, bool isRequest, byte[] xml, string? relayState, QuerySignature? signature)
    {
        Binding = binding;
        IsRequest = isRequest;
        Xml = xml;
        RelayState = relayState;
        Signature = signature;
    }

    /// <summary>One of <see cref="SamlBindings"/>.</summary>
    public string Binding { get; }

    /// <summary>It came as SAMLRequest, not as SAMLResponse.</summary>
    public bool IsRequest { get; }

    /// <summary>Exactly as the other side wrote it; it goes back byte for byte and is never an address for us. Null if absent.</summary>
    public string? RelayState { get; }

    internal byte[] Xml { get; }

    /// <summary>Only with HTTP-Redirect: the signature over the raw query.</summary>
    internal QuerySignature? Signature { get; }
}

/// <param name="SignedOctets">SAMLRequest=…&amp;RelayState=…&amp;SigAlg=… exactly as they stood in the query.</param>
internal sealed record QuerySignature(SignatureAlgorithm Algorithm, byte[] SignedOctets, byte[] Value);
