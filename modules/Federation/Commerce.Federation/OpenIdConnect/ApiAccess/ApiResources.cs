using System.Text.Json;
using Commerce.Kernel;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Federation.OpenIdConnect.ApiAccess;

/// <summary>The registered APIs, the hub's own among them, from memory; what another process changes is seen within two seconds.</summary>
internal sealed class ApiResources(IServiceScopeFactory scopes, Issuer issuer, TimeProvider clock)
{
    private sealed record Held(IReadOnlyDictionary<string, ApiResource> All, long At);

    private Held? held;

    /// <summary>The hub's own API: registered like any other, only not in the table.</summary>
    public ApiResource Own { get; } = new(issuer.ApiAudience, "Commerce", null,
    [
        new ApiScope(ApiScopes.WriteOrders, "Post orders of a shop", []),
        new ApiScope(ApiScopes.WriteBookings, "Post bookings of a partner", []),
        new ApiScope(ApiScopes.QueryGrants, "Look at one's own grants", []),
        new ApiScope(ApiScopes.RevokeGrants, "End one's own grants", []),
    ]);

    public async ValueTask<ApiResource?> FindAsync(string identifier, CancellationToken stop) =>
        identifier == Own.Identifier ? Own : (await AllAsync(stop)).GetValueOrDefault(identifier);

    /// <summary>The API that issues this scope; null where none does.</summary>
    public async ValueTask<ApiResource?> OfScopeAsync(string scope, CancellationToken stop) =>
        Own.Scope(scope) is not null ? Own : (await AllAsync(stop)).Values.FirstOrDefault(r => r.Scope(scope) is not null);

    public async ValueTask<IReadOnlyDictionary<string, ApiResource>> AllAsync(CancellationToken stop)
    {
        if (Volatile.Read(ref held) is { } known && clock.GetElapsedTime(known.At) < Connections.Freshness) return known.All;
        var now = clock.GetTimestamp();
        await using var scope = scopes.CreateAsyncScope();
        var rows = await scope.ServiceProvider.GetRequiredService<FederationDb>().Set<ApiResourceRow>().AsNoTracking().ToListAsync(stop);
        var all = rows.Select(r => JsonSerializer.Deserialize<ApiResource>(r.Json, HubJson.Options)!).ToDictionary(r => r.Identifier, StringComparer.Ordinal);
        Volatile.Write(ref held, new Held(all, now));
        return all;
    }

    /// <summary>Call after saving a change.</summary>
    public void Forget() => Volatile.Write(ref held, null);
}
