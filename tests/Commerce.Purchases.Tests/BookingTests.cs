using System.Net;
using System.Text.Json.Nodes;
using Commerce.Kernel;
using Commerce.Purchases.Contracts;
using Commerce.Purchases.Data;
using Commerce.Testing;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Commerce.Purchases.Tests;

public sealed class BookingTests
{
    [Theory, InlineData("sqlite"), InlineData("postgresql")]
    public async Task A_booking_after_a_landing_sends_the_order_to_the_partner_and_everybody_is_told(string engine)
    {
        await using var shop = await Shop.OpenAsync(engine);
        var (customer, hop) = await LandedAsync(shop);
        using var partner = shop.As("kolari", ApiScopes.WriteBookings, "kolari-auto");
        var (status, body) = await shop.PostAsync("/api/bookings", Booking(hop).ToJsonString(), "b-1", http: partner);
        Assert.Equal(HttpStatusCode.Created, status);
        var answer = JsonNode.Parse(body)!;
        Assert.Equal("NT-2026-000123", answer["order_number"]!.GetValue<string>());
        Assert.Equal(("ship_to_partner", "kolari-auto", "Kolari Auto Vantaa"),
            (answer["fulfilment"]!["method"]!.GetValue<string>(), answer["fulfilment"]!["partner"]!.GetValue<string>(), answer["fulfilment"]!["name"]!.GetValue<string>()));

        var purchase = (await shop.Hub.AskAsync(new PurchaseOf(customer, "NT-2026-000123"))).Value;
        Assert.Equal(("ship_to_partner", "kolari-auto", "Vantaa"), (purchase.Fulfilment.Method, purchase.Fulfilment.Partner, purchase.Fulfilment.Address!.Locality));

        await Wait.UntilAsync(() => shop.Told.Facts.Count == 3 && !shop.Told.Bookings.IsEmpty, "purchase, fulfilment and booking are told");
        Assert.Equal(["purchase", "fulfilment", "booking"], shop.Told.Facts.Select(f => f.Kind));
        Assert.All(shop.Told.Facts, f => Assert.Equal(customer, f.Customer));
        Assert.Equal("Tire fitting, Air conditioning service · 2026-10-12 09:30", shop.Told.Facts.Last().Summary);
        Assert.Equal("Kolari Auto", shop.Told.Facts.Last().PartnerName);
        var made = shop.Told.Bookings.Single();
        Assert.Equal(answer["booking"]!.GetValue<Guid>(), made.Booking);
        Assert.Equal(("kolari-auto", customer, 2), (made.Partner, made.Customer, made.Services.Count));
    }

    [Fact]
    public async Task The_shop_sees_where_its_order_goes_and_what_was_booked_and_another_shop_sees_nothing()
    {
        await using var shop = await Shop.OpenAsync();
        var (_, hop) = await LandedAsync(shop);
        var before = JsonNode.Parse(await shop.Hub.Http.GetStringAsync("/api/orders/NT-2026-000123"))!;
        Assert.Equal("home_delivery", before["fulfilment"]!["method"]!.GetValue<string>());
        Assert.Empty(before["bookings"]!.AsArray());

        using var partner = shop.As("kolari", ApiScopes.WriteBookings, "kolari-auto");
        await shop.PostAsync("/api/bookings", Booking(hop).ToJsonString(), "b-1", http: partner);
        var after = JsonNode.Parse(await shop.Hub.Http.GetStringAsync("/api/orders/NT-2026-000123"))!;
        Assert.Equal(("ship_to_partner", "Kolari Auto Vantaa"), (after["fulfilment"]!["method"]!.GetValue<string>(), after["fulfilment"]!["name"]!.GetValue<string>()));
        var booking = after["bookings"]!.AsArray().Single()!;
        Assert.Equal(("KA-77", "Kolari Auto", "2026-10-12T09:30:00+03:00"),
            (booking["reference"]!.GetValue<string>(), booking["partner_name"]!.GetValue<string>(), booking["starts_at"]!.GetValue<string>()));
        Assert.Equal(["FIT-4", "AC"], booking["services"]!.AsArray().Select(s => s!["code"]!.GetValue<string>()));

        using var other = shop.As("another-shop", ApiScopes.WriteOrders);
        var (others, none) = (await other.GetAsync("/api/orders/NT-2026-000123"), await other.GetAsync("/api/orders/NT-0"));
        Assert.Equal(HttpStatusCode.NotFound, others.StatusCode);
        Assert.Equal(Shop.Code(await none.Content.ReadAsStringAsync()), Shop.Code(await others.Content.ReadAsStringAsync()));
        Assert.Equal(HttpStatusCode.Forbidden, (await partner.GetAsync("/api/orders/NT-2026-000123")).StatusCode);
    }

