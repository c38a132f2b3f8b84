using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Caching.Distributed;

namespace Commerce.PartnerKit;

/// <summary>
/// Sessions of this site, kept in the distributed cache and encrypted there; the cookie holds a random key only. The hub can end them
/// by session or by subject (Back-Channel Logout 1.0), on every server that shares the cache.
/// </summary>
internal sealed class PartnerSessions(IDistributedCache cache, IDataProtectionProvider ring, TimeProvider clock, CommerceHopOptions options) : ITicketStore
{
    internal const string HubSession = "hub_sid";
    private readonly IDataProtector seal = ring.CreateProtector("commerce.partnerkit.session.v1");

    public async Task<string> StoreAsync(AuthenticationTicket ticket)
    {
        var key = OneTime.NewHandle();
        await RenewAsync(key, ticket);
        return key;
    }

    public Task RenewAsync(string key, AuthenticationTicket ticket) =>
        cache.SetAsync(SessionKey(key), seal.Protect(TicketSerializer.Default.Serialize(ticket)),
            new DistributedCacheEntryOptions { AbsoluteExpiration = ticket.Properties.ExpiresUtc ?? clock.GetUtcNow() + options.SessionLifetime });

    public async Task<AuthenticationTicket?> RetrieveAsync(string key)
    {
        if (await cache.GetAsync(SessionKey(key)) is not { } stored) return null;
        AuthenticationTicket? ticket;
        try
        {
            ticket = TicketSerializer.Default.Deserialize(seal.Unprotect(stored));
        }
        catch (CryptographicException)
        {
            return null;    // the key ring changed: sign in again
        }
        if (ticket is null || await EndedAsync(ticket)) return null;
        return ticket;
    }

    public Task RemoveAsync(string key) => cache.RemoveAsync(SessionKey(key));

    /// <summary>Ends every session that began at or before <paramref name="at"/>: a logout token sent twice ends nothing that began later.</summary>
    /// <param name="kind"><c>sid</c> or <c>sub</c>.</param>
    public Task EndAsync(string kind, string value, DateTimeOffset at, CancellationToken stop)
    {
        var mark = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(mark, at.ToUnixTimeSeconds());
        return cache.SetAsync(EndedKey(kind, value), mark,
            new DistributedCacheEntryOptions { AbsoluteExpiration = clock.GetUtcNow() + options.SessionLifetime + TimeSpan.FromMinutes(5) }, stop);
    }

    private async Task<bool> EndedAsync(AuthenticationTicket ticket)
    {
        var began = (ticket.Properties.IssuedUtc ?? DateTimeOffset.MinValue).ToUnixTimeSeconds();
        return await MarkedAsync("sid", ticket.Properties.GetString(HubSession)) || await MarkedAsync("sub", ticket.Principal.FindFirst("sub")?.Value);

        async Task<bool> MarkedAsync(string kind, string? value) =>
            value is not null && await cache.GetAsync(EndedKey(kind, value)) is { Length: 8 } mark && BinaryPrimitives.ReadInt64BigEndian(mark) >= began;
    }

    private static string SessionKey(string key) => $"commerce:session:{key}";

    private static string EndedKey(string kind, string value) =>
        $"commerce:ended:{kind}:{Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(value)))}";
}
