using System.Security.Claims;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.IdentityModel.Tokens;

namespace Commerce.PartnerKit;

/// <summary>Settings of <see cref="CommerceApi"/>. Issuer and audience are enough; the rest is there for an API that wants more.</summary>
public sealed class CommerceApiOptions
{
    /// <summary>The hub's issuer, without a slash at the end.</summary>
    public string Issuer { get; set; } = "";

    /// <summary>This API's identifier.</summary>
    public string Audience { get; set; } = "";

    /// <summary>
    /// Public origin of this API, such as <c>https://api.partner.example</c>: what a DPoP proof names (RFC 9449 §4.3). Null to take it from
    /// the request, which is right only where no proxy rewrites the host.
    /// </summary>
    public string? BaseUrl { get; set; }

    /// <summary>Further origins that lead to the same API, such as one at which TLS asks for certificates: a proof may name these too.</summary>
    public IList<string> OtherBaseUrls { get; } = [];

    /// <summary>Refuse bearer tokens: every client has to prove that it holds the token's key.</summary>
    public bool RequireBoundTokens { get; set; }

    /// <summary>The hub may be on http. For one's own machine only.</summary>
    public bool AllowHttp { get; set; }

    /// <summary>The <c>realm</c> of the challenges (RFC 6750 §3).</summary>
    public string Realm { get; set; } = "api";

    /// <summary>
    /// "Add if absent" for ids that count once (DPoP proofs), shared by all servers behind one name: id, until when, true where it was new.
    /// Null to remember them in this process.
    /// </summary>
    public Func<string, DateTimeOffset, CancellationToken, ValueTask<bool>>? ConsumeOnce { get; set; }

    /// <summary>
    /// The public keys that sign access tokens now, each with its <c>KeyId</c>. Asked for every token, because keys rotate while the site
    /// runs: answer from memory. Null to read the hub's discovery document and key set, again when old or when a key is unknown.
    /// </summary>
    public Func<IEnumerable<SecurityKey>>? Keys { get; set; }

    /// <summary>Nonces that DPoP proofs must bear (RFC 9449 §9). Null to ask for none: proofs are then fresh by their time and count once.</summary>
    public ApiNonces? DpopNonces { get; set; }

    /// <summary>
    /// Asked about every token that passed all checks, its binding included, before the endpoint is: to hold it against a list of revoked
    /// tokens, introspection or books of one's own, to refuse it, or to change what the endpoint sees. An exception answers 500 and lets
    /// nobody in.
    /// </summary>
    public Func<ValidatedApiToken, ValueTask>? OnValidated { get; set; }

    /// <summary>Writes the body of a refusal, such as problem+json. Status and headers stand already. Null for no body.</summary>
    public Func<HttpContext, ApiRefusal, Task>? WriteRefusal { get; set; }

    internal void Check()
    {
        var secure = Issuer.StartsWith("https://", StringComparison.Ordinal) || (AllowHttp && Issuer.StartsWith("http://", StringComparison.Ordinal));
        if (!secure || Issuer.EndsWith('/')) throw new ArgumentException("The issuer is the hub's https address without a slash at the end.");
        if (string.IsNullOrWhiteSpace(Audience)) throw new ArgumentException("The audience is this API's identifier.");
        ApiRefusal.CheckText(Realm);
    }
}

/// <summary>Nonces for DPoP proofs. A keyed hash over the time does: nothing is stored, and every server knows every other's.</summary>
/// <param name="Current">The nonce to use from now on, in the characters of base64url. Sent with every answer to a proof.</param>
/// <param name="IsGood">Whether a proof may bear this one: the current one, and the one before for those who were told it.</param>
public sealed record ApiNonces(Func<string> Current, Func<string, bool> IsGood);

