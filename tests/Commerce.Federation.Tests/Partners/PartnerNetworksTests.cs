using System.Net;
using System.Net.Sockets;
using Commerce.Federation.Logout;
using Commerce.Federation.Partners;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Federation.Tests.Partners;

public sealed class PartnerNetworksTests(PartnerHub world) : IClassFixture<PartnerHub>
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("localhost")]
    public async Task O12_the_client_for_partners_addresses_opens_no_connection_into_a_private_network(string host)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var accepted = listener.AcceptTcpClientAsync();
        using var client = world.Hub.Services.GetRequiredService<IHttpClientFactory>().CreateClient(PartnerHttp.Name);
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync($"http://{host}:{((IPEndPoint)listener.LocalEndpoint).Port}/jwks"));
        Assert.False(accepted.IsCompleted);
        Assert.False(listener.Pending());
    }

    [Theory]
    [InlineData("0.0.0.1", "1.0.0.0")]
    [InlineData("10.255.255.255", "11.0.0.0")]
    [InlineData("100.64.0.0", "100.63.255.255")]
    [InlineData("100.127.255.255", "100.128.0.0")]
    [InlineData("127.1.2.3", "128.0.0.1")]
    [InlineData("169.254.0.1", "169.253.255.255")]
    [InlineData("169.254.169.254", "168.254.169.254")]
    [InlineData("100.100.100.200", "101.100.100.200")]
    [InlineData("172.16.0.0", "172.15.255.255")]
    [InlineData("172.31.255.255", "172.32.0.0")]
    [InlineData("192.168.0.0", "192.167.255.255")]
    [InlineData("224.0.0.1", "223.255.255.255")]
    [InlineData("255.255.255.255", "191.168.0.1")]
    [InlineData("::", "2001:db8::")]
    [InlineData("::1", "2001:db8::1")]
    [InlineData("::ffff:10.0.0.1", "::ffff:11.0.0.1")]
    [InlineData("fe80::1", "2a00::1")]
    [InlineData("fec0::1", "2600::1")]
    [InlineData("fd12:3456::1", "2400::1")]
    [InlineData("ff02::1", "2c00::1")]
    public void O12_an_address_of_a_private_network_is_told_from_its_public_neighbour(string own, string others)
    {
        Assert.True(PartnerUrl.IsPrivate(IPAddress.Parse(own)));
        Assert.False(PartnerUrl.IsPrivate(IPAddress.Parse(others)));
    }

    [Fact]
    public async Task O12_a_partner_in_a_listed_private_network_is_told_of_a_logout()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var settings = world.Hub.Settings with { IsDevelopment = false };
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([KeyValuePair.Create("PartnerNetworks:0", (string?)"127.0.0.0/8")]).Build();
        using var calls = new LogoutCalls(settings, new PartnerNetworks(settings, configuration));
        var accepted = listener.AcceptTcpClientAsync();
        var call = calls.PostFormAsync($"https://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/logout", "logout_token", "x", default);
        (await accepted).Close();       // nobody speaks TLS here: that it was called is enough
        var error = await Assert.ThrowsAnyAsync<HttpRequestException>(() => call);
        Assert.IsNotType<AddressRefusedException>(error.InnerException);
    }

    [Theory]
    [InlineData("10.20.1.1", true)]
    [InlineData("::ffff:10.20.1.1", true)]
    [InlineData("10.21.1.1", false)]
    [InlineData("127.0.0.1", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("fd00::1", false)]
    [InlineData("2002:7f00:1::", false)]
    [InlineData("93.184.215.14", true)]
    public void O12_only_listed_private_networks_are_called(string address, bool may)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([KeyValuePair.Create("PartnerNetworks:0", (string?)"10.20.0.0/16")]).Build();
        Assert.Equal(may, new PartnerNetworks(world.Hub.Settings, configuration).MayCall(IPAddress.Parse(address)));
    }
}
