using System.Net;
using Commerce.Kernel;
using Microsoft.Extensions.Configuration;

namespace Commerce.Federation.Partners;

/// <summary>
/// To which addresses the hub opens connections in a partner's name (O12): the public Internet, and the private networks that the setting
/// <c>PartnerNetworks</c> lists (<c>10.20.0.0/16</c>); in Development to any. Settings that are no network stop the hub at its start.
/// </summary>
internal sealed class PartnerNetworks(HubSettings settings, IConfiguration? configuration = null)
{
    private readonly IPNetwork[] allowed = [.. (configuration?.GetSection("PartnerNetworks").Get<string[]>() ?? []).Select(n => IPNetwork.Parse(n))];

    public bool MayCall(IPAddress address)
    {
        if (settings.IsDevelopment || PublicAddress.Is(address)) return true;
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return allowed.Any(network => network.Contains(plain));
    }
}
