using System.Globalization;
using System.Text.Json;
using Commerce.Federation.OpenIdConnect.Jose;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>What the ID token says beside who signed in.</summary>
/// <param name="Nonce">Set for the tokens of a code, not for those of a refresh (OpenID Connect Core §12.2).</param>
/// <param name="Claims">Values of the release where a hop brought the customer or claims were asked for by name; else null.</param>
internal sealed record IdTokenFacts(Grant Grant, string AccessToken, string? Nonce, IReadOnlyDictionary<string, JsonElement>? Claims)
{
    /// <summary>Claims that were asked for by name for the ID token (OpenID Connect Core §5.5).</summary>
    public IReadOnlyList<string>? Named { get; init; }
}

/// <summary>Makes the tokens: access tokens of RFC 9068, ID tokens of OpenID Connect Core §2, signed userinfo of §5.3.2.</summary>
internal sealed class Tokens(TokenSigner signer, Issuer issuer, LookupHash hash, TimeProvider clock)
{
    private readonly Issuer issuer = issuer;
    private readonly TimeProvider clock = clock;

    /// <summary>Of clients whose policy says nothing else.</summary>
    public static readonly TimeSpan AccessLifetime = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan IdTokenLifetime = TimeSpan.FromMinutes(10);

    /// <summary>Access tokens are read by the hub alone, and ES256 costs a thirteenth of RS256 to make.</summary>
    private const string AccessAlgorithm = "ES256";

    /// <summary>An access token for userinfo: its audience is the issuer.</summary>
    /// <param name="details">Authorization details that this token holds, a JSON list, or null.</param>
    public string AccessToken(Grant grant, string scope, SenderKey? key = null, string? details = null, TimeSpan? lifetime = null) => signer.Sign(AccessAlgorithm, TokenSigner.AccessTokenType, (this, grant, scope, key, details, lifetime), static (json, state) =>
    {
        var (self, grant, scope, key, details, lifetime) = state;
        self.Common(json, self.issuer.Name, grant.Subject, lifetime ?? AccessLifetime);
        json.WriteString("client_id", grant.Connection);
        json.WriteString("scope", scope);
        json.WriteString("jti", Guid.CreateVersion7(self.clock.GetUtcNow()));
        json.WriteString("grant_id", grant.Id);
        json.WriteNumber("auth_time", grant.AuthenticatedAt.ToUnixTimeSeconds());
        key?.WriteConfirmation(json);
        if (details is null) return;
        json.WritePropertyName("authorization_details");
        json.WriteRawValue(details);
    });

    /// <summary>An access token for an API: the client acts for itself, so it is the subject (RFC 9068 §2.2).</summary>
    public string ApiToken(string client, string audience, string scope, TimeSpan lifetime, SenderKey? key = null) => signer.Sign(AccessAlgorithm, TokenSigner.AccessTokenType, (this, client, audience, scope, lifetime, key), static (json, state) =>
    {
        var (self, client, audience, scope, lifetime, key) = state;
        self.Common(json, audience, client, lifetime);
        key?.WriteConfirmation(json);
        json.WriteString("client_id", client);
        json.WriteString("scope", scope);
        json.WriteString("jti", Guid.CreateVersion7(self.clock.GetUtcNow()));
    });

    /// <summary>An access token that stands on another one (RFC 8693): it names who acts, and dies with the same grant.</summary>
    public string Exchanged(Exchange.ExchangedFacts facts) => signer.Sign(AccessAlgorithm, TokenSigner.AccessTokenType, (this, facts), static (json, state) =>
    {
        var (self, facts) = state;
        self.Common(json, facts.Audience, facts.Subject, facts.Lifetime);
        json.WriteString("client_id", facts.Client);
        json.WriteString("scope", facts.Scope);
        json.WriteString("jti", Guid.CreateVersion7(self.clock.GetUtcNow()));
        json.WriteString("grant_id", facts.Grant.Id);
        json.WriteNumber("auth_time", facts.Grant.AuthenticatedAt.ToUnixTimeSeconds());
        json.WritePropertyName("act");
        json.WriteRawValue(facts.Actor);
        facts.Key?.WriteConfirmation(json);
        if (facts.Grant.Receipt is { } receipt) json.WriteString(ClaimCatalogue.ConsentReceipt, receipt);
        if (facts.Details is null) return;
        json.WritePropertyName("authorization_details");
        json.WriteRawValue(facts.Details);
    });

