using Commerce.Consent.Contracts;

namespace Commerce.Federation.Releases;

/// <param name="Names">Claim names that may leave, in the contract's order.</param>
/// <param name="Lines">Numbers of the order's lines that may leave with <c>purchase</c>; empty without it.</param>
internal sealed record ReleaseDecision(IReadOnlyList<string> Names, IReadOnlyList<int> Lines)
{
    public static readonly ReleaseDecision Nothing = new([], []);
}

/// <summary>
/// Decides what may leave: the data contract, the customer's consent, the hop's own scope and what was asked for all have to agree.
/// OIDC, userinfo and SAML come here, and to no other place.
/// </summary>
internal static class ClaimsRelease
{
    /// <param name="purpose">Id of the contract's purpose.</param>
    /// <param name="consent">The customer's standing consent; null where there is none.</param>
    /// <param name="hop">Null without a hop: then nothing about an order leaves.</param>
    /// <param name="asked">Claim names the partner asked for; null where it takes whatever there is.</param>
    public static ReleaseDecision Decide(
        DataContract contract, string purpose, ConsentRecord? consent, HopScope? hop, IReadOnlyCollection<string>? asked)
    {
        if (contract.Purpose(purpose) is not { } stated) return ReleaseDecision.Nothing;
        if (stated.NeedsConsent && !IsAbout(consent, contract, purpose)) return ReleaseDecision.Nothing;

        // Built up from nothing: a name gets in only by passing every question.
        var names = new List<string>();
        foreach (var claim in stated.Claims)
        {
            if (stated.NeedsConsent && !consent!.Granted.Contains(claim.Name, StringComparer.Ordinal)) continue;
            if (ClaimCatalogue.IsOfHop(claim.Name) && hop is null) continue;
            foreach (var name in ClaimCatalogue.With(claim.Name))
            {
                if ((asked is null || asked.Contains(name)) && !names.Contains(name)) names.Add(name);
            }
        }
        return new ReleaseDecision(names, names.Contains(ClaimCatalogue.Purchase) ? hop!.Lines : []);
    }

    /// <summary>
    /// Whether a standing consent makes asking needless: same partner, purpose and contract version, everything required is granted, and
    /// everything optional was answered, with yes or with no.
    /// </summary>
    /// <param name="wanted">Claims of the purpose that this occasion is about.</param>
    public static bool Covers(ConsentRecord? consent, DataContract contract, ContractPurpose purpose, IEnumerable<ContractClaim> wanted) =>
        !purpose.NeedsConsent
        || (IsAbout(consent, contract, purpose.Id) && wanted.All(c =>
            consent!.Granted.Contains(c.Name, StringComparer.Ordinal) || (!c.Required && consent.Declined.Contains(c.Name, StringComparer.Ordinal))));

    private static bool IsAbout(ConsentRecord? consent, DataContract contract, string purpose) =>
        consent is not null && consent.Partner == contract.Partner && consent.Purpose == purpose && consent.ContractVersion == contract.Version;
}
