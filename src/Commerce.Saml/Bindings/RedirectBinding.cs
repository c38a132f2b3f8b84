using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace Commerce.Saml;

/// <summary>HTTP-Redirect with DEFLATE encoding, SAML Bindings 3.4.</summary>
public static class RedirectBinding
{
    private const int MaxQueryLength = 64 * 1024;
    private const string DeflateEncoding = "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE";
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Takes a message out of a query. Works on the raw octets: the signature is over them, and re-encoding would change them.</summary>
    /// <param name="rawQuery">As it stood in the request line, with or without the leading question mark.</param>
    public static SamlResult<ReceivedMessage> Read(string? rawQuery)
    {
        if (string.IsNullOrEmpty(rawQuery)) return Refuse("There is no query.");
        if (rawQuery.Length > MaxQueryLength) return Refuse("The query is too long.");
        if (!Parameters.Read(rawQuery.AsSpan(rawQuery.StartsWith('?') ? 1 : 0)).TryGet(out var query, out var fault)) return fault;

        // §3.4.4.1: exactly one message, and the encoding we know.
        if (query.SamlRequest is null == query.SamlResponse is null) return Refuse("There is not exactly one of SAMLRequest and SAMLResponse.");
        if (query.Encoding is not null && Decode(query.Encoding) != DeflateEncoding) return Refuse("The encoding is not DEFLATE.");
        var isRequest = query.SamlRequest is not null;
        var rawMessage = query.SamlRequest ?? query.SamlResponse!;
        if (Decode(rawMessage) is not { } base64 || StrictBase64.Decode(base64, allowWhiteSpace: false) is not { } deflated)
            return Refuse("The message is not strict Base64.");
        if (Inflate(deflated) is not { } xml) return Refuse($"The message does not inflate to at most {XmlGate.MaxMessageBytes} bytes.");
        string? relayState = null;
        if (query.RelayState is not null && (relayState = Decode(query.RelayState)) is null) return Refuse("RelayState is not URL-encoded UTF-8.");

        if (query.SigAlg is null != query.Signature is null) return Refuse("SigAlg and Signature come together or not at all.");
        if (query.SigAlg is null) return new ReceivedMessage(SamlBindings.HttpRedirect, isRequest, xml, relayState, signature: null);
        if (Decode(query.SigAlg) is not { } uri || Algorithms.Signature(uri) is not { } algorithm)
            return new SamlFault(FaultCodes.AlgorithmRefused, "SigAlg is not on the list.");
        if (Decode(query.Signature!) is not { } encoded || StrictBase64.Decode(encoded, allowWhiteSpace: false) is not { } value)
            return Refuse("Signature is not strict Base64.");
        var signed = new StringBuilder(rawQuery.Length).Append(isRequest ? "SAMLRequest=" : "SAMLResponse=").Append(rawMessage);
        if (query.RelayState is not null) signed.Append("&RelayState=").Append(query.RelayState);
        signed.Append("&SigAlg=").Append(query.SigAlg);
        return new ReceivedMessage(SamlBindings.HttpRedirect, isRequest, xml, relayState,
            new QuerySignature(algorithm, Encoding.UTF8.GetBytes(signed.ToString()), value));
    }

    /// <summary>The address with the message in its query.</summary>
    /// <param name="endpoint">Where to; may have a query of its own, but no SAML parameter in it.</param>
    /// <param name="isRequest">Whether it goes as SAMLRequest or SAMLResponse.</param>
    /// <param name="xml">Without a signature inside.</param>
    /// <param name="relayState">Null for none.</param>
    /// <param name="key">Signs the query; null leaves it unsigned.</param>
    public static string Write(string endpoint, bool isRequest, ReadOnlySpan<byte> xml, string? relayState, SigningKey? key)
    {
        using var deflated = new MemoryStream();
        using (var deflate = new DeflateStream(deflated, CompressionLevel.Optimal, leaveOpen: true)) deflate.Write(xml);
        var query = new StringBuilder(isRequest ? "SAMLRequest=" : "SAMLResponse=")
            .Append(Uri.EscapeDataString(Convert.ToBase64String(deflated.GetBuffer(), 0, (int)deflated.Length)));
        if (relayState is not null) query.Append("&RelayState=").Append(Uri.EscapeDataString(relayState));
        if (key is not null)
        {
            query.Append("&SigAlg=").Append(Uri.EscapeDataString(key.Algorithm.Uri()));
            var signature = key.Sign(Encoding.ASCII.GetBytes(query.ToString()));
            query.Append("&Signature=").Append(Uri.EscapeDataString(Convert.ToBase64String(signature)));
        }
        return $"{endpoint}{(endpoint.Contains('?', StringComparison.Ordinal) ? '&' : '?')}{query}";
    }