    public string IdToken(Connection client, IdTokenFacts facts) => signer.Sign(client.Oidc!.IdTokenSignedResponseAlg, "JWT", (this, client, facts), static (json, state) =>
    {
        var (self, client, facts) = state;
        var grant = facts.Grant;
        self.Common(json, client.Id, grant.Subject, IdTokenLifetime);
        json.WriteNumber("auth_time", grant.AuthenticatedAt.ToUnixTimeSeconds());
        if (facts.Nonce is not null) json.WriteString("nonce", facts.Nonce);
        if (grant.Acr.Length > 0) json.WriteString("acr", grant.Acr);
        if (grant.Amr.Length > 0)
        {
            json.WriteStartArray("amr");
            foreach (var method in grant.Amr.Split(' ')) json.WriteStringValue(method);
            json.WriteEndArray();
        }
        json.WriteString("at_hash", TokenSigner.HalfHash(facts.AccessToken));
        json.WriteString("sid", self.Sid(grant.Session, client.Id));
        if (facts.Claims is { } claims)
        {
            // Facts about the purchase are signed; the person's own details are at userinfo, unless they were asked for here by name.
            foreach (var name in (string[])[ClaimCatalogue.ConsentReceipt, ClaimCatalogue.Hop, ClaimCatalogue.Vehicle, ClaimCatalogue.Purchase,
                .. facts.Named?.Where(n => !ClaimCatalogue.IsOfHop(n)) ?? []])
            {
                if (!claims.TryGetValue(name, out var value)) continue;
                json.WritePropertyName(name);
                value.WriteTo(json);
            }
        }
        else if (grant.Receipt is { } receipt)
        {
            json.WriteString(ClaimCatalogue.ConsentReceipt, receipt);
        }
    });

    /// <summary>Userinfo as a JWT, for clients that registered it (OpenID Connect Core §5.3.2): no <c>exp</c>, with <c>iss</c> and <c>aud</c>.</summary>
    public string UserInfo(Connection client, string subject, IReadOnlyDictionary<string, JsonElement> claims) =>
        signer.Sign(client.Oidc!.UserinfoSignedResponseAlg!, "userinfo+jwt", (this, client, subject, claims), static (json, state) =>
        {
            json.WriteString("iss", state.Item1.issuer.Name);
            json.WriteString("aud", state.client.Id);
            json.WriteNumber("iat", state.Item1.clock.GetUtcNow().ToUnixTimeSeconds());
            WriteUserInfo(json, state.subject, state.claims);
        });

    public static void WriteUserInfo(Utf8JsonWriter json, string subject, IReadOnlyDictionary<string, JsonElement> claims)
    {
        json.WriteString("sub", subject);
        foreach (var (name, value) in claims)
        {
            json.WritePropertyName(name);
            value.WriteTo(json);
        }
    }

    /// <summary>A logout token (Back-Channel Logout §2.4): fresh <c>jti</c> each time, two minutes at most.</summary>
    public string LogoutToken(Connection client, string subject, string sid) => signer.Sign(client.Oidc!.IdTokenSignedResponseAlg, "logout+jwt", (this, client, subject, sid), static (json, state) =>
    {
        var (self, client, subject, sid) = state;
        self.Common(json, client.Id, subject, TimeSpan.FromMinutes(2));
        json.WriteString("jti", Token.New());
        json.WriteString("sid", sid);
        json.WriteStartObject("events");
        json.WriteStartObject("http://schemas.openid.net/event/backchannel-logout");
        json.WriteEndObject();
        json.WriteEndObject();
    });

    /// <summary>The session's name at one client: two partners cannot find out by it that they have the same visitor (O21).</summary>
    public string Sid(Guid session, string client) => System.Buffers.Text.Base64Url.EncodeToString(
        hash.Of("oidc-sid", string.Create(CultureInfo.InvariantCulture, $"{session:N}\n{client}")));

    private void Common(Utf8JsonWriter json, string audience, string subject, TimeSpan lifetime)
    {
        var now = clock.GetUtcNow().ToUnixTimeSeconds();
        json.WriteString("iss", issuer.Name);
        json.WriteString("sub", subject);
        json.WriteString("aud", audience);
        json.WriteNumber("iat", now);
        json.WriteNumber("exp", now + (long)lifetime.TotalSeconds);
    }
}
