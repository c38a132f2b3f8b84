using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Commerce.Saml;

namespace Commerce.Host.Tests.Journey;

/// <summary>What an operator hands to the command line for the journey: a shop, a fuel site over OpenID Connect, a tire fitter over SAML, customers.</summary>
internal static class Registrations
{
    public const string Password = "vihreä lokki soutaa yöllä";
    public const string FuelCallback = "https://fuel.example/callback";
    public const string FitterEntity = "https://fitter.example/saml/metadata";
    public const string FitterAcs = "https://fitter.example/saml/acs";
    public const string FitterLogin = "https://fitter.example/saml/login";
    private static readonly string[] Any = ["*"];
    private static readonly string NextWeek = DateTimeOffset.UtcNow.AddDays(7).ToString("yyyy-MM-dd'T'HH:mm:sszzz", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>The fitter's own side of SAML.</summary>
    public static ServiceProviderSide FitterSide(RSA key) => new(new ServiceProviderSettings
    {
        EntityId = FitterEntity, AssertionConsumerServiceUrl = FitterAcs, RequestInitiatorUrl = FitterLogin,
        SigningKey = new SigningKey(key, SigningKey.SelfSigned(key, "fitter.example", DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddYears(1))),
        DisplayNames = new Dictionary<string, string> { ["en"] = "Kolari Auto" },
    }, TimeProvider.System);

    public static string Shop => JsonSerializer.Serialize(new
    {
        client_name = "Northern Tires", redirect_uris = new[] { "https://shop.example/callback" }, grant_types = new[] { "authorization_code", "client_credentials" },
        client_uri = "https://shop.example/", hop_return_uri = "https://shop.example/thanks", scope = "openid orders:write",
    });

    public static string Fuel => JsonSerializer.Serialize(new
    {
        client_name = "Polar Fuel", redirect_uris = new[] { FuelCallback }, initiate_login_uri = "https://fuel.example/login",
        grant_types = new[] { "authorization_code", "client_credentials" }, scope = "openid profile email vehicle purchase bookings:write",
    });

    public static string Contract(string partner) => JsonSerializer.Serialize(new
    {
        partner, version = 1,
        purposes = new[]
        {
            new
            {
                id = "book", retention_days = 90, legal_basis = "consent", texts = new { en = "Book a time" },
                claims = new object[]
                {
                    new { name = "name", required = true, reason = "to book in your name" }, new { name = "email", required = false, reason = "to confirm" },
                    new { name = "vehicle", required = true, reason = "to fit the right car" }, new { name = "purchase", required = true, reason = "to know what arrives" },
                },
            },
        },
    });

    public static string Offer(string id, string partner) => JsonSerializer.Serialize(new
    {
        id, partner, when = new { category = "tires/*", banners = Any, countries = Any }, target_url = $"https://{(partner == "polar-fuel" ? "fuel" : "fitter")}.example/book", purpose = "book",
        texts = new { en = new { title = id, body = id } },
    });

    public static string Email(int customer) => $"customer{customer}@posti.example";

    public static string Customers(int count)
    {
        var lines = new StringBuilder();
        for (var i = 0; i < count; i++)
        {
            var salt = RandomNumberGenerator.GetBytes(16);
            var hash = Convert.ToBase64String([.. SHA512.HashData([.. Encoding.UTF8.GetBytes(Password), .. salt]), .. salt]);
            lines.AppendLine(JsonSerializer.Serialize(new
            {
                external_id = $"NT-{i}", banner = "northern-tires", email = Email(i), email_verified = true, given_name = "Aino", family_name = "Virtanen", locale = "en-FI",
                vehicles = new[] { new { registration = "ABC-123", country = "FI", make = "Volvo", model = "V60", year = 2019, tire_size = "205/55R16" } },
                created_at = "2017-03-02T09:00:00+02:00", password_hash = new { scheme = "ssha512", value = $"{{SSHA512}}{hash}" },
            }));
        }
        return lines.ToString();
    }

    public static string Order(string number, int customer) => JsonSerializer.Serialize(new
    {
        order_number = number, banner = "northern-tires", customer = new { email = Email(customer) }, placed_at = "2026-10-05T14:12:33+03:00", currency = "EUR",
        lines = new[] { new { line = 1, gtin = "6410001122337", sku = "W", description = "Winter tire 205/55 R16", category = "tires/winter", quantity = 4, unit_price = "129.90", properties = new { season = "winter" } } },
        vehicle = new { registration = "ABC-123", country = "FI", make = "Volvo", model = "V60", year = 2019, tire_size = "205/55R16" },
        fulfilment = new { method = "store_pickup" },
    });

    public static string Booking(string hop) => JsonSerializer.Serialize(new { hop, reference = $"B-{hop}", starts_at = NextWeek, services = new[] { new { code = "fit", title = "Fitting", quantity = 1, price = "79.00" } } });
}
