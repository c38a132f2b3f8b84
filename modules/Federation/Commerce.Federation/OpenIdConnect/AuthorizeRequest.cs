using System.Globalization;
using Commerce.Federation.OpenIdConnect.Jose;
using Commerce.Federation.OpenIdConnect.RichAuthorization;
using Commerce.Kernel;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>Where an authorization response goes: proven to be the client's before anything is sent there.</summary>
/// <param name="State">As the client sent it; echoed octet by octet.</param>
/// <param name="ByForm">True for <c>response_mode=form_post</c> and <c>form_post.jwt</c>.</param>
internal sealed record ResponseTarget(string RedirectUri, string? State, bool ByForm)
{
    /// <summary>Set where the response is a JWT (JARM): for whom it is, and how it is signed.</summary>
    public SignedFor? Signed { get; init; }
}

/// <param name="Client">Its audience.</param>
internal sealed record SignedFor(string Client, string Algorithm);

/// <summary>An authorization request that passed every check. Later code takes this and never the raw parameters.</summary>
/// <param name="HintedSubject"><c>sub</c> of a valid <c>id_token_hint</c>: this customer and no other is meant.</param>
internal sealed record AuthorizeRequest(
    string Client, ResponseTarget Target, IReadOnlyList<string> Scopes, string Challenge, string? Nonce, bool PromptNone, bool PromptLogin, bool PromptConsent,
    int? MaxAge, string? LoginHint, string? HintedSubject, string? Language)
{
    /// <summary>Where the client pushed the request: under which hash it is kept; the answer uses it up.</summary>
    public byte[]? Pushed { get; init; }

    /// <summary>Claims asked for by name; null without the <c>claims</c> parameter.</summary>
    public ClaimsRequest? Claims { get; init; }

    /// <summary>Thumbprint of the DPoP key that the code is bound to (RFC 9449 §10); null for none.</summary>
    public string? DpopKey { get; init; }

    /// <summary>The one authorization detail (RFC 9396); null where none was asked for.</summary>
    public RetailPurchase? Purchase { get; init; }

    /// <summary>The grant that the new one is to replace (FAPI Grant Management §5.2); null for none.</summary>
    public Guid? Replaces { get; init; }

    public bool Asks(string scope) => Scopes.Contains(scope);

    /// <summary>A login hint of the shape of a hop ticket is a hop ticket, and is never taken for anything else.</summary>
    public bool HasTicket => LoginHint is { Length: 43 } hint && hint.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
}

/// <summary>How a request came.</summary>
/// <param name="IsPushed">By its proven client, at the endpoint for pushed requests.</param>
/// <param name="IsSigned">As a request object.</param>
internal readonly record struct RequestWay(bool IsPushed, bool IsSigned);

/// <summary>A request as it was read: what to do, or why not.</summary>
/// <param name="Target">Where a refusal may be sent; null where no address is proven.</param>
internal sealed record ReadRequest(Result<AuthorizeRequest> Request, Connection? Client, ResponseTarget? Target);

/// <summary>The checks of RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1 and RFC 7636 §4.3, in the order in which they may be answered.</summary>
internal sealed class AuthorizeValidation(Connections connections, RequestObjects objects, TokenSigner signer, Issuer issuer)
{
    private const int MaxState = 2048, MaxHint = 320;
    private static readonly string[] JwtModes = ["jwt", "query.jwt", "form_post.jwt"];

    /// <summary>Fragment modes have no use: a code never travels in a fragment (RFC 9700 §2.1.2 leaves the code flow alone).</summary>
    public static readonly IReadOnlyList<string> Modes = ["query", "form_post", .. JwtModes];

    /// <summary>Reads a request to its end: opens a request object, proves the target, then checks everything else.</summary>
    public async ValueTask<ReadRequest> ReadAsync(Parameters parameters, bool isPushed, CancellationToken stop)
    {
        var isSigned = parameters["request"] is not null;
        var inner = parameters;
        if (isSigned)
        {
            // What is inside a wrong object is not to be trusted; the address beside it may be one that the client registered.
            if (!(await objects.OpenAsync(parameters, stop)).TryGet(out var opened, out var wrong))
                return new ReadRequest(wrong, null, (await ProveTargetAsync(parameters, stop)).TryGet(out var beside, out _) ? beside.Target : null);
            inner = opened;
        }
        return (await ProveTargetAsync(inner, stop)).TryGet(out var proven, out var no)
            ? new ReadRequest(Check(inner, proven.Client, proven.Target, new RequestWay(isPushed, isSigned)), proven.Client, proven.Target)
            : new ReadRequest(no, null, null);
    }

