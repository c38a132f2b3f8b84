using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Commerce.Profiles.Contracts;
using Commerce.Profiles.Data;
using Commerce.Profiles.Vehicles;
using MediatR;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Profiles.Attributes;

/// <summary>Takes the profile part of imported customers, a batch in one transaction. What an earlier run took stays as it is.</summary>
/// <remarks>Answers how many customers of the batch got something new.</remarks>
internal sealed class ImportProfilesHandler(ProfilesDb db, PersonalData personal, LookupHash hash, CustomerChanges changes) : IRequestHandler<ImportProfiles, int>
{
    public async Task<int> Handle(ImportProfiles request, CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                var changed = await PrepareAsync(request.Profiles, cancellationToken);
                await db.SaveChangesAsync(cancellationToken);
                foreach (var profile in request.Profiles) changes.Note(profile.Customer);
                return changed;
            }
            catch (Exception error) when (attempt < 5 && error.IsConflict())
            {
                db.ChangeTracker.Clear();   // the customer wrote one of these values at the same moment: look again
            }
        }
    }

    private async Task<int> PrepareAsync(IReadOnlyList<ImportedProfile> profiles, CancellationToken stop)
    {
        var customers = profiles.Select(p => p.Customer).Distinct().ToList();
        await personal.EnsureKeysAsync(customers, stop);
        var attributes = (await db.Attributes.AsNoTracking().Where(a => customers.Contains(a.Customer)).Select(a => new { a.Customer, a.Name, a.Source }).ToListAsync(stop))
            .Select(a => (a.Customer, a.Name, a.Source)).ToHashSet();
        var vehicles = (await db.Vehicles.AsNoTracking().Where(v => customers.Contains(v.Customer)).Select(v => new { v.Customer, v.RegistrationHash }).ToListAsync(stop))
            .Select(v => (v.Customer, Convert.ToHexStringLower(v.RegistrationHash))).ToHashSet();

        var changed = new HashSet<Guid>();
        foreach (var profile in profiles)
        {
            await AddAsync(profile, AttributeNames.GivenName, profile.GivenName, false);
            await AddAsync(profile, AttributeNames.FamilyName, profile.FamilyName, false);
            await AddAsync(profile, AttributeNames.PhoneNumber, profile.PhoneNumber, profile.PhoneNumberVerified);
            await AddAsync(profile, AttributeNames.Address, profile.Address, false);
            await AddAsync(profile, AttributeNames.LoyaltyNumber, profile.LoyaltyNumber, false);
            foreach (var vehicle in profile.Vehicles)
            {
                var added = await KeptVehicle.NewAsync(profile.Customer, vehicle, profile.Source, profile.CreatedAt, personal, hash, stop);
                if (!vehicles.Add((profile.Customer, Convert.ToHexStringLower(added.RegistrationHash)))) continue;
                db.Vehicles.Add(added);
                changed.Add(profile.Customer);
            }
        }
        return changed.Count;

        async Task AddAsync<T>(ImportedProfile profile, string name, T? value, bool verified) where T : class
        {
            if (value is null || !attributes.Add((profile.Customer, name, profile.Source))) return;
            db.Attributes.Add(await ProfileAttribute.NewAsync(
                profile.Customer, name, profile.Source, value, profile.CreatedAt, verified ? profile.CreatedAt : null, personal, stop));
            changed.Add(profile.Customer);
        }
    }
}
