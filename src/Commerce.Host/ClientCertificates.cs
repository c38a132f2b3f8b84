using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Commerce.Host;

/// <summary>
/// Clients' certificates where the hub ends TLS itself (RFC 8705 §2.1). A connection may come without one; one that does not lead to a
/// listed authority, or is not for clients, ends the handshake.
/// </summary>
/// <remarks>
/// Settings: <c>Mtls:ClientAuthorities</c>, a PEM file of the authorities that issue clients' certificates; <c>Mtls:Port</c>, the one port
/// at which TLS asks for a certificate, so that browsers at the others are not asked (§5). Without it every TLS port asks.
/// </remarks>
internal static class ClientCertificates
{
    private const string ForClients = "1.3.6.1.5.5.7.3.2";      // id-kp-clientAuth

    /// <exception cref="FormatException">The file cannot be read or holds no certificate, or the port is none.</exception>
    public static void Ask(KestrelServerOptions kestrel, IConfiguration configuration)
    {
        if (configuration["Mtls:ClientAuthorities"] is not { Length: > 0 } file) return;
        var authorities = Read(file);
        var port = configuration["Mtls:Port"] is { Length: > 0 } text
            ? int.TryParse(text, out var number) && number is > 0 and < 65536 ? number : throw new FormatException($"Mtls:Port is {text}; give a port from 1 to 65535.")
            : (int?)null;
        kestrel.ConfigureHttpsDefaults(https =>
        {
            https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
            https.ClientCertificateValidation = (certificate, chain, _) => IsIssuedBy(authorities, certificate, chain);
            https.OnAuthenticate = (connection, tls) => tls.ClientCertificateRequired = port is null || connection.LocalEndPoint is IPEndPoint here && here.Port == port;
        });
    }

    private static X509Certificate2Collection Read(string file)
    {
        var authorities = new X509Certificate2Collection();
        try
        {
            authorities.ImportFromPemFile(file);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or System.Security.Cryptography.CryptographicException)
        {
            throw new FormatException($"Mtls:ClientAuthorities: {file} cannot be read: {unreadable.Message}", unreadable);
        }
        return authorities.Count > 0 ? authorities : throw new FormatException($"Mtls:ClientAuthorities: {file} holds no certificate in PEM.");
    }

    private static bool IsIssuedBy(X509Certificate2Collection authorities, X509Certificate2 certificate, X509Chain? sent)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        chain.ChainPolicy.ApplicationPolicy.Add(new(ForClients));
        // Partners' own authorities seldom publish lists that can be reached from here; a client is switched off by `partner off`.
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        if (sent is not null) chain.ChainPolicy.ExtraStore.AddRange(sent.ChainElements.Skip(1).Select(element => element.Certificate).ToArray());
        return chain.Build(certificate);
    }
}
