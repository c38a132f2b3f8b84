using System.Text;
using Commerce.Federation.OpenIdConnect.Jose;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>Who calls the token endpoint: proven by the one method that the client registered, with exactly one credential in the request.</summary>
/// <remarks>RFC 6749 §2.3, RFC 7523 §3, OpenID Connect Core §9; RFC 9700 §2.5 on audiences.</remarks>
internal sealed class ClientAuthentication(
    OneTimeIds seen, ClientKeys clientKeys, Connections connections, LookupHash hash, Issuer issuer, TimeProvider clock, ILogger<ClientAuthentication> log)
{
    private const string AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    /// <summary>A client assertion lives no longer than this.</summary>
    private static readonly TimeSpan LongestAssertion = TimeSpan.FromMinutes(5);

    public async ValueTask<Result<Connection>> AuthenticateAsync(HttpRequest request, Parameters form, CancellationToken stop)
    {
        var header = request.Headers.Authorization;
        var assertion = form["client_assertion"];
        var credentials = (header.Count > 0 ? 1 : 0) + (form["client_secret"] is null ? 0 : 1) + (assertion is null && form["client_assertion_type"] is null ? 0 : 1);
        // RFC 6749 §2.3: no more than one method in a request. A second one, even a broken one, must not pick the weaker way (O09).
        if (credentials > 1 || header.Count > 1) return OAuth.InvalidRequest("Send exactly one client credential.");

        if (assertion is not null) return await ByAssertionAsync(form, assertion, stop);
        if (header.Count == 1) return await ByBasicAsync(header[0], form, stop);
        if (form["client_secret"] is { } secret) return await BySecretAsync(form["client_id"], secret, ClientAuthenticationMethods.SecretPost, stop);
        return await ByCertificateAsync(request, form["client_id"], stop);
    }

    /// <summary>RFC 8705 §2.1: the certificate of the connection, and the client that the request names.</summary>
    private async ValueTask<Result<Connection>> ByCertificateAsync(HttpRequest request, string? id, CancellationToken stop)
    {
        if (request.HttpContext.Connection.ClientCertificate is not { } certificate) return No("no credential that is supported", id);
        var client = await connections.FindAsync(id, stop);
        if (client is not { IsActive: true, Oidc: { TokenEndpointAuthMethod: ClientAuthenticationMethods.TlsClientAuth } oidc }) return No("unknown client, switched off, or another method", id);
        return ClientCertificate.Fits(oidc, certificate, clock.GetUtcNow()) ? client : No("another certificate", id);
    }

    private async ValueTask<Result<Connection>> ByBasicAsync(string? header, Parameters form, CancellationToken stop)
    {
        if (!TryReadBasic(header, out var id, out var secret)) return No("malformed Authorization header", null);
        if (form["client_id"] is { } named && !string.Equals(named, id, StringComparison.Ordinal)) return No("client_id differs from the header", id);
        return await BySecretAsync(id, secret, ClientAuthenticationMethods.SecretBasic, stop);
    }

    private async ValueTask<Result<Connection>> BySecretAsync(string? id, string secret, string method, CancellationToken stop)
    {
        var client = await connections.FindAsync(id, stop);
        if (client is not { IsActive: true, Oidc: { } oidc } || oidc.TokenEndpointAuthMethod != method) return No("unknown client, switched off, or another method", id);
        return client.SecretIs(hash, secret) ? client : No("wrong secret", id);
    }

    private async ValueTask<Result<Connection>> ByAssertionAsync(Parameters form, string assertion, CancellationToken stop)
    {
        if (form["client_assertion_type"] != AssertionType) return OAuth.InvalidRequest("client_assertion_type is missing or unknown.");
        if (CompactJws.Read(assertion, out var fault) is not { } jws) return No(fault, null);
        // RFC 7523 §3 and OpenID Connect Core §9: issuer and subject are both the client. Read before the signature only to pick its keys.
        var id = jws.Payload.Text("iss");
        if (id is null || !string.Equals(jws.Payload.Text("sub"), id, StringComparison.Ordinal)) return No("iss and sub are not one client", null);
        if (form["client_id"] is { } named && !string.Equals(named, id, StringComparison.Ordinal)) return No("client_id differs from the assertion", id);
        var client = await connections.FindAsync(id, stop);
        if (client is not { IsActive: true, Oidc: { TokenEndpointAuthMethod: ClientAuthenticationMethods.PrivateKeyJwt } oidc }) return No("unknown client, switched off, or another method", id);

        var keys = AlgorithmPolicy.Narrow(await clientKeys.OfAsync(oidc, jws.KeyId, stop), oidc, oidc.TokenEndpointAuthSigningAlg);
        if (JwtGate.Verify(jws, JwtUse.ClientAssertion, keys, out fault) is not { } jwt) return No(fault, id);
        // Only the issuer as text, and no list: an assertion made for another server's endpoint never counts here (O10).
        if (!jwt.Says("aud", issuer.Name)) return No("audience", id);
        var now = clock.GetUtcNow();
        if (!jwt.IsTimely(now, out var expires)) return No("time", id);
        if (expires > now + LongestAssertion + JwtGate.Skew) return No("lives too long", id);
        if (jwt.Claims.Text("jti") is not { Length: > 0 and <= 256 } jti) return No("no jti", id);
        return await seen.IsFirstUseAsync(OneTimeIds.Assertion, id, jti, expires + JwtGate.Skew, stop) ? client : No("jti used before", id);
    }

    /// <summary>RFC 6749 §2.3.1: both halves are form-encoded before they are joined and base64-encoded (RFC 7617).</summary>
    internal static bool TryReadBasic(string? header, out string id, out string secret)
    {
        (id, secret) = ("", "");
        if (header is null || header.Length > 2048 || !header.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase)) return false;
        var encoded = header.AsSpan(6).Trim(' ');
        var bytes = new byte[encoded.Length];
        if (!Convert.TryFromBase64Chars(encoded, bytes, out var length) || !Ascii.IsValid(bytes.AsSpan(0, length))) return false;
        var pair = Encoding.ASCII.GetString(bytes, 0, length);
        var colon = pair.IndexOf(':', StringComparison.Ordinal);
        if (colon <= 0) return false;
        if (Parameters.Decode(pair.AsSpan(0, colon)) is not { Length: > 0 } user || Parameters.Decode(pair.AsSpan(colon + 1)) is not { Length: > 0 } password) return false;
        (id, secret) = (user, password);
        return true;
    }

    private Refusal No(string reason, string? client)
    {
        // A client id that is not registered is a stranger's text: only a known shape goes into the log.
        var shown = client is not null && client.Length <= 128 && client.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '~' or ':' or '/') ? client : "?";
        log.LogWarning("Client authentication refused for {Client}: {Reason}.", shown, reason);
        return OAuth.InvalidClient;
    }
}
