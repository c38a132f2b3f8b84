using System.Collections.Frozen;
using System.Text.Json;

namespace Commerce.Saml;

/// <summary>How one claim is called in SAML.</summary>
/// <param name="Name">A URI: urn:oid for the standard directory attributes, urn:commerce:claim for our own.</param>
/// <param name="FriendlyName">For people; never compared.</param>
public sealed record AttributeName(string Name, string FriendlyName);

/// <summary>The two-way map between OpenID Connect claim names and SAML attributes, so that both protocols carry the same content.</summary>
/// <remarks>SAML Profiles 8.2 (X.500/LDAP attribute profile) for the urn:oid names. <c>sub</c> has no attribute: it is the NameID.</remarks>
public static class ClaimNames
{
    /// <summary>Namespace of the attributes that no directory standard names.</summary>
    public const string OwnPrefix = "urn:commerce:claim:";

    private static readonly FrozenDictionary<string, AttributeName> Standard = new Dictionary<string, AttributeName>(StringComparer.Ordinal)
    {
        ["name"] = new("urn:oid:2.16.840.1.113730.3.1.241", "displayName"),
        ["given_name"] = new("urn:oid:2.5.4.42", "givenName"),
        ["family_name"] = new("urn:oid:2.5.4.4", "sn"),
        ["email"] = new("urn:oid:0.9.2342.19200300.100.1.3", "mail"),
        ["phone_number"] = new("urn:oid:2.5.4.20", "telephoneNumber"),
        ["locale"] = new("urn:oid:2.16.840.1.113730.3.1.39", "preferredLanguage"),
        ["address"] = new("urn:oid:2.5.4.16", "postalAddress"),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, string> Claims =
        Standard.ToFrozenDictionary(pair => pair.Value.Name, pair => pair.Key, StringComparer.Ordinal);

    private static readonly FrozenSet<string> Booleans = new[] { "email_verified", "phone_number_verified" }.ToFrozenSet(StringComparer.Ordinal);
    private static readonly FrozenSet<string> Objects = new[] { "address", "vehicle", "purchase", "hop" }.ToFrozenSet(StringComparer.Ordinal);

    /// <param name="claim">OpenID Connect claim name: lower-case letters, digits and underscores. Not <c>sub</c>.</param>
    /// <exception cref="ArgumentException">Not such a name.</exception>
    public static AttributeName ToAttribute(string claim) =>
        Standard.TryGetValue(claim, out var attribute) ? attribute
        : claim != "sub" && IsPlain(claim) ? new(OwnPrefix + claim, claim)
        : throw new ArgumentException("Not a claim that has an attribute.", nameof(claim));

    /// <returns>The claim's name; null where the attribute is none of ours.</returns>
    public static string? ToClaim(string attributeName)
    {
        if (Claims.TryGetValue(attributeName, out var claim)) return claim;
        if (!attributeName.StartsWith(OwnPrefix, StringComparison.Ordinal)) return null;
        var own = attributeName[OwnPrefix.Length..];
        return own != "sub" && IsPlain(own) && !Standard.ContainsKey(own) ? own : null;
    }

    /// <summary>The attribute that carries a claim value: text as it is, true or false in words, an object as its JSON, an array of text as several values.</summary>
    public static SamlAttribute ToAttribute(string claim, JsonElement value)
    {
        var name = ToAttribute(claim);
        IReadOnlyList<string> values = value.ValueKind switch
        {
            JsonValueKind.Array when value.EnumerateArray().All(v => v.ValueKind == JsonValueKind.String) => [.. value.EnumerateArray().Select(v => v.GetString()!)],
            JsonValueKind.String => [value.GetString()!],
            JsonValueKind.True => ["true"],
            JsonValueKind.False => ["false"],
            _ => [value.GetRawText()],
        };
        return new SamlAttribute(name.Name, values, name.FriendlyName);
    }

    /// <summary>The other way: the JSON value of a claim from the attribute that carried it.</summary>
    /// <returns>An object for the claims that are objects, a Boolean for the *_verified ones, text otherwise (an array where several).</returns>
    public static SamlResult<JsonElement> ToValue(string claim, IReadOnlyList<string> values)
    {
        if (values.Count != 1) return JsonSerializer.SerializeToElement(values);
        if (Booleans.Contains(claim))
            return values[0] is "true" or "false"
                ? JsonSerializer.SerializeToElement(values[0] == "true")
                : new SamlFault(FaultCodes.ValueInvalid, $"The attribute of {claim} is neither true nor false.");
        if (!Objects.Contains(claim)) return JsonSerializer.SerializeToElement(values[0]);
        try
        {
            using var json = JsonDocument.Parse(values[0], new JsonDocumentOptions { MaxDepth = 16 });
            return json.RootElement.Clone();
        }
        catch (JsonException)
        {
            return new SamlFault(FaultCodes.ValueInvalid, $"The attribute of {claim} is not JSON.");
        }
    }

    private static bool IsPlain(string claim) =>
        claim.Length is > 0 and <= 64 && claim.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_');
}
