using System.Security.Claims;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;

namespace Commerce.PartnerKit;

/// <summary>The signed-in customer, as the hub vouches for them. The same type whichever protocol carried it.</summary>
/// <remarks>
/// Every value but <see cref="Subject"/> may be missing: only what your data contract names and the customer agreed to arrives. Keep
/// customers by <see cref="Subject"/> (it is this site's own name for them and never changes); an e-mail address may change hands.
/// </remarks>
public sealed record CommerceCustomer
{
    /// <summary>The hub's name for this customer at your site only. Another partner knows the same person by another one.</summary>
    public required string Subject { get; init; }

    public string? Name { get; init; }

    public string? GivenName { get; init; }

    public string? FamilyName { get; init; }

    public string? Email { get; init; }

    /// <summary>True only where the customer has shown that they receive mail at <see cref="Email"/>. Recognise regulars by it only then.</summary>
    public bool EmailVerified { get; init; }

    /// <summary>E.164, such as <c>+358401234567</c>.</summary>
    public string? PhoneNumber { get; init; }

    public bool PhoneNumberVerified { get; init; }

    /// <summary>BCP 47 tag, such as <c>fi-FI</c>.</summary>
    public string? Locale { get; init; }

    public CommerceAddress? Address { get; init; }

    /// <summary>Id of the signed consent receipt under which the values came. Keep it with whatever you store.</summary>
    public string? ConsentReceipt { get; init; }

    /// <summary>Set where the customer came through a hop; null after a sign-in that was started here.</summary>
    public HopArrival? Hop { get; init; }

    internal const string ClaimType = "urn:commerce:partnerkit:customer";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        AllowDuplicateProperties = false,
        NumberHandling = JsonNumberHandling.AllowReadingFromString,
    };

    /// <summary>Builds the view from claims by their OpenID Connect names. Claims this version does not know are left out.</summary>
    /// <exception cref="JsonException">A claim does not have the shape that the hub's schema gives it.</exception>
    internal static CommerceCustomer From(string subject, IReadOnlyDictionary<string, JsonElement> claims)
    {
        var hop = Read<HopReference>("hop");
        return new CommerceCustomer
        {
            Subject = subject,
            Name = Read<string>("name"),
            GivenName = Read<string>("given_name"),
            FamilyName = Read<string>("family_name"),
            Email = Read<string>("email"),
            EmailVerified = Read<bool>("email_verified"),
            PhoneNumber = Read<string>("phone_number"),
            PhoneNumberVerified = Read<bool>("phone_number_verified"),
            Locale = Read<string>("locale"),
            Address = Read<CommerceAddress>("address"),
            ConsentReceipt = Read<string>("consent_receipt"),
            Hop = hop is null ? null : new HopArrival(hop.Id, hop.Offer, Read<CommerceVehicle>("vehicle"), Read<CommercePurchase>("purchase")),
        };

        T? Read<T>(string claim) => claims.TryGetValue(claim, out var value) && value.ValueKind != JsonValueKind.Null ? value.Deserialize<T>(Json) : default;
    }

    internal ClaimsIdentity ToIdentity(string authenticationType) => new(
        new (string Type, string? Value)[]
        {
            ("sub", Subject), ("name", Name), ("email", EmailVerified ? Email : null), (ClaimType, JsonSerializer.Serialize(this, Json)),
        }.Where(c => c.Value is not null).Select(c => new Claim(c.Type, c.Value!)), authenticationType, "name", "role");

    internal static CommerceCustomer? Of(ClaimsPrincipal user) =>
        user.Identity?.IsAuthenticated == true && user.FindFirst(ClaimType) is { } claim ? JsonSerializer.Deserialize<CommerceCustomer>(claim.Value, Json) : null;

    private sealed record HopReference(string Id, string Offer);
}

/// <summary>The purchase that brought the customer here, and the vehicle it is for.</summary>
/// <param name="Id">Name it when you post the booking.</param>
/// <param name="Offer">Which of your offers the customer followed.</param>
public sealed record HopArrival(string Id, string Offer, CommerceVehicle? Vehicle, CommercePurchase? Purchase);

/// <param name="Registration">As on the plate.</param>
/// <param name="Country">ISO 3166-1 alpha-2.</param>
/// <param name="TireSize">Such as <c>205/55R16</c>.</param>
public sealed record CommerceVehicle(string Registration, string? Country = null, string? Make = null, string? Model = null, int? Year = null, string? TireSize = null);

public sealed record CommerceAddress(
    string? StreetAddress = null, string? PostalCode = null, string? Locality = null, string? Region = null, string? Country = null);

/// <summary>The lines of one order that concern your offer. Other lines of the same order never leave the retailer.</summary>
/// <param name="Banner">Store brand that sold it.</param>
/// <param name="Currency">ISO 4217.</param>
public sealed record CommercePurchase(
    string OrderNumber, string? Banner, DateTimeOffset? PlacedAt, string? Currency, IReadOnlyList<CommerceLine>? Lines, CommerceFulfilment? Fulfilment = null)
{
    public IReadOnlyList<CommerceLine> Lines { get; init; } = Lines ?? [];
}

/// <param name="Gtin">GTIN-13, or null.</param>
/// <param name="Category">Path such as <c>tires/winter</c>.</param>
/// <param name="UnitPrice">In the purchase's currency, or null where the price does not leave.</param>
/// <param name="Properties">The product's own properties, such as <c>studded</c>.</param>
public sealed record CommerceLine(
    string? Gtin, string? Sku, string Description, string? Category, int Quantity, decimal? UnitPrice, JsonElement? Properties);

/// <param name="Method"><c>home_delivery</c>, <c>store_pickup</c> or <c>ship_to_partner</c>.</param>
public sealed record CommerceFulfilment(string Method, CommerceAddress? Address = null, string? Partner = null);

public static class HopContext
{
    private static readonly object Key = new();

    /// <summary>The customer who is signed in through the hub, or null.</summary>
    public static CommerceCustomer? GetCommerceCustomer(this HttpContext context)
    {
        if (context.Items.TryGetValue(Key, out var known)) return (CommerceCustomer?)known;
        var customer = CommerceCustomer.Of(context.User);
        context.Items[Key] = customer;
        return customer;
    }

    /// <summary>The purchase and vehicle with which the signed-in customer came, or null where nobody came by a hop.</summary>
    public static HopArrival? GetHop(this HttpContext context) => context.GetCommerceCustomer()?.Hop;
}
