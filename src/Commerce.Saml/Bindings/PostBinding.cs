namespace Commerce.Saml;

/// <summary>HTTP-POST, SAML Bindings 3.5.</summary>
public static class PostBinding
{
    /// <summary>Takes a message out of a posted form.</summary>
    /// <param name="fields">All fields with all their values: a repeated one is refused, so do not merge them before.</param>
    public static SamlResult<ReceivedMessage> Read(IEnumerable<KeyValuePair<string, IReadOnlyList<string?>>> fields) => throw new NotSupportedException();

    /// <summary>The same for the two fields that matter, where the caller made sure that each came once.</summary>
    public static SamlResult<ReceivedMessage> ReadResponse(string? samlResponse, string? relayState) => throw new NotSupportedException();

    /// <summary>The form that carries a message.</summary>
    public static PostForm Write(string endpoint, bool isRequest, ReadOnlySpan<byte> xml, string? relayState) => throw new NotSupportedException();
}
