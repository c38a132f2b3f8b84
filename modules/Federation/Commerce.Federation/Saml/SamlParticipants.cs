using Commerce.Federation.Data;
using Commerce.Federation.Logout;
using Commerce.Federation.OpenIdConnect;
using Commerce.Federation.Partners;
using Commerce.Federation.Releases;
using Commerce.Saml;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.Saml;

/// <summary>Who takes part in a browser session over SAML, under which name, and who has confirmed its end.</summary>
/// <remarks>SAML Profiles 4.4. The relying parties of OpenID Connect stand in <see cref="Grant"/>; the end of a session reaches both through one event.</remarks>
internal sealed class SamlParticipants(FederationDb db, Connections connections, CustomerName names, ReleasedClaims claims, Tokens tokens, TimeProvider clock)
{
    /// <summary>How long an answer to the one who asked waits for the others, in steps of <see cref="Step"/>. Who is slower makes it a partial logout.</summary>
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);
    private const int Steps = 25;

    /// <summary>Notes one delivery for each participant that can be told without the browser. Saved by the caller.</summary>
    public async Task NoteDeliveriesAsync(Guid session, DateTimeOffset now, CancellationToken stop)
    {
        foreach (var participant in await OpenAsync(session, stop))
        {
            if (await connections.FindAsync(participant.Connection, stop) is not { IsActive: true, Saml: { } sp } || LogoutPeer.Of(sp).Endpoint(SamlBindings.Soap) is null) continue;
            db.Add(new LogoutDelivery
            {
                Id = Guid.CreateVersion7(now), Connection = participant.Connection, Subject = "", Sid = participant.SessionIndex, SamlSession = session,
                CreatedAt = now, NextAttemptAt = now,
            });
        }
    }

    /// <summary>Participants whose session is not known to be over.</summary>
    public Task<List<SamlParticipant>> OpenAsync(Guid session, CancellationToken stop) =>
        db.Set<SamlParticipant>().AsNoTracking().Where(p => p.Session == session && p.LoggedOutAt == null).ToListAsync(stop);

    /// <summary>Those of them that only the customer's browser can tell.</summary>
    public async Task<IReadOnlyList<(SamlParticipant Participant, Connection Connection)>> ByBrowserAsync(Guid session, CancellationToken stop)
    {
        var found = new List<(SamlParticipant, Connection)>();
        foreach (var participant in await OpenAsync(session, stop))
        {
            if (await connections.FindAsync(participant.Connection, stop) is { IsActive: true, Saml: { } sp } connection
                && LogoutPeer.Of(sp) is var peer && peer.Endpoint(SamlBindings.Soap) is null && FrontBinding(peer) is not null)
                found.Add((participant, connection));
        }
        return found;
    }

    public static string? FrontBinding(LogoutPeer peer) =>
        new[] { SamlBindings.HttpRedirect, SamlBindings.HttpPost }.FirstOrDefault(binding => peer.Endpoint(binding) is not null);

    /// <summary>The name that the participant was given last; null where the customer was erased.</summary>
    public async Task<NameId?> NameOfAsync(SamlParticipant participant, Connection connection, string? format, CancellationToken stop)
    {
        var kind = format ?? participant.NameFormat ?? NameIdFormats.Persistent;
        string? email = null;
        if (kind == NameIdFormats.EmailAddress)
        {
            if (participant.NameFormat != kind) return null;    // it never got one
            var release = await db.Releases.AsNoTracking().SingleOrDefaultAsync(r => r.Id == participant.Release, stop);
            var values = release is null ? null : await claims.ReadAsync(release, asked: null, stop);
            email = values is not null && values.TryGetValue("email", out var address) ? address.GetString() : null;
        }
        return names.Of(kind, participant.Customer, participant.Session, connection, email);
    }

    /// <summary>The sessions a request means; empty where it names one of another service provider or customer, or none.</summary>
    /// <param name="browserSession">Of the browser that brought the request: the only one that a request without SessionIndex can mean.</param>
    public async Task<IReadOnlyList<SamlParticipant>> MeantByAsync(ValidatedLogoutRequest request, Connection connection, Guid? browserSession, CancellationToken stop)
    {
        var indexes = request.SessionIndexes.ToList();
        var candidates = await db.Set<SamlParticipant>().AsNoTracking()
            .Where(p => p.Connection == connection.Id && (indexes.Count > 0 ? indexes.Contains(p.SessionIndex) : p.Session == browserSession)).ToListAsync(stop);
        foreach (var participant in candidates)
        {
            var format = request.Name.Format == NameIdFormats.Unspecified ? null : request.Name.Format;
            if (await NameOfAsync(participant, connection, format, stop) is not { } name || !Same(request.Name, name)) return [];
        }
        return candidates.Count >= indexes.Count ? candidates : [];
    }

    public Task<int> MarkOutAsync(Guid session, string connection, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        return db.Set<SamlParticipant>().Where(p => p.Session == session && p.Connection == connection && p.LoggedOutAt == null)
            .ExecuteUpdateAsync(row => row.SetProperty(p => p.LoggedOutAt, now).SetProperty(p => p.LogoutRequestId, (string?)null), stop);
    }

    /// <summary>Whether everybody else in the sessions confirmed the end. Waits a little for those that are told at this moment.</summary>
    /// <param name="ended">One of each session.</param>
    public async Task<SamlStatus> StatusAsync(IReadOnlyList<SamlParticipant> ended, CancellationToken stop)
    {
        for (var step = 0; ; step++)
        {
            var waiting = false;
            foreach (var (session, customer) in ended.Select(p => (p.Session, p.Customer)))
            {
                foreach (var participant in await OpenAsync(session, stop))
                {
                    // Nothing will come of waiting for the browser, nor for one that takes no logout at all.
                    if (await connections.FindAsync(participant.Connection, stop) is not { IsActive: true, Saml: { } sp } || LogoutPeer.Of(sp).Endpoint(SamlBindings.Soap) is null) return SamlStatus.PartialLogout;
                    waiting = true;
                }
                waiting |= await OpenRelyingPartiesAsync(session, customer, stop);
            }
            if (!waiting) return SamlStatus.Success;
            if (step == Steps) return SamlStatus.PartialLogout;
            await Task.Delay(Step, stop);
        }
    }

    /// <summary>Relying parties over OpenID Connect that take logout tokens and have not confirmed theirs.</summary>
    private async Task<bool> OpenRelyingPartiesAsync(Guid session, Guid customer, CancellationToken stop)
    {
        var parties = await db.Set<Grant>().AsNoTracking().Where(g => g.Customer == customer && g.Session == session && g.CodeUsedAt != null).Select(g => g.Connection).Distinct().ToListAsync(stop);
        foreach (var party in parties)
        {
            if (await connections.FindAsync(party, stop) is not { IsActive: true, Oidc.BackchannelLogoutUri: not null }) continue;
            var sid = tokens.Sid(session, party);
            if (!await db.Set<LogoutDelivery>().AnyAsync(d => d.Connection == party && d.Sid == sid && d.State == DeliveryState.Delivered, stop)) return true;
        }
        return false;
    }

    private static bool Same(NameId wanted, NameId known) =>
        wanted.Value == known.Value
        && (wanted.NameQualifier ?? known.NameQualifier) == known.NameQualifier
        && (wanted.SpNameQualifier ?? known.SpNameQualifier) == known.SpNameQualifier;
}