    /// <summary>Inflates with a cap on the output, so that a small message cannot fill the memory (X15).</summary>
    private static byte[]? Inflate(byte[] deflated)
    {
        try
        {
            using var inflate = new DeflateStream(new MemoryStream(deflated), CompressionMode.Decompress);
            Span<byte> chunk = stackalloc byte[4096];
            var length = inflate.ReadAtLeast(chunk, chunk.Length, throwOnEndOfStream: false);
            if (length < chunk.Length) return length == 0 ? null : chunk[..length].ToArray();     // nearly every request

            using var output = new MemoryStream();
            output.Write(chunk);
            while (inflate.Read(chunk) is > 0 and var read)
            {
                if (output.Length + read > XmlGate.MaxMessageBytes) return null;
                output.Write(chunk[..read]);
            }
            return output.ToArray();
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>URL-decodes strictly: whole escapes, valid UTF-8, plus sign as blank.</summary>
    private static string? Decode(string raw)
    {
        if (raw.AsSpan().IndexOfAnyExceptInRange('!', '~') < 0 && raw.AsSpan().IndexOfAny('%', '+') < 0) return raw;
        var bytes = raw.Length <= 2048 ? stackalloc byte[raw.Length] : new byte[raw.Length];
        var length = 0;
        for (var i = 0; i < raw.Length; i++)
        {
            var c = raw[i];
            if (c == '%')
            {
                if (i + 2 >= raw.Length || !char.IsAsciiHexDigit(raw[i + 1]) || !char.IsAsciiHexDigit(raw[i + 2])) return null;
                bytes[length++] = byte.Parse(raw.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
                i += 2;
            }
            else if (c is <= ' ' or > '~') return null;
            else bytes[length++] = c == '+' ? (byte)' ' : (byte)c;
        }
        try
        {
            return StrictUtf8.GetString(bytes[..length]);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    private static SamlFault Refuse(string detail) => new(FaultCodes.BindingInvalid, detail);

    /// <summary>The SAML parameters of a query, still raw, each at most once (X16).</summary>
    private sealed class Parameters
    {
        public string? SamlRequest { get; private set; }

        public string? SamlResponse { get; private set; }

        public string? RelayState { get; private set; }

        public string? SigAlg { get; private set; }

        public string? Signature { get; private set; }

        public string? Encoding { get; private set; }

        public static SamlResult<Parameters> Read(ReadOnlySpan<char> query)
        {
            var found = new Parameters();
            foreach (var range in query.Split('&'))
            {
                var pair = query[range];
                var equals = pair.IndexOf('=');
                var name = (equals < 0 ? pair : pair[..equals]).ToString();
                var value = equals < 0 ? "" : pair[(equals + 1)..].ToString();
                if (Decode(name) is not { } plain) return Refuse("A parameter name is not URL-encoded.");
                if (!found.Set(plain, value, out var isOurs)) return Refuse($"{plain} comes more than once.");

                // A web framework would decode the name, the signature would not: one spelling only.
                if (isOurs && plain != name) return Refuse($"{plain} is written with escapes.");
            }
            return found;
        }

        /// <returns>False where it is there already.</returns>
        private bool Set(string name, string value, out bool isOurs)
        {
            isOurs = true;
            switch (name)
            {
                case "SAMLRequest": (var was, SamlRequest) = (SamlRequest, value); return was is null;
                case "SAMLResponse": (was, SamlResponse) = (SamlResponse, value); return was is null;
                case "RelayState": (was, RelayState) = (RelayState, value); return was is null;
                case "SigAlg": (was, SigAlg) = (SigAlg, value); return was is null;
                case "Signature": (was, Signature) = (Signature, value); return was is null;
                case "SAMLEncoding": (was, Encoding) = (Encoding, value); return was is null;
                default: isOurs = false; return true;
            }
        }
    }
}
