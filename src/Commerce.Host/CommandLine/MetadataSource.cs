using System.Net;
using System.Net.Sockets;

namespace Commerce.Host.CommandLine;

/// <summary>Metadata from a file, or from an address that an operator typed. Federations publish some tens of megabytes.</summary>
internal static class MetadataSource
{
    private const int MaxBytes = 128 * 1024 * 1024;

    public static async Task<string> ReadAsync(VerbRun run, string source)
    {
        if (!source.Contains("://", StringComparison.Ordinal)) return await run.ReadAsync(new FileInfo(source));
        var development = run.Settings.IsDevelopment;
        if (!Uri.TryCreate(source, UriKind.Absolute, out var address) || !(address.Scheme == Uri.UriSchemeHttps || development && address.Scheme == Uri.UriSchemeHttp))
            throw new VerbFault("Metadata is fetched from https addresses only.");
        using var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ConnectCallback = (context, stop) => ConnectAsync(context, development, stop) };
        using var client = new HttpClient(handler) { MaxResponseContentBufferSize = MaxBytes, Timeout = TimeSpan.FromMinutes(2) };
        try
        {
            using var response = await client.GetAsync(address, run.Stop);
            if (response.StatusCode != HttpStatusCode.OK) throw new VerbFault($"{address} answered {(int)response.StatusCode}. Give the address at which the metadata itself stands.");
            return VerbRun.Utf8(await response.Content.ReadAsByteArrayAsync(run.Stop), source);
        }
        catch (HttpRequestException error)
        {
            throw new VerbFault($"{address} could not be read: {error.GetBaseException().Message}");
        }
        catch (TaskCanceledException) when (!run.Stop.IsCancellationRequested)
        {
            throw new VerbFault($"{address} did not answer in time.");
        }
    }

    // Resolved once, checked, and connected to that very address: a name cannot turn into a private address in between.
    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, bool development, CancellationToken stop)
    {
        var addresses = await Dns.GetHostAddressesAsync(context.DnsEndPoint.Host, stop);
        if (!development && addresses.Any(IsPrivate)) throw new HttpRequestException("The name leads to a private address, which the hub does not call outside of development.");
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

    private static bool IsPrivate(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (IPAddress.IsLoopback(address) || address.IsIPv6LinkLocal || address.IsIPv6SiteLocal || address.IsIPv6UniqueLocal || address.IsIPv6Multicast) return true;
        if (address.AddressFamily == AddressFamily.InterNetworkV6) return address.Equals(IPAddress.IPv6Any);
        return address.GetAddressBytes() is [var a, var b, ..]
            && (a is 0 or 10 or 127 or >= 224 || (a, b) is (169, 254) or (192, 168) || a == 172 && b is >= 16 and < 32 || a == 100 && b is >= 64 and < 128 || a == 198 && b is 18 or 19);
    }
}
