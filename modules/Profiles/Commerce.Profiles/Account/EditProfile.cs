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

/// <summary>The customer writes their own name, phone, address and language. It stands before whatever any import says.</summary>
internal static partial class EditProfile
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/account/profile", async (ClaimsPrincipal user, HttpContext context, ProfilesDb db, PersonalData personal, IMediator mediator, CancellationToken stop) =>
        {
            var customer = user.CustomerId()!.Value;
            if (await mediator.Send(new AccountOf(customer), stop) is not { } account) return Answer.No(context, Refusals.NoAccount);
            return await ShowAsync(db, personal, customer, ProfileForm.Of(await SingleView.LoadAsync(db, personal, customer, stop), account.Locale), new VehicleForm(), [], StatusCodes.Status200OK, stop);
        }).RequireCustomer().ExcludeFromDescription();

        routes.MapPost("/account/profile", async (
            [FromForm(Name = "given_name")] string? givenName, [FromForm(Name = "family_name")] string? familyName, [FromForm(Name = "phone_number")] string? phone,
            [FromForm(Name = "street_address")] string? street, [FromForm(Name = "postal_code")] string? postalCode, [FromForm] string? locality,
            [FromForm] string? region, [FromForm] string? country, [FromForm] string? language,
            ClaimsPrincipal user, HttpContext context, ProfilesDb db, PersonalData personal, IMediator mediator, CancellationToken stop) =>
        {
            var customer = user.CustomerId()!.Value;
            var form = new ProfileForm(Trim(givenName), Trim(familyName), Trim(phone), Trim(street), Trim(postalCode), Trim(locality), Trim(region), Trim(country).ToUpperInvariant(), Trim(language));
            var faults = Faults(form);
            if (faults.Count > 0) return await ShowAsync(db, personal, customer, form, new VehicleForm(), faults, StatusCodes.Status400BadRequest, stop);
            if (await mediator.Send(new AccountOf(customer), stop) is not { } account) return Answer.No(context, Refusals.NoAccount);

            await mediator.Send(new Save(customer, form), stop);
            if (form.Language == Languages.Of(account.Locale)) return new SeeOther("/account?saved=1");
            await mediator.Send(new ChangeLocale(customer, Languages.Choose(form.Language, account.Locale)), stop);
            return new SeeOther($"/language?to={form.Language}&back={Uri.EscapeDataString("/account?saved=1")}");
        }).RequireCustomer().ExcludeFromDescription();
    }

    internal static async Task<IResult> ShowAsync(
        ProfilesDb db, PersonalData personal, Guid customer, ProfileForm form, VehicleForm vehicle, Dictionary<string, string> faults, int status, CancellationToken stop) =>
        new Page("/Account/EditProfile.cshtml", new EditPage(
            form, vehicle, await KeptVehicle.OfAsync(db, personal, customer, KeptVehicle.MostPerCustomer, stop), faults)) { Status = status };

    internal sealed record Save(Guid Customer, ProfileForm Form) : IRequest<bool>;

    internal sealed class SaveHandler(ProfilesDb db, PersonalData personal, CustomerChanges changes, TimeProvider clock) : IRequestHandler<Save, bool>
    {
        public async Task<bool> Handle(Save request, CancellationToken cancellationToken)
        {
            for (var attempt = 0; ; attempt++)
            {
                var view = await SingleView.LoadAsync(db, personal, request.Customer, cancellationToken);
                var own = await db.Attributes.Where(a => a.Customer == request.Customer && a.Source == AttributeNames.FromCustomer).ToDictionaryAsync(a => a.Name, cancellationToken);
                var form = request.Form;
                await PutAsync(AttributeNames.GivenName, view.GivenName, form.GivenName);
                await PutAsync(AttributeNames.FamilyName, view.FamilyName, form.FamilyName);
                await PutAsync(AttributeNames.PhoneNumber, view.PhoneNumber, form.PhoneNumber.Length == 0 ? null : PhoneNumber(form.PhoneNumber));
                await PutAsync(AttributeNames.Address, view.Address, form.Address);
                try
                {
                    await db.SaveChangesAsync(cancellationToken);
                    changes.Note(request.Customer);
                    return true;
                }
                catch (DbUpdateException) when (attempt < 3)
                {
                    db.ChangeTracker.Clear();   // the same form came twice at the same moment
                }

                // What did not change keeps its source and its proof.
                async Task PutAsync<T>(string name, T? before, T? after) where T : class
                {
                    if (Equals(before, after)) return;
                    if (own.TryGetValue(name, out var row)) await row.ChangeAsync(after, clock.GetUtcNow(), personal, cancellationToken);
                    else db.Attributes.Add(await ProfileAttribute.NewAsync(request.Customer, name, AttributeNames.FromCustomer, after, clock.GetUtcNow(), null, personal, cancellationToken));
                }
            }
        }
    }

    private static Dictionary<string, string> Faults(ProfileForm form)
    {
        var faults = new Dictionary<string, string>();
        Check("given_name", form.GivenName.Length is > 0 and <= 100 && IsPlain(form.GivenName), "fault.name");
        Check("family_name", form.FamilyName.Length is > 0 and <= 100 && IsPlain(form.FamilyName), "fault.name");
        Check("phone_number", form.PhoneNumber.Length == 0 || PhoneNumber(form.PhoneNumber) is not null, "fault.phone");
        Check("street_address", form.StreetAddress.Length <= 200 && IsPlain(form.StreetAddress), "fault.text");
        Check("postal_code", form.PostalCode.Length <= 20 && IsPlain(form.PostalCode), "fault.text");
        Check("locality", form.Locality.Length <= 100 && IsPlain(form.Locality), "fault.text");
        Check("region", form.Region.Length <= 100 && IsPlain(form.Region), "fault.text");
        Check("country", form.Country.Length == 0 || IsCountry(form.Country), "fault.country");
        Check("language", Languages.Names.ContainsKey(form.Language), "fault.language");
        return faults;

        void Check(string field, bool isRight, string text)
        {
            if (!isRight) faults[field] = text;
        }
    }

    /// <summary>The number as ITU-T E.164 writes it, such as <c>+358401234567</c>, or null where it is none.</summary>
    internal static string? PhoneNumber(string written)
    {
        var compact = string.Concat(written.Where(c => c is not (' ' or '-' or '(' or ')' or '.' or '/')));
        return E164().IsMatch(compact) ? compact : null;
    }

    internal static bool IsCountry(string code)
    {
        if (code.Length != 2 || !code.All(char.IsAsciiLetterUpper)) return false;
        try
        {
            return new RegionInfo(code).TwoLetterISORegionName == code;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    internal static bool IsPlain(string text) => !text.Any(char.IsControl);
    internal static string Trim(string? text) => text?.Trim() ?? "";

    [GeneratedRegex(@"\A\+[1-9][0-9]{6,14}\z")] private static partial Regex E164();
}

/// <summary>The form as written; an empty field is an empty text.</summary>
internal sealed record ProfileForm(
    string GivenName, string FamilyName, string PhoneNumber, string StreetAddress, string PostalCode, string Locality, string Region, string Country, string Language)
{
    public PostalAddress? Address => new[] { StreetAddress, PostalCode, Locality, Region, Country }.All(p => p.Length == 0)
        ? null : new PostalAddress(Some(StreetAddress), Some(PostalCode), Some(Locality), Some(Region), Some(Country));

    public static ProfileForm Of(SingleView view, string locale) => new(
        view.GivenName ?? "", view.FamilyName ?? "", view.PhoneNumber ?? "", view.Address?.StreetAddress ?? "", view.Address?.PostalCode ?? "",
        view.Address?.Locality ?? "", view.Address?.Region ?? "", view.Address?.Country ?? "", Languages.Of(locale));

    private static string? Some(string text) => text.Length == 0 ? null : text;
}

/// <param name="Faults">Field name to the key of the text that says what is wrong with it.</param>
internal sealed record EditPage(ProfileForm Form, VehicleForm Vehicle, IReadOnlyList<ShownVehicle> Vehicles, Dictionary<string, string> Faults);
