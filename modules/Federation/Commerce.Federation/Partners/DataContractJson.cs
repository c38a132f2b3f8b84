using Commerce.Kernel;

namespace Commerce.Federation.Partners;

/// <summary>Reads a data contract as an operator wrote it. Unknown members, purposes without English and claims that do not exist are refused.</summary>
internal static class DataContractJson
{
    private const int MostPurposes = 20;

    public static Result<DataContract> Read(string json)
    {
        var errors = new List<FieldError>();
        if (JsonReader.Open(json, errors) is not { } root) return Refusals.ContractInvalid.With(errors);

        var partner = root.Text("partner", Lengths.PartnerId, required: true);
        if (partner is not null && !Slug.IsOne(partner)) root.No("partner", "Lower-case letters, digits and single dashes are expected.");
        var version = root.Number("version", 1, int.MaxValue);
        var purposes = root.Objects("purposes", MostPurposes).Select(Purpose).ToList();
        var saml = root.Has("saml") ? SamlTerms.Read(root.Object("saml"), purposes) : SamlTerms.Default;
        root.Close();
        if (purposes.Select(p => p.Id).Distinct().Count() != purposes.Count) root.No("purposes", "Two purposes have the same id.");

        return errors.Count > 0 ? Refusals.ContractInvalid.With(errors) : new DataContract(partner!, version!.Value, purposes) { Saml = saml };
    }

    private static ContractPurpose Purpose(JsonReader json)
    {
        var id = json.Text("id", Lengths.Purpose, required: true) ?? "";
        if (id.Length > 0 && !Slug.IsOne(id)) json.No("id", "Lower-case letters, digits and single dashes are expected.");
        var days = json.Number("retention_days", 1, 3650);
        var basis = json.Text("legal_basis", 16, required: true);
        if (basis is not (null or "consent" or "contract")) json.No("legal_basis", "\"consent\" or \"contract\" is expected.");
        var texts = json.Languages("texts", 300);
        var claims = json.Objects("claims", ClaimCatalogue.Names.Count).Select(Claim).ToList();
        if (claims.Select(c => c.Name).Distinct().Count() != claims.Count) json.No("claims", "A claim is named twice.");
        json.Close();
        return new ContractPurpose(id, days ?? 0, basis ?? "consent", texts, claims);
    }

    private static ContractClaim Claim(JsonReader json)
    {
        var name = json.Text("name", 64, required: true) ?? "";
        if (name.Length > 0 && !ClaimCatalogue.Names.Contains(name)) json.No("name", $"Expected is one of: {string.Join(", ", ClaimCatalogue.Names)}.");
        if (!json.Has("required")) json.No("required", "Is needed: true or false.");
        var required = json.Flag("required");
        // One sentence in English, or one per language.
        var reasons = json.Member("reason") is { ValueKind: System.Text.Json.JsonValueKind.Object } ? json.Languages("reason", 200)
            : json.Text("reason", 200, required: true) is { } reason ? new Dictionary<string, string> { ["en"] = reason } : new Dictionary<string, string>();
        json.Close();
        return new ContractClaim(name, required, reasons);
    }
}

/// <summary>Ids that people read and type: lower-case ASCII letters and digits with single dashes between.</summary>
internal static class Slug
{
    public static bool IsOne(string text) => text.Length > 0 && Of(text) == text;

    /// <summary>The text as an id; empty where nothing of it can stand in one.</summary>
    public static string Of(string text)
    {
        var slug = new System.Text.StringBuilder();
        foreach (var letter in text.Normalize(System.Text.NormalizationForm.FormD))
        {
            if (char.IsAsciiLetterOrDigit(letter)) slug.Append(char.ToLowerInvariant(letter));
            else if (char.GetUnicodeCategory(letter) == System.Globalization.UnicodeCategory.NonSpacingMark) continue;
            else if (slug.Length > 0 && slug[^1] != '-') slug.Append('-');
            if (slug.Length == Lengths.PartnerId) break;
        }
        return slug.ToString().TrimEnd('-');
    }
}
