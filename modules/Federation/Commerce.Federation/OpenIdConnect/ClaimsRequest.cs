using System.Text;
using System.Text.Json;
using Commerce.Federation.OpenIdConnect.Jose;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>One claim asked for by name.</summary>
/// <param name="Values">The values that are meant; empty where any is.</param>
internal sealed record RequestedClaim(string Name, bool IsEssential, IReadOnlyList<JsonElement> Values)
{
    public bool Takes(JsonElement value) => Values.Count == 0 || Values.Any(wanted => JsonElement.DeepEquals(wanted, value));

    public bool Takes(string? value) => Values.Count == 0 || Values.Any(wanted => wanted.ValueKind == JsonValueKind.String && wanted.GetString() == value);
}

/// <summary>
/// The <c>claims</c> parameter (OpenID Connect Core §5.5). It selects among what contract, consent and hop allow, and adds nothing to it;
/// names that are not known, or not the client's to ask for by its registered scopes, are passed over (§5.5.1).
/// </summary>
internal sealed record ClaimsRequest(IReadOnlyList<RequestedClaim> UserInfo, IReadOnlyList<RequestedClaim> IdToken)
{
    private const int Longest = 8 * 1024, MostClaims = 40, MostValues = 20;

    /// <summary>Claims about the sign-in itself: always told, and here only held to values.</summary>
    private static readonly string[] OfTheSignIn = ["sub", "acr"];

    /// <summary>Names of claims asked for, wherever they go.</summary>
    public IEnumerable<string> Names() => UserInfo.Concat(IdToken).Select(c => c.Name).Where(n => !OfTheSignIn.Contains(n));

    /// <summary>§5.5.1: a value of <c>sub</c> says which customer is meant, as an ID token hint does.</summary>
    public bool TakesSubject(string subject) => UserInfo.Concat(IdToken).Where(c => c.Name == "sub").All(c => c.Takes(subject));

    /// <summary>§5.5.1.1: an essential <c>acr</c> with values has to be one of them; a voluntary one is told as it is.</summary>
    public bool TakesAcr(string? acr) => IdToken.Where(c => c is { Name: "acr", IsEssential: true }).All(c => c.Takes(acr));

    /// <summary>Null where the text is no request for claims.</summary>
    public static ClaimsRequest? Read(string text, OidcClient client)
    {
        if (text.Length > Longest || !StrictJson.TryReadObject(Encoding.UTF8.GetBytes(text), out var json)) return null;
        var askable = OidcScopes.Claims(client.Scopes).Concat(OfTheSignIn).ToHashSet(StringComparer.Ordinal);
        return Member(json, "userinfo", askable) is { } userInfo && Member(json, "id_token", askable) is { } idToken ? new ClaimsRequest(userInfo, idToken) : null;
    }

    private static List<RequestedClaim>? Member(JsonElement json, string name, HashSet<string> askable)
    {
        var claims = new List<RequestedClaim>();
        if (!json.TryGetProperty(name, out var member) || member.ValueKind == JsonValueKind.Null) return claims;
        if (member.ValueKind != JsonValueKind.Object || member.GetPropertyCount() > MostClaims) return null;
        foreach (var claim in member.EnumerateObject())
        {
            if (ReadOne(claim.Name, claim.Value) is not { } read) return null;
            if (askable.Contains(claim.Name)) claims.Add(read);
        }
        return claims;
    }

    private static RequestedClaim? ReadOne(string name, JsonElement asked)
    {
        if (asked.ValueKind == JsonValueKind.Null) return new RequestedClaim(name, false, []);
        if (asked.ValueKind != JsonValueKind.Object) return null;
        var essential = false;
        if (asked.TryGetProperty("essential", out var flag))
        {
            if (flag.ValueKind is not (JsonValueKind.True or JsonValueKind.False)) return null;
            essential = flag.ValueKind == JsonValueKind.True;
        }
        var values = new List<JsonElement>();
        if (asked.TryGetProperty("value", out var one)) values.Add(one.Clone());
        if (asked.TryGetProperty("values", out var many))
        {
            if (many.ValueKind != JsonValueKind.Array || many.GetArrayLength() is 0 or > MostValues || values.Count > 0) return null;
            values.AddRange(many.EnumerateArray().Select(v => v.Clone()));
        }
        return new RequestedClaim(name, essential, values);
    }
}
