namespace Commerce.Saml;

/// <summary>HTTP-Redirect with DEFLATE encoding, SAML Bindings 3.4.</summary>
public static class RedirectBinding
{
    /// <summary>Takes a message out of a query. Works on the raw octets: the signature is over them, and re-encoding would change them.</summary>
    /// <param name="rawQuery">As it stood in the request line, with or without the leading question mark.</param>
    public static SamlResult<ReceivedMessage> Read(string? rawQuery) => throw new NotSupportedException();

    /// <summary>The address with the message in its query.</summary>
    /// <param name="endpoint">Where to; may have a query of its own, but no SAML parameter in it.</param>
    /// <param name="isRequest">Whether it goes as SAMLRequest or SAMLResponse.</param>
    /// <param name="xml">Without a signature inside.</param>
    /// <param name="relayState">Null for none.</param>
    /// <param name="key">Signs the query; null leaves it unsigned.</param>
    public static string Write(string endpoint, bool isRequest, ReadOnlySpan<byte> xml, string? relayState, SigningKey? key) => throw new NotSupportedException();
}
