using System.Net;
using System.Text.Json.Nodes;
using Commerce.Kernel;
using Commerce.Purchases.Contracts;
using Commerce.Purchases.Data;
using Commerce.Testing;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Commerce.Purchases.Tests;

public sealed class PostOrderTests
{
    [Fact]
    public async Task A_right_order_is_kept_and_answered_with_the_offers_that_match()
    {
        await using var shop = await Shop.OpenAsync();
        var (status, body) = await shop.PostAsync(Shop.Order());
        Assert.Equal(HttpStatusCode.Created, status);
        var answer = JsonNode.Parse(body)!;
        Assert.Equal("NT-2026-000123", answer["order_number"]!.GetValue<string>());
        var offer = answer["offers"]!.AsArray().Single()!;
        Assert.Equal(("tire-fitting", "kolari-auto", "saml"), (offer["offer"]!.GetValue<string>(), offer["partner"]!.GetValue<string>(), offer["protocol"]!.GetValue<string>()));
        Assert.Equal("https://id.example/hop/tire-fitting?order=NT-2026-000123", offer["hop_url"]!.GetValue<string>());
        var asked = shop.Offers.Asked.Single();
        Assert.Equal("FI", asked.Country);
        Assert.Equal(["tires/winter", "accessories/interior"], asked.Categories);
        Assert.Equal(1, await shop.OrdersAsync());
    }

    [Fact]
    public async Task The_offers_speak_the_accounts_language_and_else_the_browsers()
    {
        await using var shop = await Shop.OpenAsync();
        await shop.PostAsync(Shop.Order("A-1"), "k1", "sv");
        shop.Accounts.Add(Shop.Email, verified: true, locale: "ko-KR");
        await shop.PostAsync(Shop.Order("A-2"), "k2", "sv");
        Assert.Equal(["sv", "ko"], shop.Offers.Asked.Select(a => a.Language));
    }

    [Fact]
    public async Task The_same_key_and_body_get_the_same_answer_however_the_body_is_written()
    {
        await using var shop = await Shop.OpenAsync();
        var first = await shop.PostAsync(Shop.Order());
        var again = await shop.PostAsync(Shop.Order());
        var order = Shop.Order();
        var turned = new JsonObject(order.Reverse().Select(p => KeyValuePair.Create(p.Key, p.Value?.DeepClone())));
        var bag = turned["lines"]![0]!["properties"]!.AsObject();
        turned["lines"]![0]!["properties"] = new JsonObject(bag.Reverse().Select(p => KeyValuePair.Create(p.Key, p.Value?.DeepClone())));
        var reordered = await shop.PostAsync("/api/orders", turned.ToJsonString(new() { WriteIndented = true }), "k-1");
        Assert.Equal(first, again);
        Assert.Equal(first, reordered);
        Assert.Equal(1, await shop.OrdersAsync());
    }

    [Fact]
    public async Task The_same_key_with_another_body_is_refused()
    {
        await using var shop = await Shop.OpenAsync();
        await shop.PostAsync(Shop.Order());
        var changed = Shop.Order();
        changed["lines"]![0]!["quantity"] = 2;
        var (status, body) = await shop.PostAsync(changed);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
        Assert.Equal("purchases.idempotency_key_reused", Shop.Code(body));
        Assert.Equal("purchases.idempotency_key_reused", Shop.Code((await shop.PostAsync(Shop.Order("NT-2"))).Body));
        Assert.Equal(1, await shop.OrdersAsync());
    }

    [Theory, InlineData("sqlite"), InlineData("postgresql")]
    public async Task An_order_number_is_taken_once_and_only_its_own_shop_may_repeat_it_under_another_key(string engine)
    {
        await using var shop = await Shop.OpenAsync(engine);
        var first = await shop.PostAsync(Shop.Order());
        Assert.Equal(first, await shop.PostAsync(Shop.Order(), "k-2"));

        var changed = Shop.Order();
        changed["currency"] = "SEK";
        var (status, body) = await shop.PostAsync(changed, "k-3");
        Assert.Equal((HttpStatusCode.Conflict, "purchases.order_number_taken"), (status, Shop.Code(body)));

        using var other = shop.As("another-shop", ApiScopes.WriteOrders);
        (status, body) = await shop.PostAsync("/api/orders", Shop.Order().ToJsonString(), "k-1", http: other);
        Assert.Equal((HttpStatusCode.Conflict, "purchases.order_number_taken"), (status, Shop.Code(body)));
        Assert.Equal(1, await shop.OrdersAsync());
    }

    [Fact]
    public async Task A_key_belongs_to_one_shop()
    {
        await using var shop = await Shop.OpenAsync();
        await shop.PostAsync(Shop.Order("A-1"));
        using var other = shop.As("another-shop", ApiScopes.WriteOrders);
        Assert.Equal(HttpStatusCode.Created, (await shop.PostAsync("/api/orders", Shop.Order("B-1").ToJsonString(), "k-1", http: other)).Status);
        Assert.Equal(2, await shop.OrdersAsync());
    }

