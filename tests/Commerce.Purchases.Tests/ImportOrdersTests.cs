using System.Diagnostics;
using Commerce.Purchases.Contracts;
using Commerce.Testing;
using Xunit;

namespace Commerce.Purchases.Tests;

public sealed class ImportOrdersTests
{
    [Fact]
    public async Task Right_lines_are_taken_and_each_wrong_one_says_why()
    {
        await using var shop = await Shop.OpenAsync();
        var customer = shop.Accounts.Add(Shop.Email, verified: true);
        var wrong = Shop.Order("W-1");
        wrong["lines"]![0]!["gtin"] = "6410001122338";
        var extra = Shop.Order("W-2");
        extra["colour"] = "red";
        var outcomes = await shop.Hub.AskAsync(new ImportOrders(
        [
            new(10, Shop.Order("A-1").ToJsonString()), new(11, wrong.ToJsonString()), new(12, extra.ToJsonString()), new(13, "not json"), new(14, Shop.Order("A-2").ToJsonString()),
        ]));
        Assert.Equal([10, 11, 12, 13, 14], outcomes.Select(o => o.Line));
        Assert.Equal([true, false, false, false, true], outcomes.Select(o => o.IsNew));
        Assert.Null(outcomes[0].Reason);
        Assert.Contains("lines[0].gtin", outcomes[1].Reason);
        Assert.Contains("colour", outcomes[2].Reason);
        Assert.NotNull(outcomes[3].Reason);
        Assert.Equal(2, await shop.OrdersAsync());
        Assert.Null((await shop.Hub.AskAsync(new PurchaseOf(customer, "A-1"))).Value.ApiClient);
        await Wait.UntilAsync(() => shop.Told.Facts.Count == 2, "two purchases are told");
        Assert.All(shop.Told.Facts, f => Assert.Equal(("purchase", customer), (f.Kind, f.Customer)));
    }

    [Theory, InlineData("sqlite"), InlineData("postgresql")]
    public async Task A_repeated_batch_changes_nothing_and_tells_nothing(string engine)
    {
        await using var shop = await Shop.OpenAsync(engine);
        shop.Accounts.Add(Shop.Email, verified: true);
        var batch = new ImportOrders([.. Enumerable.Range(1, 20).Select(i => new ImportedOrder(i, Shop.Order($"A-{i}").ToJsonString()))]);
        Assert.All(await shop.Hub.AskAsync(batch), o => Assert.True(o.IsNew));
        Assert.All(await shop.Hub.AskAsync(batch), o => Assert.Equal((false, null), (o.IsNew, o.Reason)));
        await Wait.UntilAsync(() => shop.Told.Facts.Count >= 20, "the purchases are told");
        Assert.Equal(20, await shop.OrdersAsync());
        Assert.Equal(20, shop.Told.Facts.Select(f => f.Fact).Distinct().Count());

        var changed = Shop.Order("A-1");
        changed["currency"] = "SEK";
        var twice = new ImportOrders([new(1, Shop.Order("B-1").ToJsonString()), new(2, Shop.Order("B-1").ToJsonString()), new(3, changed.ToJsonString())]);
        var outcomes = await shop.Hub.AskAsync(twice);
        Assert.Equal([true, false, false], outcomes.Select(o => o.IsNew));
        Assert.Null(outcomes[1].Reason);
        Assert.Contains("another order", outcomes[2].Reason, StringComparison.OrdinalIgnoreCase);
    }

    [Theory, InlineData("sqlite"), InlineData("postgresql")]
    public async Task An_order_that_a_shop_posts_while_the_batch_runs_is_not_there_twice(string engine)
    {
        await using var shop = await Shop.OpenAsync(engine);
        var once = 0;
        shop.Accounts.Meanwhile = async () =>
        {
            if (Interlocked.Exchange(ref once, 1) == 0) await shop.PostAsync(Shop.Order("A-2"));
        };
        var outcomes = await shop.Hub.AskAsync(new ImportOrders([new(1, Shop.Order("A-1").ToJsonString()), new(2, Shop.Order("A-2").ToJsonString())]));
        Assert.Equal([true, false], outcomes.Select(o => o.IsNew));
        Assert.Equal(2, await shop.OrdersAsync());
    }
}
