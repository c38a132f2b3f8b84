using Commerce.Kernel;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>A grant with what leaves under it.</summary>
internal sealed record GrantWithRelease(Grant Grant, Release? Release);

/// <summary>Compiled once for each process that hosts the module, and not once for all: a compiled query is bound to one engine's model.</summary>
internal sealed class GrantQueries
{
    public Func<FederationDb, Guid, CancellationToken, Task<GrantWithRelease?>> ById { get; } = EF.CompileAsyncQuery(
        (FederationDb db, Guid id, CancellationToken stop) => (
            from grant in db.Set<Grant>().AsNoTracking()
            join release in db.Set<Release>().AsNoTracking() on grant.Release equals release.Id into releases
            from release in releases.DefaultIfEmpty()
            where grant.Id == id
            select new GrantWithRelease(grant, release)).SingleOrDefault());
}

/// <summary>Reads grants, checks that they still stand, and ends them.</summary>
internal sealed class Grants(OnDemand<FederationDb> db, GrantQueries queries, GrantRows rows, RecentGrants recent, ReleaseGate gate, TimeProvider clock)
{
    public Task<GrantWithRelease?> FindAsync(Guid id, CancellationToken stop) => queries.ById(db.Value, id, stop);

    /// <summary>The grant of an access token: null where there is none, its code was not redeemed, or it has ended.</summary>
    public async ValueTask<GrantWithRelease?> FindInUseAsync(Guid id, CancellationToken stop)
    {
        if (recent.Find(id) is { } known) return await rows.IsInUseAsync(id, stop) ? known : null;
        return await FindAsync(id, stop) is { Grant: { CodeUsedAt: not null, RevokedAt: null } } found ? found : null;
    }

    /// <summary>Everything that must be true at each use, not only at the first: the grant itself, then <see cref="ReleaseGate"/>.</summary>
    public async Task<Result<GateOpen>> CheckAsync(Grant grant, CancellationToken stop)
    {
        if (grant.RevokedAt is not null || grant.EndsAt <= clock.GetUtcNow()) return OAuth.InvalidGrant;
        return await gate.CheckAsync(grant.Connection, grant.Customer, grant.IsOffline ? null : grant.Session, grant.Receipt, stop);
    }

    /// <summary>Ends the grant: its code, its refresh tokens and its access tokens die at once, in every process.</summary>
    public Task RevokeAsync(Guid id, string reason, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        return db.Value.Set<Grant>().Where(g => g.Id == id && g.RevokedAt == null)
            .ExecuteUpdateAsync(row => row.SetProperty(g => g.RevokedAt, now).SetProperty(g => g.RevokedReason, reason), stop);
    }
}
