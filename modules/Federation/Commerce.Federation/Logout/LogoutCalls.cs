using Commerce.Federation.Partners;
using Commerce.Kernel;

namespace Commerce.Federation.Logout;

/// <summary>The calls that tell a partner of the end of a session. Outside Development to https addresses only, and see <see cref="PartnerHttp"/>.</summary>
internal sealed class LogoutCalls(HubSettings settings, PartnerNetworks networks) : IDisposable
{
    private const int LongestAnswer = 64 * 1024;
    private readonly HttpClient client = new(PartnerHttp.Handler(networks)) { Timeout = PartnerHttp.Patience };

    /// <returns>The HTTP status.</returns>
    /// <exception cref="HttpRequestException">No answer; its inner exception is <see cref="AddressRefusedException"/> where the address is none to call.</exception>
    public async Task<int> PostFormAsync(string address, string name, string value, CancellationToken stop)
    {
        var uri = new Uri(address);
        if (!settings.IsDevelopment && uri.Scheme != Uri.UriSchemeHttps) throw new HttpRequestException("Not https.", new AddressRefusedException());
        using var request = new HttpRequestMessage(HttpMethod.Post, uri) { Content = new FormUrlEncodedContent([KeyValuePair.Create(name, value)]) };
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
        return (int)response.StatusCode;
    }

    /// <returns>The HTTP status, and the answer's body: empty where it is longer than 64 KiB.</returns>
    /// <exception cref="HttpRequestException">As above.</exception>
    public async Task<(int Status, byte[] Body)> PostSoapAsync(string address, ReadOnlyMemory<byte> envelope, CancellationToken stop)
    {
        var uri = new Uri(address);
        if (!settings.IsDevelopment && uri.Scheme != Uri.UriSchemeHttps) throw new HttpRequestException("Not https.", new AddressRefusedException());
        using var request = new HttpRequestMessage(HttpMethod.Post, uri) { Content = new ReadOnlyMemoryContent(envelope) };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", Commerce.Saml.SoapBinding.MediaType);
        request.Headers.TryAddWithoutValidation("SOAPAction", $"\"{Commerce.Saml.SoapBinding.Action}\"");
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
        await using var body = await response.Content.ReadAsStreamAsync(stop);
        var buffer = new byte[LongestAnswer + 1];
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(PartnerHttp.Patience);     // the client's own time limit ends with the head
        var length = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, patience.Token);
        return ((int)response.StatusCode, length > LongestAnswer ? [] : buffer[..length]);
    }

    public void Dispose() => client.Dispose();
}