    [Theory, InlineData("sqlite"), InlineData("postgresql")]
    public async Task Fifty_equal_posts_at_once_are_one_order_with_one_answer(string engine)
    {
        await using var shop = await Shop.OpenAsync(engine);
        shop.Accounts.Add(Shop.Email, verified: true);
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => shop.PostAsync(Shop.Order())));
        Assert.All(answers, a => Assert.Equal(HttpStatusCode.Created, a.Status));
        Assert.Single(answers.Select(a => a.Body).Distinct());
        Assert.Equal(1, await shop.OrdersAsync());
        await Wait.UntilAsync(() => !shop.Told.Facts.IsEmpty, "the purchase is told");
        Assert.Single(shop.Told.Facts);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("two words")]
    public async Task An_order_without_a_usable_idempotency_key_is_refused(string? key)
    {
        await using var shop = await Shop.OpenAsync();
        var (status, body) = await shop.PostAsync(Shop.Order(), key);
        Assert.Equal((HttpStatusCode.BadRequest, "purchases.idempotency_key_missing"), (status, Shop.Code(body)));
        Assert.Equal(HttpStatusCode.BadRequest, (await shop.PostAsync(Shop.Order(), new string('k', 129))).Status);
        Assert.Equal(HttpStatusCode.Created, (await shop.PostAsync(Shop.Order(), new string('k', 128))).Status);
    }

    [Fact]
    public async Task Only_an_api_client_with_the_scope_may_post_orders()
    {
        await using var shop = await Shop.OpenAsync();
        using var partner = shop.As("kolari", ApiScopes.WriteBookings, "kolari-auto");
        Assert.Equal(HttpStatusCode.Forbidden, (await shop.PostAsync("/api/orders", Shop.Order().ToJsonString(), "k", http: partner)).Status);
        using var nobody = new HttpClient { BaseAddress = new Uri(shop.Hub.Origin) };
        Assert.Equal(HttpStatusCode.Unauthorized, (await shop.PostAsync("/api/orders", Shop.Order().ToJsonString(), "k", http: nobody)).Status);
        Assert.Equal(0, await shop.OrdersAsync());
    }

    [Theory]
    [InlineData("order_number", "\"\"", "order_number")]
    [InlineData("order_number", "\"a/b\"", "order_number")]
    [InlineData("order_number", "\"A-1\\n\"", "order_number")]
    [InlineData("order_number", "null", "order_number")]
    [InlineData("banner", "\"Northern Tires\"", "banner")]
    [InlineData("customer", "null", "customer")]
    [InlineData("customer.email", "\"aino\"", "customer.email")]
    [InlineData("customer.email", "\"a@b\\r\\nBcc: c@d\"", "customer.email")]
    [InlineData("placed_at", "\"2026-10-05T14:12:33\"", "placed_at")]
    [InlineData("placed_at", "\"2026-13-05T14:12:33Z\"", "placed_at")]
    [InlineData("placed_at", "\"2026-10-05T12:05:01Z\"", "placed_at")]
    [InlineData("currency", "\"eur\"", "currency")]
    [InlineData("currency", "\"EURO\"", "currency")]
    [InlineData("lines", "[]", "lines")]
    [InlineData("lines.1.line", "1", "lines")]
    [InlineData("lines.0.line", "0", "lines[0].line")]
    [InlineData("lines.0.gtin", "\"6410001122338\"", "lines[0].gtin")]
    [InlineData("lines.0.gtin", "\"641000112233\"", "lines[0].gtin")]
    [InlineData("lines.0.quantity", "0", "lines[0].quantity")]
    [InlineData("lines.0.quantity", "10000", "lines[0].quantity")]
    [InlineData("lines.0.unit_price", "\"129,90\"", "lines[0].unit_price")]
    [InlineData("lines.0.unit_price", "\"-1\"", "lines[0].unit_price")]
    [InlineData("lines.0.unit_price", "\"1.23456\"", "lines[0].unit_price")]
    [InlineData("lines.0.category", "\"Tires\"", "lines[0].category")]
    [InlineData("lines.0.category", "\"tires//winter\"", "lines[0].category")]
    [InlineData("lines.0.description", "\"tab\\there\"", "lines[0].description")]
    [InlineData("lines.0.properties", "[]", "lines[0].properties")]
    [InlineData("lines.0.properties", "{\"deep\":{}}", "lines[0].properties")]
    [InlineData("lines.0.properties", "{\"half\":\"HALF\"}", "lines[0].properties")]
    [InlineData("vehicle.registration", "\"\"", "vehicle.registration")]
    [InlineData("vehicle.country", "\"fi\"", "vehicle.country")]
    [InlineData("vehicle.year", "1492", "vehicle.year")]
    [InlineData("fulfilment", "null", "fulfilment")]
    [InlineData("fulfilment.method", "\"ship_to_partner\"", "fulfilment.method")]
    [InlineData("fulfilment.address.country", "\"Finland\"", "fulfilment.address.country")]
    public async Task A_wrong_value_is_refused_under_its_own_name(string path, string value, string field)
    {
        await using var shop = await Shop.OpenAsync();
        var order = Shop.Order();
        Set(order, path, value);
        var (status, body) = await shop.PostAsync("/api/orders", order.ToJsonString().Replace("HALF", @"\ud800", StringComparison.Ordinal), "k");
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "purchases.invalid_order"), (status, Shop.Code(body)));
        Assert.Equal([field], Shop.Fields(body).Distinct());
        Assert.Equal(0, await shop.OrdersAsync());
    }

    [Theory]
    [InlineData("""{"order_number":"A","colour":"red"}""", "colour")]
    [InlineData("""{"lines":[{"line":1,"gtln":"1"}]}""", "lines[0].gtln")]
    [InlineData("""{"lines":[{"line":"1"}]}""", "lines[0].line")]
    [InlineData("""{"lines":[{"line":1.5}]}""", "lines[0].line")]
    [InlineData("""{"order_number":"A","order_number":"B"}""", "order_number")]
    [InlineData("""{"lines":[{"properties":{"a":1,"a":2}}]}""", "lines[0].properties")]
    [InlineData("""[]""", "")]
    [InlineData("""null""", "")]
    [InlineData("""{"order_number":""", "order_number")]
    public async Task A_wrong_shape_is_refused_by_name(string json, string field)
    {
        await using var shop = await Shop.OpenAsync();
        var (status, body) = await shop.PostAsync("/api/orders", json, "k");
        Assert.Equal((HttpStatusCode.BadRequest, "purchases.malformed"), (status, Shop.Code(body)));
        Assert.Equal([field], Shop.Fields(body));
    }

    [Fact]
    public async Task Every_wrong_value_is_named_at_once()
    {
        await using var shop = await Shop.OpenAsync();
        var order = Shop.Order();
        order["currency"] = "x";
        order["lines"]![1]!["quantity"] = -1;
        order["vehicle"]!["country"] = "";
        Assert.Equal(["currency", "lines[1].quantity", "vehicle.country"], Shop.Fields((await shop.PostAsync(order)).Body));
    }

    [Fact]
    public async Task The_largest_order_is_taken_and_one_larger_is_not()
    {
        await using var shop = await Shop.OpenAsync();
        var order = Shop.Order();
        var template = order["lines"]![0]!;
        var lines = new JsonArray();
        for (var i = 1; i <= 200; i++)
        {
            var line = template.DeepClone();
            line["line"] = i;
            lines.Add(line);
        }
        order["lines"] = lines;
        Assert.Equal(HttpStatusCode.Created, (await shop.PostAsync(order)).Status);
        var extra = template.DeepClone();
        extra["line"] = 201;
        lines.Add(extra);
        Assert.Equal(["lines"], Shop.Fields((await shop.PostAsync(order, "k-2")).Body));
        lines.RemoveAt(200);
        lines[0]!["properties"] = new JsonObject { ["a"] = new string('x', 4090) };
        Assert.Equal(["lines[0].properties"], Shop.Fields((await shop.PostAsync(order, "k-3")).Body));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await shop.PostAsync("/api/orders", new string(' ', 1024 * 1024 + 1), "k-4")).Status);
    }

    [Fact]
    public async Task What_was_bought_and_by_whom_stands_nowhere_in_the_database_in_the_clear()
    {
        await using var shop = await Shop.OpenAsync();
        shop.Accounts.Add(Shop.Email, verified: true);
        await shop.PostAsync(Shop.Order("A-1"), "k1");
        var guest = Shop.Order("A-2");
        guest["customer"]!["email"] = "guest@example.org";
        await shop.PostAsync(guest, "k2");
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        var bytes = new List<byte>();
        foreach (var file in Directory.EnumerateFiles(shop.Hub.Settings.DataDirectory, "*.db*"))
        {
            await using var open = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var copy = new MemoryStream();
            await open.CopyToAsync(copy);
            bytes.AddRange(copy.ToArray());
        }
        var text = System.Text.Encoding.Latin1.GetString([.. bytes]);
        Assert.Contains("A-1", text);    // the look finds what is there
        foreach (var secret in new[] { "aino", "guest@", "ABC-123", "Esimerkkikatu", "Winter tire", "Volvo" }) Assert.DoesNotContain(secret, text);
    }

    [Fact]
    public async Task The_api_is_described_for_programs()
    {
        await using var shop = await Shop.OpenAsync();
        var paths = JsonNode.Parse(await shop.Hub.Http.GetStringAsync("/openapi/v1.json"))!["paths"]!.AsObject();
        Assert.Equal(["/api/bookings", "/api/orders", "/api/orders/{orderNumber}"], paths.Select(p => p.Key).Order());
        var answers = paths["/api/orders"]!["post"]!["responses"]!.AsObject();
        Assert.NotNull(answers["201"]!["content"]!["application/json"]);
        Assert.NotNull(answers["422"]!["content"]!["application/problem+json"]);
    }

    private static void Set(JsonObject order, string path, string json)
    {
        JsonNode at = order;
        var steps = path.Split('.');
        foreach (var step in steps[..^1]) at = int.TryParse(step, out var i) ? at[i]! : at[step]!;
        at[steps[^1]] = JsonNode.Parse(json);
    }
}
