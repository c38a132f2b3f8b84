using Commerce.Kernel;

namespace Commerce.Federation.OpenIdConnect.ApiAccess;

/// <summary>Reads an API's registration as an operator wrote it.</summary>
internal static class ApiResourceJson
{
    private const int MaxScopes = 100, MaxScope = 64;

    public static Result<ApiResource> Read(string json)
    {
        var errors = new List<FieldError>();
        if (JsonReader.Open(json, errors) is not { } root) return Refusals.ApiInvalid.With(errors);
        var identifier = root.Text("identifier", Lengths.Connection, required: true) ?? "";
        if (identifier.Length > 0 && !IsIdentifier(identifier)) root.No("identifier", "An absolute URI without fragment and spaces is expected, such as https://api.partner.example.");
        var scopes = root.Objects("scopes", MaxScopes).Select(Scope).ToList();
        if (scopes.Select(s => s.Name).Distinct(StringComparer.Ordinal).Count() != scopes.Count) root.No("scopes", "Each scope stands once.");
        var resource = new ApiResource(identifier, root.Text("name", Lengths.Name, required: true) ?? "", root.Text("client", Lengths.Connection), scopes);
        root.Close();
        return errors.Count > 0 ? Refusals.ApiInvalid.With(errors) : resource;
    }

    private static ApiScope Scope(JsonReader json)
    {
        var name = json.Text("name", MaxScope, required: true) ?? "";
        // RFC 6749 §3.3, without the few characters that are awkward in a command line.
        if (!name.All(c => char.IsAsciiLetterOrDigit(c) || c is ':' or '.' or '_' or '-' or '/')) json.No("name", "Letters, digits and : . _ - / are expected.");
        if (OidcScopes.OfCustomers.Contains(name) || OidcScopes.OfClients.Contains(name)) json.No("name", "This scope is the hub's own.");
        var claims = json.Texts("claims", 20, 64);
        if (claims.FirstOrDefault(c => !ClaimCatalogue.Names.Contains(c)) is { } unknown) json.No("claims", $"There is no claim {unknown}.");
        var scope = new ApiScope(name, json.Text("description", 400) ?? "", claims);
        json.Close();
        return scope;
    }

    /// <summary>RFC 8707 §2.</summary>
    private static bool IsIdentifier(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out _) && !text.Contains('#') && text.All(c => c is > ' ' and <= '~') && text.Contains(':');
}
