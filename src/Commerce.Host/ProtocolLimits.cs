using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Commerce.Host;

/// <summary>How many requests one network may send to the protocol endpoints; section <c>RateLimits</c> of the configuration.</summary>
internal sealed record ProtocolLimitSettings
{
    /// <summary>Requests of one network to <c>/connect/*</c> and <c>/saml/*</c> in a minute; 0 for no limit.</summary>
    public int ProtocolPerMinute { get; init; } = 1200;

    /// <summary>
    /// Count the machine's own addresses too. Not by default: behind a proxy that is not listed in <c>TrustedProxies</c> every request comes
    /// from there, and a limit would be one for everybody together.
    /// </summary>
    public bool CountLoopback { get; init; }
}

/// <summary>
/// Counts by network: an IPv4 address, or the /64 of an IPv6 one. The address is the connection's, or what a listed proxy said; a header of
/// anybody else counts for nothing (row A14). Two tables of fixed size under a secret hash, each network in one slot of each, so that nobody
/// can fill the memory, and two networks that share one slot do not share both. Nothing is allocated for a request.
/// </summary>
internal sealed class NetworkRates
{
    private const int Slots = 1 << 15;
    private readonly long[] first = new long[Slots], second = new long[Slots];
    private readonly ulong seed = BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(8));

    /// <param name="minute">Number of the minute.</param>
    /// <returns>False where the network has used up its minute.</returns>
    public bool TryTake(IPAddress address, long minute, int most)
    {
        var key = Mix(KeyOf(address) ^ seed);
        var one = Count(ref first[key & (Slots - 1)], minute);
        var two = Count(ref second[(key >> 32) & (Slots - 1)], minute);
        return Math.Min(one, two) <= most;
    }

    // Minute and count share one word, so that one exchange changes both.
    private static int Count(ref long slot, long minute)
    {
        while (true)
        {
            var seen = Volatile.Read(ref slot);
            var count = seen >> 24 == minute ? (int)(seen & 0xFF_FFFF) : 0;
            var next = (minute << 24) | (uint)Math.Min(count + 1, 0xFF_FFFF);
            if (Interlocked.CompareExchange(ref slot, next, seen) == seen) return count + 1;
        }
    }

    private static ulong KeyOf(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        if (address.IsIPv4MappedToIPv6)
        {
            address.TryWriteBytes(bytes, out _);
            return BinaryPrimitives.ReadUInt32BigEndian(bytes[12..]);
        }
        address.TryWriteBytes(bytes, out _);
        return address.AddressFamily == AddressFamily.InterNetworkV6 ? BinaryPrimitives.ReadUInt64BigEndian(bytes) : BinaryPrimitives.ReadUInt32BigEndian(bytes);
    }

    // SplitMix64: every bit of the key moves every bit of the result.
    private static ulong Mix(ulong key)
    {
        key = (key ^ (key >> 30)) * 0xBF58476D1CE4E5B9;
        key = (key ^ (key >> 27)) * 0x94D049BB133111EB;
        return key ^ (key >> 31);
    }
}

/// <summary>Puts the limit in front of the protocol endpoints.</summary>
internal static class ProtocolLimits
{
    public static void Use(WebApplication app)
    {
        var section = app.Configuration.GetSection("RateLimits");
        var settings = new ProtocolLimitSettings
        {
            ProtocolPerMinute = section.GetValue("ProtocolPerMinute", new ProtocolLimitSettings().ProtocolPerMinute),
            CountLoopback = section.GetValue("CountLoopback", false),
        };
        if (settings.ProtocolPerMinute <= 0) return;
        var (rates, clock) = (new NetworkRates(), app.Services.GetRequiredService<TimeProvider>());
        app.Use((context, next) =>
        {
            if (!IsProtocol(context.Request.Path) || context.Connection.RemoteIpAddress is not { } address) return next(context);
            if (!settings.CountLoopback && IPAddress.IsLoopback(address)) return next(context);
            var now = clock.GetUtcNow().ToUnixTimeSeconds();
            return rates.TryTake(address, now / 60, settings.ProtocolPerMinute) ? next(context) : RefuseAsync(context, 60 - (now % 60));
        });
    }

    /// <summary>Keys and metadata are public and cached: they are left out.</summary>
    private static bool IsProtocol(PathString path) =>
        (path.StartsWithSegments("/connect", StringComparison.OrdinalIgnoreCase) && !path.StartsWithSegments("/connect/jwks", StringComparison.OrdinalIgnoreCase))
        || (path.StartsWithSegments("/saml", StringComparison.OrdinalIgnoreCase) && !path.StartsWithSegments("/saml/metadata", StringComparison.OrdinalIgnoreCase))
        || path.StartsWithSegments("/device", StringComparison.OrdinalIgnoreCase);

    private static Task RefuseAsync(HttpContext context, long seconds)
    {
        context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
        context.Response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        context.Response.Headers.CacheControl = "no-store";
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync("Too many requests from your network. Please try again in a minute.", context.RequestAborted);
    }
}
