using System.Text.Json;
using Commerce.Kernel.Secrets;

namespace Commerce.Federation.Releases;

/// <summary>Opens the values of a release.</summary>
internal sealed class ReleasedClaims(PersonalData personal, Connections connections)
{
    /// <param name="asked">Claim names to narrow to, such as those of the granted scopes; null for all. The receipt and the hop come in any case.</param>
    /// <returns>
    /// Claim name to value, with <c>consent_receipt</c> and <c>hop</c> where there are such. Null where the customer was erased. A claim
    /// that the partner's contract no longer names stays behind, although it was agreed once.
    /// </returns>
    public async Task<IReadOnlyDictionary<string, JsonElement>?> ReadAsync(Release release, IReadOnlyCollection<string>? asked, CancellationToken stop)
    {
        var held = release.Opened is null ? await personal.UnprotectJsonAsync<Dictionary<string, JsonElement>>(release.Customer, ReleaseValues.Use, release.Values, stop)
            : await personal.HasKeyAsync(release.Customer, stop) ? release.Opened : null;
        if (held is null) return null;

        var purpose = (await connections.FindAsync(release.Connection, stop))?.Contract?.Purpose(release.Purpose);
        var claims = new Dictionary<string, JsonElement>(held.Count + 2, StringComparer.Ordinal);
        foreach (var (name, value) in held)
        {
            if (name is ClaimCatalogue.ConsentReceipt or ClaimCatalogue.Hop) claims[name] = value;
            else if (purpose?.Names(name) == true && (asked is null || asked.Contains(name))) claims[name] = value;
        }
        return claims;
    }
}
