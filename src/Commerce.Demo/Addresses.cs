using System.Net;
using System.Net.Sockets;

namespace Commerce.Demo;

/// <summary>Four hosts, because browsers keep cookies by host: here each application is a site of its own, as on the real internet.</summary>
internal sealed record Addresses(int PortBase)
{
    public string Hub => $"http://localhost:{PortBase}";

    public string Shop => $"http://127.0.0.1:{PortBase + 1}";

    public string Tires => $"http://127.0.0.2:{PortBase + 2}";

    public string Fuel => $"http://127.0.0.3:{PortBase + 3}";

    public string Mailbox => Hub + "/mailbox";

    /// <returns>A sentence that says what is in the way, or null where everything is free.</returns>
    public string? WhatIsTaken()
    {
        foreach (var (host, port) in new[] { (IPAddress.Loopback, PortBase), (IPAddress.Loopback, PortBase + 1), (IPAddress.Parse("127.0.0.2"), PortBase + 2), (IPAddress.Parse("127.0.0.3"), PortBase + 3) })
        {
            using var probe = new TcpListener(host, port) { ExclusiveAddressUse = !OperatingSystem.IsLinux() };
            try
            {
                probe.Start();
            }
            catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressNotAvailable)
            {
                return $"This machine has no address {host}. On macOS add it once with: sudo ifconfig lo0 alias {host}";
            }
            catch (SocketException)
            {
                return $"Port {port} on {host} is taken: another program listens there, maybe another demo. Stop it, or choose other ports with --port-base {PortBase + 1000}.";
            }
        }
        return null;
    }
}
