using Commerce.Kernel;

namespace Commerce.Federation.Offers;

/// <summary>Reads an offer as an operator wrote it.</summary>
internal static class OfferJson
{
    public static Result<Offer> Read(string json, bool development)
    {
        var errors = new List<FieldError>();
        if (JsonReader.Open(json, errors) is not { } root) return Refusals.OfferInvalid.With(errors);

        var id = Slugged(root, "id", Lengths.Offer);
        var partner = Slugged(root, "partner", Lengths.PartnerId);
        var purpose = Slugged(root, "purpose", Lengths.Purpose);
        var target = root.Text("target_url", PartnerUrl.Longest, required: true);
        if (target is not null && PartnerUrl.Fault(target, development) is { } fault) root.No("target_url", fault);
        var when = root.Object("when") is { } rule ? Rule(rule) : null;
        var texts = Texts(root);
        root.Close();

        return errors.Count > 0 ? Refusals.OfferInvalid.With(errors) : new Offer(id, partner, when!, target!, purpose, texts);
    }

    private static string Slugged(JsonReader json, string name, int longest)
    {
        var text = json.Text(name, longest, required: true);
        if (text is not null && !Slug.IsOne(text)) json.No(name, "Lower-case letters, digits and single dashes are expected.");
        return text ?? "";
    }

    private static OfferRule Rule(JsonReader json)
    {
        var category = json.Text("category", 128, required: true) ?? "";
        var stem = category == "*" ? "" : category.EndsWith("/*", StringComparison.Ordinal) ? category[..^2] : category;
        if (stem.Contains('*') || (stem.Length == 0 && category is not ("" or "*"))) json.No("category", "An asterisk stands only at the end, after a slash, or alone.");
        var banners = json.Texts("banners", 100, 64);
        if (banners.Count == 0) json.No("banners", "At least one banner, or \"*\".");
        var countries = json.Texts("countries", 250, 2);
        if (countries.Count == 0) json.No("countries", "At least one country, or \"*\".");
        else if (countries.Any(c => c != "*" && !(c.Length == 2 && c.All(char.IsAsciiLetterUpper)))) json.No("countries", "Two-letter country codes in upper case, or \"*\".");
        json.Close();
        return new OfferRule(category, banners, countries);
    }

    private static Dictionary<string, OfferText> Texts(JsonReader json)
    {
        var texts = new Dictionary<string, OfferText>();
        if (json.Object("texts") is not { } languages) return texts;
        foreach (var language in languages.Names)
        {
            if (language.Length != 2 || !language.All(char.IsAsciiLetterLower)) languages.No(language, "A two-letter language code in lower case is expected.");
            if (languages.Object(language) is not { } text) continue;
            var title = text.Text("title", 120, required: true);
            var body = text.Text("body", 400);
            text.Close();
            if (title is not null) texts[language] = new OfferText(title, body);
        }
        if (!languages.Has("en")) languages.No("en", "Is needed: it stands in for languages without a text.");
        return texts;
    }
}
