using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Commerce.Generator;

/// <summary>A made-up retailer. Everything about customer or order number n follows from the seed and n, so both files fit together.</summary>
/// <param name="seed">The same seed writes the same files.</param>
/// <param name="badEvery">Every how many lines one is wrong; 0 for never.</param>
public sealed class Retailer(int seed, int customers, int orders, int badEvery = 0)
{
    private static readonly JsonWriterOptions Written = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly string[] MailHosts = ["posti.example", "mail.example", "brev.example", "home.example"];

    private sealed record Person(
        Market Market, string Given, string Family, string Email, string Locale, DateTimeOffset Since, (string Name, string Postal) Town, string Street, IReadOnlyList<(Car Car, string Plate, int Year)> Cars);

    public void WriteCustomers(string path) => Write(path, customers, (json, number) =>
    {
        var random = new Random(unchecked(seed * 7919 + number * 2 + 1));
        var person = PersonOf(number);
        json.WriteStartObject();
        json.WriteString("external_id", $"{person.Market.OrderPrefix}-{number:D7}");
        json.WriteString("banner", person.Market.Banner);
        json.WriteString("email", person.Email);
        json.WriteBoolean("email_verified", random.Next(100) < 92);
        if (random.Next(100) < 85)
        {
            json.WriteString("phone_number", person.Market.Phone(random));
            json.WriteBoolean("phone_number_verified", random.Next(2) == 0);
        }
        json.WriteString("given_name", person.Given);
        json.WriteString("family_name", person.Family);
        json.WriteString("locale", person.Locale);
        if (random.Next(100) < 80) WriteAddress(json, "address", person);
        json.WriteStartArray("vehicles");
        foreach (var car in person.Cars)
        {
            json.WriteStartObject();
            WriteCar(json, person.Market, car);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        if (random.Next(3) == 0) json.WriteString("loyalty_number", $"6014 {random.Next(10_000):D4} {random.Next(10_000):D4}");
        json.WriteString("created_at", person.Since.ToString("yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture));
        json.WriteEndObject();
    }, ["email", "external_id"]);

    public void WriteOrders(string path) => Write(path, orders, (json, number) =>
    {
        var random = new Random(unchecked(seed * 104_729 + number * 2));
        var person = PersonOf(1 + random.Next(customers));
        var market = person.Market;
        var placed = person.Since + TimeSpan.FromMinutes(random.Next(1, 400 * 24 * 60));
        json.WriteStartObject();
        json.WriteString("order_number", $"{market.OrderPrefix}-{placed.Year}-{number:D7}");
        json.WriteString("banner", market.Banner);
        json.WriteStartObject("customer");
        json.WriteString("email", person.Email);
        json.WriteEndObject();
        json.WriteString("placed_at", placed.ToString("yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture));
        json.WriteString("currency", market.Currency);
        json.WriteStartArray("lines");
        var line = 0;
        (Car Car, string Plate, int Year)? car = person.Cars.Count > 0 ? person.Cars[random.Next(person.Cars.Count)] : null;
        if (car is not null && random.Next(100) < 65) WriteTires(json, ++line, market, car.Value.Car, random);
        foreach (var product in random.GetItems(Product.All, random.Next(line == 0 ? 1 : 0, 4))) WriteProduct(json, ++line, market, product, random);
        json.WriteEndArray();
        if (car is not null)
        {
            json.WriteStartObject("vehicle");
            WriteCar(json, market, car.Value);
            json.WriteEndObject();
        }
        json.WriteStartObject("fulfilment");
        var home = random.Next(3) > 0;
        json.WriteString("method", home ? "home_delivery" : "store_pickup");
        if (home) WriteAddress(json, "address", person);
        json.WriteEndObject();
        json.WriteEndObject();
    }, ["currency", "order_number"]);

    private Person PersonOf(int number)
    {
        var random = new Random(unchecked(seed * 31 + number * 2));
        var market = Market.All[random.Next(100) switch { < 45 => 0, < 65 => 1, < 85 => 2, _ => 3 }];
        var given = market.Given[random.Next(market.Given.Length)];
        var family = market.Family[random.Next(market.Family.Length)];
        var since = new DateTimeOffset(2012, 1, 1, 8, 0, 0, market.Offset) + TimeSpan.FromSeconds(random.Next(12 * 365 * 86_400));
        var cars = Enumerable.Range(0, random.Next(100) switch { < 15 => 0, < 85 => 1, _ => 2 }).Select(_ =>
        {
            var car = Car.All[random.Next(Car.All.Length)];
            return (car, market.Plate(random), random.Next(car.From, 2026));
        }).ToList();
        return new Person(market, given.Written, family.Written,
            $"{given.Latin}.{family.Latin}.{number.ToString(CultureInfo.InvariantCulture)}@{MailHosts[random.Next(MailHosts.Length)]}",
            market.Locales[random.Next(market.Locales.Length)], since, market.Towns[random.Next(market.Towns.Length)],
            market.Street(random, market.Streets[random.Next(market.Streets.Length)]), cars);
    }

    private static void WriteAddress(Utf8JsonWriter json, string name, Person person)
    {
        json.WriteStartObject(name);
        json.WriteString("street_address", person.Street);
        json.WriteString("postal_code", person.Town.Postal);
        json.WriteString("locality", person.Town.Name);
        json.WriteString("country", person.Market.Country);
        json.WriteEndObject();
    }

    private static void WriteCar(Utf8JsonWriter json, Market market, (Car Car, string Plate, int Year) car)
    {
        json.WriteString("registration", car.Plate);
        json.WriteString("country", market.Country);
        json.WriteString("make", car.Car.Make);
        json.WriteString("model", car.Car.Model);
        json.WriteNumber("year", car.Year);
        json.WriteString("tire_size", car.Car.TireSize);
    }

    private static void WriteTires(Utf8JsonWriter json, int line, Market market, Car car, Random random)
    {
        var winter = random.Next(100) < 60;
        var (width, profile, rim) = (car.TireSize[..3], car.TireSize[4..6], car.TireSize[7..]);
        var load = 85 + random.Next(25);
        var speed = "QTHV"[random.Next(4)];
        WriteLineHead(json, line, market, $"TIRE-{width}{profile}{rim}-{(winter ? "W" : "S")}{random.Next(1, 20)}",
            $"{(winter ? market.Winter : market.Summer)} {width}/{profile} R{rim} {load}{speed}", winter ? "tires/winter" : "tires/summer", random.Next(10) == 0 ? 2 : 4, 60 + random.Next(180), random);
        json.WriteStartObject("properties");
        json.WriteNumber("width_mm", int.Parse(width, CultureInfo.InvariantCulture));
        json.WriteNumber("profile_pct", int.Parse(profile, CultureInfo.InvariantCulture));
        json.WriteNumber("rim_in", int.Parse(rim, CultureInfo.InvariantCulture));
        json.WriteNumber("load_index", load);
        json.WriteString("speed_index", speed.ToString());
        json.WriteString("season", winter ? "winter" : "summer");
        json.WriteBoolean("studded", winter && market.Country is "FI" or "SE" && random.Next(2) == 0);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteProduct(Utf8JsonWriter json, int line, Market market, Product product, Random random)
    {
        WriteLineHead(json, line, market, product.Sku, product.Description, product.Category, 1 + random.Next(3) / 2, product.Euro, random);
        json.WriteStartObject("properties");
        if (product.Property is not null) json.WriteString(product.Property, product.Value);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteLineHead(Utf8JsonWriter json, int line, Market market, string sku, string description, string category, int quantity, int euro, Random random)
    {
        var rate = market.Currency switch { "SEK" => 11, "KRW" => 1500, _ => 1 };
        json.WriteStartObject();
        json.WriteNumber("line", line);
        json.WriteString("gtin", Ean13.Of($"{market.Gs1}{random.NextInt64(1_000_000_000):D9}"));
        json.WriteString("sku", $"{market.OrderPrefix}-{sku}");
        json.WriteString("description", description);
        json.WriteString("category", category);
        json.WriteNumber("quantity", quantity);
        json.WriteString("unit_price", market.Currency == "KRW" ? $"{euro * rate / 100 * 100}" : $"{euro * rate}.{(random.Next(2) == 0 ? "90" : "00")}");
    }

    private void Write(string path, int count, Action<Utf8JsonWriter, int> one, string[] members)
    {
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20);
        using var buffer = new MemoryStream();
        using var json = new Utf8JsonWriter(buffer, Written);
        for (var number = 1; number <= count; number++)
        {
            buffer.SetLength(0);
            json.Reset(buffer);
            one(json, number);
            json.Flush();
            var line = buffer.GetBuffer().AsSpan(0, (int)buffer.Length);
            if (badEvery > 0 && number % badEvery == 0) file.Write(Encoding.UTF8.GetBytes(Spoil(Encoding.UTF8.GetString(line), number / badEvery, members)));
            else file.Write(line);
            file.WriteByte((byte)'\n');
        }
    }

    // Each way has its own reason in FILE.rejected.
    private static string Spoil(string line, int which, string[] members) => (which % 5) switch
    {
        0 => line[..(line.Length / 2)],                                         // cut off
        1 => $"{line[..^1]},\"colour\":\"red\"}}",                              // a member nobody knows
        2 => line.Replace($"\"{members[0]}\":\"", $"\"{members[0]}\":\"?? ", StringComparison.Ordinal),   // a value that is none
        3 => line.Replace($"\"{members[1]}\":", $"\"{members[1]}x\":", StringComparison.Ordinal),         // a needed member under a wrong name
        _ => $"[{line}]",                                                       // a list
    };
}
