using System.Collections.Frozen;

namespace Commerce.Federation.Partners;

/// <summary>What a partner may ever receive, by purpose. Beyond it nothing leaves, whatever is asked or consented.</summary>
/// <param name="Version">1 or more; only goes up.</param>
internal sealed record DataContract(string Partner, int Version, IReadOnlyList<ContractPurpose> Purposes)
{
    /// <summary>How the partner's SAML service providers are served; the defaults where the contract does not say.</summary>
    public SamlTerms Saml { get; init; } = SamlTerms.Default;

    public ContractPurpose? Purpose(string id) => Purposes.FirstOrDefault(p => p.Id == id);

    /// <summary>The purpose of a sign-in that the partner starts itself: the one named <c>sign-in</c>, else the first.</summary>
    public ContractPurpose SignInPurpose => Purpose("sign-in") ?? Purposes[0];
}

/// <param name="RetentionDays">How long the partner keeps what it gets; 1 to 3650.</param>
/// <param name="LegalBasis"><c>consent</c>: the customer is asked. <c>contract</c>: needed for the service itself, nobody is asked.</param>
/// <param name="Texts">The purpose in words, by two-letter language; <c>en</c> is always there.</param>
internal sealed record ContractPurpose(
    string Id, int RetentionDays, string LegalBasis, IReadOnlyDictionary<string, string> Texts, IReadOnlyList<ContractClaim> Claims)
{
    public bool NeedsConsent => LegalBasis != "contract";

    /// <summary>Whether the claim belongs to what this purpose names, by itself or as a part of one that it names.</summary>
    public bool Names(string claim)
    {
        foreach (var named in Claims)
        {
            if (named.Name == claim || ClaimCatalogue.IsPart(claim, named.Name)) return true;
        }
        return false;
    }
}

/// <param name="Name">One of <see cref="ClaimCatalogue.Names"/>.</param>
/// <param name="Required">The service cannot be had without it.</param>
/// <param name="Reasons">Why the partner needs it, by two-letter language; <c>en</c> is always there.</param>
internal sealed record ContractClaim(string Name, bool Required, IReadOnlyDictionary<string, string> Reasons);

/// <summary>Texts by two-letter language, with English for the languages that have none.</summary>
internal static class LanguageTexts
{
    public static string In(this IReadOnlyDictionary<string, string> texts, string language) => texts[texts.LanguageFor(language)];

    /// <summary>The language in which <see cref="In"/> answers: a page says so to screen readers (WCAG 2.2, 3.1.2).</summary>
    public static string LanguageFor(this IReadOnlyDictionary<string, string> texts, string language) => texts.ContainsKey(language) ? language : "en";
}

/// <summary>The claims there are.</summary>
internal static class ClaimCatalogue
{
    public const string Vehicle = "vehicle";
    public const string Purchase = "purchase";
    public const string ConsentReceipt = "consent_receipt";
    public const string Hop = "hop";

    /// <summary>What a contract may name.</summary>
    public static readonly IReadOnlyList<string> Names =
    [
        "name", "given_name", "family_name", "email", "email_verified", "phone_number", "phone_number_verified", "address", "locale", Vehicle, Purchase,
    ];

    /// <summary>These speak of one order, so they leave with a hop and never without one.</summary>
    public static bool IsOfHop(string name) => name is Vehicle or Purchase;

    private static readonly FrozenDictionary<string, string[]> Wholes = new Dictionary<string, string[]>
    {
        ["name"] = ["name", "given_name", "family_name"],
        ["email"] = ["email", "email_verified"],
        ["phone_number"] = ["phone_number", "phone_number_verified"],
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The claim with those that come with it: a verified flag means nothing by itself, and a name is told in whole and in parts.</summary>
    public static IReadOnlyList<string> With(string name) => Wholes.TryGetValue(name, out var parts) ? parts : [name];

    /// <summary>Whether the second is told in parts, and the first is one of them.</summary>
    public static bool IsPart(string name, string whole) => Wholes.TryGetValue(whole, out var parts) && parts.AsSpan().Contains(name);

    /// <summary>OpenID Connect Core §5.4, and the hub's own <c>vehicle</c> and <c>purchase</c>.</summary>
    public static IReadOnlyList<string> OfScope(string scope) => scope switch
    {
        "profile" => ["name", "given_name", "family_name", "locale"],
        "email" => ["email", "email_verified"],
        "phone" => ["phone_number", "phone_number_verified"],
        "address" => ["address"],
        Vehicle => [Vehicle],
        Purchase => [Purchase],
        _ => [],
    };
}
