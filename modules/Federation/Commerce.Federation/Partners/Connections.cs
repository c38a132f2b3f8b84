using System.Collections.Concurrent;
using System.Data.Common;
using System.Text.Json;
using Commerce.Federation.OpenIdConnect.ApiAccess;
using Commerce.Kernel;

namespace Commerce.Federation.Partners;

/// <summary>
/// The registered connections, from memory. What another process changes is seen within <see cref="Freshness"/>; what this process
/// changes, at once (<see cref="Forget"/>). The hot path asks no database for them.
/// </summary>
internal sealed class Connections(HotStore<FederationDb> store, TimeProvider clock)
{
    /// <summary>How old an answer may be.</summary>
    public static readonly TimeSpan Freshness = TimeSpan.FromSeconds(2);

    // With the newest version of the partner's contract, where there is one.
    private static readonly HotSql Registered = new("""
        SELECT c."Partner", p."Name", c."Protocol", c."Name", c."IsActive", p."IsActive", c."Metadata", c."Policy", c."LandingHost", c."SecretHash", c."NextSecretHash", d."Version", d."Json"
        FROM {schema}connections c JOIN {schema}partners p ON p."Id" = c."Partner"
        LEFT JOIN {schema}data_contracts d ON d."Partner" = p."Id" AND d."Version" = (SELECT MAX(v."Version") FROM {schema}data_contracts v WHERE v."Partner" = p."Id")
        WHERE c."Id" = $1
        """);

    private sealed record Row(
        string Partner, string PartnerName, Protocol Protocol, string Name, bool IsActive, string Metadata, string? Policy, string? LandingHost,
        byte[]? SecretHash, byte[]? NextSecretHash, int? ContractVersion, string? Contract)
    {
        public static Row Of(DbDataReader row) => new(
            row.GetString(0), row.GetString(1), (Protocol)row.GetInt32(2), row.GetString(3), row.GetBoolean(4) && row.GetBoolean(5), row.GetString(6), row.GetStringOrNull(7),
            row.GetStringOrNull(8), row.GetBytesOrNull(9), row.GetBytesOrNull(10), row.IsDBNull(11) ? null : row.GetInt32(11), row.GetStringOrNull(12));
    }

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
        if (await store.ReadAsync(read => read.FirstAsync(Registered, Row.Of, id), stop) is not { } row) return new Held(null, null, null, null, now);

        var same = known?.Metadata == row.Metadata && known.Policy == row.Policy ? known.Connection : null;
        var policy = same is not null ? same.Policy : row.Policy is null ? null : JsonSerializer.Deserialize<ClientPolicy>(row.Policy, HubJson.Options);
        var contract = row.Contract is null ? null
            : known is not null && known.ContractVersion == row.ContractVersion ? known.Connection!.Contract
            : DataContractJson.Read(row.Contract).Value;
        return new Held(
            new Connection(id, row.Partner, row.PartnerName, row.Protocol, row.Name, row.IsActive,
                same is not null ? same.Oidc : row.Protocol == Protocol.Oidc ? Client(row.Metadata, policy) : null,
                same is not null ? same.Saml : row.Protocol == Protocol.Saml ? JsonSerializer.Deserialize<Commerce.Saml.ServiceProvider>(row.Metadata, HubJson.Options) : null,
                contract, row.LandingHost, row.SecretHash, row.NextSecretHash) { Policy = policy },
            row.Metadata, row.Policy, row.ContractVersion, now);
    }

    private static OidcClient Client(string metadata, ClientPolicy? policy)
    {
        var client = JsonSerializer.Deserialize<OidcClient>(metadata, HubJson.Options)!;
        return policy?.Narrow(client) ?? client;
    }
}
