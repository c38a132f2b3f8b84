using Commerce.Kernel;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>The provider's name and addresses, all under the public origin: never taken from a request's Host header.</summary>
internal sealed class Issuer(HubSettings settings)
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
    public IReadOnlyList<Uri> Origins { get; } = [new Uri(settings.PublicOrigin)];

    public string Url(string path) => Name + path;
}
