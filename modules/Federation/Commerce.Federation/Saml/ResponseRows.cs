using Commerce.Kernel;
using Commerce.Federation.Data;
using Commerce.Federation.Hops;
using Commerce.Federation.Releases;
using Commerce.Saml;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Federation.Saml;

/// <summary>The statements of an issued assertion: one commit, shared with whoever answers at this moment.</summary>
internal sealed class ResponseRows(HotStore<FederationDb> store, IServiceScopeFactory scopes)
{
    private static readonly HotSql
        Join = new("""
            INSERT INTO {schema}saml_participants ("Session", "Connection", "Customer", "SessionIndex", "FirstAt", "NameFormat", "Release")
            VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING
            """),
        Know = new("""INSERT INTO {schema}saml_names ("Customer", "Connection") VALUES ($1, $2) ON CONFLICT DO NOTHING"""),
        Rename = new("""UPDATE {schema}saml_participants SET "NameFormat" = $1, "Release" = $2 WHERE "Session" = $3 AND "Connection" = $4""");

    private readonly Lazy<HotInsert<Release>> releases = new(() => HotInsert.Of<FederationDb, Release>(scopes));

    /// <summary>Uses up the hop's ticket and the request, notes who takes part in the session so that a logout reaches it, and publishes that the values left: all or nothing.</summary>
    /// <returns>False where the ticket or the request was used up meanwhile.</returns>
    public Task<bool> RecordAsync(
        Leaving leaving, SamlParticipant participant, RequestUse? request, EventsOfRow news, DateTimeOffset now, CancellationToken stop)
    {
        var intoReleases = releases.Value;      // made out here: the first time takes a while
        var drafts = store.Drafts(news);
        return store.WriteAsync(async write =>
        {
            if (leaving.Hop is { Hop.Id: var hop } && !await HopRows.TakeAsync(write, hop, now)) return false;
            if (request is not null && !await FrozenRequests.UseUpAsync(write, request)) return false;
            if (leaving.IsNew) await intoReleases.AddAsync(write, leaving.Release);
            await JoinAsync(write, participant);
            foreach (var draft in drafts) await write.PublishAsync(draft);
            return true;
        }, stop);
    }

    private static async ValueTask JoinAsync(HotWrite write, SamlParticipant participant)
    {
        var (session, connection, format, release) = (participant.Session, participant.Connection, participant.NameFormat, participant.Release);
        if (await write.ExecuteAsync(Join, session, connection, participant.Customer, participant.SessionIndex, participant.FirstAt, format, release) == 1)
            await write.ExecuteAsync(Know, participant.Customer, connection);

        // Another name than the last time: a logout has to use the newest.
        else if (format != NameIdFormats.Persistent) await write.ExecuteAsync(Rename, format, release, session, connection);
    }
}
