using Commerce.Web;

namespace Commerce.Profiles.Account;

/// <summary>Languages by their own names.</summary>
internal static class Languages
{
    public static readonly IReadOnlyDictionary<string, string> Names =
        new Dictionary<string, string> { ["en"] = "English", ["fi"] = "Suomi", ["sv"] = "Svenska", ["ko"] = "한국어" };

    public static string Of(string locale) => locale.Split('-')[0].ToLowerInvariant() is var language && Names.ContainsKey(language) ? language : WebRegistration.Languages[0];

    public static string NameOf(string locale) => Names[Of(locale)];

    /// <summary>The tag for a chosen language: the present one, with its country, where the language stays the same.</summary>
    public static string Choose(string language, string present) => Of(present) == language && present.StartsWith(language, StringComparison.OrdinalIgnoreCase) ? present : language;
}
