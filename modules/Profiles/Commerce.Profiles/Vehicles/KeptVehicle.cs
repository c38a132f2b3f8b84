using Commerce.Kernel.Secrets;
using Commerce.Profiles.Contracts;
using Commerce.Profiles.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Commerce.Profiles.Vehicles;

/// <summary>One vehicle of one customer.</summary>
internal sealed class KeptVehicle
{
    private const string Purpose = "profiles.vehicle";
    public const int MostPerCustomer = 20;

    public required Guid Id { get; init; }
    public required Guid Customer { get; init; }

    /// <summary>Keyed hash of country and registration without spaces and dashes: one plate is kept once per customer.</summary>
    public required byte[] RegistrationHash { get; init; }

    /// <summary>A <see cref="Vehicle"/>, sealed with the customer's key.</summary>
    public required byte[] Value { get; init; }

    /// <summary>As for an attribute.</summary>
    public required string Source { get; init; }

    public DateTimeOffset AddedAt { get; init; }

    public static async ValueTask<KeptVehicle> NewAsync(
        Guid customer, Vehicle vehicle, string source, DateTimeOffset addedAt, PersonalData personal, LookupHash hash, CancellationToken stop) => new()
        {
            Id = Guid.CreateVersion7(addedAt),
            Customer = customer,
            RegistrationHash = hash.Of("vehicle", $"{vehicle.Country.ToUpperInvariant()}\n{string.Concat(vehicle.Registration.Where(char.IsLetterOrDigit)).ToUpperInvariant()}"),
            Value = await personal.ProtectJsonAsync(customer, Purpose, vehicle, stop),
            Source = source,
            AddedAt = addedAt,
        };

    /// <summary>The customer's vehicles, the one added last first; none where the customer has been erased.</summary>
    public static async Task<IReadOnlyList<ShownVehicle>> OfAsync(ProfilesDb db, PersonalData personal, Guid customer, int atMost, CancellationToken stop)
    {
        var rows = await db.Vehicles.AsNoTracking().Where(v => v.Customer == customer)
            .OrderByDescending(v => v.AddedAt).ThenByDescending(v => v.Id).Take(atMost).ToListAsync(stop);
        var shown = new List<ShownVehicle>(rows.Count);
        foreach (var row in rows)
        {
            if (await personal.UnprotectJsonAsync<Vehicle>(customer, Purpose, row.Value, stop) is { } vehicle) shown.Add(new ShownVehicle(row.Id, vehicle, row.Source));
        }
        return shown;
    }
}

internal sealed record ShownVehicle(Guid Id, Vehicle Vehicle, string Source);

internal sealed class KeptVehicleMap : IEntityTypeConfiguration<KeptVehicle>
{
    public void Configure(EntityTypeBuilder<KeptVehicle> vehicle)
    {
        vehicle.ToTable("vehicles").HasKey(v => v.Id);
        vehicle.Property(v => v.Id).ValueGeneratedNever();
        vehicle.Property(v => v.RegistrationHash).HasMaxLength(32);
        vehicle.Property(v => v.Value).HasMaxLength(2048);
        vehicle.Property(v => v.Source).HasMaxLength(64);
        vehicle.HasIndex(v => new { v.Customer, v.RegistrationHash }).IsUnique();
    }
}
