using System.Security.Cryptography;
using System.Text;
using Commerce.Demo.Shop;
using Commerce.Identity.Contracts;
using Commerce.Profiles.Contracts;

namespace Commerce.Demo.Seed;

/// <summary>One made-up customer. Every address ends in example.com, which belongs to nobody (RFC 2606).</summary>
internal sealed record Person(
    string Id, string Email, string Password, string GivenName, string FamilyName, string Locale, string? Phone, PostalAddress Address, Vehicle Vehicle)
{
    public string Name => Locale.StartsWith("ko", StringComparison.Ordinal) ? FamilyName + GivenName : $"{GivenName} {FamilyName}";

    public ImportedAccount Account(long line) => new(
        line, Id, People.Banner, Email, EmailVerified: true, Locale, People.Since, new ImportedPasswordHash("ssha512", Ssha512(Password, Id)));

    public ImportedProfile Profile(Guid customer) => new(
        customer, People.Banner, GivenName, FamilyName, Locale, Phone, PhoneNumberVerified: false, Address, [Vehicle], null, People.Since);

    public ShopCustomer ShopCustomer => new(
        Email, Vehicle.Registration, Vehicle.Country, Vehicle.Make, Vehicle.Model, Vehicle.Year, Vehicle.TireSize,
        Address.StreetAddress!, Address.PostalCode!, Address.Locality!);

    // As an old directory would have stored it; the hub replaces it at the first sign-in. The passwords are printed anyway.
    private static string Ssha512(string password, string id)
    {
        var salt = SHA256.HashData(Encoding.UTF8.GetBytes("demo " + id))[..16];
        return "{SSHA512}" + Convert.ToBase64String([.. SHA512.HashData([.. Encoding.UTF8.GetBytes(password), .. salt]), .. salt]);
    }
}

internal static class People
{
    public const string Banner = "northern-tires";
    public static readonly DateTimeOffset Since = new(2019, 3, 2, 9, 0, 0, TimeSpan.FromHours(2));

    public static readonly IReadOnlyList<Person> All =
    [
        new("DEMO-0001", "aino.virtanen@example.com", "winter-tires-for-aino", "Aino", "Virtanen", "fi-FI", "+358401234567",
            new("Esimerkkikatu 1 A 2", "00100", "Helsinki", null, "FI"), new("ABC-123", "FI", "Volvo", "V60", 2019, "205/55R16")),
        new("DEMO-0002", "erik.astrom@example.com", "winter-tires-for-erik", "Erik", "Åström", "sv-FI", null,
            new("Exempelgatan 5", "65100", "Vasa", null, "FI"), new("KLM-456", "FI", "Skoda", "Octavia", 2021, "225/45R17")),
        new("DEMO-0003", "johan.lindqvist@example.com", "winter-tires-for-johan", "Johan", "Lindqvist", "sv-SE", "+46701234567",
            new("Provvägen 12", "11122", "Stockholm", null, "SE"), new("JLQ 27A", "SE", "Volvo", "XC40", 2022, "225/45R17")),
        new("DEMO-0004", "minji.kim@example.com", "winter-tires-for-minji", "민지", "김", "ko-KR", "+821012345678",
            new("예시로 7", "04524", "서울", null, "KR"), new("12가 3456", "KR", "Hyundai", "Elantra", 2020, "195/65R15")),
        new("DEMO-0005", "emily.carter@example.com", "winter-tires-for-emily", "Emily", "Carter", "en-US", "+12065550142",
            new("742 Sample Street", "98101", "Seattle", "WA", "US"), new("BXK2291", "US", "Subaru", "Outback", 2018, "205/55R16")),
        new("DEMO-0006", "sanna.korhonen@example.com", "winter-tires-for-sanna", "Sanna", "Korhonen", "fi-FI", "+358501112223",
            new("Mallitie 9", "33100", "Tampere", null, "FI"), new("SKO-789", "FI", "Toyota", "Yaris", 2023, "195/65R15")),
    ];
}
