using System.Text;
using System.Xml;

namespace Commerce.Saml;

/// <summary>SOAP 1.1 over HTTP, SAML Bindings 3.2: one message in the body of an envelope, no headers.</summary>
public static class SoapBinding
{
    public const string MediaType = "text/xml; charset=utf-8";

    /// <summary>Longest envelope that is read, in bytes.</summary>
    public const int MaxLength = XmlGate.MaxMessageBytes;

    /// <summary>What the HTTP header SOAPAction says, Bindings 3.2.2.1.</summary>
    public const string Action = "http://www.oasis-open.org/committees/security";

    private const string Soap = SamlNamespaces.Soap;

    /// <summary>One answer for every message that is refused before its sender is proven: it tells nothing about who is registered here (X23).</summary>
    public static ReadOnlySpan<byte> Fault => "<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body><soap:Fault><faultcode>soap:Client</faultcode><faultstring>The message was refused.</faultstring></soap:Fault></soap:Body></soap:Envelope>"u8;

    /// <param name="envelope">The body of the HTTP message.</param>
    /// <param name="isRequest">Whether it came as a request.</param>
    public static SamlResult<ReceivedMessage> Read(ReadOnlyMemory<byte> envelope, bool isRequest) => envelope.Length > XmlGate.MaxMessageBytes
        ? new SamlFault(FaultCodes.BindingInvalid, "The envelope is too long.")
        : new ReceivedMessage(SamlBindings.Soap, isRequest, envelope.ToArray(), relayState: null, signature: null);

    /// <summary>The envelope with a message in it.</summary>
    public static byte[] Write(ReadOnlySpan<byte> message)
    {
        var head = "<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body>"u8;
        return [.. head, .. message, .. Encoding.UTF8.GetBytes("</soap:Body></soap:Envelope>")];
    }

    /// <summary>The one message. A header could ask us to understand something that we do not, so there is none; nothing stands beside the message.</summary>
    internal static SamlResult<XmlElement> BodyOf(XmlDocument document)
    {
        var envelope = document.DocumentElement!;
        if (!envelope.Is(Soap, "Envelope")) return XmlRead.Structure("There is no SOAP envelope.");
        if (!envelope.ElementsOnly().TryGet(out var parts, out var fault)) return fault;
        if (parts is [var header, _] && header.Is(Soap, "Header"))
        {
            if (!header.ElementsOnly().TryGet(out var headers, out fault)) return fault;
            if (headers.Count > 0) return XmlRead.Structure("There are SOAP headers.");
            parts.RemoveAt(0);
        }
        if (parts is not [var body] || !body.Is(Soap, "Body")) return XmlRead.Structure("The envelope is not one body.");
        if (!body.ElementsOnly().TryGet(out var messages, out fault)) return fault;
        return messages is [var only] ? only : XmlRead.Structure("The body is not one message.");
    }
}
