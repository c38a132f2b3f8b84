using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Commerce.Identity.Contracts;
using Commerce.Kernel;
using Commerce.Profiles.Contracts;

namespace Commerce.Host.CommandLine.Imports;

/// <summary>One line of a customers file as written. Everything may be missing until it is checked.</summary>
internal sealed partial record CustomerLine
{
    public string? ExternalId { get; init; }
    public string? Banner { get; init; }
    public string? Email { get; init; }
    public bool EmailVerified { get; init; }
    public string? PhoneNumber { get; init; }
    public bool PhoneNumberVerified { get; init; }
    public string? GivenName { get; init; }
    public string? FamilyName { get; init; }
    public string? Locale { get; init; }
    public PostalAddress? Address { get; init; }
    public IReadOnlyList<Vehicle>? Vehicles { get; init; }
    public string? LoyaltyNumber { get; init; }
    public string? CreatedAt { get; init; }
    public ImportedPasswordHash? PasswordHash { get; init; }

    /// <summary>A customer as Identity and Profiles take it. Identity checks what is its own: address, banner, locale, hash.</summary>
    public sealed record Checked(ImportedAccount Account, Func<Guid, ImportedProfile> Profile);

    public static (Checked? Line, string? Reason) Read(RawLine raw)
    {
        CustomerLine? line;
        try
        {
            line = JsonSerializer.Deserialize<CustomerLine>(raw.Bytes, HubJson.Options);
        }
        catch (JsonException error)
        {
            return (null, JsonFault.Sentence(error));
        }
        if (line is null) return (null, "A JSON object is expected.");
        if (!Instant(line.CreatedAt, out var createdAt)) return (null, "created_at: give an instant with its offset, such as 2017-03-02T09:00:00+02:00.");
        if (line.Faults().FirstOrDefault(fault => fault is not null) is { } reason) return (null, reason);
        return (new Checked(
            new ImportedAccount(raw.Number, line.ExternalId!, line.Banner!, line.Email!, line.EmailVerified, line.Locale!, createdAt, line.PasswordHash),
            customer => new ImportedProfile(customer, line.Banner!, line.GivenName, line.FamilyName, line.Locale!, line.PhoneNumber, line.PhoneNumberVerified,
                line.Address, line.Vehicles ?? [], line.LoyaltyNumber, createdAt)), null);
    }

    private IEnumerable<string?> Faults()
    {
        yield return Missing("external_id", ExternalId);
        yield return Missing("banner", Banner);
        yield return Missing("email", Email);
        yield return Missing("locale", Locale);
        yield return PhoneNumber is null || E164().IsMatch(PhoneNumber) ? null : "phone_number: write it with + and country code, digits only, such as +358401234567.";
        yield return PhoneNumberVerified && PhoneNumber is null ? "phone_number_verified: there is no phone_number." : null;
        yield return TooLong("given_name", GivenName, 100);
        yield return TooLong("family_name", FamilyName, 100);
        yield return TooLong("loyalty_number", LoyaltyNumber, 64);
        yield return IsCountry(Address?.Country) ? null : "address.country: give two capital letters, such as FI.";
        yield return TooLong("address.street_address", Address?.StreetAddress, 200);
        yield return TooLong("address.postal_code", Address?.PostalCode, 20);
        yield return TooLong("address.locality", Address?.Locality, 100);
        yield return TooLong("address.region", Address?.Region, 100);
        yield return Vehicles is { Count: > 50 } ? "vehicles: give at most 50." : null;
        for (var i = 0; i < Vehicles?.Count; i++)
        {
            var (vehicle, at) = (Vehicles[i], $"vehicles[{i}]");
            if (vehicle is null)
            {
                yield return $"{at}: a vehicle is expected.";
                continue;
            }
            yield return Missing($"{at}.registration", vehicle.Registration) ?? TooLong($"{at}.registration", vehicle.Registration, 16);
            yield return IsCountry(vehicle.Country) ? null : $"{at}.country: give two capital letters, such as FI.";
            yield return TooLong($"{at}.make", vehicle.Make, 64) ?? TooLong($"{at}.model", vehicle.Model, 64) ?? TooLong($"{at}.tire_size", vehicle.TireSize, 24);
            yield return vehicle.Year is < 1900 or > 2100 ? $"{at}.year: give a year from 1900 to 2100." : null;
        }
    }

    private static bool IsCountry(string? country) => country is null || CountryForm().IsMatch(country);

    private static string? Missing(string member, string? value) => string.IsNullOrWhiteSpace(value) ? $"{member}: this is needed." : null;

    private static string? TooLong(string member, string? value, int longest) =>
        value is null || value.Length <= longest && !value.Any(char.IsControl) ? null : $"{member}: give at most {longest} characters, none of them a control character.";

    private static bool Instant(string? text, out DateTimeOffset at)
    {
        at = default;
        return text is not null && InstantForm().IsMatch(text) && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out at);
    }

    [GeneratedRegex(@"\A\+[1-9][0-9]{5,14}\z")] private static partial Regex E164();
    [GeneratedRegex(@"\A[A-Z]{2}\z")] private static partial Regex CountryForm();
    [GeneratedRegex(@"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,7})?(Z|[+-][0-9]{2}:[0-9]{2})\z")] private static partial Regex InstantForm();
}
