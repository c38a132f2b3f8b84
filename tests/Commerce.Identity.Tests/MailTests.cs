using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Commerce.Identity.Data;
using Commerce.Testing;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Commerce.Identity.Tests;

public sealed class MailTests
{
    [Fact]
    public async Task The_mailbox_page_exists_only_where_no_mail_can_leave_and_only_in_development()
    {
        await using var production = await Customers.StartAsync(development: false);
        using var browser = production.NewBrowser();
        await browser.RegisterAsync("aino@example.com");
        Assert.Equal((HttpStatusCode.NotFound, "identity.no_mailbox"), ((await browser.GetAsync("/mailbox")).Status, (await browser.GetAsync("/mailbox")).RefusalCode));
        Assert.DoesNotContain("/mailbox", (await browser.GetAsync("/register/sent")).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_a_mail_server_the_mail_leaves_by_smtp_and_its_row_goes()
    {
        using var server = new TinySmtp();
        await using var hub = await Customers.StartAsync(configuration: server.Configuration);
        using var browser = hub.NewBrowser();

        await browser.RegisterAsync("aino@example.com");

        await Wait.UntilAsync(() => server.Taken.Count == 1, "the mail arrived");
        var mail = server.Taken.First();
        Assert.Contains("To: aino@example.com", mail, StringComparison.Ordinal);
        Assert.Contains("From: id@northern.example", mail, StringComparison.Ordinal);
        Assert.Contains("/confirm?code=", mail.Replace("=\r\n", "", StringComparison.Ordinal).Replace("=3D", "=", StringComparison.Ordinal), StringComparison.Ordinal);
        await Wait.UntilAsync(async () => await hub.WithDbAsync<IdentityDb, int>(db => db.Mails.CountAsync()) == 0, "the row is gone");
        Assert.Equal(HttpStatusCode.NotFound, (await browser.GetAsync("/mailbox")).Status);
    }

    [Fact]
    public async Task A_mail_that_the_server_does_not_take_is_tried_again_later()
    {
        using var server = new TinySmtp { Refuses = true };
        await using var hub = await Customers.StartAsync(configuration: server.Configuration);
        using var browser = hub.NewBrowser();
        await browser.RegisterAsync("aino@example.com");

        await Wait.UntilAsync(() => server.Attempts == 1, "the first attempt was made");
        await Wait.UntilAsync(async () => await hub.WithDbAsync<IdentityDb, bool>(db => db.Mails.AnyAsync(m => m.Attempts == 1 && m.NextAttemptAt < hub.Clock.GetUtcNow().AddMinutes(2))), "it waits a minute");
        server.Refuses = false;
        hub.Clock.Advance(TimeSpan.FromMinutes(1));

        await Wait.UntilAsync(() => server.Taken.Count == 1, "the mail arrived");
    }

    /// <summary>A mail server of a few lines: it takes one mail after another, or refuses every one.</summary>
    private sealed class TinySmtp : IDisposable
    {
        private readonly TcpListener listener = new(IPAddress.Loopback, 0);
        private readonly CancellationTokenSource stop = new();
        private int attempts;

        public TinySmtp()
        {
            listener.Start();
            _ = ServeAsync();
        }

        public volatile bool Refuses;
        public int Attempts => Volatile.Read(ref attempts);
        public System.Collections.Concurrent.ConcurrentQueue<string> Taken { get; } = new();

        public Dictionary<string, string?> Configuration => new()
        {
            ["Smtp:Host"] = "127.0.0.1",
            ["Smtp:Port"] = ((IPEndPoint)listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture),
            ["Smtp:StartTls"] = "false",
            ["Smtp:From"] = "id@northern.example",
        };

        private async Task ServeAsync()
        {
            while (!stop.IsCancellationRequested)
            {
                using var client = await listener.AcceptTcpClientAsync(stop.Token);
                await using var stream = client.GetStream();
                using var reader = new StreamReader(stream, Encoding.UTF8);
                await using var writer = new StreamWriter(stream, Encoding.ASCII) { AutoFlush = true, NewLine = "\r\n" };
                Interlocked.Increment(ref attempts);
                await writer.WriteLineAsync("220 tiny");
                while (await reader.ReadLineAsync(stop.Token) is { } line)
                {
                    if (line.StartsWith("DATA", StringComparison.Ordinal))
                    {
                        await writer.WriteLineAsync("354 go on");
                        var mail = new StringBuilder();
                        while (await reader.ReadLineAsync(stop.Token) is { } part && part != ".") mail.Append(part).Append("\r\n");
                        Taken.Enqueue(mail.ToString());
                        await writer.WriteLineAsync("250 taken");
                    }
                    else if (line.StartsWith("QUIT", StringComparison.Ordinal))
                    {
                        await writer.WriteLineAsync("221 bye");
                        break;
                    }
                    else
                    {
                        await writer.WriteLineAsync(Refuses && line.StartsWith("MAIL", StringComparison.Ordinal) ? "451 not now" : "250 fine");
                    }
                }
            }
        }

        public void Dispose()
        {
            stop.Cancel();
            listener.Dispose();
            stop.Dispose();
        }
    }
}
