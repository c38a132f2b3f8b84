using System.Net.Sockets;
using System.Text;
using Commerce.Testing;

namespace Commerce.Federation.Tests.OpenIdConnect;

/// <summary>Requests octet by octet as written, for what a well-behaved HTTP client does not send.</summary>
internal static class RawHttp
{
    /// <summary>Posts a form with exactly these header lines beside the necessary ones.</summary>
    public static async Task<(int Status, string Body)> PostAsync(TestHub hub, string path, string body, params string[] headers)
    {
        var address = new Uri(hub.Origin);
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", address.Port);
        await using var stream = client.GetStream();
        string[] lines = [$"POST {path} HTTP/1.0", $"Host: {address.Authority}", "Content-Type: application/x-www-form-urlencoded", $"Content-Length: {body.Length}", .. headers, "", body];
        await stream.WriteAsync(Encoding.ASCII.GetBytes(string.Join("\r\n", lines)));
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var answer = await reader.ReadToEndAsync();      // HTTP/1.0: the end of the connection is the end of the answer
        return (int.Parse(answer.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture), answer[(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]);
    }
}
