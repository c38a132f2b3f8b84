using System.Net;
using System.Net.Sockets;
using Commerce.Kernel;

namespace Commerce.Federation.Logout;

/// <summary>The hub's own calls to addresses that partners registered. They must not become a way into the network around the hub (O12).</summary>
/// <remarks>
/// No redirects, no proxy, no cookies, a short time limit, and an answer that is not read beyond its head. Outside Development: https
/// only, and the name is resolved once, every address of it must be public, and the connection goes to an address that was checked.
/// </remarks>
internal sealed class PartnerHttp : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private const int LongestAnswer = 64 * 1024;
    private readonly HttpClient client;
    private readonly bool isDevelopment;

    public PartnerHttp(HubSettings settings)
    {
        isDevelopment = settings.IsDevelopment;
        client = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            ConnectTimeout = Patience,
            MaxResponseHeadersLength = 16,
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),     // a name may move: it is resolved and checked again
            ConnectCallback = ConnectAsync,
        })
        {
            Timeout = Patience,
        };
    }

    /// <returns>The HTTP status.</returns>
    /// <exception cref="HttpRequestException">No answer; its inner exception is <see cref="AddressRefusedException"/> where the address is none to call.</exception>
    public async Task<int> PostFormAsync(string address, string name, string value, CancellationToken stop)
    {
        var uri = new Uri(address);
        if (!isDevelopment && uri.Scheme != Uri.UriSchemeHttps) throw new HttpRequestException("Not https.", new AddressRefusedException());
        using var request = new HttpRequestMessage(HttpMethod.Post, uri) { Content = new FormUrlEncodedContent([KeyValuePair.Create(name, value)]) };
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
        return (int)response.StatusCode;
    }

    /// <returns>The HTTP status, and the answer's body: empty where it is longer than 64 KiB.</returns>
    /// <exception cref="HttpRequestException">As above.</exception>
    public async Task<(int Status, byte[] Body)> PostSoapAsync(string address, ReadOnlyMemory<byte> envelope, CancellationToken stop)
    {
        var uri = new Uri(address);
        if (!isDevelopment && uri.Scheme != Uri.UriSchemeHttps) throw new HttpRequestException("Not https.", new AddressRefusedException());
        using var request = new HttpRequestMessage(HttpMethod.Post, uri) { Content = new ReadOnlyMemoryContent(envelope) };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", Commerce.Saml.SoapBinding.MediaType);
        request.Headers.TryAddWithoutValidation("SOAPAction", $"\"{Commerce.Saml.SoapBinding.Action}\"");
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
        await using var body = await response.Content.ReadAsStreamAsync(stop);
        var buffer = new byte[LongestAnswer + 1];
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(Patience);     // the client's own time limit ends with the head
        var length = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, patience.Token);
        return ((int)response.StatusCode, length > LongestAnswer ? [] : buffer[..length]);
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken stop)
    {
        var addresses = await Dns.GetHostAddressesAsync(context.DnsEndPoint.Host, stop);
        if (addresses.Length == 0 || (!isDevelopment && !Array.TrueForAll(addresses, PublicAddress.Is))) throw new AddressRefusedException();
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
    }

    public void Dispose() => client.Dispose();
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
