using System.Data.Common;
using Commerce.Kernel;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Federation.Hops;

/// <summary>The statements of a hop: one commit that makes its ticket, one read that finds it with what leaves, one update that uses the ticket up.</summary>
internal sealed class HopRows(HotStore<FederationDb> store, IServiceScopeFactory scopes)
{
    private const string WithRelease = """
        SELECT h."Id", h."Offer", h."Partner", h."Connection", h."Customer", h."Session", h."OrderNumber", h."State", h."CreatedAt", h."ExpiresAt",
          r."Id", r."Purpose", r."ContractVersion", r."Receipt", r."ClaimNames", r."Values", r."ValuesHash", r."CreatedAt"
        FROM {schema}hops h JOIN {schema}releases r ON r."Id" = h."Release"
        """;

    private static readonly HotSql
        ByTicket = new(WithRelease + """ WHERE h."TicketHash" = $1"""),
        Pending = new(WithRelease + """
             WHERE h."Session" = $1 AND h."Connection" = $2 AND h."CreatedAt" > $3 AND h."Customer" = $4 AND h."State" = $5 AND h."ExpiresAt" > $6
            ORDER BY h."CreatedAt" DESC LIMIT 1
            """),
        UseUp = new("""UPDATE {schema}hops SET "State" = $1, "RedeemedAt" = $2 WHERE "Id" = $3 AND "State" = $4 AND "ExpiresAt" > $2""");

    private readonly Lazy<HotInsert<Hop>> hops = new(() => HotInsert.Of<FederationDb, Hop>(scopes));
    private readonly Lazy<HotInsert<Release>> releases = new(() => HotInsert.Of<FederationDb, Release>(scopes));

    /// <summary>Stores a new hop together with what leaves with it.</summary>
    public Task AddAsync(Hop hop, Release release, CancellationToken stop)
    {
        var (intoHops, intoReleases) = (hops.Value, releases.Value);    // made out here: the first time takes a while
        return store.WriteAsync(async write =>
        {
            await intoReleases.AddAsync(write, release);
            await intoHops.AddAsync(write, hop);
            return true;
        }, stop);
    }

    public ValueTask<WaitingHop?> FindAsync(byte[] ticketHash, CancellationToken stop) =>
        store.ReadAsync(read => read.FirstAsync(ByTicket, Of, ticketHash), stop);

    /// <summary>The newest hop of a browser session that waits for a connection.</summary>
    public ValueTask<WaitingHop?> FindPendingAsync(string connection, Guid customer, Guid session, DateTimeOffset now, CancellationToken stop)
    {
        // A hop is sent within the request that makes it. Without this bound all earlier hops of the session would be read.
        var oldest = now - (2 * Hop.TicketLifetime);
        return store.ReadAsync(read => read.FirstAsync(Pending, Of, session, connection, oldest, customer, HopState.Sent, now), stop);
    }

    /// <summary>Uses the ticket up, in the commit of what comes of it. Of all that try at the same moment, one finds the row still waiting.</summary>
    public static async ValueTask<bool> TakeAsync(HotWrite write, Guid hop, DateTimeOffset now) =>
        await write.ExecuteAsync(UseUp, HopState.Landed, now, hop, HopState.Sent) == 1;

    /// <summary>The same in a commit of its own.</summary>
    public Task<bool> TakeAsync(Guid hop, DateTimeOffset now, CancellationToken stop) => store.WriteAsync(write => TakeAsync(write, hop, now), stop);

    private static WaitingHop Of(DbDataReader row)
    {
        var hop = new Hop
        {
            Id = row.GetGuid(0),
            Offer = row.GetString(1),
            Partner = row.GetString(2),
            Connection = row.GetString(3),
            Customer = row.GetGuid(4),
            Session = row.GetGuid(5),
            OrderNumber = row.GetString(6),
            Release = row.GetGuid(10),
            State = (HopState)row.GetInt32(7),
            CreatedAt = row.GetInstant(8),
            ExpiresAt = row.GetInstant(9),
        };
        return new WaitingHop(hop, new Release
        {
            Id = row.GetGuid(10),
            Customer = hop.Customer,
            Session = hop.Session,
            Partner = hop.Partner,
            Connection = hop.Connection,
            Purpose = row.GetString(11),
            ContractVersion = row.GetInt32(12),
            Receipt = row.GetStringOrNull(13),
            Hop = hop.Id,
            ClaimNames = row.GetString(14),
            Values = row.GetFieldValue<byte[]>(15),
            ValuesHash = row.GetString(16),
            CreatedAt = row.GetInstant(17),
        });
    }
}
