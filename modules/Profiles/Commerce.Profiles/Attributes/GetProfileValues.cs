using System.Text.Json;
using Commerce.Identity.Contracts;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Commerce.Profiles.Contracts;
using Commerce.Profiles.Data;
using Commerce.Profiles.Vehicles;
using MediatR;

namespace Commerce.Profiles.Attributes;

/// <summary>Answers for exactly the names asked, in at most three queries. The values are as they would leave, so nobody reshapes them later.</summary>
internal sealed class GetProfileValues(OnDemand<ProfilesDb> db, HotStore<ProfilesDb> store, PersonalData personal, IMediator mediator)
    : IRequestHandler<ProfileValues, IReadOnlyDictionary<string, JsonElement>>
{
    private static readonly string[] OfAccount = ["email", "email_verified", "locale"];
    private static readonly string[] OfView = ["name", "given_name", "family_name", "phone_number", "phone_number_verified", "address"];

    public async Task<IReadOnlyDictionary<string, JsonElement>> Handle(ProfileValues request, CancellationToken cancellationToken)
    {
        var asked = request.Names.ToHashSet(StringComparer.Ordinal);
        var answer = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        if (asked.Overlaps(OfAccount) && await mediator.Send(new AccountOf(request.Customer), cancellationToken) is { } account)
        {
            Put("email", account.Email);
            Put<bool?>("email_verified", account.EmailVerified);
            Put("locale", account.Locale);
        }
        if (asked.Overlaps(OfView))
        {
            var view = await SingleView.LoadAsync(store, personal, request.Customer, cancellationToken);
            Put("name", view.FullName);
            Put("given_name", view.GivenName);
            Put("family_name", view.FamilyName);
            Put("phone_number", view.PhoneNumber);
            Put<bool?>("phone_number_verified", view.PhoneNumber is null ? null : view.PhoneNumberVerified);
            Put("address", view.Address);
        }
        if (asked.Contains("vehicle"))
        {
            Put("vehicle", (await KeptVehicle.OfAsync(db.Value, personal, request.Customer, 1, cancellationToken)).FirstOrDefault()?.Vehicle);
        }
        return answer;

        void Put<T>(string name, T? value)
        {
            if (value is not null && asked.Contains(name)) answer[name] = JsonSerializer.SerializeToElement(value, HubJson.Options);
        }
    }
}
