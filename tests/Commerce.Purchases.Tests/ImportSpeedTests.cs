using System.Diagnostics;
using Commerce.Purchases.Contracts;
using Xunit;

namespace Commerce.Purchases.Tests;

/// <summary>Runs alone, and counts processor time, which a busy machine does not stretch.</summary>
[CollectionDefinition(nameof(ImportSpeedTests), DisableParallelization = true)]
[Collection(nameof(ImportSpeedTests))]
public sealed class ImportSpeedTests
{
    [Fact]
    public async Task Three_hundred_thousand_orders_are_minutes_and_not_hours()
    {
        await using var shop = await Shop.OpenAsync();
        for (var i = 0; i < 2000; i++) shop.Accounts.Add($"customer{i}@example.com", verified: true);
        var batches = Enumerable.Range(0, 11).Select(b => new ImportOrders([.. Enumerable.Range(b * 1000, 1000).Select(i =>
        {
            var order = Shop.Order($"I-{i}");
            order["customer"]!["email"] = $"customer{i % 3000}@example.com";    // a third has no account
            return new ImportedOrder(i + 1, order.ToJsonString());
        })])).ToList();
        await shop.Hub.AskAsync(batches[0]);
        using var process = Process.GetCurrentProcess();
        var before = process.TotalProcessorTime;
        var watch = Stopwatch.StartNew();
        foreach (var batch in batches.Skip(1)) Assert.All(await shop.Hub.AskAsync(batch), o => Assert.True(o.IsNew));
        process.Refresh();
        var spent = process.TotalProcessorTime - before;
        TestContext.Current.TestOutputHelper?.WriteLine($"{10_000 / spent.TotalSeconds:0} orders a processor second, {10_000 / watch.Elapsed.TotalSeconds:0} a second by the clock");
        Assert.True(spent < TimeSpan.FromSeconds(20), $"10,000 orders took {spent.TotalSeconds:0.0} s of processor time.");
        Assert.Equal(11_000, await shop.OrdersAsync());
    }
}
