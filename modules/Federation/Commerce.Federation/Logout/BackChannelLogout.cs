using Commerce.Federation.OpenIdConnect;
using Commerce.Federation.Saml;
using Commerce.Identity.Contracts;
using Commerce.Kernel;
using Commerce.Kernel.Outbox;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Federation.Logout;

/// <summary>
/// A session ended: notes one delivery for each relying party that took part in it (OpenID Connect Back-Channel Logout §2.5). The sender
/// does the rest; what outlives a session is <see cref="EndGrants"/>'s to end.
/// </summary>
internal sealed class BackChannelLogout(FederationDb db, Connections connections, Tokens tokens, SamlParticipants saml, TimeProvider clock) : IHandleEvent<SessionEnded>
{
    public static void Register(IServiceCollection services)
    {
        services.AddEventHandler<SessionEnded, BackChannelLogout, FederationDb>();
        services.AddEventHandler<AccountSecured, EndGrants, FederationDb>();
        services.AddSingleton<LogoutCalls>();
        services.AddHostedService<LogoutSender>();
    }

    public async Task Handle(SessionEnded message, Delivery delivery, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        var parties = await db.Set<Grant>().AsNoTracking().Where(g => g.Customer == message.Customer && g.Session == message.Session && g.CodeUsedAt != null)
            .Select(g => new { g.Connection, g.Subject }).Distinct().ToListAsync(stop);
        foreach (var party in parties)
        {
            if (await connections.FindAsync(party.Connection, stop) is not { IsActive: true, Oidc.BackchannelLogoutUri: not null }) continue;
            db.Add(new LogoutDelivery
            {
                Id = Guid.CreateVersion7(now),
                Connection = party.Connection,
                Subject = party.Subject,
                Sid = tokens.Sid(message.Session, party.Connection),
                CreatedAt = now,
                NextAttemptAt = now,
            });
        }
        await saml.NoteDeliveriesAsync(message.Session, now, stop);
    }
}
