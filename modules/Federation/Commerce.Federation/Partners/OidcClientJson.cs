using System.Text.Json;
using Commerce.Kernel;

namespace Commerce.Federation.Partners;

/// <summary>
/// Reads RFC 7591 client metadata, strictly: what the hub does not serve is refused by name and not ignored, so that nobody relies on a
/// protection that is not there.
/// </summary>
internal static partial class OidcClientJson
{
    private static readonly IReadOnlyList<string> GrantTypes = OpenIdConnect.GrantTypes.All;
    private static readonly IReadOnlyList<string> Algorithms = ["RS256", "PS256", "ES256"];
    private static readonly IReadOnlyList<string> ClaimScopes = ["openid", "profile", "email", "phone", "address", "vehicle", "purchase"];
    private static readonly IReadOnlyList<string> ApiOnly = OpenIdConnect.OidcScopes.OfClients;

    /// <param name="ignoreUnknown">Members that the hub does not know are left out, as RFC 7591 §2 has it for clients that register themselves.</param>
    public static Result<OidcClient> Read(string json, bool development, bool ignoreUnknown = false)
    {
        var errors = new List<FieldError>();
        if (JsonReader.Open(json, errors) is not { } root) return Refusals.PartnerInvalid.With(errors);

        var grants = root.Has("grant_types") ? OneOfEach(root, "grant_types", GrantTypes) : ["authorization_code"];
        var (signsIn, onDevices) = (grants.Contains("authorization_code"), grants.Contains(OpenIdConnect.Devices.DeviceGrant.GrantType));
        var redirects = root.Texts("redirect_uris", 20, PartnerUrl.Longest);
        Each(root, "redirect_uris", redirects, uri => PartnerUrl.ReturnFault(uri, development));
        if (signsIn && redirects.Count == 0) root.No("redirect_uris", "Is needed with the grant type authorization_code.");
        if (!signsIn && redirects.Count > 0) root.No("redirect_uris", "Has no use without the grant type authorization_code.");
        if (!signsIn && !onDevices && grants.Contains("refresh_token")) root.No("grant_types", "refresh_token has no use without authorization_code or device_code.");

        var responses = root.Has("response_types") ? OneOfEach(root, "response_types", ["code"]) : ["code"];
        var method = OneOf(root, "token_endpoint_auth_method", ClientAuthenticationMethods.All) ?? ClientAuthenticationMethods.SecretBasic;
        var jwks = root.Member("jwks");
        if (jwks is { } keys) JwksRules.Check(keys, fault => root.No("jwks", fault));

        var security = Security(root, method, signsIn, development);
        if (jwks is not null && security.JwksUri is not null) root.No("jwks_uri", "Register jwks or jwks_uri, not both (RFC 7591 2).");
        if (method == "private_key_jwt" && jwks is null && security.JwksUri is null) root.No("jwks", "Is needed with private_key_jwt, or jwks_uri in its place.");

        var sector = Url(root, "sector_identifier_uri", development);
        var subject = OneOf(root, "subject_type", ["pairwise"]) ?? "pairwise";
        if (sector is null && redirects.Select(Host).Distinct().Count() > 1)
            root.No("sector_identifier_uri", "Is needed where redirect URIs have more than one host (OpenID Connect Core 8.1).");

        var client = security with
        {
            ClientName = root.Text("client_name", Lengths.Name, required: true) ?? "",
            RedirectUris = redirects,
            GrantTypes = grants,
            ResponseTypes = responses,
            TokenEndpointAuthMethod = method,
            Jwks = jwks,
            ClientUri = Url(root, "client_uri", development),
            LogoUri = Url(root, "logo_uri", development),
            PolicyUri = Url(root, "policy_uri", development),
            TosUri = Url(root, "tos_uri", development),
            InitiateLoginUri = Url(root, "initiate_login_uri", development, PartnerUrl.ReturnFault),
            PostLogoutRedirectUris = root.Texts("post_logout_redirect_uris", 20, PartnerUrl.Longest),
            BackchannelLogoutUri = Url(root, "backchannel_logout_uri", development),
            BackchannelLogoutSessionRequired = root.Flag("backchannel_logout_session_required"),
            SectorIdentifierUri = sector,
            SubjectType = subject,
            IdTokenSignedResponseAlg = OneOf(root, "id_token_signed_response_alg", Algorithms) ?? (security.IsFapi ? "ES256" : "RS256"),
            UserinfoSignedResponseAlg = OneOf(root, "userinfo_signed_response_alg", Algorithms),
            AuthorizationDetailsTypes = root.Has("authorization_details_types") ? OneOfEach(root, "authorization_details_types", ["retail_purchase"]) : [],
            IntrospectionSignedResponseAlg = OneOf(root, "introspection_signed_response_alg", Algorithms) ?? "RS256",
            Scopes = Scopes(root, grants),
            Contacts = root.Texts("contacts", 20, 200),
            HopReturnUri = Url(root, "hop_return_uri", development),
        };
        FapiRules(root, client);
        Each(root, "post_logout_redirect_uris", client.PostLogoutRedirectUris, uri => PartnerUrl.ReturnFault(uri, development));
        if (!ignoreUnknown) root.Close();
        return errors.Count > 0 ? Refusals.PartnerInvalid.With(errors) : client;
    }

