using Microsoft.Extensions.Primitives;

namespace Commerce.Saml;

/// <summary>HTTP-POST, SAML Bindings 3.5.</summary>
public static class PostBinding
{
    private const int MaxEncodedLength = (XmlGate.MaxMessageBytes / 3 * 4) + 8 * 1024;    // room for line breaks

    /// <summary>Takes a message out of a posted form.</summary>
    /// <param name="form">All fields with all their values, such as an IFormCollection; a SAML field that comes twice is refused.</param>
    public static SamlResult<ReceivedMessage> Read(IEnumerable<KeyValuePair<string, StringValues>> form)
    {
        string? request = null, response = null, relayState = null;
        foreach (var (name, values) in form)
        {
            // Form collections ignore case; field names do not.
            if (name is not ("SAMLRequest" or "SAMLResponse" or "RelayState")) continue;
            if (values.Count != 1) return Refuse($"{name} comes more than once.");
            switch (name)
            {
                case "SAMLRequest" when request is null: request = values[0] ?? ""; break;
                case "SAMLResponse" when response is null: response = values[0] ?? ""; break;
                case "RelayState" when relayState is null: relayState = values[0] ?? ""; break;
                default: return Refuse($"{name} comes more than once.");
            }
        }
        if (request is null == response is null) return Refuse("There is not exactly one of SAMLRequest and SAMLResponse.");
        return Read(request ?? response!, isRequest: request is not null, relayState);
    }

    /// <summary>The same for a single message, where the caller made sure that each field came once.</summary>
    /// <param name="message">Base64; line breaks are allowed.</param>
    /// <param name="isRequest">Whether it came as SAMLRequest.</param>
    /// <param name="relayState">Null if there was none.</param>
    public static SamlResult<ReceivedMessage> Read(string message, bool isRequest, string? relayState)
    {
        if (message.Length > MaxEncodedLength) return Refuse("The message is too long.");
        return StrictBase64.Decode(message, allowWhiteSpace: true) is { } xml
            ? new ReceivedMessage(SamlBindings.HttpPost, isRequest, xml, relayState, signature: null)
            : Refuse("The message is not strict Base64.");
    }

    /// <summary>The form that carries a message.</summary>
    public static PostForm Write(string endpoint, bool isRequest, ReadOnlySpan<byte> xml, string? relayState)
    {
        KeyValuePair<string, string> message = new(isRequest ? "SAMLRequest" : "SAMLResponse", Convert.ToBase64String(xml));
        return new PostForm(endpoint, relayState is null ? [message] : [message, new("RelayState", relayState)]);
    }

    private static SamlFault Refuse(string detail) => new(FaultCodes.BindingInvalid, detail);
}
