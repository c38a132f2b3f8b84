namespace Commerce.Federation.Offers;

/// <summary>An offer as it is stored. See <see cref="Offer"/>.</summary>
internal sealed class OfferRow
{
    public required string Id { get; init; }
    public required string Partner { get; set; }

    /// <summary>As it was given; read again by <see cref="OfferJson"/>.</summary>
    public required string Json { get; set; }
    public DateTimeOffset AddedAt { get; init; }
}

/// <summary>A partner's service that is offered where an order fits its rule.</summary>
/// <param name="TargetUrl">Page of the partner on which the customer lands.</param>
/// <param name="Purpose">Purpose of the partner's data contract under which values leave.</param>
internal sealed record Offer(
    string Id, string Partner, OfferRule When, string TargetUrl, string Purpose, IReadOnlyDictionary<string, OfferText> Texts)
{
    public OfferText TextIn(string language) => Texts.TryGetValue(language, out var text) ? text : Texts["en"];
}

internal sealed record OfferText(string Title, string? Body);

/// <param name="Category">A category path, or one ending in <c>/*</c> for everything below it, or <c>*</c>.</param>
/// <param name="Banners">Banner ids, or <c>*</c>.</param>
/// <param name="Countries">ISO 3166-1 alpha-2 codes, or <c>*</c>.</param>
internal sealed record OfferRule(string Category, IReadOnlyList<string> Banners, IReadOnlyList<string> Countries)
{
    public bool FitsShop(string banner, string? country) =>
        (Banners.Contains("*") || Banners.Contains(banner, StringComparer.Ordinal))
        && (Countries.Contains("*") || (country is not null && Countries.Contains(country, StringComparer.Ordinal)));

    /// <summary>Whether one line's category fits. <c>tires/*</c> takes <c>tires</c>, <c>tires/winter</c> and what is below, and not <c>tires-used</c>.</summary>
    public bool FitsLine(string category)
    {
        if (Category == "*") return true;
        if (!Category.EndsWith("/*", StringComparison.Ordinal)) return category == Category;
        var stem = Category[..^2];
        return category.StartsWith(stem, StringComparison.Ordinal) && (category.Length == stem.Length || category[stem.Length] == '/');
    }
}
