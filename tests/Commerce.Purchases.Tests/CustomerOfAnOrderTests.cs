using System.Net;
using Commerce.Identity.Contracts;
using Commerce.Kernel.Secrets;
using Commerce.Purchases.Contracts;
using Commerce.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Commerce.Purchases.Tests;

public sealed class CustomerOfAnOrderTests
{
    [Fact]
    public async Task The_customer_with_the_verified_address_owns_the_order_and_it_reads_as_it_was_posted()
    {
        await using var shop = await Shop.OpenAsync();
        var customer = shop.Accounts.Add("Aino.Virtanen@example.com", verified: true);
        await shop.PostAsync(Shop.Order());
        var purchase = (await shop.Hub.AskAsync(new PurchaseOf(customer, "NT-2026-000123"))).Value;
        Assert.Equal(Shop.Client, purchase.ApiClient);
        Assert.Equal(TimeSpan.FromHours(3), purchase.PlacedAt.Offset);
        Assert.Equal(("NT-WT-2055516", 4, "129.90"), (purchase.Lines[0].Sku, purchase.Lines[0].Quantity, purchase.Lines[0].UnitPrice));
        Assert.Equal(205, purchase.Lines[0].Properties.GetProperty("width_mm").GetInt32());
        Assert.Equal("ABC-123", purchase.Vehicle!.Registration);
        Assert.Equal(("home_delivery", "Helsinki"), (purchase.Fulfilment.Method, purchase.Fulfilment.Address!.Locality));
        await Wait.UntilAsync(() => !shop.Told.Facts.IsEmpty, "the purchase is told");
        var fact = shop.Told.Facts.Single();
        Assert.Equal(("purchase", customer, "NT-2026-000123", "northern-tires"), (fact.Kind, fact.Customer, fact.OrderNumber, fact.Banner));
        Assert.Equal("4 × Winter tire 205/55 R16 94T, 1 × Rubber floor mats, set of 4", fact.Summary);
    }

    [Fact]
    public async Task An_order_of_somebody_else_is_refused_in_the_words_of_an_order_that_is_not_there()
    {
        await using var shop = await Shop.OpenAsync();
        shop.Accounts.Add(Shop.Email, verified: true);
        var stranger = shop.Accounts.Add("stranger@example.org", verified: true);
        await shop.PostAsync(Shop.Order());
        var others = (await shop.Hub.AskAsync(new PurchaseOf(stranger, "NT-2026-000123"))).Refusal;
        Assert.Equal((await shop.Hub.AskAsync(new PurchaseOf(stranger, "NT-0"))).Refusal, others);
        Assert.Equal("purchases.unknown_order", others!.Code);
    }

