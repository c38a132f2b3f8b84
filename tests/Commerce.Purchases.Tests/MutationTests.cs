using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Commerce.Kernel;
using Xunit;

namespace Commerce.Purchases.Tests;

/// <summary>A thousand broken bodies each, from a fixed seed: whatever comes, the answer is a decision, and only a yes leaves a row.</summary>
public sealed class MutationTests
{
    private static readonly string[] Values =
    [
        "null", "true", "0", "-1", "1.5", "1e400", "99999999999999999999", "\"\"", "\" \"", "\"x\"", "\"\\u0000\"", "\"\\ud800\"", "\"\\n\"", "\"\\u202e\"", "[]", "{}", "[null]",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", "{\"a\":{}}", "\"0001-01-01T00:00:00+14:00\"", "\"9999-12-31T23:59:59-14:00\"",
        "\"2026-10-05T10:00:00+99:00\"", "\"a@b\"", "\"' OR 1=1 --\"", "\"<script>\"", "\"../../etc\"", "\"2147483648\"", "\"😀\"", "\"00000000\"",
    ];

    [Fact]
    public async Task A_thousand_mutated_orders_are_each_taken_or_refused_and_only_the_taken_are_kept()
    {
        await using var shop = await Shop.OpenAsync();
        var (taken, refused) = (new HashSet<string>(), 0);    // two mutations may be the same order, which is then one
        var random = new Random(20261005);
        for (var i = 0; i < 1000; i++)
        {
            var bytes = Mutate(random, Shop.Order($"M-{i}"));
            var (status, answer) = await SendAsync(shop.Hub.Http, "/api/orders", bytes, $"k-{i}");
            Assert.True((int)status is >= 200 and < 500, $"Mutation {i} was answered {(int)status}: {Encoding.UTF8.GetString(bytes)}");
            if ((int)status < 300) taken.Add(JsonNode.Parse(answer)!["order_number"]!.GetValue<string>());
            else refused++;
        }
        Assert.Equal(taken.Count, await shop.OrdersAsync());
        Assert.True(taken.Count > 20 && refused > 500, $"{taken.Count} taken, {refused} refused: the mutations should be of both kinds.");
    }

    [Fact]
    public async Task A_thousand_mutated_bookings_are_each_taken_or_refused_and_only_the_taken_are_kept()
    {
        await using var shop = await Shop.OpenAsync();
        var (_, hop) = await BookingTests.LandedAsync(shop);
        using var partner = shop.As("kolari", ApiScopes.WriteBookings, "kolari-auto");
        var (taken, refused) = (new HashSet<string>(), 0);    // two mutations may be the same order, which is then one
        var random = new Random(77);
        for (var i = 0; i < 1000; i++)
        {
            var bytes = Mutate(random, BookingTests.Booking(hop, $"R-{i}"));
            var (status, answer) = await SendAsync(partner, "/api/bookings", bytes, $"k-{i}");
            Assert.True((int)status is >= 200 and < 500, $"Mutation {i} was answered {(int)status}: {Encoding.UTF8.GetString(bytes)}");
            if ((int)status < 300) taken.Add(JsonNode.Parse(answer)!["booking"]!.GetValue<string>());
            else refused++;
        }
        Assert.Equal(taken.Count, await BookingTests.CountAsync(shop));
        Assert.True(taken.Count > 20 && refused > 400, $"{taken.Count} taken, {refused} refused: the mutations should be of both kinds.");
    }

    private static async Task<(HttpStatusCode Status, string Body)> SendAsync(HttpClient http, string path, byte[] body, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new("application/json");
        request.Headers.Add("Idempotency-Key", key);
        using var response = await http.SendAsync(request);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    /// <summary>One or two changes: of a value, a member, a byte, or the length.</summary>
    private static byte[] Mutate(Random random, JsonObject right)
    {
        var text = right.ToJsonString();
        if (random.Next(4) > 0)
        {
            for (var times = random.Next(1, 3); times > 0; times--)
            {
                var places = new List<(JsonNode Parent, object Step)>();
                Collect(right, places);
                var (parent, step) = places[random.Next(places.Count)];
                var marker = random.Next(8) switch
                {
                    0 => "DROP",
                    1 => "RENAME",
                    _ => $"VALUE{random.Next(Values.Length)}.",
                };
                if (parent is JsonObject o)
                {
                    var name = (string)step;
                    if (marker == "DROP") o.Remove(name);
                    else if (marker == "RENAME")
                    {
                        var value = o[name];
                        o.Remove(name);
                        o[name + "x"] = value;
                    }
                    else o[name] = marker;
                }
                else if (parent is JsonArray a) a[(int)step] = marker;
            }
            text = right.ToJsonString();
            for (var i = 0; i < Values.Length; i++) text = text.Replace($"\"VALUE{i}.\"", Values[i], StringComparison.Ordinal);
            return Encoding.UTF8.GetBytes(text);
        }
        var bytes = Encoding.UTF8.GetBytes(text);
        switch (random.Next(3))
        {
            case 0:
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
                return bytes;
            case 1:
                return bytes[..random.Next(bytes.Length)];
            default:
                var at = random.Next(bytes.Length);
                return [.. bytes[..at], .. bytes[at..Math.Min(at + random.Next(1, 60), bytes.Length)], .. bytes[at..]];
        }
    }

    private static void Collect(JsonNode node, List<(JsonNode, object)> places)
    {
        if (node is JsonObject o)
        {
            foreach (var (name, value) in o)
            {
                places.Add((o, name));
                if (value is not null) Collect(value, places);
            }
        }
        else if (node is JsonArray a)
        {
            for (var i = 0; i < a.Count; i++)
            {
                places.Add((a, i));
                if (a[i] is { } value) Collect(value, places);
            }
        }
    }
}
