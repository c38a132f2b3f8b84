using System.Data.Common;
using Commerce.Consent.Contracts;
using Commerce.Kernel;
using Commerce.Profiles.Contracts;

namespace Commerce.Federation.Releases;

/// <summary>
/// Puts a release on record: in the consent ledger, and a hop's with its order on the customer's timeline, which finds sign-ins in the ledger
/// (<see cref="SignInsAtPartners"/>).
/// </summary>
internal static class ReleaseRecord
{
    /// <summary>Name of the <see cref="IEventSource"/>.</summary>
    public const string Source = "release";

    /// <summary>
    /// Call once where the values leave (code redeemed or assertion issued), before the <c>SaveChangesAsync</c> that records that code or
    /// assertion: both stand or both fall.
    /// </summary>
    public static void Add(FederationDb db, Release release, Connection connection, DateTimeOffset now)
    {
        foreach (var message in Of(release, connection, now).Events) db.Publish(message);
    }

    /// <summary>The same as events, for who publishes them otherwise. Same rule: in the transaction that records the code or assertion.</summary>
    /// <param name="orderNumber">Of the hop that it belongs to.</param>
    public static EventsOfRow Of(Release release, Connection connection, DateTimeOffset now, string? orderNumber = null)
    {
        var hopId = release.Hop?.ToString("D");
        var protocol = connection.Protocol == Protocol.Saml ? "saml" : "oidc";
        var left = new ClaimsReleased(release.Id, release.Customer, release.Partner, release.Connection, protocol, release.Purpose, release.Receipt, hopId,
            release.Names, release.ValuesHash, now);
        if (release.Hop is not { } hop) return new EventsOfRow(Source, release.Id, now, [left]);
        var landed = new TimelineFact(hop, release.Customer, now, "landed", Partner: release.Partner, PartnerName: connection.PartnerName,
            OrderNumber: orderNumber, Receipt: release.Receipt, Hop: hopId);
        return new EventsOfRow(Source, release.Id, now, [left, landed with { Fact = release.Id, Kind = "released", Claims = release.Names }, landed]);
    }
}

/// <summary>Tells anew what left with a release.</summary>
internal sealed class ReleasesToldAgain(HotStore<FederationDb> store, Connections connections) : IEventSource
{
    private static readonly HotSql Stored = new("""
        SELECT r."Customer", r."Session", r."Partner", r."Connection", r."Purpose", r."ContractVersion", r."Receipt", r."Hop", r."ClaimNames", r."ValuesHash", r."CreatedAt", h."OrderNumber"
        FROM {schema}releases r LEFT JOIN {schema}hops h ON h."Id" = r."Hop" WHERE r."Id" = $1
        """);

    public string Name => ReleaseRecord.Source;

    public async ValueTask<IReadOnlyList<IIntegrationEvent>?> TellAgainAsync(Guid row, DateTimeOffset at, CancellationToken stop)
    {
        var stored = await store.ReadAsync(read => read.FirstAsync(Stored, found => Tuple.Create(Of(row, found), found.GetStringOrNull(11)), row), stop);
        return stored is var (release, order) && await connections.FindAsync(release.Connection, stop) is { } connection
            ? ReleaseRecord.Of(release, connection, at, order).Events : null;
    }

    private static Release Of(Guid id, DbDataReader row) => new()
    {
        Id = id,
        Customer = row.GetGuid(0),
        Session = row.GetGuid(1),
        Partner = row.GetString(2),
        Connection = row.GetString(3),
        Purpose = row.GetString(4),
        ContractVersion = row.GetInt32(5),
        Receipt = row.GetStringOrNull(6),
        Hop = row.IsDBNull(7) ? null : row.GetGuid(7),
        ClaimNames = row.GetString(8),
        Values = [],        // an event says which values left, not what they are
        ValuesHash = row.GetString(9),
        CreatedAt = row.GetInstant(10),
    };
}
