using System.Text.Json;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Commerce.Profiles.Contracts;
using Commerce.Profiles.Data;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Profiles.Attributes;

/// <summary>One value per name out of all sources: what the customer wrote stands before every import, then the newest.</summary>
/// <param name="Values">By attribute name.</param>
internal sealed record SingleView(IReadOnlyDictionary<string, ViewedValue> Values)
{
    private static readonly HotSql OfCustomer = new("""SELECT "Customer", "Name", "Source", "Value", "SetAt", "VerifiedAt" FROM {schema}attributes WHERE "Customer" = $1""");

    public string? GivenName => Text(AttributeNames.GivenName);
    public string? FamilyName => Text(AttributeNames.FamilyName);
    public string? PhoneNumber => Text(AttributeNames.PhoneNumber);
    public bool PhoneNumberVerified => Values.TryGetValue(AttributeNames.PhoneNumber, out var phone) && phone.VerifiedAt is not null;
    public PostalAddress? Address => Values.TryGetValue(AttributeNames.Address, out var address) ? address.Json.Deserialize<PostalAddress>(HubJson.Options) : null;

    /// <summary>Family name first, without a space, where both are Korean; else given name first.</summary>
    public string? FullName => (GivenName, FamilyName) switch
    {
        ({ } given, { } family) => given.All(IsHangul) && family.All(IsHangul) ? family + given : $"{given} {family}",
        var (given, family) => given ?? family,
    };

    public static async Task<SingleView> LoadAsync(ProfilesDb db, PersonalData personal, Guid customer, CancellationToken stop) =>
        await OfAsync(await db.Attributes.AsNoTracking().Where(a => a.Customer == customer).ToListAsync(stop), personal, stop);

    /// <summary>The same by the hot store, for the values of a hop or a sign-in.</summary>
    public static async Task<SingleView> LoadAsync(HotStore<ProfilesDb> store, PersonalData personal, Guid customer, CancellationToken stop) =>
        await OfAsync(await store.ReadAsync(read => read.ListAsync(OfCustomer, ProfileAttribute.Of, customer), stop), personal, stop);

    private static async Task<SingleView> OfAsync(List<ProfileAttribute> rows, PersonalData personal, CancellationToken stop)
    {
        var values = new Dictionary<string, ViewedValue>(StringComparer.Ordinal);
        foreach (var best in rows.GroupBy(a => a.Name).Select(Best))
        {
            if (await best.ReadAsync(personal, stop) is { } json) values[best.Name] = new ViewedValue(json, best.Source, best.SetAt, best.VerifiedAt);
        }
        return new SingleView(values);
    }

    private static ProfileAttribute Best(IEnumerable<ProfileAttribute> sources) =>
        sources.OrderByDescending(a => a.Source == AttributeNames.FromCustomer).ThenByDescending(a => a.SetAt).First();

    // An emptied value stands as null: the customer took it away, and no import brings it back.
    private string? Text(string name) => Values.TryGetValue(name, out var value) && value.Json.ValueKind == JsonValueKind.String ? value.Json.GetString() : null;

    private static bool IsHangul(char c) => c is >= '\uac00' and <= '\ud7a3';
}

/// <param name="Source">Where it came from: a banner's id, or the customer.</param>
internal sealed record ViewedValue(JsonElement Json, string Source, DateTimeOffset SetAt, DateTimeOffset? VerifiedAt);
