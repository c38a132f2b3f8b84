using System.Diagnostics;
using System.Text.Json;
using Commerce.Generator;
using Xunit;

namespace Commerce.Host.Tests;

/// <summary>Imports: what is taken, what is rejected and why, and what a kill leaves behind.</summary>
public sealed class ImportTests(ITestOutputHelper output) : IDisposable
{
    private readonly CommandLineRunner hub = new();

    public void Dispose() => hub.Dispose();

    private const string Aino = """{"external_id": "NT-1", "banner": "northern-tires", "email": "aino@posti.example", "email_verified": true, "locale": "fi-FI", "created_at": "2017-03-02T09:00:00+02:00", "vehicles": [{"registration": "ABC-123", "country": "FI"}]}""";

    [Theory]
    [InlineData("{", "not JSON")]
    [InlineData("[]", "JSON object is expected")]
    [InlineData("null", "JSON object is expected")]
    [InlineData("aino;virtanen", "not JSON")]
    [InlineData("\"NT-1\", ", "\"NT-1\", \"colour\": \"red\", ", "'colour'")]
    [InlineData("\"banner\":", "\"email\": \"x@posti.example\", \"banner\":", "'email' stands here twice")]
    [InlineData("\"external_id\": \"NT-1\", ", "", "external_id: this is needed")]
    [InlineData("aino@posti.example", "aino at posti", "email:")]
    [InlineData("\"fi-FI\"", "\"Finnish, please\"", "locale:")]
    [InlineData("\"northern-tires\"", "\"Northern Tires\"", "banner:")]
    [InlineData("2017-03-02T09:00:00+02:00", "2.3.2017", "created_at:")]
    [InlineData("2017-03-02T09:00:00+02:00", "2217-03-02T09:00:00+02:00", "created_at:")]
    [InlineData("\"email_verified\": true", "\"email_verified\": \"yes\"", "'email_verified' has a value of the wrong kind")]
    [InlineData("\"email_verified\": true", "\"phone_number\": \"040 123 4567\"", "phone_number:")]
    [InlineData("\"ABC-123\"", "\"\"", "vehicles[0].registration: this is needed")]
    [InlineData("\"country\": \"FI\"", "\"country\": \"Finland\"", "vehicles[0].country:")]
    [InlineData("\"email_verified\": true", "\"password_hash\": {\"scheme\": \"md5\", \"value\": \"x\"}", "password_hash.scheme")]
    public async Task A_wrong_line_is_rejected_with_its_number_and_reason_and_the_others_are_taken(string what, string with, string? reason = null)
    {
        var wrong = reason is null ? what : Aino.Replace(what, with, StringComparison.Ordinal);
        Assert.NotEqual(Aino, wrong);
        var file = hub.Write("customers.jsonl", $"{Aino.Replace("NT-1", "NT-0", StringComparison.Ordinal).Replace("aino", "eino", StringComparison.Ordinal)}\r\n\n{wrong}\n{Other(3)}");
        var summary = await hub.JsonAsync("customers", "import", file);
        Assert.Equal((2, 1), (summary.GetProperty("added").GetInt32(), summary.GetProperty("rejected").GetInt32()));
        var (line, said) = Assert.Single(Rejected(file));
        Assert.Equal(3, line);
        Assert.Contains(reason ?? with, said, StringComparison.Ordinal);
        Assert.EndsWith(".", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_or_address_that_stands_twice_is_taken_once()
    {
        var file = hub.Write("customers.jsonl", $"{Other(1)}\n{Other(1)}\n{Other(2).Replace("person2@", "PERSON1@", StringComparison.Ordinal)}\n{Other(4)}\n");
        var summary = await hub.JsonAsync("customers", "import", file);
        Assert.Equal((2, 2), (summary.GetProperty("added").GetInt32(), summary.GetProperty("rejected").GetInt32()));
        Assert.Equal([2, 3], Rejected(file).Select(r => r.Line));
        Assert.Contains("line 1 has the same already", Rejected(file)[0].Reason, StringComparison.Ordinal);
        Assert.Contains("email", Rejected(file)[1].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_line_over_a_megabyte_is_rejected_without_being_read()
    {
        var file = hub.Write("customers.jsonl", $"{Other(1)}\n{{\"x\": \"{new string('x', 3_000_000)}\"}}\n{Other(2)}\n");
        var summary = await hub.JsonAsync("customers", "import", file);
        Assert.Equal(2, summary.GetProperty("added").GetInt32());
        Assert.Contains("longer than", Assert.Single(Rejected(file)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_import_of_the_same_file_adds_nothing_and_a_mended_line_is_taken()
    {
        var file = hub.Write("customers.jsonl", $"{Other(1)}\n{Other(2)[..40]}\n");
        Assert.Equal(1, (await hub.JsonAsync("customers", "import", file)).GetProperty("added").GetInt32());
        Assert.Single(Rejected(file));
        hub.Write("customers.jsonl", $"{Other(1)}\n{Other(2)}\n");
        var summary = await hub.JsonAsync("customers", "import", file);
        Assert.Equal((1, 1, 0), (summary.GetProperty("added").GetInt32(), summary.GetProperty("known").GetInt32(), summary.GetProperty("rejected").GetInt32()));
        Assert.False(File.Exists($"{file}.rejected"));
        Assert.Equal(2, hub.Count("identity", "SELECT count(*) FROM accounts"));
    }

    [Fact]
    public async Task An_order_goes_to_the_customer_of_its_address_and_a_wrong_gtin_is_rejected()
    {
        await hub.JsonAsync("customers", "import", hub.Write("customers.jsonl", Aino));
        const string order = """{"order_number": "NT-2026-1", "banner": "northern-tires", "customer": {"email": "aino@posti.example"}, "placed_at": "2026-10-05T14:12:33+03:00", "currency": "EUR", "lines": [{"line": 1, "gtin": "6410001122333", "sku": "W", "description": "Winter tire", "category": "tires/winter", "quantity": 4, "unit_price": "129.90", "properties": {}}], "fulfilment": {"method": "store_pickup"}}""";
        var right = order.Replace("6410001122333", Ean13.Of("641000112233"), StringComparison.Ordinal);
        var wrong = order.Replace("6410001122333", Ean13.Of("641000112233")[..12] + (char)('0' + (Ean13.Of("641000112233")[12] - '0' + 1) % 10), StringComparison.Ordinal);
        var file = hub.Write("orders.jsonl", $"{right}\n{wrong.Replace("2026-1", "2026-2", StringComparison.Ordinal)}\n{right}\n");
        var summary = await hub.JsonAsync("orders", "import", file);
        Assert.Equal((1, 2), (summary.GetProperty("added").GetInt32(), summary.GetProperty("rejected").GetInt32()));
        Assert.Equal([2, 3], Rejected(file).Select(r => r.Line));
        Assert.Contains("gtin", Rejected(file)[0].Reason, StringComparison.Ordinal);
        Assert.Equal(1, hub.Count("purchases", "SELECT count(*) FROM orders WHERE Customer IS NOT NULL"));
    }

    [Fact]
    public async Task A_missing_file_fails()
    {
        var said = await hub.RunAsync("customers", "import", hub.Folder.File("nothing.jsonl"));
        Assert.Equal(1, said.Code);
        Assert.Contains("There is no file", said.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Killed_five_times_and_resumed_it_takes_everybody_once_and_rejects_each_wrong_line_once()
    {
        const int customers = 5_000, orders = 10_000, badEvery = 97;
        var retailer = new Retailer(7, customers, orders, badEvery);
        var (customersFile, ordersFile) = (hub.Folder.File("customers.jsonl"), hub.Folder.File("orders.jsonl"));
        retailer.WriteCustomers(customersFile);
        retailer.WriteOrders(ordersFile);
        var random = new Random(20261122);

        var watch = Stopwatch.StartNew();
        var resumed = await ImportAsync("customers", customersFile, kills: 3, random);
        Assert.Equal(customers - customers / badEvery, hub.Count("identity", "SELECT count(*) FROM accounts"));
        Assert.Equal(WrongLines(customers, badEvery), Rejected(customersFile).Select(r => r.Line));
        resumed += await ImportAsync("orders", ordersFile, kills: 2, random);
        Assert.Equal(orders - orders / badEvery, hub.Count("purchases", "SELECT count(*) FROM orders"));
        Assert.Equal(WrongLines(orders, badEvery), Rejected(ordersFile).Select(r => r.Line));
        output.WriteLine($"{watch.Elapsed.TotalSeconds:0} s, {resumed} runs went on behind a checkpoint");
        Assert.True(resumed > 0, "No run went on where an earlier one stood.");
    }

    private static IEnumerable<long> WrongLines(int count, int every) => Enumerable.Range(1, count / every).Select(i => (long)i * every);

    // Returns how many runs began behind line 0.
    private async Task<int> ImportAsync(string what, string file, int kills, Random random)
    {
        var resumed = 0;
        for (var run = 0; ; run++)
        {
            using var child = Process.Start(new ProcessStartInfo("dotnet",
                [Path.Combine(AppContext.BaseDirectory, "Commerce.Host.dll"), what, "import", file, "--data", hub.Data, "--json"])
            { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var (said, error) = (child.StandardOutput.ReadToEndAsync(), child.StandardError.ReadToEndAsync());
            if (run < kills)
            {
                // At any moment: before the first batch, between two, or inside one.
                var checkpoints = Path.Combine(hub.Data, "imports");
                var target = random.Next(0, 4);
                var noted = 0;
                DateTime last = default;
                while (!child.HasExited && noted < target)
                {
                    var now = Directory.Exists(checkpoints) ? Directory.EnumerateFiles(checkpoints, $"{what}-*.json").Select(File.GetLastWriteTimeUtc).DefaultIfEmpty().Max() : default;
                    if (now != last) noted++;
                    last = now;
                    await Task.Delay(1);
                }
                await Task.Delay(random.Next(0, 150));
                child.Kill();
            }
            await child.WaitForExitAsync();
            if ((await error).Contains("Going on behind line", StringComparison.Ordinal)) resumed++;
            if (run < kills && child.ExitCode != 0) continue;
            Assert.True(child.ExitCode == 0, await error);
            var summary = JsonDocument.Parse(await said).RootElement;
            output.WriteLine(summary.ToString());
            return resumed;
        }
    }

    private static string Other(int number) => Aino.Replace("NT-1", $"NT-{number}", StringComparison.Ordinal).Replace("aino@", $"person{number}@", StringComparison.Ordinal);

    private static List<(long Line, string Reason)> Rejected(string file) => [.. File.ReadLines($"{file}.rejected").Select(line => JsonDocument.Parse(line).RootElement)
        .Select(json => (json.GetProperty("line").GetInt64(), json.GetProperty("reason").GetString()!))];
}
