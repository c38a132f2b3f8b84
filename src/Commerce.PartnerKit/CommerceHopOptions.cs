using Commerce.Saml;
using Microsoft.Extensions.Options;

namespace Commerce.PartnerKit;

/// <summary>The two ways in which a customer can arrive. What arrives is the same.</summary>
public enum HopProtocol
{
    /// <summary>This site is an OpenID Connect relying party.</summary>
    OpenIdConnect,

    /// <summary>This site is a SAML 2.0 service provider.</summary>
    Saml,
}

/// <summary>How this site is connected to a Commerce hub.</summary>
/// <remarks>
/// The least an OpenID Connect site says: <see cref="Hub"/>, <see cref="BaseUrl"/>, <see cref="ClientId"/>, <see cref="ClientSecret"/>.
/// The least a SAML site says: <see cref="Protocol"/>, <see cref="Hub"/>, <see cref="BaseUrl"/>; a client id and secret only to call the API.
/// </remarks>
public sealed class CommerceHopOptions
{
    /// <summary>Default: OpenID Connect.</summary>
    public HopProtocol Protocol { get; set; }

    /// <summary>
    /// The hub's origin without a trailing slash, such as <c>https://id.retailer.example</c>. It is the OpenID Connect issuer, and SAML
    /// metadata is read from <c>/saml/metadata</c> below it.
    /// </summary>
    public string Hub { get; set; } = "";

    /// <summary>
    /// This site's own public origin without a trailing slash, such as <c>https://booking.partner.example</c>. Redirect addresses and the
    /// entity id are built from it, never from a request's Host header.
    /// </summary>
    public string BaseUrl { get; set; } = "";

    /// <summary>OpenID Connect client id, or with SAML the id of the API client that came with the registration.</summary>
    public string? ClientId { get; set; }

    /// <summary>Secret of <see cref="ClientId"/>. Keep it in a secret store, not in a file under version control.</summary>
    public string? ClientSecret { get; set; }

    /// <summary>SAML entity id of this site; null takes <c>{BaseUrl}/saml/metadata</c>.</summary>
    public string? EntityId { get; set; }

    /// <summary>
    /// OpenID Connect scopes. A scope asks; the data contract, the customer's consent and the hop decide. Default: everything that a
    /// booking site can use.
    /// </summary>
    public IList<string> Scopes { get; set; } = ["openid", "profile", "email", "phone", "vehicle", "purchase"];

    /// <summary>Scopes of the API token that <see cref="HubApi"/> fetches for this site itself.</summary>
    public IList<string> ApiScopes { get; set; } = ["bookings:write"];

    /// <summary>Path to which a customer goes after signing in when nothing else was asked for.</summary>
    public string LandingPath { get; set; } = "/";

    /// <summary>
    /// Path of this site's own page for a sign-in that did not complete; it gets <c>?reason=denied</c>, <c>expired</c>, <c>unavailable</c> or
    /// <c>failed</c>.
    /// Null shows a plain built-in page.
    /// </summary>
    public string? FailurePath { get; set; }

    /// <summary>How long a customer stays signed in here. The hub may end it earlier. Default 8 hours.</summary>
    public TimeSpan SessionLifetime { get; set; } = TimeSpan.FromHours(8);

    /// <summary>
    /// SAML only: accept a response that this site did not ask for. Such a response is not bound to a browser, so somebody else's could be
    /// planted in a customer's browser. Leave it off: the hub sends customers to <c>/signin/hop</c> instead, which asks.
    /// </summary>
    public bool AllowUnsolicitedResponses { get; set; }

    /// <summary>SAML only: signs the requests; null sends them unsigned, and the published metadata says which.</summary>
    public SigningKey? SamlSigningKey { get; set; }

    /// <summary>
    /// Keys to which the hub encrypts assertions, the newest first; published in metadata. Empty: assertions come signed and in the clear
    /// (inside TLS). Keep the previous one in the list while the hub may still know it.
    /// </summary>
    public IList<DecryptionKey> SamlDecryptionKeys { get; set; } = [];

    /// <summary>SAML only: this site's name by language tag, published in its metadata.</summary>
    public IDictionary<string, string> DisplayNames { get; set; } = new Dictionary<string, string>();

    /// <summary>Accept plain http for the hub and for this site. Only for development on one's own machine.</summary>
    public bool AllowHttp { get; set; }