    /// <summary>Client and redirect URI. A refusal here is shown on our own page and sent nowhere (RFC 6749 §4.1.2.1).</summary>
    public async ValueTask<Result<(Connection Client, ResponseTarget Target)>> ProveTargetAsync(Parameters parameters, CancellationToken stop)
    {
        if (await connections.FindAsync(parameters["client_id"], stop) is not { IsActive: true, Oidc: { } oidc } client) return Refusals.AuthorizeClient;
        if (!oidc.MayUse("authorization_code")) return Refusals.AuthorizeClient;
        // OpenID Connect Core §3.1.2.1: required, even where only one is registered.
        if (parameters["redirect_uri"] is not { Length: <= Grant.MaxRedirectUri } redirect || !oidc.RedirectUris.Any(r => IsRegistered(r, redirect)))
            return Refusals.AuthorizeRedirect;
        return (client, new ResponseTarget(redirect, parameters["state"], parameters["response_mode"] is "form_post" or "form_post.jwt")
        {
            Signed = parameters["response_mode"] is { } mode && JwtModes.Contains(mode) ? new SignedFor(client.Id, oidc.AuthorizationSignedResponseAlg) : null,
        });
    }

    /// <summary>Everything else. A refusal here goes back to the client at the proven target.</summary>
    public Result<AuthorizeRequest> Check(Parameters parameters, Connection client, ResponseTarget target, RequestWay way)
    {
        if (target.State?.Length > MaxState) return OAuth.InvalidRequest("state is longer than 2048 characters.");
        if (parameters["response_mode"] is { } mode && !Modes.Contains(mode)) return OAuth.InvalidRequest($"response_mode is one of: {string.Join(", ", Modes)}.");
        if (client.Oidc!.SignsMessages && target.Signed is null) return OAuth.InvalidRequest("This client takes signed answers: response_mode is jwt, query.jwt or form_post.jwt.");
        if (client.Oidc.MustSignRequests && !way.IsSigned) return OAuth.InvalidRequest("This client signs its requests (RFC 9101).");
        if (parameters["request_uri"] is not null) return OAuth.RequestUriNotSupported;
        if (client.Oidc.MustPush && !way.IsPushed) return OAuth.InvalidRequest("This client pushes its requests (RFC 9126).");
        if (parameters["registration"] is not null) return OAuth.RegistrationNotSupported;
        if (parameters["response_type"] is not { } type) return OAuth.InvalidRequest("response_type is missing.");
        if (type != "code") return OAuth.UnsupportedResponseType;

        var challenge = parameters["code_challenge"] ?? Pkce.None;
        if (challenge != Pkce.None)
        {
            if (parameters["code_challenge_method"] != "S256") return OAuth.InvalidRequest("code_challenge_method is S256.");
            if (!Pkce.IsChallenge(challenge)) return OAuth.InvalidRequest("code_challenge is not a SHA-256 in base64url.");
        }
        else if (client.Oidc!.RequirePkce || parameters["code_challenge_method"] is not null)
        {
            return OAuth.InvalidRequest("code_challenge is missing: PKCE is required.");
        }
        // A thumbprint has the form of a challenge: 43 base64url characters (RFC 9449 §10).
        if (parameters["dpop_jkt"] is { } thumbprint && !Pkce.IsChallenge(thumbprint)) return OAuth.InvalidRequest("dpop_jkt is not a SHA-256 in base64url.");

        var asked = (parameters["scope"] ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (!asked.Contains("openid")) return OAuth.InvalidScope;
        // OpenID Connect Core §3.1.2.1: scopes that are not understood, or not the client's to ask, are left out and the answer says so.
        string[] scopes = [.. asked.Distinct().Where(s => s == "openid" || (OidcScopes.OfCustomers.Contains(s) && client.Oidc!.Scopes.Contains(s)))];

        if (parameters["nonce"] is { Length: > Grant.MaxNonce }) return OAuth.InvalidRequest("nonce is longer than 1024 characters.");
        if (parameters["display"] is not (null or "page" or "popup" or "touch" or "wap")) return OAuth.InvalidRequest("display is page, popup, touch or wap.");
        var prompts = (parameters["prompt"] ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (prompts.Any(p => p is not ("none" or "login" or "consent" or "select_account"))) return OAuth.InvalidRequest("prompt has an unknown value.");
        if (prompts.Contains("none") && prompts.Length > 1) return OAuth.InvalidRequest("prompt=none stands alone.");
        int? maxAge = null;
        if (parameters["max_age"] is { } age)
        {
            if (!int.TryParse(age, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)) return OAuth.InvalidRequest("max_age is a number of seconds.");
            maxAge = seconds;
        }
        if (parameters["login_hint"] is { Length: > MaxHint }) return OAuth.InvalidRequest("login_hint is longer than 320 characters.");
        ClaimsRequest? claims = null;
        if (parameters["claims"] is { } wanted && (claims = ClaimsRequest.Read(wanted, client.Oidc)) is null)
            return OAuth.InvalidRequest("claims is not a JSON request for claims (OpenID Connect Core 5.5).");
        string? hinted = null;
        if (parameters["id_token_hint"] is { } hint)
        {
            if (SubjectOfHint(hint, client) is not { } subject) return OAuth.InvalidRequest("id_token_hint is not an ID token of this client.");
            hinted = subject;
        }
        if (parameters["resource"] is { } resource && resource != issuer.Name) return OAuth.InvalidTarget;
        if (!GrantManagement.GrantAction.Read(parameters).TryGet(out var replaced, out var wrong)) return wrong;
        RetailPurchase? purchase = null;
        if (parameters["authorization_details"] is { } details && !PurchaseOf(details, client).TryGet(out purchase, out var no)) return no;
        var request = new AuthorizeRequest(client.Id, target, scopes, challenge, parameters["nonce"], prompts.Contains("none"),
            // Choosing an account means signing in to one: there is one sign-in page for both.
            prompts.Contains("login") || prompts.Contains("select_account"), prompts.Contains("consent"),
            maxAge, parameters["login_hint"], hinted, OidcScopes.LanguageOf(parameters["ui_locales"]))
        {
            DpopKey = parameters["dpop_jkt"],
            Claims = claims,
            Purchase = purchase,
            Replaces = replaced,
        };
        // A hop is about a purchase of its own.
        return purchase is not null && request.HasTicket ? OAuth.InvalidRequest("authorization_details and a hop's login_hint exclude each other.") : request;
    }

    /// <summary>The detail, where the client registered the type and its contract has the purpose (RFC 9396 §5, §10).</summary>
    private static Result<RetailPurchase> PurchaseOf(string details, Connection client)
    {
        if (!client.Oidc!.AuthorizationDetailsTypes.Contains(RetailPurchase.Type)) return OAuth.InvalidAuthorizationDetails("The client registered no type of authorization details.");
        if (!RetailPurchase.Read(details).TryGet(out var read, out var no)) return no;
        return client.Contract?.Purpose(read.Purpose)?.Claims.Any(c => c.Name == ClaimCatalogue.Purchase) == true
            ? read : OAuth.InvalidAuthorizationDetails("The data contract has no such purpose with a purchase.");
    }

    /// <summary>An ID token of ours for this client; an expired one still says who is meant (OpenID Connect Core §3.1.2.1).</summary>
    internal string? SubjectOfHint(string hint, Connection client) =>
        JwtGate.Open(hint, JwtUse.IdToken, signer.OwnKeys(), out _) is { } jwt && jwt.Says("iss", issuer.Name) && jwt.Says("aud", client.Id)
            ? jwt.Claims.Text("sub") : null;

    /// <summary>
    /// Ordinal equality (RFC 9700 §2.1); for a registered loopback address the port may differ (RFC 8252 §7.3), and nothing else.
    /// </summary>
    internal static bool IsRegistered(string registered, string asked)
    {
        if (string.Equals(registered, asked, StringComparison.Ordinal)) return true;
        foreach (var host in (ReadOnlySpan<string>)["http://127.0.0.1", "http://[::1]"])
        {
            if (registered.StartsWith(host, StringComparison.Ordinal) && asked.StartsWith(host, StringComparison.Ordinal)
                && AfterPort(registered.AsSpan(host.Length)) is { } path && AfterPort(asked.AsSpan(host.Length)) is { } askedPath)
                return string.Equals(path, askedPath, StringComparison.Ordinal);
        }
        return false;
    }

    /// <summary>What follows an optional port, or null where something else comes first.</summary>
    private static string? AfterPort(ReadOnlySpan<char> rest)
    {
        if (rest is [':', ..])
        {
            var digits = rest[1..].IndexOfAnyExceptInRange('0', '9');
            var length = digits < 0 ? rest.Length - 1 : digits;
            if (length is < 1 or > 5 || !ushort.TryParse(rest.Slice(1, length), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0) return null;
            rest = rest[(1 + length)..];
        }
        return rest.IsEmpty || rest[0] == '/' ? rest.ToString() : null;
    }
}

/// <summary>The scopes there are.</summary>
internal static class OidcScopes
{
    public const string Offline = "offline_access";

    /// <summary>Scopes of a customer's sign-in.</summary>
    public static readonly IReadOnlyList<string> OfCustomers = ["openid", "profile", "email", "phone", "address", "vehicle", "purchase", Offline];

    /// <summary>Scopes of the hub's own API, for clients that act for themselves.</summary>
    public static readonly IReadOnlyList<string> OfClients = [ApiScopes.WriteOrders, ApiScopes.WriteBookings, ApiScopes.QueryGrants, ApiScopes.RevokeGrants];

    /// <summary>Claims that these scopes stand for (OpenID Connect Core §5.4).</summary>
    public static IReadOnlyList<string> Claims(IEnumerable<string> scopes) => [.. scopes.SelectMany(ClaimCatalogue.OfScope)];

    /// <summary>The first of the asked languages that the pages speak, or null.</summary>
    public static string? LanguageOf(string? uiLocales) => uiLocales?.Split(' ')
        .Select(tag => tag.Split('-')[0].ToLowerInvariant()).FirstOrDefault(Commerce.Web.WebRegistration.Languages.Contains);
}
