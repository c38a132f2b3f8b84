using Commerce.Federation.OpenIdConnect;
using Commerce.Identity.Contracts;
using Commerce.Kernel;
using Commerce.Kernel.Outbox;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.Logout;

/// <summary>
/// Signing out leaves what was granted for offline use; whoever locks an account or changes its password means all of it, and for good:
/// a lock that is taken back brings no grant back.
/// </summary>
internal sealed class EndGrants(FederationDb db) : IHandleEvent<AccountSecured>
{
    public Task Handle(AccountSecured message, Delivery delivery, CancellationToken stop) =>
        // Not those of a sign-in with the new password that was faster than this message.
        db.Set<Grant>().Where(g => g.Customer == message.Customer && g.RevokedAt == null && g.CreatedAt <= message.At)
            .ExecuteUpdateAsync(row => row.SetProperty(g => g.RevokedAt, message.At).SetProperty(g => g.RevokedReason, message.Reason), stop);
}
