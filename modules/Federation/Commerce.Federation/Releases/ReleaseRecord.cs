using Commerce.Consent.Contracts;
using Commerce.Kernel;
using Commerce.Profiles.Contracts;

namespace Commerce.Federation.Releases;

/// <summary>Puts a release on record: in the consent ledger and on the customer's timeline.</summary>
internal static class ReleaseRecord
{
    /// <summary>
    /// Call once where the values leave (code redeemed or assertion issued), before the <c>SaveChangesAsync</c> that records that code or
    /// assertion: both stand or both fall.
    /// </summary>
    /// <param name="protocol"><c>oidc</c> or <c>saml</c>.</param>
    public static void Add(FederationDb db, Release release, Connection connection, string protocol, DateTimeOffset now)
    {
        foreach (var message in Of(release, connection, protocol, now)) db.Publish(message);
    }

    /// <summary>The same as events, for who publishes them otherwise. Same rule: in the transaction that records the code or assertion.</summary>
    /// <param name="orderNumber">Of the hop that it belongs to.</param>
    public static IEnumerable<IIntegrationEvent> Of(Release release, Connection connection, string protocol, DateTimeOffset now, string? orderNumber = null)
    {
        var hopId = release.Hop?.ToString("D");
        yield return new ClaimsReleased(release.Id, release.Customer, release.Partner, release.Connection, protocol, release.Purpose, release.Receipt, hopId,
            release.Names, release.ValuesHash, now);
        yield return new TimelineFact(release.Id, release.Customer, now, "released", Partner: release.Partner, PartnerName: connection.PartnerName,
            OrderNumber: orderNumber, Receipt: release.Receipt, Hop: hopId, Claims: release.Names);
        if (release.Hop is { } landed)
        {
            yield return new TimelineFact(landed, release.Customer, now, "landed", Partner: release.Partner, PartnerName: connection.PartnerName,
                OrderNumber: orderNumber, Receipt: release.Receipt, Hop: hopId);
        }
    }
}
