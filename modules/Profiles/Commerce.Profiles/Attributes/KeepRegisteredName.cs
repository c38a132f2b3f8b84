using Commerce.Identity.Contracts;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Commerce.Profiles.Data;
using Commerce.Profiles.Timeline;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Profiles.Attributes;

/// <summary>A new customer's name goes into the profile, and the beginning onto the timeline.</summary>
internal sealed class KeepRegisteredName(ProfilesDb db, PersonalData personal, CustomerChanges changes) : IHandleEvent<CustomerRegistered>
{
    public async Task Handle(CustomerRegistered message, Delivery delivery, CancellationToken stop)
    {
        db.SavedChanges += (_, _) => changes.Note(message.Customer);
        try
        {
            await KeepAsync(AttributeNames.GivenName, message.GivenName);
            await KeepAsync(AttributeNames.FamilyName, message.FamilyName);
            db.Timeline.Add(await TimelineEntry.NewAsync(delivery.Event, message.Customer, message.At, "account", new TimelineDetails(Banner: message.Banner), personal, stop));
        }
        catch (CustomerErasedException)
        {
            db.ChangeTracker.Entries().Where(e => e.Entity is ProfileAttribute or TimelineEntry).ToList().ForEach(e => e.State = EntityState.Detached);
        }

        async Task KeepAsync(string name, string? value)
        {
            // The customer may have been quicker, and have written another name on the profile page.
            if (value is null || await db.Attributes.AnyAsync(a => a.Customer == message.Customer && a.Name == name && a.Source == AttributeNames.FromCustomer, stop)) return;
            db.Attributes.Add(await ProfileAttribute.NewAsync(message.Customer, name, AttributeNames.FromCustomer, value, message.At, null, personal, stop));
        }
    }
}
