using System.Data.Common;
using System.Text.Json;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Commerce.Profiles.Attributes;

/// <summary>One value about a customer with its provenance. Each source has its own row, so that no import overwrites what the customer wrote.</summary>
internal sealed class ProfileAttribute
{
    private const string Purpose = "profiles.attribute";

    public required Guid Customer { get; init; }

    /// <summary>One of <see cref="AttributeNames"/>.</summary>
    public required string Name { get; init; }

    /// <summary>Banner that the value came from, or <see cref="AttributeNames.FromCustomer"/>.</summary>
    public required string Source { get; init; }

    /// <summary>JSON, sealed with the customer's key.</summary>
    public required byte[] Value { get; set; }

    public DateTimeOffset SetAt { get; set; }

    /// <summary>When somebody proved the value, such as by a code sent to the phone; null where it is only said.</summary>
    public DateTimeOffset? VerifiedAt { get; set; }

    /// <summary>Reads a row of all columns, in the order of the properties.</summary>
    public static ProfileAttribute Of(DbDataReader row) => new()
    {
        Customer = row.GetGuid(0), Name = row.GetString(1), Source = row.GetString(2), Value = row.GetFieldValue<byte[]>(3),
        SetAt = row.GetInstant(4), VerifiedAt = row.GetInstantOrNull(5),
    };

    public static async ValueTask<ProfileAttribute> NewAsync<T>(
        Guid customer, string name, string source, T value, DateTimeOffset setAt, DateTimeOffset? verifiedAt, PersonalData personal, CancellationToken stop) => new()
        {
            Customer = customer, Name = name, Source = source, SetAt = setAt, VerifiedAt = verifiedAt,
            Value = await personal.ProtectJsonAsync(customer, $"{Purpose}.{name}", value, stop),
        };

    public async Task ChangeAsync<T>(T value, DateTimeOffset now, PersonalData personal, CancellationToken stop) =>
        (Value, SetAt, VerifiedAt) = (await personal.ProtectJsonAsync(Customer, $"{Purpose}.{Name}", value, stop), now, null);

    /// <summary>The value, or null where the customer has been erased.</summary>
    public async ValueTask<JsonElement?> ReadAsync(PersonalData personal, CancellationToken stop) =>
        await personal.UnprotectAsync(Customer, $"{Purpose}.{Name}", Value, stop) is { } json ? JsonSerializer.Deserialize<JsonElement>(json, HubJson.Options) : null;
}

internal static class AttributeNames
{
    public const string GivenName = "given_name";
    public const string FamilyName = "family_name";
    public const string PhoneNumber = "phone_number";
    public const string Address = "address";
    public const string LoyaltyNumber = "loyalty_number";

    /// <summary>The source of what customers wrote themselves. No banner can have this id: it is not a slug.</summary>
    public const string FromCustomer = "@customer";
}

internal sealed class ProfileAttributeMap : IEntityTypeConfiguration<ProfileAttribute>
{
    public void Configure(EntityTypeBuilder<ProfileAttribute> attribute)
    {
        attribute.ToTable("attributes").HasKey(a => new { a.Customer, a.Name, a.Source });
        attribute.Property(a => a.Name).HasMaxLength(32);
        attribute.Property(a => a.Source).HasMaxLength(64);
        attribute.Property(a => a.Value).HasMaxLength(4096);
    }
}
