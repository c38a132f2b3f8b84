using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Federation.Partners;

/// <summary>
/// How the hub calls addresses that partners named, which must not become a way into the network around it (O12): no redirects, no proxy, no
/// cookies, short patience, and no address but those of <see cref="PartnerNetworks"/>.
/// </summary>
internal static class PartnerHttp
{
    public const string Name = "partner";
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static void Register(IServiceCollection services) => services.AddSingleton<PartnerNetworks>().AddHttpClient(Name, client =>
    {
        client.Timeout = Patience;
        client.MaxResponseContentBufferSize = 64 * 1024;
    }).ConfigurePrimaryHttpMessageHandler(provider => Handler(provider.GetRequiredService<PartnerNetworks>()));

    public static SocketsHttpHandler Handler(PartnerNetworks networks) => new()
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        ConnectTimeout = Patience,
        MaxResponseHeadersLength = 16,
        PooledConnectionLifetime = TimeSpan.FromMinutes(2),     // a name may move: it is resolved and checked again
        // The name is resolved once and the connection goes to that very address: a second answer of the name server changes nothing.
        ConnectCallback = async (context, stop) =>
        {
            var addresses = await Dns.GetHostAddressesAsync(context.DnsEndPoint.Host, stop);
            // One address that may not be called spoils the name: a mixture is a sign of somebody trying.
            if (addresses.Length == 0 || !Array.TrueForAll(addresses, networks.MayCall)) throw new AddressRefusedException();
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(addresses, context.DnsEndPoint.Port, stop);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        },
    };
}

/// <summary>The address is private, local, or otherwise none that the hub calls.</summary>
internal sealed class AddressRefusedException() : IOException("The hub does not call this address.");

/// <summary>Which addresses are on the public Internet (IANA special-purpose registries, RFC 6890).</summary>
internal static class PublicAddress
{
    private static readonly IPNetwork[] NotPublic4 = [.. new[]
    {
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24",
        "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    }.Select(n => IPNetwork.Parse(n))];

    private static readonly IPNetwork Global6 = IPNetwork.Parse("2000::/3");

    // Within the global range: documentation, and ranges that carry an IPv4 address inside (Teredo, 6to4).
    private static readonly IPNetwork[] NotPublic6 = [.. new[] { "2001:db8::/32", "2001::/23", "2002::/16", "3fff::/20" }.Select(n => IPNetwork.Parse(n))];

    public static bool Is(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        return address.AddressFamily switch
        {
            AddressFamily.InterNetwork => !NotPublic4.Any(n => n.Contains(address)),
            AddressFamily.InterNetworkV6 => Global6.Contains(address) && !NotPublic6.Any(n => n.Contains(address)),
            _ => false,
        };
    }
}