    [Fact]
    public async Task An_account_that_has_not_shown_that_the_address_is_its_own_gets_no_order()
    {
        await using var shop = await Shop.OpenAsync();
        var squatter = shop.Accounts.Add(Shop.Email, verified: false);
        await shop.PostAsync(Shop.Order());
        Assert.False((await shop.Hub.AskAsync(new PurchaseOf(squatter, "NT-2026-000123"))).IsOk);
        await shop.Hub.AskAsync(new ImportOrders([new ImportedOrder(1, Shop.Order("OLD-1").ToJsonString())]));
        Assert.False((await shop.Hub.AskAsync(new PurchaseOf(squatter, "OLD-1"))).IsOk);
        await shop.Accounts.TellAsync(new CustomerRegistered(squatter, "northern-tires", null, null, "fi-FI", shop.Hub.Clock.GetUtcNow()));
        await shop.Accounts.ConfirmAsync(shop.Accounts.Add("last@example.org", verified: false));
        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => shop.Hub.AskAsync(new PurchaseOf(squatter, "OLD-1"))));
        Assert.Empty(shop.Told.Facts);
    }

    [Theory, InlineData("sqlite"), InlineData("postgresql")]
    public async Task Orders_wait_for_their_customer_and_come_when_the_address_is_confirmed(string engine)
    {
        await using var shop = await Shop.OpenAsync(engine);
        await shop.PostAsync(Shop.Order("A-1"), "k1");
        await shop.PostAsync(Shop.Order("A-2"), "k2");
        await shop.Hub.AskAsync(new ImportOrders([new ImportedOrder(1, Shop.Order("OLD-1").ToJsonString())]));
        var customer = shop.Accounts.Add(Shop.Email.ToUpperInvariant(), verified: false);
        await shop.Accounts.ConfirmAsync(customer);
        await Wait.UntilAsync(() => shop.Told.Facts.Count == 3, "three purchases are told");
        Assert.Equal(["A-1", "A-2", "OLD-1"], shop.Told.Facts.Select(f => f.OrderNumber).Order());
        Assert.Equal("Helsinki", (await shop.Hub.AskAsync(new PurchaseOf(customer, "OLD-1"))).Value.Fulfilment.Address!.Locality);

        // Sealed anew under the customer's own key: destroying that key takes the order with it.
        await shop.Hub.Services.GetRequiredService<PersonalData>().EraseAsync(customer);
        Assert.False((await shop.Hub.AskAsync(new PurchaseOf(customer, "A-1"))).IsOk);
    }

    [Fact]
    public async Task An_imported_account_whose_address_is_verified_gets_its_waiting_orders()
    {
        await using var shop = await Shop.OpenAsync();
        await shop.PostAsync(Shop.Order());
        var customer = shop.Accounts.Add(Shop.Email, verified: true);
        await shop.Accounts.TellAsync(new CustomerRegistered(customer, "northern-tires", "Aino", "Virtanen", "fi-FI", shop.Hub.Clock.GetUtcNow()));
        await Wait.UntilAsync(() => !shop.Told.Facts.IsEmpty, "the purchase is told");
        Assert.True((await shop.Hub.AskAsync(new PurchaseOf(customer, "NT-2026-000123"))).IsOk);
    }

    [Fact]
    public async Task A_confirmation_that_comes_while_the_order_is_being_kept_is_not_missed()
    {
        await using var shop = await Shop.OpenAsync();
        var customer = shop.Accounts.Add(Shop.Email, verified: false);
        shop.Offers.Meanwhile = async () => await shop.Accounts.ConfirmAsync(customer);
        await shop.PostAsync(Shop.Order());
        await Wait.UntilAsync(() => !shop.Told.Facts.IsEmpty, "the purchase is told");
        Assert.Single(shop.Told.Facts);
    }

    [Theory, InlineData("sqlite"), InlineData("postgresql")]
    public async Task An_order_that_was_missed_comes_to_its_customer_when_it_is_asked_for(string engine)
    {
        await using var shop = await Shop.OpenAsync(engine);
        await shop.PostAsync(Shop.Order());
        var customer = shop.Accounts.Add(Shop.Email, verified: true);    // and nobody tells
        Assert.True((await shop.Hub.AskAsync(new PurchaseOf(customer, "NT-2026-000123"))).IsOk);
        await Wait.UntilAsync(() => !shop.Told.Facts.IsEmpty, "the purchase is told");
    }

    [Fact]
    public async Task An_order_for_an_erased_customer_is_kept_without_one()
    {
        await using var shop = await Shop.OpenAsync();
        var customer = shop.Accounts.Add(Shop.Email, verified: true);
        await shop.Hub.Services.GetRequiredService<PersonalData>().EraseAsync(customer);
        Assert.Equal(HttpStatusCode.Created, (await shop.PostAsync(Shop.Order())).Status);
        Assert.False((await shop.Hub.AskAsync(new PurchaseOf(customer, "NT-2026-000123"))).IsOk);
        Assert.True((await shop.Hub.AskAsync(new ImportOrders([new ImportedOrder(1, Shop.Order("OLD-1").ToJsonString())])))[0].IsNew);
    }
}
