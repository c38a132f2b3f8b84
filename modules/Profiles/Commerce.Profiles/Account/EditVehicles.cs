using System.Globalization;
using System.Security.Claims;
using System.Text.RegularExpressions;
using Commerce.Identity.Contracts;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Commerce.Profiles.Attributes;
using Commerce.Profiles.Contracts;
using Commerce.Profiles.Data;
using Commerce.Profiles.Vehicles;
using Commerce.Web;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Profiles.Account;

/// <summary>The customer adds a vehicle or takes one away.</summary>
internal static partial class EditVehicles
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/account/vehicles", async (
            [FromForm] string? registration, [FromForm(Name = "vehicle_country")] string? country, [FromForm] string? make, [FromForm] string? model,
            [FromForm] string? year, [FromForm(Name = "tire_size")] string? tireSize,
            ClaimsPrincipal user, HttpContext context, ProfilesDb db, PersonalData personal, IMediator mediator, TimeProvider clock, CancellationToken stop) =>
        {
            var customer = user.CustomerId()!.Value;
            var form = new VehicleForm(EditProfile.Trim(registration).ToUpperInvariant(), EditProfile.Trim(country).ToUpperInvariant(), EditProfile.Trim(make),
                EditProfile.Trim(model), EditProfile.Trim(year), string.Concat(EditProfile.Trim(tireSize).Where(c => c != ' ')).ToUpperInvariant());
            if (Faults(form, clock.GetUtcNow().Year) is { Count: > 0 } faults)
            {
                if (await mediator.Send(new AccountOf(customer), stop) is not { } account) return Answer.No(context, Refusals.NoAccount);
                var profile = ProfileForm.Of(await SingleView.LoadAsync(db, personal, customer, stop), account.Locale);
                return await EditProfile.ShowAsync(db, personal, customer, profile, form, faults, StatusCodes.Status400BadRequest, stop);
            }
            return (await mediator.Send(new Add(customer, form.ToVehicle()), stop)).Match<IResult>(_ => new SeeOther("/account?saved=1"), no => Answer.No(context, no));
        }).RequireCustomer().ExcludeFromDescription();

        routes.MapPost("/account/vehicles/{id:guid}/remove", async (Guid id, IFormCollection _, ClaimsPrincipal user, ProfilesDb db, CustomerChanges changes, CancellationToken stop) =>
        {
            var customer = user.CustomerId()!.Value;
            await db.Vehicles.Where(v => v.Id == id && v.Customer == customer).ExecuteDeleteAsync(stop);    // of somebody else's vehicle nothing is said
            changes.Note(customer);
            return new SeeOther("/account?saved=1");
        }).RequireCustomer().ExcludeFromDescription();
    }

    internal sealed record Add(Guid Customer, Vehicle Vehicle) : IRequest<Result<bool>>;

    internal sealed class AddHandler(ProfilesDb db, PersonalData personal, LookupHash hash, CustomerChanges changes, TimeProvider clock) : IRequestHandler<Add, Result<bool>>
    {
        /// <summary>A plate that the customer has already takes the new details.</summary>
        public async Task<Result<bool>> Handle(Add request, CancellationToken cancellationToken)
        {
            var vehicle = await KeptVehicle.NewAsync(request.Customer, request.Vehicle, AttributeNames.FromCustomer, clock.GetUtcNow(), personal, hash, cancellationToken);
            for (var attempt = 0; ; attempt++)
            {
                var kept = await db.Vehicles.Where(v => v.Customer == request.Customer).ToListAsync(cancellationToken);
                var same = kept.Where(v => v.RegistrationHash.AsSpan().SequenceEqual(vehicle.RegistrationHash)).ToList();
                if (kept.Count - same.Count >= KeptVehicle.MostPerCustomer) return Refusals.TooManyVehicles;
                db.Vehicles.RemoveRange(same);
                db.Vehicles.Add(vehicle);
                try
                {
                    await db.SaveChangesAsync(cancellationToken);
                    changes.Note(request.Customer);
                    return true;
                }
                catch (DbUpdateException) when (attempt < 3)
                {
                    db.ChangeTracker.Clear();   // the same plate came twice at the same moment: look again
                }
            }
        }
    }

    private static Dictionary<string, string> Faults(VehicleForm form, int thisYear)
    {
        var faults = new Dictionary<string, string>();
        if (!Plate().IsMatch(form.Registration)) faults["registration"] = "fault.registration";
        if (!EditProfile.IsCountry(form.Country)) faults["vehicle_country"] = "fault.country";
        if (form.Make.Length > 60 || !EditProfile.IsPlain(form.Make)) faults["make"] = "fault.text";
        if (form.Model.Length > 60 || !EditProfile.IsPlain(form.Model)) faults["model"] = "fault.text";
        if (form.Year.Length > 0 && (!int.TryParse(form.Year, NumberStyles.None, CultureInfo.InvariantCulture, out var year) || year < 1900 || year > thisYear + 1)) faults["year"] = "fault.year";
        if (form.TireSize.Length > 0 && !Tire().IsMatch(form.TireSize)) faults["tire_size"] = "fault.tire_size";
        return faults;
    }

    // Letters and digits of any script in up to four groups: plates of Korea hold Hangul.
    [GeneratedRegex(@"\A(?=.{2,16}\z)[\p{L}\p{Nd}]+([ -][\p{L}\p{Nd}]+){0,3}\z")] private static partial Regex Plate();
    [GeneratedRegex(@"\A[0-9]{3}/[0-9]{2}Z?R[0-9]{2}C?\z")] private static partial Regex Tire();
}

/// <summary>The form as written.</summary>
internal sealed record VehicleForm(string Registration = "", string Country = "", string Make = "", string Model = "", string Year = "", string TireSize = "")
{
    public Vehicle ToVehicle() => new(Registration, Country, Some(Make), Some(Model), Year.Length == 0 ? null : int.Parse(Year, CultureInfo.InvariantCulture), Some(TireSize));

    private static string? Some(string text) => text.Length == 0 ? null : text;
}
