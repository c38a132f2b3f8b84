using Commerce.Kernel;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>The statements of the ordinary code flow: one commit for the code, one for its redemption, one read for userinfo.</summary>
internal sealed class GrantRows(HotStore<FederationDb> store, IServiceScopeFactory scopes)
{
    private static readonly HotSql UseUp = new("""
        UPDATE {schema}oidc_grants SET "CodeUsedAt" = $1, "RefreshGeneration" = $2, "RefreshExpiresAt" = $3, "BoundTo" = $4
        WHERE "Id" = $5 AND "CodeUsedAt" IS NULL AND "RevokedAt" IS NULL
        """);
    private static readonly HotSql InUse = new("""SELECT 1 FROM {schema}oidc_grants WHERE "Id" = $1 AND "CodeUsedAt" IS NOT NULL AND "RevokedAt" IS NULL""");
    private static readonly HotSql Order = new("""SELECT "OrderNumber" FROM {schema}hops WHERE "Id" = $1""");

    private readonly Lazy<HotInsert<Grant>> grants = new(() => HotInsert.Of<FederationDb, Grant>(scopes));
    private readonly Lazy<HotInsert<Release>> releases = new(() => HotInsert.Of<FederationDb, Release>(scopes));

    /// <summary>Stores a new grant together with what leaves under it.</summary>
    public Task AddAsync(Grant grant, Release? release, CancellationToken stop)
    {
        var (intoGrants, intoReleases) = (grants.Value, releases.Value);    // made out here: the first time takes a while
        return store.WriteAsync(async write =>
        {
            if (release is not null) await intoReleases.AddAsync(write, release);
            await intoGrants.AddAsync(write, grant);
            return true;
        }, stop);
    }

    /// <summary>Stores the grant of a hop and uses the hop's ticket up, or does neither. False where the ticket was used meanwhile.</summary>
    public Task<bool> AddForHopAsync(Grant grant, WaitingHop waiting, CancellationToken stop)
    {
        var intoGrants = grants.Value;
        return store.WriteAsync(async write =>
        {
            if (!await HopRows.TakeAsync(write, waiting.Hop.Id, grant.CreatedAt)) return false;
            await intoGrants.AddAsync(write, grant);
            return true;
        }, stop);
    }

    /// <summary>Uses the code up and publishes that the values left, or does neither. False where the code was used or the grant had ended.</summary>
    /// <param name="idle">When the refresh token dies of not being used; null where none is issued.</param>
    /// <param name="boundTo">The key that the tokens are bound to, or null.</param>
    public Task<bool> UseUpAsync(Guid grant, DateTimeOffset now, DateTimeOffset? idle, string? boundTo, EventsOfRow? news, CancellationToken stop)
    {
        var drafts = news is null ? [] : store.Drafts(news);
        return store.WriteAsync(async write =>
        {
            if (await write.ExecuteAsync(UseUp, now, idle is null ? 0 : 1, idle, boundTo, grant) != 1) return false;
            foreach (var draft in drafts) await write.PublishAsync(draft);
            return true;
        }, stop);
    }

    /// <summary>True where the code was redeemed and the grant has not been ended since, in whichever process.</summary>
    public ValueTask<bool> IsInUseAsync(Guid grant, CancellationToken stop) =>
        store.ReadAsync(read => read.FirstAsync(InUse, static _ => true, grant), stop);

    public ValueTask<string?> OrderOfHopAsync(Guid hop, CancellationToken stop) =>
        store.ReadAsync(read => read.FirstAsync(Order, static row => row.GetString(0), hop), stop);
}