    /// <summary>
    /// Remembers a one-time identifier until the given moment and answers true exactly once. Null keeps them in this process's memory,
    /// which is right for one server; several servers behind one name need a shared store with an atomic "add if absent".
    /// </summary>
    public Func<string, DateTimeOffset, CancellationToken, ValueTask<bool>>? ConsumeOnce { get; set; }

    internal string OwnEntityId => EntityId ?? BaseUrl + HopPaths.SamlMetadata;

    /// <summary>The path of an address on this site, or null where it leads anywhere else (RFC 9700 §4.11: no open redirector).</summary>
    /// <param name="address">An absolute URL on <see cref="BaseUrl"/>, or a path with one leading slash.</param>
    internal string? OwnPath(string? address)
    {
        if (string.IsNullOrEmpty(address) || address.Length > 2048 || address.Any(c => char.IsControl(c) || c == '\\')) return null;
        var path = address.StartsWith(BaseUrl + "/", StringComparison.Ordinal) ? address[BaseUrl.Length..] : address == BaseUrl ? "/" : address;
        return path[0] == '/' && (path.Length == 1 || path[1] != '/') ? path : null;
    }
}

/// <summary>Stops the start with a sentence that says what to change.</summary>
internal sealed class ValidateHopOptions : IValidateOptions<CommerceHopOptions>
{
    public ValidateOptionsResult Validate(string? name, CommerceHopOptions options)
    {
        var wrong = new List<string>();
        Origin(options.Hub, nameof(options.Hub));
        Origin(options.BaseUrl, nameof(options.BaseUrl));
        if (options.Protocol == HopProtocol.OpenIdConnect && string.IsNullOrEmpty(options.ClientId))
            wrong.Add("ClientId is missing: the hub's operator gives it to you when your site is registered.");
        if (options.ClientId is not null && string.IsNullOrEmpty(options.ClientSecret))
            wrong.Add("ClientSecret is missing.");
        if (options.Protocol == HopProtocol.OpenIdConnect && !options.Scopes.Contains("openid"))
            wrong.Add("Scopes must contain 'openid'.");
        if (options.OwnPath(options.LandingPath) is null || (options.FailurePath is { } failure && options.OwnPath(failure) is null))
            wrong.Add("LandingPath and FailurePath are paths on this site and begin with one slash.");
        return wrong.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong);

        void Origin(string value, string member)
        {
            if (!Uri.TryCreate(value, UriKind.Absolute, out var uri) || value != uri.GetLeftPart(UriPartial.Authority))
                wrong.Add($"{member} must be an origin without a trailing slash, such as https://id.retailer.example.");
            else if (uri.Scheme != Uri.UriSchemeHttps && !(options.AllowHttp && uri.Scheme == Uri.UriSchemeHttp))
                wrong.Add($"{member} must begin with https:// (AllowHttp is for development on your own machine).");
        }
    }
}

/// <summary>The addresses that <c>MapCommerceHop</c> adds to a site.</summary>
public static class HopPaths
{
    /// <summary>The link behind "Sign in with …". Takes <c>?return=/path</c>.</summary>
    public const string SignIn = "/signin/commerce";

    /// <summary>
    /// Where the hub sends a customer who is on a hop: the OpenID Connect <c>initiate_login_uri</c>, and the SAML request initiator.
    /// </summary>
    public const string Hop = "/signin/hop";

    /// <summary>Sign out here and at the hub (with SAML: only with a signing key). POST from this site's own pages only.</summary>
    public const string SignOut = "/signout";

    /// <summary>OpenID Connect redirect URI.</summary>
    public const string OidcCallback = "/signin/oidc";

    /// <summary>OpenID Connect post-logout redirect URI.</summary>
    public const string SignedOut = "/signout/done";

    /// <summary>OpenID Connect back-channel logout URI.</summary>
    public const string BackChannelLogout = "/signout/backchannel";

    /// <summary>SAML metadata of this site.</summary>
    public const string SamlMetadata = "/saml/metadata";

    /// <summary>SAML assertion consumer service.</summary>
    public const string AssertionConsumer = "/saml/acs";

    /// <summary>SAML single logout by HTTP-Redirect and HTTP-POST; only with a signing key.</summary>
    public const string SingleLogout = "/saml/slo";

    /// <summary>SAML single logout by SOAP; only with a signing key.</summary>
    public const string SingleLogoutSoap = "/saml/slo/soap";

    internal const string SamlArrived = "/saml/arrived";
}
