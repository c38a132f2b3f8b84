using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Commerce.Host;

/// <summary>
/// A proxy that ends TLS hands the client's certificate on in a header. The header counts from the listed proxies alone and replaces what
/// the connection itself brought, which there is the proxy's own; from anybody else it is not looked at (RFC 9440 §4).
/// </summary>
/// <remarks>
/// The proxy has to verify the certificate's chain and to overwrite the header in every request. Settings: <c>Mtls:CertificateHeader</c>
/// and <c>TrustedProxies</c>. Formats: RFC 9440 (<c>:base64:</c>), percent-encoded PEM as nginx sends it, plain base64 of the DER.
/// </remarks>
internal static class ForwardedCertificate
{
    private const int Longest = 16 * 1024;

    /// <param name="header">Name of the header; null where certificates come with the connection alone.</param>
    public static void Use(WebApplication app, string? header, IReadOnlyCollection<IPAddress> proxies)
    {
        if (string.IsNullOrEmpty(header)) return;
        // Before X-Forwarded-For is read: the address that counts is that of the connection.
        app.Use(async (context, next) =>
        {
            if (context.Connection.RemoteIpAddress is { } peer && proxies.Contains(peer.IsIPv4MappedToIPv6 ? peer.MapToIPv4() : peer))
            {
                var values = context.Request.Headers[header];
                using var certificate = values.Count == 1 ? Read(values[0]) : null;
                context.Connection.ClientCertificate = certificate;
                await next(context);
                return;
            }
            await next(context);
        });
    }

    internal static X509Certificate2? Read(string? value)
    {
        if (string.IsNullOrEmpty(value) || value.Length > Longest) return null;
        try
        {
            if (value.StartsWith("-----BEGIN", StringComparison.Ordinal)) return FromPem(Uri.UnescapeDataString(value));
            if (value is [':', .. var inner, ':']) value = inner;
            return X509CertificateLoader.LoadCertificate(Convert.FromBase64String(value));
        }
        catch (Exception error) when (error is FormatException or CryptographicException)
        {
            return null;
        }
    }

    private static X509Certificate2? FromPem(string text)
    {
        if (!PemEncoding.TryFind(text, out var fields) || text[fields.Label] != "CERTIFICATE") return null;
        return X509CertificateLoader.LoadCertificate(Convert.FromBase64String(text[fields.Base64Data]));
    }
}