    [Fact]
    public async Task A_booking_without_an_address_leaves_the_order_where_it_goes()
    {
        await using var shop = await Shop.OpenAsync();
        var (_, hop) = await LandedAsync(shop);
        using var partner = shop.As("kolari", ApiScopes.WriteBookings, "kolari-auto");
        var booking = Booking(hop);
        booking.Remove("ship_to");
        var (_, body) = await shop.PostAsync("/api/bookings", booking.ToJsonString(), "b-1", http: partner);
        Assert.Equal("home_delivery", JsonNode.Parse(body)!["fulfilment"]!["method"]!.GetValue<string>());
        await Wait.UntilAsync(() => shop.Told.Facts.Count == 2, "purchase and booking are told");
        Assert.DoesNotContain(shop.Told.Facts, f => f.Kind == "fulfilment");
    }

    [Fact]
    public async Task A_hop_that_is_unknown_or_another_partners_is_refused_in_the_same_words()
    {
        await using var shop = await Shop.OpenAsync();
        var (_, hop) = await LandedAsync(shop);
        using var other = shop.As("neste", ApiScopes.WriteBookings, "neste");
        var others = await shop.PostAsync("/api/bookings", Booking(hop).ToJsonString(), "b-1", http: other);
        var none = await shop.PostAsync("/api/bookings", Booking("00000000000000000000000000000000").ToJsonString(), "b-2", http: other);
        Assert.Equal(HttpStatusCode.NotFound, others.Status);
        Assert.Equal(Shop.Code(none.Body), Shop.Code(others.Body));
        Assert.Equal(0, await CountAsync(shop));
    }

    [Fact]
    public async Task A_hop_whose_order_belongs_to_somebody_else_books_nothing()
    {
        await using var shop = await Shop.OpenAsync();
        await LandedAsync(shop);
        var stranger = shop.Accounts.Add("stranger@example.org", verified: true);
        using var partner = shop.As("kolari", ApiScopes.WriteBookings, "kolari-auto");
        var (status, body) = await shop.PostAsync("/api/bookings", Booking(shop.Hops.Land(stranger, "NT-2026-000123")).ToJsonString(), "b-1", http: partner);
        Assert.Equal((HttpStatusCode.NotFound, "purchases.unknown_order"), (status, Shop.Code(body)));
        Assert.Equal(0, await CountAsync(shop));
    }

    [Fact]
    public async Task Only_a_partners_client_with_the_scope_may_book()
    {
        await using var shop = await Shop.OpenAsync();
        var (_, hop) = await LandedAsync(shop);
        Assert.Equal(HttpStatusCode.Forbidden, (await shop.PostAsync("/api/bookings", Booking(hop).ToJsonString(), "b")).Status);
        using var homeless = shop.As("kolari", ApiScopes.WriteBookings);
        var (status, body) = await shop.PostAsync("/api/bookings", Booking(hop).ToJsonString(), "b", http: homeless);
        Assert.Equal((HttpStatusCode.Forbidden, "purchases.no_partner"), (status, Shop.Code(body)));
    }

