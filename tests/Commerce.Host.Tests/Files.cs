namespace Commerce.Host.Tests;

/// <summary>Files as an operator writes them.</summary>
internal static class Files
{
    public const string Banner = """
        {"id": "northern-tires", "name": "Northern Tires", "domains": ["northern-tires.example"], "languages": ["fi", "sv", "en"],
         "look": {"accent": "#0b5d3b", "logo": "northern-tires.svg"}, "sender": "Northern Tires <hello@northern-tires.example>"}
        """;

    public const string Client = """
        {"client_name": "Kolari Auto", "redirect_uris": ["https://kolari-auto.example/signin-oidc"], "initiate_login_uri": "https://kolari-auto.example/login",
         "grant_types": ["authorization_code", "refresh_token"], "token_endpoint_auth_method": "client_secret_basic", "scope": "openid profile email"}
        """;

    public const string Contract = """
        {"partner": "kolari-auto", "version": 1, "purposes": [{"id": "book-fitting", "retention_days": 90, "legal_basis": "consent",
         "texts": {"en": "Book a fitting", "fi": "Asennusajan varaaminen", "sv": "Boka montering", "ko": "장착 예약"},
         "claims": [{"name": "name", "required": true, "reason": "to book in your name"}, {"name": "email", "required": true, "reason": "to confirm"}]}]}
        """;

    public const string Offer = """
        {"id": "tire-fitting", "partner": "kolari-auto", "when": {"category": "tires/*", "banners": ["*"], "countries": ["FI"]},
         "target_url": "https://kolari-auto.example/book", "purpose": "book-fitting",
         "texts": {"en": {"title": "Book a fitting", "body": "Kolari Auto fits them."}, "fi": {"title": "Varaa renkaanvaihto", "body": "Kolari Auto asentaa."},
                   "sv": {"title": "Boka montering", "body": "Kolari Auto monterar."}, "ko": {"title": "장착 예약", "body": "Kolari Auto에서 장착합니다."}}}
        """;

    /// <summary>A file of the folder 'shared' beside the repository, or null.</summary>
    public static string? Shared(string path)
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            var found = Path.Combine(at.FullName, "shared", path);
            if (File.Exists(found)) return found;
        }
        return null;
    }
}