    private static IReadOnlyList<string> Scopes(JsonReader root, IReadOnlyList<string> grants)
    {
        if (root.Text("scope", 400) is not { } text)
        {
            if (!grants.Contains("authorization_code") && !grants.Contains(OpenIdConnect.Devices.DeviceGrant.GrantType)) return [];
            return grants.Contains("refresh_token") ? [.. ClaimScopes, "offline_access"] : ClaimScopes;
        }
        var scopes = text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal).ToList();
        foreach (var scope in scopes)
        {
            if (ApiOnly.Contains(scope))
            {
                if (!grants.Contains("client_credentials")) root.No("scope", $"{scope} needs the grant type client_credentials.");
            }
            else if (scope == "offline_access")
            {
                if (!grants.Contains("refresh_token")) root.No("scope", "offline_access needs the grant type refresh_token.");
            }
            else if (!ClaimScopes.Contains(scope))
            {
                root.No("scope", $"Expected are: {string.Join(' ', [.. ClaimScopes, "offline_access", .. ApiOnly])}.");
            }
        }
        return scopes;
    }

    private static string? Url(JsonReader root, string name, bool development, Func<string, bool, string?>? rule = null)
    {
        var url = root.Text(name, PartnerUrl.Longest);
        if (url is not null && (rule ?? PartnerUrl.Fault)(url, development) is { } fault) root.No(name, fault);
        return url;
    }

    private static void Each(JsonReader root, string name, IReadOnlyList<string> urls, Func<string, string?> rule)
    {
        for (var i = 0; i < urls.Count; i++)
        {
            if (rule(urls[i]) is { } fault) root.No($"{name}[{i}]", fault);
        }
    }

    private static string? OneOf(JsonReader root, string name, IReadOnlyList<string> allowed)
    {
        var value = root.Text(name, 64);
        if (value is not null && !allowed.Contains(value)) root.No(name, $"Expected is one of: {string.Join(", ", allowed)}.");
        return value;
    }

    private static IReadOnlyList<string> OneOfEach(JsonReader root, string name, IReadOnlyList<string> allowed)
    {
        var values = root.Texts(name, 10, 64);
        if (values.Count == 0 || values.Any(v => !allowed.Contains(v))) root.No(name, $"Expected are one or more of: {string.Join(", ", allowed)}.");
        return values;
    }

    private static string Host(string url) => Uri.TryCreate(url, UriKind.Absolute, out var uri) ? uri.Host : "";
}

/// <summary>Which public keys a client may register (RFC 7517, RFC 7518 §6).</summary>
internal static class JwksRules
{
    private static readonly IReadOnlyList<string> Private = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

    public static void Check(JsonElement jwks, Action<string> no)
    {
        if (jwks.ValueKind != JsonValueKind.Object || !jwks.TryGetProperty("keys", out var keys) || keys.ValueKind != JsonValueKind.Array
            || keys.GetArrayLength() is 0 or > 10 || keys.EnumerateArray().Any(k => k.ValueKind != JsonValueKind.Object))
        {
            no("A JWK Set is expected: {\"keys\":[…]} with 1 to 10 keys.");
            return;
        }
        var kids = new HashSet<string>(StringComparer.Ordinal);
        foreach (var key in keys.EnumerateArray())
        {
            if (Private.Any(name => key.TryGetProperty(name, out _))) no("A key holds private members. Make a new key pair and register its public part alone.");
            if (Text(key, "kid") is { } kid && !kids.Add(kid)) no("Two keys have the same kid.");
            if (Text(key, "use") is not (null or "sig")) no("Only signature keys are used; leave the others out.");
            switch (Text(key, "kty"))
            {
                case "RSA" when Bytes(key, "n") is { Length: >= 256 } && Bytes(key, "e") is { Length: > 0 }:
                case "EC" when Text(key, "crv") is "P-256" or "P-384" or "P-521" && Bytes(key, "x") is { Length: > 0 } && Bytes(key, "y") is { Length: > 0 }:
                    break;
                default:
                    no("Expected are RSA keys of 2048 bits or more, or EC keys on P-256, P-384 or P-521.");
                    break;
            }
        }
    }

    private static string? Text(JsonElement key, string name) =>
        key.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static byte[]? Bytes(JsonElement key, string name)
    {
        try
        {
            return Text(key, name) is { } text ? System.Buffers.Text.Base64Url.DecodeFromChars(text) : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