    [Theory, InlineData("sqlite"), InlineData("postgresql")]
    public async Task Keys_and_references_make_a_booking_once(string engine)
    {
        await using var shop = await Shop.OpenAsync(engine);
        var (_, hop) = await LandedAsync(shop);
        using var partner = shop.As("kolari", ApiScopes.WriteBookings, "kolari-auto");
        var answers = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => shop.PostAsync("/api/bookings", Booking(hop).ToJsonString(), "b-1", http: partner)));
        Assert.All(answers, a => Assert.Equal(HttpStatusCode.Created, a.Status));
        Assert.Single(answers.Select(a => a.Body).Distinct());
        Assert.Equal(1, await CountAsync(shop));

        // A later booking moves the order; the first one's answer stays what it was.
        var later = Booking(hop, "KA-78");
        later["ship_to"]!["name"] = "Kolari Auto Espoo";
        Assert.Equal(HttpStatusCode.Created, (await shop.PostAsync("/api/bookings", later.ToJsonString(), "b-2", http: partner)).Status);
        Assert.Equal(answers[0], await shop.PostAsync("/api/bookings", Booking(hop).ToJsonString(), "b-1", http: partner));
        Assert.Equal(answers[0], await shop.PostAsync("/api/bookings", Booking(hop).ToJsonString(), "lost-my-key", http: partner));

        var (status, body) = await shop.PostAsync("/api/bookings", Booking(hop, "KA-79").ToJsonString(), "b-1", http: partner);
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "purchases.idempotency_key_reused"), (status, Shop.Code(body)));
        var changed = Booking(hop);
        changed["starts_at"] = "2026-10-13T09:30:00+03:00";
        (status, body) = await shop.PostAsync("/api/bookings", changed.ToJsonString(), "b-3", http: partner);
        Assert.Equal((HttpStatusCode.Conflict, "purchases.reference_taken"), (status, Shop.Code(body)));
        Assert.Equal(2, await CountAsync(shop));
    }

    [Theory]
    [InlineData("hop", "\"\"", "hop")]
    [InlineData("hop", "\"h\\u00f6p\"", "hop")]
    [InlineData("starts_at", "\"2026-10-12 09:30\"", "starts_at")]
    [InlineData("starts_at", "\"2026-10-03T09:30:00Z\"", "starts_at")]
    [InlineData("starts_at", "\"2036-10-12T09:30:00Z\"", "starts_at")]
    [InlineData("services", "[]", "services")]
    [InlineData("services", "[null]", "services[0]")]
    [InlineData("services", "[{\"code\":\"A\"}]", "services[0].title")]
    [InlineData("services", "[{\"code\":\"A\",\"title\":\"A\",\"price\":\"ten\"}]", "services[0].price")]
    [InlineData("services", "[{\"code\":\"A\",\"title\":\"A\",\"quantity\":0}]", "services[0].quantity")]
    [InlineData("ship_to", "{\"name\":\"x\",\"street_address\":\"y\",\"postal_code\":\"1\",\"locality\":\"z\"}", "ship_to.country")]
    [InlineData("reference", "null", "reference")]
    public async Task A_wrong_value_is_refused_under_its_own_name(string member, string value, string field)
    {
        await using var shop = await Shop.OpenAsync();
        var (_, hop) = await LandedAsync(shop);
        using var partner = shop.As("kolari", ApiScopes.WriteBookings, "kolari-auto");
        var booking = Booking(hop);
        booking[member] = JsonNode.Parse(value);
        var (status, body) = await shop.PostAsync("/api/bookings", booking.ToJsonString(), "b", http: partner);
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "purchases.invalid_booking"), (status, Shop.Code(body)));
        Assert.Equal([field], Shop.Fields(body).Distinct());
        Assert.Equal(0, await CountAsync(shop));
    }

    internal static async Task<(Guid Customer, string Hop)> LandedAsync(Shop shop)
    {
        var customer = shop.Accounts.Add(Shop.Email, verified: true);
        Assert.Equal(HttpStatusCode.Created, (await shop.PostAsync(Shop.Order())).Status);
        return (customer, shop.Hops.Land(customer, "NT-2026-000123"));
    }

    internal static JsonObject Booking(string hop, string reference = "KA-77") => JsonNode.Parse($$"""
        {
          "hop": "{{hop}}", "starts_at": "2026-10-12T09:30:00+03:00",
          "services": [ { "code": "FIT-4", "title": "Tire fitting", "quantity": 1, "price": "80.00" }, { "code": "AC", "title": "Air conditioning service" } ],
          "ship_to": { "name": "Kolari Auto Vantaa", "street_address": "Kolarintie 1", "postal_code": "01300", "locality": "Vantaa", "country": "FI" },
          "reference": "{{reference}}"
        }
        """)!.AsObject();

    internal static Task<int> CountAsync(Shop shop) => shop.Hub.WithDbAsync<PurchasesDb, int>(db => db.Bookings.CountAsync());
}
