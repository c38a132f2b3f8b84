using Commerce.Kernel;

namespace Commerce.Federation;

internal static partial class Refusals
{
    // Shown on a page of our own: until client and redirect URI are proven, nothing is sent anywhere (RFC 6749 §4.1.2.1).
    public static readonly Refusal AuthorizeMalformed = new("oidc.malformed_request", 400, "The partner's request could not be read, so we stopped here.");
    public static readonly Refusal AuthorizeClient = new("oidc.unknown_client", 400, "The request does not come from a partner that we know.");
    public static readonly Refusal AuthorizeRedirect = new("oidc.unknown_redirect", 400, "The address to return to is not one that the partner registered.");
    public static readonly Refusal HandleInvalid = new("oidc.request_over", 400, "This sign-in was completed already or has expired. Go back to the partner and start again.");
    public static readonly Refusal RequestUriOver = new("oidc.request_uri", 400, "This sign-in was completed already or has expired. Go back to the partner and start again.");
    public static readonly Refusal DeviceOver = new("federation.device_over", 400, "This code was answered already or has expired. Ask for a new one on the device.");
    public static readonly Refusal UnknownGrant = new("oidc.unknown_grant", 404, "There is no such grant of this client.");
    public static readonly Refusal LogoutHintInvalid = new("oidc.logout_hint", 400, "We could not tell which partner asked to sign you out, so we stopped here.");
    public static readonly Refusal LogoutRedirect = new("oidc.logout_redirect", 400, "The address to return to is not one that the partner registered.");
    public static readonly Refusal LogoutFormOld = new("oidc.logout_form", 400, "This page is no longer good. Sign out again.");
}

/// <summary>
/// The protocol's own ways of saying no: codes of RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1 and OpenID Connect Core §3.1.2.6. The code
/// after <c>oauth.</c> is the protocol's <c>error</c>; the sentence is its <c>error_description</c>, for an engineer, in ASCII.
/// </summary>
internal static class OAuth
{
    private const string Prefix = "oauth.";

    public static readonly Refusal InvalidClient = new("oauth.invalid_client", 401, "Client authentication failed.");
    public static readonly Refusal InvalidGrant = new("oauth.invalid_grant", 400, "The code or refresh token is not valid, has expired, was used, or is another client's.");
    public static readonly Refusal InvalidToken = new("oauth.invalid_token", 401, "The access token is not valid, has expired or was revoked.");
    /// <summary>RFC 9449 §5, §7.1.</summary>
    public static readonly Refusal InvalidDpopProof = new("oauth.invalid_dpop_proof", 400, "The DPoP proof is missing, malformed, not fresh, used before, or made for something else.");

    /// <summary>RFC 9449 §8, §9.</summary>
    public static readonly Refusal UseDpopNonce = new("oauth.use_dpop_nonce", 400, "Make the DPoP proof with the nonce of the DPoP-Nonce header.");
    public static readonly Refusal NoToken = new("oauth.no_token", 401, "Send an access token in the Authorization header.");
    public static readonly Refusal InsufficientScope = new("oauth.insufficient_scope", 403, "The access token does not hold the scope that this takes.");
    public static readonly Refusal UnauthorizedClient = new("oauth.unauthorized_client", 400, "The client is not registered for this grant type.");
    public static readonly Refusal UnsupportedGrantType = new("oauth.unsupported_grant_type", 400, "The grant type is none that discovery names.");
    public static readonly Refusal InvalidScope = new("oauth.invalid_scope", 400, "The scope is unknown, malformed, or more than the client may ask for.");
    public static readonly Refusal UnsupportedResponseType = new("oauth.unsupported_response_type", 400, "Only response_type=code is supported.");
    public static readonly Refusal RequestNotSupported = new("oauth.request_not_supported", 400, "Request objects without a signature are not supported.");

    /// <summary>RFC 9101 §7.</summary>
    public static readonly Refusal InvalidRequestObject = new("oauth.invalid_request_object", 400, "The request object is malformed, wrongly signed, not for this server, or not in its time.");
    public static readonly Refusal RequestUriNotSupported = new("oauth.request_uri_not_supported", 400, "Request objects by reference are not supported.");
    public static readonly Refusal RegistrationNotSupported = new("oauth.registration_not_supported", 400, "The registration parameter is not supported.");
    public static readonly Refusal LoginRequired = new("oauth.login_required", 400, "The customer has to sign in.");
    public static readonly Refusal ConsentRequired = new("oauth.consent_required", 400, "The customer has to agree first.");
    public static readonly Refusal AccessDenied = new("oauth.access_denied", 400, "The customer or the hub said no.");

    // RFC 8628 §3.5.
    public static readonly Refusal AuthorizationPending = new("oauth.authorization_pending", 400, "The customer has not answered yet.");
    public static readonly Refusal SlowDown = new("oauth.slow_down", 400, "The question came too early: wait five seconds longer each time.");
    public static readonly Refusal ExpiredToken = new("oauth.expired_token", 400, "The device code has expired.");

    /// <summary>FAPI Grant Management §5.4.</summary>
    public static readonly Refusal InvalidGrantId = new("oauth.invalid_grant_id", 400, "The grant is unknown, has ended, or is another client's or customer's.");

    /// <summary>RFC 8707 §2.</summary>
    public static readonly Refusal InvalidTarget = new("oauth.invalid_target", 400, "The resource is unknown, or not one that this client may ask for.");

    /// <summary>RFC 6585 §4; there is no code of OAuth's own for it.</summary>
    public static readonly Refusal TooManyRequests = new("oauth.temporarily_unavailable", 429, "This client has used up its requests for now.");

    /// <summary>RFC 9396 §5.</summary>
    public static Refusal InvalidAuthorizationDetails(string description) => new(Prefix + "invalid_authorization_details", 400, description);

    /// <summary>RFC 7591 §3.2.2.</summary>
    public static Refusal InvalidClientMetadata(bool isRedirect, string description) =>
        new(Prefix + (isRedirect ? "invalid_redirect_uri" : "invalid_client_metadata"), 400, description);

    public static Refusal InvalidRequest(string description) => new(Prefix + "invalid_request", 400, description);

    /// <summary>The refusal's code for an error of the protocol.</summary>
    public static string CodeOf(string error) => Prefix + error;

    /// <summary>True for the protocol's own errors.</summary>
    public static bool IsOwn(Refusal refusal) => refusal.Code.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>The protocol's error code: the refusal's own where it is one of the above, else the one that fits the endpoint.</summary>
    public static string ErrorOf(Refusal refusal, string otherwise) =>
        refusal.Code.StartsWith(Prefix, StringComparison.Ordinal) ? refusal.Code[Prefix.Length..] : otherwise;
}
