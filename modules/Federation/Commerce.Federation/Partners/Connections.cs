using System.Collections.Concurrent;
using System.Text.Json;
using Commerce.Federation.OpenIdConnect.ApiAccess;
using Commerce.Kernel;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Federation.Partners;

/// <summary>
/// The registered connections, from memory. What another process changes is seen within <see cref="Freshness"/>; what this process
/// changes, at once (<see cref="Forget"/>). The hot path asks no database for them.
/// </summary>
internal sealed class Connections(IServiceScopeFactory scopes, TimeProvider clock)
{
    /// <summary>How old an answer may be.</summary>
    public static readonly TimeSpan Freshness = TimeSpan.FromSeconds(2);

    private sealed record Held(Connection? Connection, string? Metadata, string? Policy, int? ContractVersion, long At);

    private readonly ConcurrentDictionary<string, Held> held = new(StringComparer.Ordinal);
    private long generation;

    /// <summary>Changes whenever this process changes a registration.</summary>
    public long Generation => Interlocked.Read(ref generation);

    /// <summary>The connection with this client id or entity id, switched on or not; null where there is none.</summary>
    public async ValueTask<Connection?> FindAsync(string? id, CancellationToken stop = default)
    {
        if (string.IsNullOrEmpty(id) || id.Length > Lengths.Connection) return null;
        if (held.TryGetValue(id, out var known) && clock.GetElapsedTime(known.At) < Freshness) return known.Connection;
        var before = Interlocked.Read(ref generation);
        var read = await ReadAsync(id, known, stop);
        // Ids that are not there are not remembered: strangers could fill the memory with them.
        if (read.Connection is null) held.TryRemove(id, out _);
        // A change that came while we read has to win.
        else if (before == Interlocked.Read(ref generation)) held[id] = read;
        return read.Connection;
    }

    /// <summary>Call after saving a change to partners, contracts or connections.</summary>
    public void Forget()
    {
        Interlocked.Increment(ref generation);
        held.Clear();
    }

    private async Task<Held> ReadAsync(string id, Held? known, CancellationToken stop)
    {
        var now = clock.GetTimestamp();
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<FederationDb>();
        var found = await (
            from connection in db.Connections.AsNoTracking()
            join partner in db.Partners.AsNoTracking() on connection.Partner equals partner.Id
            where connection.Id == id
            select new
            {
                Connection = connection,
                Partner = partner,
                Contract = db.Contracts.AsNoTracking().Where(c => c.Partner == partner.Id).OrderByDescending(c => c.Version).FirstOrDefault(),
            }).SingleOrDefaultAsync(stop);
        if (found is null) return new Held(null, null, null, null, now);

        var row = found.Connection;
        var same = known?.Metadata == row.Metadata && known.Policy == row.Policy ? known.Connection : null;
        var policy = same is not null ? same.Policy : row.Policy is null ? null : JsonSerializer.Deserialize<ClientPolicy>(row.Policy, HubJson.Options);
        var contract = found.Contract is null ? null
            : known?.ContractVersion == found.Contract.Version ? known.Connection!.Contract
            : DataContractJson.Read(found.Contract.Json).Value;
        return new Held(
            new Connection(row.Id, row.Partner, found.Partner.Name, row.Protocol, row.Name, row.IsActive && found.Partner.IsActive,
                same is not null ? same.Oidc : row.Protocol == Protocol.Oidc ? Client(row.Metadata, policy) : null,
                same is not null ? same.Saml : row.Protocol == Protocol.Saml ? JsonSerializer.Deserialize<Commerce.Saml.ServiceProvider>(row.Metadata, HubJson.Options) : null,
                contract, row.LandingHost, row.SecretHash, row.NextSecretHash) { Policy = policy },
            row.Metadata, row.Policy, found.Contract?.Version, now);
    }

    private static OidcClient Client(string metadata, ClientPolicy? policy)
    {
        var client = JsonSerializer.Deserialize<OidcClient>(metadata, HubJson.Options)!;
        return policy?.Narrow(client) ?? client;
    }
}
