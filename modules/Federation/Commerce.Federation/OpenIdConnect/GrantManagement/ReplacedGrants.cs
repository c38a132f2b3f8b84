using Commerce.Kernel;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Commerce.Federation.OpenIdConnect.GrantManagement;

/// <summary>What an authorization request wants of the client's grants (FAPI Grant Management §5.2): a new one, or a new one in place of another.</summary>
internal static class GrantAction
{
    /// <returns>The grant to be replaced; null for a new one.</returns>
    public static Result<Guid?> Read(Parameters parameters)
    {
        var (action, id) = (parameters["grant_management_action"], parameters["grant_id"]);
        if (action is null or "create") return id is null ? Result.Of<Guid?>(null) : OAuth.InvalidRequest("grant_id goes with grant_management_action=replace.");
        if (action != "replace") return OAuth.InvalidRequest("grant_management_action is create or replace.");
        return Guid.TryParseExact(id, "D", out var replaced) ? Result.Of<Guid?>(replaced) : OAuth.InvalidGrantId;
    }
}

/// <summary>Replaces one grant of a client and customer by a later one.</summary>
internal sealed class ReplacedGrants(OnDemand<FederationDb> db, Grants grants)
{
    /// <summary>Whether there is such a grant of this client and customer, to be replaced.</summary>
    public Task<bool> IsThereAsync(Guid id, string client, Guid customer, CancellationToken stop) =>
        db.Value.Set<Grant>().AsNoTracking().AnyAsync(g => g.Id == id && g.Connection == client && g.Customer == customer && g.RevokedAt == null, stop);

    /// <summary>Ends the replaced grant, once the new one has given out its first tokens.</summary>
    public Task EndAsync(Grant grant, CancellationToken stop) => grant.Replaces is { } old ? grants.RevokeAsync(old, "replaced", stop) : Task.CompletedTask;
}

[DbContext(typeof(FederationDb)), Migration("2026112326_replaced_grants")]
internal sealed class ReplacedGrantsMigration() : ModuleMigration("federation")
{
    protected override void Up(MigrationBuilder migrationBuilder) =>
        migrationBuilder.AddColumn<Guid>("Replaces", "oidc_grants", nullable: true, schema: Schema);
}
