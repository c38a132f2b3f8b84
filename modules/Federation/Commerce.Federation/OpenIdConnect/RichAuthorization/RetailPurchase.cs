using System.Buffers;
using System.Text;
using System.Text.Json;
using Commerce.Federation.OpenIdConnect.Jose;
using Commerce.Kernel;

namespace Commerce.Federation.OpenIdConnect.RichAuthorization;

/// <summary>
/// The authorization detail <c>retail_purchase</c> (RFC 9396 §2): a partner asks for one purchase, those of its lines that are in certain
/// categories, for one purpose of its data contract. Its schema is published; members that the schema does not name are refused (§5).
/// </summary>
/// <param name="OrderNumber">1 to 64 characters.</param>
/// <param name="LineCategories">1 to 20 category paths, each as it stands or ending in <c>/*</c> for everything below, or <c>*</c>.</param>
/// <param name="Purpose">Id of a purpose of the partner's data contract.</param>
internal sealed record RetailPurchase(string OrderNumber, IReadOnlyList<string> LineCategories, string Purpose)
{
    public const string Type = "retail_purchase";

    /// <summary>Longest form of one that was read, in characters: what the grant's column holds.</summary>
    public const int MaxJson = 4096;
    private const int MaxCategories = 20, MaxCategory = 128;

    public bool FitsLine(string category) => LineCategories.Any(pattern => new OfferRule(pattern, ["*"], ["*"]).FitsLine(category));

    /// <summary>True where the other asks for nothing that this does not hold.</summary>
    public bool Covers(RetailPurchase other) => other.OrderNumber == OrderNumber && other.Purpose == Purpose
        && other.LineCategories.All(asked => LineCategories.Any(held => Covers(held, asked)));

    private static bool Covers(string held, string asked)
    {
        if (held == "*" || held == asked) return true;
        if (!held.EndsWith("/*", StringComparison.Ordinal)) return false;
        var stem = held[..^2];
        return asked == stem || asked.StartsWith(stem + "/", StringComparison.Ordinal);
    }

    /// <summary>Reads the request parameter: a list of exactly one detail of this type.</summary>
    public static Result<RetailPurchase> Read(string parameter) =>
        StrictJson.TryReadArray(Encoding.UTF8.GetBytes(parameter), out var list) ? Read(list) : No("authorization_details is not a JSON list.");

    /// <inheritdoc cref="Read(string)"/>
    public static Result<RetailPurchase> Read(JsonElement list)
    {
        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() != 1 || list[0] is not { ValueKind: JsonValueKind.Object } detail)
            return No("Exactly one authorization detail is expected.");
        if (detail.Text("type") != Type) return No("The type of an authorization detail is retail_purchase.");
        if (detail.EnumerateObject().Any(member => member.Name is not ("type" or "order_number" or "line_categories" or "purpose")))
            return No("A retail_purchase has type, order_number, line_categories and purpose, and nothing else.");
        if (detail.Text("order_number") is not { Length: > 0 and <= Lengths.OrderNumber } order || order.Any(c => c is <= ' ' or > '~'))
            return No("order_number is a text of 1 to 64 characters.");
        if (detail.Text("purpose") is not { Length: <= Lengths.Purpose } purpose || !Slug.IsOne(purpose)) return No("purpose is the id of a purpose of the data contract.");
        if (detail.Texts("line_categories") is not { Count: > 0 and <= MaxCategories } categories || categories.Distinct(StringComparer.Ordinal).Count() != categories.Count
            || !categories.All(IsCategory)) return No("line_categories are 1 to 20 different category paths.");
        return new RetailPurchase(order, [.. categories], purpose);
    }

    /// <summary>The list as it is echoed: in the token answer, the access token, userinfo and introspection.</summary>
    public string ToJson()
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartArray();
            json.WriteStartObject();
            json.WriteString("type", Type);
            json.WriteString("order_number", OrderNumber);
            json.WriteStartArray("line_categories");
            foreach (var category in LineCategories) json.WriteStringValue(category);
            json.WriteEndArray();
            json.WriteString("purpose", Purpose);
            json.WriteEndObject();
            json.WriteEndArray();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static bool IsCategory(string text)
    {
        if (text == "*") return true;
        var stem = text.EndsWith("/*", StringComparison.Ordinal) ? text.AsSpan(0, text.Length - 2) : text;
        if (stem.Length is 0 or > MaxCategory - 2 || stem[0] == '/' || stem[^1] == '/') return false;
        foreach (var c in stem)
        {
            if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c is not ('-' or '_' or '/')) return false;
        }
        return true;
    }

    private static Refusal No(string description) => OAuth.InvalidAuthorizationDetails(description);
}

/// <summary>What becomes of details after they were granted: they can be echoed and narrowed, and never widened (RFC 9396 §6, §7).</summary>
internal static class GrantedDetails
{
    /// <summary>The details of this token request: those asked for, where the granted ones cover them; the granted ones without a question.</summary>
    /// <param name="granted"><see cref="Grant.Details"/>.</param>
    public static Result<string?> Narrow(string? granted, string? asked)
    {
        if (asked is null) return Result.Of(granted);
        if (!RetailPurchase.Read(asked).TryGet(out var wanted, out var no)) return no;
        if (granted is null || !RetailPurchase.Read(granted).Value.Covers(wanted)) return OAuth.InvalidAuthorizationDetails("This is more than the customer granted.");
        return Result.Of<string?>(wanted.ToJson());
    }

    /// <summary>Claim names of these scopes, and with a detail the purchase that it is about.</summary>
    public static IReadOnlyList<string> Claims(IEnumerable<string> scopes, RetailPurchase? detail) =>
        detail is null ? OidcScopes.Claims(scopes) : [.. OidcScopes.Claims(scopes).Append(ClaimCatalogue.Purchase).Distinct()];

    /// <summary>Takes out of the released purchase the lines that a narrowed token does not hold, and adds the detail itself.</summary>
    public static IReadOnlyDictionary<string, JsonElement> Apply(IReadOnlyDictionary<string, JsonElement> claims, RetailPurchase detail)
    {
        var left = new Dictionary<string, JsonElement>(claims, StringComparer.Ordinal) { ["authorization_details"] = JsonElement.Parse(detail.ToJson()) };
        if (!claims.TryGetValue(ClaimCatalogue.Purchase, out var purchase)) return left;
        var members = purchase.EnumerateObject().ToDictionary(member => member.Name, member => member.Name != "lines" ? member.Value
            : JsonSerializer.SerializeToElement(member.Value.EnumerateArray().Where(line => detail.FitsLine(line.Text("category") ?? "")).ToList(), HubJson.Options));
        left[ClaimCatalogue.Purchase] = JsonSerializer.SerializeToElement(members);
        return left;
    }
}

/// <summary>A yes on the purchase sheet, waiting for the frozen request that asked: the values are fixed, the code is not made yet.</summary>
internal sealed class AgreedPurchase
{
    /// <summary>Handle of the frozen request. The key decides which of two answers to one sheet is the first.</summary>
    public required byte[] HandleHash { get; init; }
    public required Guid Release { get; init; }
    public required DateTimeOffset ExpiresAt { get; init; }

    public static readonly TimeSpan Lifetime = FrozenRequests.Lifetime;
}
