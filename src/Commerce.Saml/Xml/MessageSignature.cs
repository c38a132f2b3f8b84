namespace Commerce.Saml;

/// <summary>The signature of a message that has to have one, by whichever binding it came.</summary>
internal static class MessageSignature
{
    /// <returns>Null where it is right.</returns>
    public static SamlFault? Required(ParsedMessage message, ReceivedMessage received, IReadOnlyList<TrustedKey> keys)
    {
        var embedded = message.Root.Child(SamlNamespaces.XmlSignature, "Signature") is not null;
        if (received.Binding != SamlBindings.HttpRedirect)
        {
            if (!embedded) return new SamlFault(FaultCodes.SignatureMissing, "The message is not signed.");
            if (!XmlSignature.Verify(message.Root, keys).TryGet(out var verified, out var fault)) return fault;
            return ReferenceEquals(verified.Element, message.Root) ? null : new SamlFault(FaultCodes.SignatureShape, "Another element is signed.");
        }

        // Bindings 3.4.4.1: a signature inside must have been removed. One that nobody verifies is not carried along.
        if (embedded) return new SamlFault(FaultCodes.SignatureShape, "A Signature inside a message that came by HTTP-Redirect.");
        if (received.Signature is not { } query) return new SamlFault(FaultCodes.SignatureMissing, "The message is not signed.");
        if (keys.Count == 0) return new SamlFault(FaultCodes.NoUsableKey, "The sender has no usable signing key.");
        foreach (var key in keys)
            if (key.Verifies(query.Algorithm, query.SignedOctets, query.Value)) return null;
        return new SamlFault(FaultCodes.SignatureInvalid, $"None of {keys.Count} pinned keys verifies the query's signature.");
    }
}
