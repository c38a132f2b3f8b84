using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Commerce.Kernel;
using Commerce.Purchases;
using Commerce.Testing;
using Commerce.Web;
using Xunit;

namespace Commerce.Host.Tests;

public sealed class RequestSizeTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static Task<TestHub> StartAsync() => TestHub.StartAsync([new PurchasesModule()], configure: services => services.AddTestSchemes());

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_body_beyond_the_limit_is_answered_when_all_of_it_was_sent_and_the_connection_stays_good(bool chunked)
    {
        await using var hub = await StartAsync();
        using var caller = await Caller.ConnectAsync(hub.Origin);
        foreach (var length in new[] { RequestSize.Most + 1, RequestSize.MostDrained - 64 * 1024 })
        {
            await caller.SendAsync(length, chunked);
            var (status, body) = await caller.ReadAsync();
            Assert.Equal((413, "request.too_large"), (status, JsonElement.Parse(body).GetProperty("code").GetString()));
            Assert.Contains("1 MiB", body, StringComparison.Ordinal);
        }
        await caller.SendAsync(16, chunked);
        Assert.Equal(400, (await caller.ReadAsync()).Status);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_body_of_exactly_the_limit_is_read(bool chunked)
    {
        await using var hub = await StartAsync();
        using var caller = await Caller.ConnectAsync(hub.Origin);
        await caller.SendAsync(RequestSize.Most, chunked);
        Assert.Equal(400, (await caller.ReadAsync()).Status);    // blanks are no order, and all of them were looked at
    }

    [Fact]
    public async Task A_length_beyond_what_the_server_would_throw_away_is_refused_before_any_of_it_came_and_the_connection_closed()
    {
        await using var hub = await StartAsync();
        using var caller = await Caller.ConnectAsync(hub.Origin);
        await caller.SendHeadAsync("Content-Length: 1000000000");
        Assert.Equal(413, (await caller.ReadAsync()).Status);
        Assert.True(await caller.IsClosedAsync());
    }

    /// <summary>A caller who reads no answer before all was sent, as simple clients do: HttpClient looks earlier, and hides a broken connection at times.</summary>
    private sealed class Caller(TcpClient connection) : IDisposable
    {
        private readonly NetworkStream stream = connection.GetStream();
        private readonly string shop = $"{HubSchemes.Api};{HubClaims.ClientId}=shop;{HubClaims.Scope}={ApiScopes.WriteOrders}";

        public static async Task<Caller> ConnectAsync(string origin)
        {
            var connection = new TcpClient();
            await connection.ConnectAsync(IPAddress.Loopback, new Uri(origin).Port, Stop);
            return new Caller(connection);
        }

        public async Task SendHeadAsync(string length) => await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"POST /api/orders HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: k\r\n{TestSchemes.Header}: {shop}\r\nContent-Type: application/json\r\n{length}\r\n\r\n"), Stop);

        public async Task SendAsync(long length, bool chunked)
        {
            await SendHeadAsync(chunked ? "Transfer-Encoding: chunked" : $"Content-Length: {length}");
            var piece = new byte[64 * 1024];
            Array.Fill(piece, (byte)' ');
            for (var left = length; left > 0; left -= piece.Length)
            {
                var size = (int)Math.Min(left, piece.Length);
                if (chunked) await stream.WriteAsync(Encoding.ASCII.GetBytes($"{size:x}\r\n"), Stop);
                await stream.WriteAsync(piece.AsMemory(0, size), Stop);
                if (chunked) await stream.WriteAsync("\r\n"u8.ToArray(), Stop);
            }
            if (chunked) await stream.WriteAsync("0\r\n\r\n"u8.ToArray(), Stop);
        }

        public async Task<(int Status, string Body)> ReadAsync()
        {
            var text = new StringBuilder();
            while (Whole(text.ToString()) is null)
            {
                var piece = new byte[16 * 1024];
                var read = await stream.ReadAsync(piece, Stop);
                Assert.True(read > 0, $"the connection ended after: {text}");
                text.Append(Encoding.UTF8.GetString(piece, 0, read));
            }
            return Whole(text.ToString())!.Value;
        }

        public async Task<bool> IsClosedAsync()
        {
            try
            {
                return await stream.ReadAsync(new byte[1], Stop) == 0;
            }
            catch (IOException)
            {
                return true;
            }
        }

        public void Dispose() => connection.Dispose();

        private static (int Status, string Body)? Whole(string text)
        {
            var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (end < 0) return null;
            var (head, body) = (text[..end], text[(end + 4)..]);
            if (head.Contains("Transfer-Encoding: chunked", StringComparison.OrdinalIgnoreCase))
            {
                if (!body.EndsWith("0\r\n\r\n", StringComparison.Ordinal)) return null;
            }
            else
            {
                var name = head.IndexOf("Content-Length:", StringComparison.OrdinalIgnoreCase);
                var length = int.Parse(head[(name + 15)..].Split('\r')[0], System.Globalization.CultureInfo.InvariantCulture);
                if (Encoding.UTF8.GetByteCount(body) < length) return null;
            }
            var brace = body.IndexOf('{', StringComparison.Ordinal);
            return (int.Parse(head.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture), brace < 0 ? body : body[brace..(body.LastIndexOf('}') + 1)]);
        }
    }
}
