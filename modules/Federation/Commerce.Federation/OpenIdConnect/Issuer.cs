using Commerce.Kernel;
using Microsoft.Extensions.Configuration;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>The provider's name and addresses, all under the public origin: never taken from a request's Host header.</summary>
internal sealed class Issuer(HubSettings settings, IConfiguration? configuration = null)
{
    public const string AuthorizePath = "/connect/authorize";
    public const string ResumePath = "/connect/authorize/resume";
    public const string DenyPath = "/connect/authorize/deny";
    public const string TokenPath = "/connect/token";
    public const string UserInfoPath = "/connect/userinfo";
    public const string LogoutPath = "/connect/logout";
    public const string JwksPath = "/connect/jwks";
    public const string PushPath = "/connect/par";

    /// <summary>The issuer identifier (OpenID Connect Core §1.2): compared as text everywhere.</summary>
    public string Name { get; } = settings.PublicOrigin;

    /// <summary>Audience of access tokens for the hub's own API, apart from that of userinfo (RFC 9068 §2.2).</summary>
    public string ApiAudience { get; } = settings.PublicOrigin + "/api";

    public bool IsHttps { get; } = settings.PublicOrigin.StartsWith("https://", StringComparison.Ordinal);

    /// <summary>Where the endpoints may be reached: the addresses that a DPoP proof may be made for.</summary>
    public IReadOnlyList<Uri> Origins { get; } =
        configuration?["Mtls:Origin"] is { Length: > 0 } other ? [new Uri(settings.PublicOrigin), new Uri(other)] : [new Uri(settings.PublicOrigin)];

    /// <summary>
    /// The origin at which TLS asks for a client certificate (RFC 8705 §5), setting <c>Mtls:Origin</c>, without a trailing slash; null where
    /// there is none apart. Browsers stay away from it: they would ask the customer for a certificate.
    /// </summary>
    public string? MtlsOrigin { get; } = configuration?["Mtls:Origin"] is { Length: > 0 } origin ? origin : null;

    /// <summary>Whether clients' certificates reach the hub at all: then, and only then, the discovery document says so.</summary>
    public bool SeesCertificates { get; } =
        new[] { "Mtls:Origin", "Mtls:CertificateHeader", "Mtls:ClientAuthorities" }.Any(setting => configuration?[setting] is { Length: > 0 });

    public string Url(string path) => Name + path;
}