/// <summary>Why a request was refused, as the challenge says it (RFC 6750 §3.1, RFC 9449 §7.1).</summary>
/// <param name="Status">401; 403 where only the scope is missing; 429 after <see cref="ValidatedApiToken.Limit"/>.</param>
/// <param name="Error">
/// <c>invalid_token</c>, <c>insufficient_scope</c>, <c>invalid_dpop_proof</c>, <c>use_dpop_nonce</c> or what <see cref="ValidatedApiToken.Refuse"/>
/// was given; null where no token came at all.
/// </param>
/// <param name="Description">For an engineer: ASCII without quotation marks and backslashes.</param>
public sealed record ApiRefusal(int Status, string? Error, string Description)
{
    /// <summary>After 429: how long the caller is asked to wait.</summary>
    public TimeSpan? RetryAfter { get; init; }

    internal static readonly ApiRefusal
        NoToken = new(StatusCodes.Status401Unauthorized, null, "Send an access token in the Authorization header."),
        InvalidToken = new(StatusCodes.Status401Unauthorized, "invalid_token", "The access token is not valid, has expired or was revoked."),
        InvalidProof = new(StatusCodes.Status401Unauthorized, "invalid_dpop_proof", "The DPoP proof is missing, malformed, not fresh, used before, or made for something else."),
        UseNonce = new(StatusCodes.Status401Unauthorized, "use_dpop_nonce", "Make the DPoP proof with the nonce of the DPoP-Nonce header."),
        InsufficientScope = new(StatusCodes.Status403Forbidden, "insufficient_scope", "The access token does not hold the scope that this takes.");

    // RFC 6750 §3: what may stand between the quotation marks of a challenge.
    internal static void CheckText(string text)
    {
        if (text.Any(c => c is '"' or '\\' or < ' ' or > '~')) throw new ArgumentException("A challenge holds ASCII without quotation marks and backslashes.");
    }
}

/// <summary>A token that passed every check of <see cref="CommerceApi"/>, for <see cref="CommerceApiOptions.OnValidated"/> to judge.</summary>
public sealed class ValidatedApiToken
{
    internal ValidatedApiToken(HttpContext context, JsonElement claims, ClaimsPrincipal user) => (HttpContext, Claims, User) = (context, claims, user);

    /// <summary>The request that brought it, with its services.</summary>
    public HttpContext HttpContext { get; }

    /// <summary>All claims as the hub signed them (RFC 9068 §2.2): <c>jti</c>, <c>sub</c>, <c>client_id</c>, <c>scope</c>, <c>exp</c> and more.</summary>
    public JsonElement Claims { get; }

    /// <summary>Who the endpoint will see. Add claims, or put somebody else in its place; scopes count as they stand here.</summary>
    public ClaimsPrincipal User { get; set; }

    internal (ApiRefusal Answer, string Reason)? Refused { get; private set; }

    /// <summary>Answers 429 (RFC 6585 §4): the token is good, and its client has asked too often.</summary>
    /// <param name="retryAfter">How long the caller is asked to wait; at least a second.</param>
    /// <param name="reason">For the log. The caller does not read it.</param>
    public void Limit(TimeSpan retryAfter, string reason = "The client has used up its requests.") =>
        Refused = (new ApiRefusal(StatusCodes.Status429TooManyRequests, null, "This client has used up its requests for now.") { RetryAfter = retryAfter }, reason);

    /// <summary>Answers 401.</summary>
    /// <param name="reason">For the log. The caller does not read it.</param>
    /// <param name="error">For the caller.</param>
    /// <param name="description">For the caller; null for a sentence that gives nothing away.</param>
    /// <exception cref="ArgumentException">Error or description cannot stand in a header.</exception>
    public void Refuse(string reason, string error = "invalid_token", string? description = null)
    {
        var answer = new ApiRefusal(StatusCodes.Status401Unauthorized, error, description ?? ApiRefusal.InvalidToken.Description);
        ApiRefusal.CheckText(error);
        ApiRefusal.CheckText(answer.Description);
        Refused = (answer, reason);
    }
}
